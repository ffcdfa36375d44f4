// @ts-check
// Pictures that wait for a moderator: blurred until looked at, approved as the very picture that was shown here.

import { aimed, moved } from './aim.js';
import { act, call, imageUrl } from './api.js';
import { byId, element } from './dom.js';

/** @import { Ban, HeldPicture } from './types.js' */

/** @type {Map<string, { row: HTMLLIElement, image: HTMLImageElement, time: HTMLTimeElement }>} */
const rows = new Map();

/**
 * Updates the list: a row never moves and never changes what it approves; new rows are added below.
 * @param {HeldPicture[]} held
 */
export function showHeld(held) {
  const list = byId('held');
  const current = new Set(held.map((item) => item.verdict));
  for (const verdict of [...rows.keys()]) {
    if (!current.has(verdict)) removeRow(list, verdict, () => showHeld(held));
  }
  for (const item of held) {
    const { row, time } = rows.get(item.verdict) ?? newRow(item);
    if (row.parentElement === null) list.append(row);
    time.textContent = `${Math.ceil(item.seconds_left)} s`;
  }
}

/** @param {Element} list @param {string} verdict @param {() => void} again */
function removeRow(list, verdict, again) {
  const removed = rows.get(verdict);
  if (removed === undefined) return;
  if (aimed(list, again)) {
    // The row stays as a gap while somebody aims at the rows below.
    removed.row.classList.add('gone');
    for (const button of removed.row.querySelectorAll('button')) button.disabled = true;
    return;
  }
  URL.revokeObjectURL(removed.image.src);
  removed.row.remove();
  rows.delete(verdict);
  moved(list);
}

/** @param {HeldPicture} item */
function newRow(item) {
  const actor = item.request.actor;
  const image = element('img', { className: 'shot', alt: '' });
  imageUrl(`/api/v1/held/${encodeURIComponent(item.request.id)}/image`).then(
    (url) => {
      image.src = url;
    },
    () => {},
  );
  const look = element(
    'button',
    {
      type: 'button',
      className: 'look',
      title: 'Click to see it clearly',
      ariaLabel: `Look at the picture for ${actor}`,
    },
    image,
  );
  look.onclick = () => look.classList.toggle('seen');
  const time = element('time');
  const row = element(
    'li',
    {},
    look,
    element(
      'div',
      {},
      element('p', {}, element('strong', { textContent: `${item.number} · ${actor}` }), ' ', time),
      element('p', { className: 'what', textContent: item.request.text || item.request.command }),
      element('p', { className: 'by', textContent: item.goes ? 'goes on air automatically' : item.reason }),
      decisions(item),
    ),
  );
  const entry = { row, image, time };
  rows.set(item.verdict, entry);
  return entry;
}

/** @param {HeldPicture} item */
function decisions(item) {
  const request = `/api/v1/requests/${encodeURIComponent(item.request.id)}`;
  const actor = item.request.actor;
  /** @param {string} text @param {() => unknown} action @param {string} [className] */
  const button = (text, action, className = '') =>
    element('button', {
      type: 'button',
      textContent: text,
      className,
      ariaLabel: `${text} the picture for ${actor}`,
      onclick: () => act(action),
    });
  return element(
    'div',
    { className: 'row decide' },
    button(
      item.goes ? 'Show now' : 'Approve',
      () => call('POST', `${request}/approve?verdict=${item.verdict}`),
      'good',
    ),
    button('Deny', () => call('POST', `${request}/deny`)),
    button('Ban', () => call('POST', '/api/v1/bans', { who: actor })),
  );
}

/**
 * Lists who is banned, each with a button that ends the ban.
 * @param {Ban[]} bans
 */
export function showBans(bans) {
  const list = byId('bans');
  if (aimed(list, () => showBans(bans))) return;
  list.replaceChildren(...bans.map(banRow));
}

/** @param {Ban} ban */
function banRow(ban) {
  const left = ban.minutes_left === null ? 'permanent' : `${Math.ceil(ban.minutes_left)} min`;
  const reason = ban.reason ? ` (${ban.reason})` : '';
  return element(
    'li',
    {},
    element('span', { className: 'what', textContent: `${ban.name}, ${left}${reason}` }),
    element('button', {
      type: 'button',
      textContent: 'Unban',
      ariaLabel: `Unban ${ban.name}`,
      onclick: () => act(() => call('DELETE', `/api/v1/bans/${encodeURIComponent(ban.who)}`)),
    }),
  );
}
