// @ts-check
// The control panel: everything it shows comes over /ws/panel, everything it does is one HTTP call.

import { connect } from '../shared/socket.js';
import { act, call, notice, token } from './api.js';
import { byId, field } from './dom.js';
import { showSetup } from './setup.js';
import { show } from './views.js';

/** @import { Status } from './types.js' */

const UNAUTHORISED = 4401;

/** @type {Status | null} */
let status = null;
let statusText = '';

/** @param {string} state @param {string} text */
function light(state, text) {
  byId('link-state').dataset.state = state;
  byId('link-state').textContent = text;
}

/** @param {Status} status */
function showIntake({ panicked, paused }) {
  if (panicked) light('alarm', 'panic: everything is off until you press Resume');
  else if (paused) light('paused', 'paused: no new requests');
  else light('connected', 'connected');
}

/** @param {string | ArrayBuffer} data */
function receive(data) {
  // The server repeats the status to show that it is alive.
  if (data === statusText) return;
  statusText = String(data);
  const changed = /** @type {Status} */ (JSON.parse(statusText));
  status = changed;
  showIntake(changed);
  show(changed);
}

/** @param {number} code */
function lost(code) {
  statusText = '';
  if (code === UNAUTHORISED) {
    light('lost', 'not signed in');
    notice('Open the panel link that the program printed when it started.');
    return true;
  }
  light('lost', 'connection lost, trying again');
  return false;
}

function socketUrl() {
  return `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/ws/panel`;
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

function togglePause() {
  return call('POST', `/api/v1/${status?.paused ? 'resume' : 'pause'}`);
}

function toggleGpu() {
  return call('POST', `/api/v1/generator/${status?.generator.state === 'parked' ? 'warm' : 'free'}`);
}

byId('send').addEventListener('submit', (event) => act(() => sendLine(event)));
byId('panic').addEventListener('click', () => act(() => call('POST', '/api/v1/panic')));
byId('cut').addEventListener('click', () => act(() => call('POST', '/api/v1/cut')));
byId('pause').addEventListener('click', () => act(togglePause));
byId('park').addEventListener('click', () => act(toggleGpu));
showSetup();
connect(socketUrl(), { greet: () => JSON.stringify({ token }), receive, lost });
