// @ts-check
// The control panel: everything it shows comes over /ws/panel, everything it does is one HTTP call.

import { connect } from '../shared/socket.js';
import { whenIgnored, whenReleased } from './aim.js';
import { act, base, call, notice } from './api.js';
import { byId, field, hide, write } from './dom.js';
import { showSetup } from './setup.js';
import { forgetToken, signIn, token, tokenIn } from './token.js';
import { closeViewer } from './viewer.js';
import { show } from './views.js';

/** @import { Health, Status } from './types.js' */

const UNAUTHORISED = 4401;
const TITLE = document.title;
const TROUBLE = new Set(['failed', 'alarm', 'limited', 'reconnecting']);
const SLID = 'The page moved just before that click, so nothing was done. Click again.';

let statusText = '';

/**
 * Shows how things are, in one line and in the look of the whole page: `panic`, `lost` and `out` change all of it.
 * @param {string} state
 * @param {string} text
 */
function light(state, text) {
  document.body.dataset.state = state;
  byId('link-state').dataset.state = state;
  write(byId('link-state'), text);
  document.title = state === 'connected' ? TITLE : `${text.split(/[:,]/)[0]} · ${TITLE}`;
}

/** @param {Status} status */
function showState({ panicked, paused, generator, sources }) {
  const trouble = [generator, ...sources].filter(({ state }) => TROUBLE.has(state));
  const lines = trouble.map(({ name, state }) => `${name} ${state}`);
  if (paused) lines.unshift('paused: no new requests');
  if (panicked) light('panic', 'panic: everything is off until you press Resume');
  else if (lines.length > 0) light(paused ? 'paused' : worst(trouble), lines.join(', '));
  else light('connected', 'connected');
  hide(byId('panicked'), !panicked, byId('main'));
  if (panicked) closeViewer();
}

/** @param {Health[]} trouble */
function worst(trouble) {
  return trouble.some(({ state }) => state === 'failed' || state === 'alarm') ? 'alarm' : 'limited';
}

/** @param {string | ArrayBuffer} data */
function receive(data) {
  // The server repeats the status to show that it is alive.
  if (data === statusText) return;
  statusText = String(data);
  const status = /** @type {Status} */ (JSON.parse(statusText));
  whenReleased(document, () => {
    showState(status);
    show(status);
  });
}

/** @param {number} code */
function lost(code) {
  statusText = '';
  if (code === UNAUTHORISED) {
    signedOut();
    return true;
  }
  whenReleased(document, () => light('lost', 'connection lost, trying again: what you see is old'));
  return false;
}

function signedOut() {
  forgetToken();
  closeViewer();
  light('out', 'not signed in');
  byId('sign-in').hidden = false;
}

function socketUrl() {
  const url = new URL('ws/panel', base);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  return url.href;
}

/** @param {Event} event */
async function sendLine(event) {
  event.preventDefault();
  const role = field('role').value;
  const actor = { id: `panel-${role}`, name: role[0].toUpperCase() + role.slice(1), role };
  const answer = await call('POST', '/api/v1/triggers', { text: field('line').value, actor });
  const receipt = await answer.json();
  byId('receipt').textContent = receipt.reason ? `${receipt.outcome}: ${receipt.reason}` : receipt.outcome;
}

/** @param {Event} event */
function pasteLink(event) {
  event.preventDefault();
  const given = tokenIn(field('link').value);
  if (!given) throw new Error('Paste the whole panel link, with the part after #.');
  signIn(given);
}

/** @param {string} id @param {string} start @param {string} end the calls that begin and end what the button toggles */
function toggle(id, start, end) {
  // What the button says is what it does, whatever has changed since.
  byId(id).addEventListener('click', () => act(() => call('POST', byId(id).dataset.on === 'true' ? end : start)));
}

byId('send').addEventListener('submit', (event) => act(() => sendLine(event)));
byId('sign-in').addEventListener('submit', (event) => act(() => pasteLink(event)));
byId('sign-out').addEventListener('click', () => {
  forgetToken();
  location.reload();
});
byId('panic').addEventListener('click', () => act(() => call('POST', '/api/v1/panic')));
byId('resume').addEventListener('click', () => act(() => call('POST', '/api/v1/resume')));
byId('cut').addEventListener('click', () => act(() => call('POST', '/api/v1/cut')));
toggle('pause', '/api/v1/pause', '/api/v1/resume');
toggle('park', '/api/v1/generator/free', '/api/v1/generator/warm');
whenIgnored(() => notice(SLID));
if (token) {
  showSetup();
  connect(socketUrl(), { greet: () => JSON.stringify({ token }), receive, lost });
} else signedOut();
