// Pictures that wait for a moderator: blurred until looked at, approved as the very picture that was shown here.

import { aimed, moved } from '/panel/aim.js';

const rows = new Map();

/** Bring the list up to date: a row never moves and never changes what it approves; new ones are added below. */
export function showHeld(list, held, tools) {
  const current = new Set(held.map((item) => item.verdict));
  for (const [verdict, row] of rows) {
    if (current.has(verdict)) continue;
    if (aimed(list, () => showHeld(list, held, tools))) {
      // It stays as a gap while somebody aims at the rows below.
      row.classList.add('gone');
      row.querySelectorAll('button').forEach((button) => { button.disabled = true; });
    } else {
      URL.revokeObjectURL(row.querySelector('img').src);
      row.remove();
      rows.delete(verdict);
      moved(list);
    }
  }
  for (const item of held) {
    if (!rows.has(item.verdict)) {
      rows.set(item.verdict, row(item, tools));
      list.append(rows.get(item.verdict));
    }
    rows.get(item.verdict).querySelector('time').textContent = `${Math.ceil(item.seconds_left)} s`;
  }
}

function row(item, { call, act, element }) {
  const id = encodeURIComponent(item.request.id);
  const image = element('img', { className: 'shot', alt: '' });
  call('GET', `/api/v1/held/${id}/image`).then((answer) => answer.blob())
    .then((blob) => { image.src = URL.createObjectURL(blob); }, () => {});
  const look = element('button', {
    type: 'button', className: 'look', title: 'Click to see it clearly', ariaLabel: `Look at the picture of ${item.request.actor}`,
    onclick: () => look.classList.toggle('seen'),
  }, image);
  const button = (text, action, className = '') => element('button', {
    type: 'button', textContent: text, className, ariaLabel: `${text} the picture of ${item.request.actor}`, onclick: () => act(action),
  });
  return element('li', {},
    look,
    element('div', {},
      element('p', {}, element('strong', { textContent: `${item.number} · ${item.request.actor}` }), ' ', element('time', {})),
      element('p', { className: 'what', textContent: item.request.text || item.request.command }),
      element('p', { className: 'by', textContent: item.goes ? 'goes on air by itself' : item.reason }),
      element('div', { className: 'row decide' },
        button(item.goes ? 'Show now' : 'Approve', () => call('POST', `/api/v1/requests/${id}/approve?verdict=${item.verdict}`), 'good'),
        button('Deny', () => call('POST', `/api/v1/requests/${id}/deny`)),
        button('Ban', () => call('POST', '/api/v1/bans', { who: item.request.actor })))));
}

/** List who is kept out, each with the way back. */
export function showBans(list, bans, tools) {
  if (aimed(list, () => showBans(list, bans, tools))) return;
  const { call, act, element } = tools;
  list.replaceChildren(...bans.map((ban) => {
    const left = ban.minutes_left === null ? 'for good' : `${Math.ceil(ban.minutes_left)} min`;
    return element('li', {},
      element('span', { className: 'what', textContent: `${ban.name}, ${left}${ban.reason ? ` (${ban.reason})` : ''}` }),
      element('button', {
        type: 'button', textContent: 'Unban', ariaLabel: `Unban ${ban.name}`,
        onclick: () => act(() => call('DELETE', `/api/v1/bans/${encodeURIComponent(ban.who)}`)),
      }));
  }));
}
