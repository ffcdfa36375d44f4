// @ts-check
// The page in OBS's browser source: connects, and hands every message to the layer it is for.

import { connect } from '../shared/socket.js';
import { createDrawingBadge } from './drawing_badge.js';
import { createLayerQueue } from './layer_queue.js';
import { createNoticeCard } from './notice_card.js';
import * as protocol from './protocol.js';
import { createToasts } from './toast.js';
import { watchVisibility } from './visibility.js';

/** @import { Layer } from './layer_queue.js' */
/** @import { LayerOptions, PictureHeader, TextMessage } from './protocol.js' */

/**
 * One layer of the page.
 * @typedef {object} PageLayer
 * @property {string} use
 * @property {HTMLElement} element
 * @property {Promise<Layer>} module
 * @property {ReturnType<typeof createLayerQueue>} queue
 */

const WRONG_PROTOCOL = 4406;
const UNAUTHORISED = 4401;
const RELOAD_EVERY_MS = 60000;
const MAX_LAYERS = 64;

// OBS writes console errors to its log, where viewers cannot see them: the right place for every fault.
window.addEventListener('error', (event) => {
  console.error('overlay:', event.message);
  event.preventDefault();
});
window.addEventListener('unhandledrejection', (event) => {
  console.error('overlay:', String(event.reason));
  event.preventDefault();
});

// The token stays in the address, because OBS's refresh button loads that address again; a fragment is never sent.
const token = decoded(location.hash.slice(1));
// Another link in this page's address changes the fragment alone, so the browser loads nothing by itself.
window.addEventListener('hashchange', () => location.reload());
const wanted = wantedLayers(new URLSearchParams(location.search).get('layers'));
/** @type {Map<string, PageLayer>} */
const layers = new Map();
const toasts = createToasts(document.body);
const badge = createDrawingBadge(document.body);
const noticeCard = createNoticeCard(document.body);
/** @type {Map<string, (message: TextMessage) => unknown>} */
const handlers = new Map(Object.entries({ hello: welcomed, layers: arrange, clear, toast, card, ping }));
let epoch = '';

const visibility = watchVisibility((state) => {
  connection.send(protocol.encodeState(state));
  if (!state.visible) return;
  connection.check();
  for (const { queue } of layers.values()) guarded(queue.repaint);
});

const connection = connect(socketUrl(), {
  greet: () => protocol.encodeHello(token, wanted, visibility),
  receive: (data) => guarded(() => (typeof data === 'string' ? receiveText(data) : receivePicture(data))),
  lost,
});

/** @param {string} text quoted as an address needs it, or as somebody typed it */
function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function socketUrl() {
  const url = new URL('ws/overlay', location.href);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  url.hash = url.search = '';
  return url.href;
}

/** @param {string | null} text names with commas between them */
function wantedLayers(text) {
  if (text === null) return null;
  const names = text.split(',').map((name) => name.trim());
  return names.filter((name) => name !== '').slice(0, MAX_LAYERS);
}

/** @param {string} text */
function receiveText(text) {
  const message = protocol.decodeText(text);
  return handlers.get(message.type)?.(message); // a type without a handler comes from a newer server
}

/** @param {ArrayBuffer} data */
function receivePicture(data) {
  const picture = protocol.decodePicture(data);
  const layer = layers.get(picture.header.layer);
  if (layer) layer.queue.push(picture);
  else answer(picture.header, false);
}

/** @param {TextMessage} message */
function welcomed(message) {
  document.documentElement.dataset.connection = 'open';
  const restarted = message.epoch !== epoch;
  for (const { queue } of layers.values()) queue.connected(restarted);
  // A restarted server sends the card again if there is one.
  if (restarted) noticeCard.hide();
  epoch = message.epoch;
}

/**
 * Gives the page the layers of the server; pictures on layers that stay are not touched.
 * @param {TextMessage} message
 */
function arrange({ layers: described }) {
  const names = Object.keys(described).filter((name) => wanted === null || wanted.includes(name));
  for (const name of wanted ?? []) {
    if (!names.includes(name)) console.error(`overlay: there is no layer '${name}', see ?layers= in the URL`);
  }
  for (const [name, layer] of [...layers]) {
    if (described[name]?.use !== layer.use || !names.includes(name)) remove(name);
  }
  for (const name of names) guarded(() => set(name, described[name]));
}

/** @param {string} name @param {LayerOptions} options */
function set(name, options) {
  const existing = layers.get(name);
  if (existing) {
    existing.element.style.zIndex = String(options.z);
    existing.module.then((layer) => layer.configure?.(options));
    return;
  }
  if (!/^[a-z][a-z0-9_]*$/.test(options.use)) throw new TypeError(`layer '${name}' has no proper module name`);
  const element = document.createElement('div');
  element.className = 'layer';
  element.dataset.layer = name;
  element.style.zIndex = String(options.z);
  document.body.append(element);
  const module = import(`./layers/${options.use}.js`).then(({ create }) => create(element, options));
  const queue = createLayerQueue(element, module, badge, answer, () => visibility.visible);
  layers.set(name, { use: options.use, element, module, queue });
  module.catch((error) => {
    console.error(`overlay: layer '${name}' cannot be drawn by '${options.use}':`, String(error));
    remove(name);
  });
}

/** @param {string} name */
function remove(name) {
  layers.get(name)?.element.remove();
  layers.delete(name);
}

/**
 * Clears a layer, and with it the toast about its picture: the name in it may be the reason for the clear.
 * @param {TextMessage} message
 */
function clear({ layer: name, fade }) {
  const layer = layers.get(name);
  if (layer === undefined) return undefined;
  toasts.dismiss(layer.element.dataset.request);
  return layer.queue.clear(fade === true);
}

/** @param {TextMessage} message */
function toast({ request_id, text, seconds }) {
  toasts.show(String(request_id ?? ''), String(text), Number(seconds) || 4);
}

/** @param {TextMessage} message */
function card({ title, line }) {
  noticeCard.show(String(title ?? ''), String(line ?? ''));
}

function ping() {
  connection.send(protocol.encodePong());
}

/** @param {PictureHeader} header @param {boolean} shown */
function answer(header, shown) {
  connection.send(protocol.encodePainted(header, shown));
}

/** @param {number} code */
function lost(code) {
  document.documentElement.dataset.connection = 'lost';
  badge.hide();
  if (code === UNAUTHORISED) console.error('overlay: the token in the URL is not valid; copy the URL again');
  if (code === WRONG_PROTOCOL) reloadOnce();
}

/** Reloads a page that is out of date: the server was replaced by one that speaks another protocol. */
function reloadOnce() {
  const last = Number(sessionStorage.getItem('reloadedAt'));
  if (Date.now() - last < RELOAD_EVERY_MS) return;
  sessionStorage.setItem('reloadedAt', String(Date.now()));
  location.reload();
}

/**
 * Runs one thing; a fault in it is logged and affects nothing else.
 * @param {() => unknown} run
 */
async function guarded(run) {
  try {
    await run();
  } catch (error) {
    console.error('overlay:', String(error));
  }
}
