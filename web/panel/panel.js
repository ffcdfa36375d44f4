// The operator page: everything it shows comes over /ws/panel, everything it does is one HTTP call.

import { aimed, moved } from '/panel/aim.js';
import { showBans, showHeld } from '/panel/held.js';

const KEY = 'streamer-token';
const byId = (id) => document.getElementById(id);

/** Take the token out of the address, so that it is neither on screen nor in the history. */
function takeToken() {
  const given = location.hash.slice(1);
  if (given) {
    sessionStorage.setItem(KEY, given);
    history.replaceState(null, '', location.pathname);
  }
  return sessionStorage.getItem(KEY) || '';
}

const token = takeToken();
let status = null;
let shownPictures = '';

function notice(text) {
  byId('notice').textContent = text;
  byId('notice').hidden = !text;
}

async function call(method, path, body) {
  const headers = { authorization: `Bearer ${token}` };
  if (body) headers['content-type'] = 'application/json';
  const answer = await fetch(path, { method, headers, body: body && JSON.stringify(body) });
  if (!answer.ok) {
    const problem = await answer.json().catch(() => ({}));
    throw new Error(problem.detail || `${method} ${path}: ${answer.status}`);
  }
  return answer;
}

/** Run an action of the page and show what went wrong, if anything did. */
async function act(action) {
  try {
    await action();
    notice('');
  } catch (error) {
    notice(error.message);
  }
}

function element(tag, properties = {}, ...children) {
  const node = Object.assign(document.createElement(tag), properties);
  node.append(...children);
  return node;
}

const images = new Map();

/** Fetch a picture once; the token goes in a header, so an <img> address alone would not do. */
function picture(id) {
  if (!images.has(id)) {
    if (images.size > 80) {
      const [oldest, url] = images.entries().next().value;
      url.then(URL.revokeObjectURL, () => {});
      images.delete(oldest);
    }
    const loading = call('GET', `/api/v1/pictures/${encodeURIComponent(id)}/image`)
      .then((answer) => answer.blob()).then((blob) => URL.createObjectURL(blob));
    loading.catch(() => images.delete(id));
    images.set(id, loading);
  }
  return images.get(id);
}

function shot(id, text) {
  const image = element('img', { className: 'shot', alt: text });
  if (id) picture(id).then((url) => { image.src = url; }, () => {});
  return image;
}

function showLayers() {
  const rows = Object.entries(status.on_air).map(([layer, id]) => element('div', { className: 'layer' },
    id ? shot(id, `what is on the layer ${layer}`) : element('div', { className: 'shot' }),
    element('div', {},
      element('strong', { textContent: layer }),
      element('p', { textContent: id ? '' : 'nothing on air' }),
      element('div', { className: 'row' }, ...['clear', 'undo', 'redo'].map((verb) => element('button', {
        type: 'button', textContent: verb, ariaLabel: `${verb} ${layer}`,
        onclick: () => act(() => call('POST', `/api/v1/stage/${encodeURIComponent(layer)}/${verb}`)),
      }))))));
  byId('layers').replaceChildren(...rows);
}

function queueItem(request, drawing) {
  const row = element('li', {},
    element('span', { className: 'what' }, request.text || request.command,
      element('span', { className: 'by', textContent: `  ${request.actor}, ${request.role}${drawing ? ', being drawn' : ''}` })),
    element('button', {
      type: 'button', textContent: 'Remove', ariaLabel: `Remove the request of ${request.actor}`,
      onclick: () => act(() => call('DELETE', `/api/v1/requests/${encodeURIComponent(request.id)}`)),
    }));
  row.dataset.id = request.id;
  return row;
}

function showQueue() {
  const list = byId('queue');
  if (aimed(list, showQueue)) return;
  const items = status.pending.map((request) => queueItem(request, false));
  if (status.drawing) items.unshift(queueItem(status.drawing, true));
  if ([...list.children].some((row, place) => row.dataset.id !== items[place]?.dataset.id)) moved(list);
  list.replaceChildren(...items);
  byId('queue-length').textContent = String(items.length);
  byId('queue-empty').hidden = items.length > 0;
}

function showSafety() {
  const tools = { call, act, element };
  byId('alarm').hidden = !status.alarm;
  byId('alarm').textContent = status.alarm && `Raid mode: ${status.alarm}. Viewers' pictures wait for you.`;
  showHeld(byId('held'), status.held, tools);
  byId('held-count').textContent = String(status.held.length);
  byId('held-section').hidden = !status.held.length;
  byId('cut').hidden = !status.held.some((item) => item.goes);
  showBans(byId('bans'), status.bans, tools);
  byId('bans-section').hidden = !status.bans.length;
}

function showHealth() {
  const parts = [status.generator, ...status.sources];
  const rows = parts.map((part) => {
    const row = element('li', { className: 'light', textContent: `${part.name}: ${part.state}${part.detail ? ` (${part.detail})` : ''}` });
    row.dataset.state = part.state;
    return row;
  });
  const active = Object.entries(status.active).map(([what, value]) => `${what}: ${value}`).join(', ');
  if (active) rows.push(element('li', { className: 'by', textContent: active }));
  byId('health').replaceChildren(...rows);
  byId('timings').hidden = !Object.keys(status.timings).length;
  byId('timings').tBodies[0].replaceChildren(...Object.entries(status.timings).map(([stage, times]) => element('tr', {},
    element('td', { textContent: stage }), ...[times.p50, times.p95, times.p99].map((ms) => element('td', { textContent: ms.toFixed(1) })))));
}

async function showPictures() {
  const now = JSON.stringify(status.on_air);
  if (now === shownPictures) return;
  shownPictures = now;
  const latest = await (await call('GET', '/api/v1/pictures?limit=12')).json();
  byId('pictures-empty').hidden = latest.length > 0;
  byId('pictures').replaceChildren(...latest.map((item) => {
    const label = item.text || item.layer;
    return element('button', {
      type: 'button', title: `Show again on ${item.layer}: ${label}`,
      onclick: () => act(() => call('POST', `/api/v1/stage/${encodeURIComponent(item.layer)}/show?picture=${encodeURIComponent(item.id)}`)),
    }, shot(item.id, ''), element('span', { textContent: label }));
  }));
}

function show() {
  byId('pages').textContent = String(status.pages);
  byId('pause').textContent = status.paused ? 'Resume' : 'Pause';
  byId('park').textContent = status.generator.state === 'parked' ? 'Warm up again' : 'Free the GPU';
  showLayers();
  showSafety();
  showQueue();
  showHealth();
  act(showPictures);
}

function light(state, text) {
  byId('link-state').dataset.state = state;
  byId('link-state').textContent = text;
}

function intake({ panicked, paused }) {
  if (panicked) return ['alarm', 'panic: everything is off until you press Resume'];
  return paused ? ['paused', 'paused: no new requests'] : ['connected', 'connected'];
}

let wait = 250;

function connect() {
  const socket = new WebSocket(`${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/ws/panel`);
  socket.onopen = () => socket.send(JSON.stringify({ token }));
  socket.onmessage = (event) => {
    wait = 250;
    status = JSON.parse(event.data);
    light(...intake(status));
    show();
  };
  socket.onclose = (event) => {
    if (event.code === 4401) {
      light('lost', 'not signed in');
      notice('Open the panel link that the program printed when it started.');
      return;
    }
    light('lost', 'connection lost, trying again');
    setTimeout(connect, Math.random() * wait);
    wait = Math.min(wait * 2, 5000);
  };
}

async function send(event) {
  event.preventDefault();
  const role = byId('role').value;
  const actor = { id: `panel-${role}`, name: role[0].toUpperCase() + role.slice(1), role };
  const receipt = await (await call('POST', '/api/v1/triggers', { text: byId('line').value, actor })).json();
  byId('receipt').textContent = receipt.reason ? `${receipt.outcome}: ${receipt.reason}` : receipt.outcome;
}

async function copy() {
  await toClipboard(byId('overlay-url').value, byId('copy-url'));
}

/** Put a text on the clipboard without showing it: addresses carry a key. */
async function toClipboard(text, button) {
  // Clipboard access needs a secure origin, which a plain address in the local network is not.
  if (navigator.clipboard) await navigator.clipboard.writeText(text);
  else {
    const field = document.body.appendChild(element('textarea', { value: text, className: 'secret' }));
    field.select();
    document.execCommand('copy');
    field.remove();
  }
  const label = button.textContent;
  button.textContent = 'Copied';
  setTimeout(() => { button.textContent = label; }, 1500);
}

function pressButton({ name }) {
  return element('button', {
    type: 'button', textContent: name, ariaLabel: `Press ${name}`,
    onclick: () => act(() => call('POST', `/trigger/${encodeURIComponent(name)}`)),
  });
}

function keyItem({ name, address, shortcut }) {
  const copies = [['Address', address], ['Shortcut', shortcut]].map(([label, text]) => element('button', {
    type: 'button', textContent: label, ariaLabel: `Copy the ${label.toLowerCase()} of ${name}`,
    onclick: (event) => act(() => toClipboard(text, event.target)),
  }));
  return element('li', {}, element('span', { className: 'what', textContent: name }), ...copies);
}

/** The operator's section: a moderator's token may not see keys, so it is left out there. */
async function showKeys() {
  const keys = await (await call('GET', '/api/v1/named_triggers')).json();
  byId('presses').replaceChildren(...keys.map(pressButton));
  byId('keys').replaceChildren(...keys.map(keyItem));
}

/** The operator's: a moderator's token may not see an address with a key in it, so the section is left out there. */
async function showSetup() {
  byId('overlay-url').value = (await (await call('GET', '/api/v1/overlay')).json()).url;
}

function reveal() {
  const shown = !byId('overlay-url').classList.toggle('secret');
  byId('show-url').textContent = shown ? 'Hide' : 'Show';
  byId('show-url').setAttribute('aria-pressed', String(shown));
}

byId('send').addEventListener('submit', (event) => act(() => send(event)));
byId('panic').addEventListener('click', () => act(() => call('POST', '/api/v1/panic')));
byId('cut').addEventListener('click', () => act(() => call('POST', '/api/v1/cut')));
byId('pause').addEventListener('click', () => act(() => call('POST', `/api/v1/${status && status.paused ? 'resume' : 'pause'}`)));
byId('park').addEventListener('click', () => act(() => call('POST', `/api/v1/generator/${status && status.generator.state === 'parked' ? 'warm' : 'free'}`)));
byId('copy-url').addEventListener('click', () => act(copy));
byId('show-url').addEventListener('click', reveal);
if (token) {
  showKeys().catch(() => { byId('h-keys').parentElement.hidden = true; });
  showSetup().catch(() => { byId('h-setup').parentElement.hidden = true; });
}
connect();
