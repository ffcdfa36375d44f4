// @ts-check
// Pictures that wait for a moderator: blurred until looked at, approved as the very picture that was shown here.

import { act, call, imageUrl } from './api.js';
import { button, byId, element, hide, isolated, loginNote, typed, write } from './dom.js';
import { lazyImage } from './image.js';
import { keyedRows } from './rows.js';
import { openViewer, stillHeld } from './viewer.js';

/** @import { Ban, HeldPicture } from './types.js' */
/** @import { Row } from './rows.js' */

const showHeldRows = keyedRows(
  byId('held'),
  ({ verdict }) => verdict,
  heldRow,
  () => hideEmpty('held'),
);
const showBanRows = keyedRows(
  byId('bans'),
  ({ who }) => who,
  banRow,
  () => hideEmpty('bans'),
);

/**
 * Hides the section of a list without rows; gaps count, since somebody aims there.
 * @param {string} list
 */
function hideEmpty(list) {
  hide(byId(`${list}-section`), byId(list).childElementCount === 0, byId('main'));
}

/**
 * Updates the list: a row never changes what it approves.
 * @param {HeldPicture[]} held
 */
export function showHeld(held) {
  showHeldRows(held);
  stillHeld(new Set(held.map(({ verdict }) => verdict)));
}

/** @param {Ban[]} bans */
export function showBans(bans) {
  showBanRows(bans);
}

/** @param {HeldPicture} item @returns {Row<HeldPicture>} */
function heldRow(item) {
  const { actor } = item.request;
  const source = imageUrl(`/api/v1/held/${encodeURIComponent(item.request.id)}/image`);
  const { frame, show } = lazyImage('shot');
  show(source, '');
  const look = element(
    'button',
    {
      type: 'button',
      className: 'look',
      title: 'Click to see it large and clear',
      ariaLabel: `Look at the picture for ${isolated(actor)}`,
    },
    frame,
  );
  look.onclick = () => lookAt(item, source, look);
  const time = element('time');
  const decide = decisions(item);
  const buttons = decide.map(({ text, className, run }) =>
    button(text, () => act(run), { className, label: `${text} the picture for ${isolated(actor)}` }),
  );
  const row = element(
    'li',
    {},
    look,
    element(
      'div',
      {},
      element('p', {}, element('strong', {}, `${item.number} · `, typed(actor), loginNote(item.request)), ' ', time),
      element('p', { className: 'what' }, typed(asked(item))),
      element('p', { className: 'by', textContent: noteOn(item) }),
      element('div', { className: 'row decide' }, ...buttons),
    ),
  );
  return {
    element: row,
    update: ({ seconds_left }) => write(time, `${Math.ceil(seconds_left)} s`),
    drop: () => source.then(URL.revokeObjectURL, () => {}),
  };
}

/** @param {HeldPicture} item @param {Promise<string>} source @param {HTMLElement} look */
function lookAt(item, source, look) {
  look.classList.add('seen');
  const subject = {
    heading: item.request.actor,
    text: asked(item),
    note: noteOn(item),
    source,
    actions: decisions(item),
    verdict: item.verdict,
  };
  openViewer(subject, () => (look.isConnected ? look : byId('held')));
}

/** @param {HeldPicture} item */
function asked({ request }) {
  return request.text || request.command;
}

/** @param {HeldPicture} item */
function noteOn({ goes, reason }) {
  return goes ? 'goes on air automatically' : reason;
}

/** @param {HeldPicture} item */
function decisions(item) {
  const request = `/api/v1/requests/${encodeURIComponent(item.request.id)}`;
  return [
    {
      text: item.goes ? 'Show now' : 'Approve',
      className: 'good',
      run: () => call('POST', `${request}/approve?verdict=${item.verdict}`),
    },
    { text: 'Deny', run: () => call('POST', `${request}/deny`) },
    { text: 'Ban', run: () => call('POST', '/api/v1/bans', { who: item.request.actor_id }) },
  ];
}

/** @param {Ban} ban @returns {Row<Ban>} */
function banRow({ who, name }) {
  const how = element('span');
  const unban = button('Unban', () => act(() => call('DELETE', `/api/v1/bans/${encodeURIComponent(who)}`)), {
    label: `Unban ${isolated(name)}`,
  });
  const row = element('li', {}, element('span', { className: 'what' }, typed(name), how), unban);
  return { element: row, update: (ban) => write(how, `, ${termsOf(ban)}`) };
}

/** @param {Ban} ban */
function termsOf({ minutes_left, reason }) {
  const left = minutes_left === null ? 'permanent' : `${Math.ceil(minutes_left)} min`;
  return reason ? `${left} (${isolated(reason)})` : left;
}
