// @ts-check
// The sections of the panel that show the status.

import { aimed, moved } from './aim.js';
import { act, call, picture } from './api.js';
import { byId, element } from './dom.js';
import { showBans, showHeld } from './held.js';

/** @import { ImageRequest, PastPicture, Status } from './types.js' */

let shownPictures = '';

/**
 * Shows the status in every section.
 * @param {Status} status
 */
export function show(status) {
  byId('pages').textContent = String(status.pages);
  byId('pause').textContent = status.paused ? 'Resume' : 'Pause';
  byId('park').textContent = status.generator.state === 'parked' ? 'Warm up again' : 'Free the GPU';
  showLayers(status);
  showSafety(status);
  showQueue(status);
  showHealth(status);
  act(() => showPictures(status));
}

/** @param {string | null} id @param {string} text */
function shot(id, text) {
  const image = element('img', { className: 'shot', alt: text });
  if (id) {
    picture(id).then(
      (url) => {
        image.src = url;
      },
      () => {},
    );
  }
  return image;
}

/** @param {Status} status */
function showLayers(status) {
  byId('layers').replaceChildren(...Object.entries(status.on_air).map(([layer, id]) => layerRow(layer, id)));
}

/** @param {string} layer @param {string | null} id */
function layerRow(layer, id) {
  const buttons = ['clear', 'undo', 'redo'].map((verb) =>
    element('button', {
      type: 'button',
      textContent: verb,
      ariaLabel: `${verb} ${layer}`,
      onclick: () => act(() => call('POST', `/api/v1/stage/${encodeURIComponent(layer)}/${verb}`)),
    }),
  );
  return element(
    'div',
    { className: 'layer' },
    id ? shot(id, `what is on the layer ${layer}`) : element('div', { className: 'shot' }),
    element(
      'div',
      {},
      element('strong', { textContent: layer }),
      element('p', { textContent: id ? '' : 'nothing on air' }),
      element('div', { className: 'row' }, ...buttons),
    ),
  );
}

/** @param {ImageRequest} request @param {boolean} drawing */
function queueRow(request, drawing) {
  const by = `  ${request.actor}, ${request.role}${drawing ? ', being drawn' : ''}`;
  const row = element(
    'li',
    {},
    element(
      'span',
      { className: 'what' },
      request.text || request.command,
      element('span', { className: 'by', textContent: by }),
    ),
    element('button', {
      type: 'button',
      textContent: 'Remove',
      ariaLabel: `Remove the request from ${request.actor}`,
      onclick: () => act(() => call('DELETE', `/api/v1/requests/${encodeURIComponent(request.id)}`)),
    }),
  );
  row.dataset.id = request.id;
  return row;
}

/** @param {Status} status */
function showQueue(status) {
  const list = byId('queue');
  if (aimed(list, () => showQueue(status))) return;
  const rows = status.pending.map((request) => queueRow(request, false));
  if (status.drawing) rows.unshift(queueRow(status.drawing, true));
  const before = /** @type {HTMLElement[]} */ ([...list.children]);
  if (before.some((row, place) => row.dataset.id !== rows[place]?.dataset.id)) moved(list);
  list.replaceChildren(...rows);
  byId('queue-length').textContent = String(rows.length);
  byId('queue-empty').hidden = rows.length > 0;
}

/** @param {Status} status */
function showSafety(status) {
  byId('alarm').hidden = !status.alarm;
  byId('alarm').textContent = status.alarm && `Raid mode: ${status.alarm}. Viewers' pictures are held for you.`;
  showHeld(status.held);
  byId('held-count').textContent = String(status.held.length);
  byId('held-section').hidden = !status.held.length;
  byId('cut').hidden = !status.held.some((item) => item.goes);
  showBans(status.bans);
  byId('bans-section').hidden = !status.bans.length;
}

/** @param {Status} status */
function showHealth(status) {
  const rows = [status.generator, ...status.sources].map(({ name, state, detail }) => {
    const text = `${name}: ${state}${detail ? ` (${detail})` : ''}`;
    const row = element('li', { className: 'light', textContent: text });
    row.dataset.state = state;
    return row;
  });
  const active = Object.entries(status.active).map(([what, value]) => `${what}: ${value}`);
  if (active.length > 0) rows.push(element('li', { className: 'by', textContent: active.join(', ') }));
  byId('health').replaceChildren(...rows);
  showTimings(status);
}

/** @param {Status} status */
function showTimings(status) {
  const table = /** @type {HTMLTableElement} */ (byId('timings'));
  const rows = Object.entries(status.timings).map(([step, times]) => {
    const cells = [step, ...[times.p50, times.p95, times.p99].map((ms) => ms.toFixed(1))];
    return element('tr', {}, ...cells.map((cell) => element('td', { textContent: cell })));
  });
  table.hidden = rows.length === 0;
  table.tBodies[0].replaceChildren(...rows);
}

/** @param {Status} status */
async function showPictures(status) {
  const onAir = JSON.stringify(status.on_air);
  if (onAir === shownPictures) return;
  shownPictures = onAir;
  /** @type {PastPicture[]} */
  const latest = await (await call('GET', '/api/v1/pictures?limit=12')).json();
  byId('pictures-empty').hidden = latest.length > 0;
  byId('pictures').replaceChildren(...latest.map(pictureButton));
}

/** @param {PastPicture} item */
function pictureButton(item) {
  const label = item.text || item.layer;
  const path = `/api/v1/stage/${encodeURIComponent(item.layer)}/show?picture=${encodeURIComponent(item.id)}`;
  return element(
    'button',
    {
      type: 'button',
      title: `Show again on ${item.layer}: ${label}`,
      onclick: () => act(() => call('POST', path)),
    },
    shot(item.id, ''),
    element('span', { textContent: label }),
  );
}
