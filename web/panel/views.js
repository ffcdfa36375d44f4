// @ts-check
// The sections of the panel that show the status.

import { whenReleased } from './aim.js';
import { act, call, picture } from './api.js';
import { button, byId, element, hide, isolated, loginNote, typed, write } from './dom.js';
import { showBans, showHeld } from './held.js';
import { lazyImage } from './image.js';
import { keyedRows } from './rows.js';
import { openViewer } from './viewer.js';

/** @import { Health, ImageRequest, PastPicture, Status } from './types.js' */
/** @import { Row } from './rows.js' */
/** @typedef {{ layer: string, id: string | null }} LayerState */
/** @typedef {{ request: ImageRequest, drawing: boolean }} Queued */
/** @typedef {{ step: string, times: number[] }} Timing */

let listedFor = '';

const showLayerRows = keyedRows(byId('layers'), ({ layer }) => layer, layerRow);
const showQueueRows = keyedRows(byId('queue'), ({ request }) => request.id, queueRow);
const showPictureRows = keyedRows(byId('pictures'), ({ id }) => id, pictureRow);
// Two parts may have one name.
const showHealthRows = keyedRows(byId('health'), ({ name }, place) => `${place} ${name}`, healthRow);
const showTimingRows = keyedRows(byId('timing-rows'), ({ step }) => step, timingRow);

/**
 * Shows the status in every section.
 * @param {Status} status
 */
export function show(status) {
  write(byId('pages'), String(status.pages));
  showToggle('pause', status.paused, 'Resume', 'Pause');
  showToggle('park', status.generator.state === 'parked', 'Warm up again', 'Free the GPU');
  showLayerRows(Object.entries(status.on_air).map(([layer, id]) => ({ layer, id })));
  showSafety(status);
  showQueue(status);
  showHealth(status);
  showPictures(status);
}

/** @param {string} id @param {boolean} on @param {string} off the text that ends it @param {string} start */
function showToggle(id, on, off, start) {
  write(byId(id), on ? off : start);
  byId(id).dataset.on = String(on);
}

/** @param {LayerState} state @returns {Row<LayerState>} */
function layerRow({ layer }) {
  const { frame, show: showImage } = lazyImage('shot');
  const text = element('p');
  const buttons = ['clear', 'undo', 'redo'].map((verb) =>
    button(verb, () => act(() => call('POST', `/api/v1/stage/${encodeURIComponent(layer)}/${verb}`)), {
      label: `${verb} ${layer}`,
    }),
  );
  const row = element(
    'div',
    { className: 'layer' },
    frame,
    element(
      'div',
      {},
      element('strong', { textContent: layer }),
      text,
      element('div', { className: 'row' }, ...buttons),
    ),
  );
  /** @type {string | null | undefined} */
  let shown;

  /** @param {LayerState} state */
  function update({ id }) {
    if (id === shown) return;
    shown = id;
    write(text, id ? '' : 'nothing on air');
    showImage(id ? picture(id) : null, `what is on the layer ${layer}`);
  }

  return { element: row, update };
}

/** @param {Queued} queued @returns {Row<Queued>} */
function queueRow({ request }) {
  const by = element('span');
  const remove = button(
    'Remove',
    () => act(() => call('DELETE', `/api/v1/requests/${encodeURIComponent(request.id)}`)),
    {
      label: `Remove the request from ${isolated(request.actor)}`,
    },
  );
  const row = element(
    'li',
    {},
    element(
      'span',
      { className: 'what' },
      typed(request.text || request.command),
      element('span', { className: 'by' }, '  ', typed(request.actor), loginNote(request), by),
    ),
    remove,
  );
  return {
    element: row,
    update: ({ request: { role, wait_s }, drawing }) =>
      write(by, `, ${role}, ${drawing ? 'being drawn' : waitOf(wait_s)}`),
  };
}

/** @param {number | null} seconds */
function waitOf(seconds) {
  return seconds === null ? 'waiting' : `in about ${Math.round(seconds)} s`;
}

/** @param {Status} status */
function showQueue({ drawing, pending }) {
  const queued = pending.map((request) => ({ request, drawing: false }));
  if (drawing) queued.unshift({ request: drawing, drawing: true });
  showQueueRows(queued);
  write(byId('queue-length'), String(queued.length));
  byId('queue-empty').hidden = queued.length > 0;
}

/** @param {Status} status */
function showSafety({ alarm, held, bans }) {
  byId('alarm').hidden = !alarm;
  write(byId('alarm'), alarm && `Raid mode: ${alarm}. Viewers' pictures are held for you.`);
  showHeld(held);
  write(byId('held-count'), String(held.length));
  hide(byId('cut'), !held.some(({ goes }) => goes), byId('held'));
  showBans(bans);
}

/** @param {Status} status */
function showHealth({ generator, sources, active, timings }) {
  showHealthRows([generator, ...sources]);
  const parts = Object.entries(active).map(([what, value]) => `${what}: ${value}`);
  write(byId('active'), parts.join(', '));
  showTimingRows(Object.entries(timings).map(([step, { p50, p95, p99 }]) => ({ step, times: [p50, p95, p99] })));
  byId('timings').hidden = Object.keys(timings).length === 0;
}

/** @returns {Row<Health>} */
function healthRow() {
  const row = element('li', { className: 'light' });
  return {
    element: row,
    update({ name, state, detail }) {
      row.dataset.state = state;
      write(row, `${name}: ${state}${detail ? ` (${detail})` : ''}`);
    },
  };
}

/** @param {Timing} timing @returns {Row<Timing>} */
function timingRow({ step }) {
  const cells = [0, 1, 2].map(() => element('td'));
  return {
    element: element('tr', {}, element('td', { textContent: step }), ...cells),
    update({ times }) {
      for (const [place, ms] of times.entries()) write(cells[place], ms.toFixed(1));
    },
  };
}

/** Fetches the latest pictures when something else is on air. @param {Status} status */
async function showPictures({ on_air }) {
  const wanted = JSON.stringify(on_air);
  if (wanted === listedFor) return;
  listedFor = wanted;
  try {
    /** @type {PastPicture[]} */
    const latest = await (await call('GET', '/api/v1/pictures?limit=12')).json();
    if (wanted !== listedFor) return; // a newer list is on its way
    whenReleased(byId('pictures'), () => {
      byId('pictures-empty').hidden = latest.length > 0;
      showPictureRows(latest);
    });
  } catch {
    listedFor = ''; // the next status tries again
  }
}

/** @param {PastPicture} item @returns {Row<PastPicture>} */
function pictureRow({ id, layer, text }) {
  const label = text || layer;
  const { frame, show: showImage } = lazyImage('shot');
  showImage(picture(id), '');
  const look = element(
    'button',
    { type: 'button', className: 'past', title: 'Click to see it large', ariaLabel: `Enlarge ${isolated(label)}` },
    frame,
  );
  const path = `/api/v1/stage/${encodeURIComponent(layer)}/show?picture=${encodeURIComponent(id)}`;
  const again = { text: 'Put on air', run: () => call('POST', path) };
  const subject = { heading: layer, text: label, note: 'It was on air before.', actions: [again] };
  look.onclick = () =>
    openViewer({ ...subject, source: picture(id) }, () => (look.isConnected ? look : byId('pictures')));
  const row = element(
    'li',
    {},
    look,
    element('p', { className: 'what' }, typed(label)),
    button(again.text, () => act(again.run), { label: `Put ${isolated(label)} on air again` }),
  );
  return { element: row, update() {} };
}
