// The browser source: connects, and hands every message to the layer it is for.

import { createCard } from './card.js';
import { createFeed } from './feed.js';
import { watch } from './obs.js';
import * as protocol from './protocol.js';
import { connect } from './socket.js';
import { createToasts } from './toast.js';

const WRONG_PROTOCOL = 4406;
const UNAUTHORISED = 4401;

// OBS writes console errors to its log and shows nothing to viewers: the only right place for a fault.
window.addEventListener('error', (event) => {
  console.error('overlay:', event.message);
  event.preventDefault();
});
window.addEventListener('unhandledrejection', (event) => {
  console.error('overlay:', String(event.reason));
  event.preventDefault();
});

// The token stays in the address: OBS's refresh button loads that address again, and a fragment is never sent.
const token = location.hash.slice(1);
const wanted = wantedLayers(new URLSearchParams(location.search).get('layers'));
const layers = new Map();
const toasts = createToasts(document.body);
const breakCard = createCard(document.body);
let epoch = '';

const page = watch((state) => {
  connection.send(protocol.encodeState(state));
  if (!state.visible) return;
  connection.check();
  layers.forEach(({ feed }) => guarded(feed.repaint));
});

const connection = connect(socketUrl(), {
  greet: () => protocol.encodeHello(token, wanted, page),
  hear: (data) => guarded(() => (typeof data === 'string' ? hearText(data) : hearPicture(data))),
  lost,
});

function socketUrl() {
  const url = new URL('ws/overlay', location.href);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  url.hash = url.search = '';
  return url.href;
}

function wantedLayers(text) {
  const names = (text ?? '').split(',').map((name) => name.trim());
  return text === null ? null : names.filter((name) => name !== '').slice(0, 64);
}

function hearText(text) {
  const message = protocol.decodeText(text);
  const handle = { hello: welcomed, layers: arrange, clear, toast, card, ping }[message.type];
  handle?.(message); // an unknown type comes from a newer server and is none of our business
}

function hearPicture(data) {
  const picture = protocol.decodePicture(data);
  const layer = layers.get(picture.header.layer);
  if (layer) layer.feed.push(picture);
  else answer(picture.header, false);
}

function welcomed(message) {
  document.documentElement.dataset.connection = 'open';
  layers.forEach(({ feed }) => feed.connected(message.epoch !== epoch));
  // A restarted server says anew whether there is a break.
  if (message.epoch !== epoch) breakCard.hide();
  epoch = message.epoch;
}

/** Makes the page's layers those of the server; pictures on layers that stay are not touched. */
function arrange({ layers: described }) {
  const names = Object.keys(described).filter((name) => wanted === null || wanted.includes(name));
  for (const name of wanted ?? []) {
    if (!names.includes(name)) console.error(`overlay: there is no layer '${name}', see ?layers= in the URL`);
  }
  layers.forEach((layer, name) => {
    if (described[name]?.use !== layer.use || !names.includes(name)) remove(name, layer);
  });
  for (const name of names) guarded(() => set(name, described[name]));
}

function set(name, options) {
  const existing = layers.get(name);
  if (existing) {
    existing.element.style.zIndex = options.z;
    existing.module.then((layer) => layer.configure?.(options));
    return;
  }
  if (!/^[a-z][a-z0-9_]*$/.test(options.use)) throw new TypeError(`layer '${name}' has no proper module name`);
  const element = document.createElement('div');
  element.className = 'layer';
  element.dataset.layer = name;
  element.style.zIndex = options.z;
  document.body.append(element);
  const module = import(`./layers/${options.use}.js`).then(({ create }) => create(element, options));
  const feed = createFeed(element, module, answer, () => page.visible);
  layers.set(name, { use: options.use, element, module, feed });
  module.catch((error) => {
    console.error(`overlay: layer '${name}' cannot be drawn by '${options.use}':`, String(error));
    remove(name, layers.get(name));
  });
}

function remove(name, layer) {
  layer?.element.remove();
  layers.delete(name);
}

/** What is taken off the air takes the line about it along: the name may have been the reason. */
function clear({ layer, fade }) {
  const found = layers.get(layer);
  if (found === undefined) return undefined;
  toasts.dismiss(found.element.dataset.request);
  return found.feed.clear(fade === true);
}

function toast({ request_id, text, seconds }) {
  toasts.show(String(request_id ?? ''), String(text), Number(seconds) || 4);
}

function card({ title, line }) {
  breakCard.show(String(title ?? ''), String(line ?? ''));
}

function ping() {
  connection.send(protocol.encodePong());
}

function answer(header, shown) {
  connection.send(protocol.encodePainted(header, shown));
}

function lost(code) {
  document.documentElement.dataset.connection = 'lost';
  if (code === UNAUTHORISED) console.error('overlay: the token in the URL is not valid; copy the URL again');
  if (code === WRONG_PROTOCOL) reloadOnce();
}

/** The server was replaced by one that speaks another protocol, so this page is out of date. */
function reloadOnce() {
  const last = Number(sessionStorage.getItem('reloadedAt'));
  if (Date.now() - last < 60000) return;
  sessionStorage.setItem('reloadedAt', Date.now());
  location.reload();
}

/** Runs one thing; a fault in it is logged and stays there. */
async function guarded(run) {
  try {
    await run();
  } catch (error) {
    console.error('overlay:', String(error));
  }
}
