// @ts-check
// A picture at full size in a dialog, with what can be done to it. Opening it puts nothing on air.

import { rememberPlaces } from './aim.js';
import { act } from './api.js';
import { button, byId, typed, write } from './dom.js';
import { lazyImage } from './image.js';

/**
 * @typedef {object} Subject a picture to look at
 * @property {string} heading
 * @property {string} text what was asked for
 * @property {string} note
 * @property {Promise<string>} source the address of the picture
 * @property {{ text: string, className?: string, run: () => unknown }[]} actions each of them closes the dialog
 * @property {string} [verdict] of a held picture
 */

const OVER = 'This picture no longer waits for a decision.';

const dialog = /** @type {HTMLDialogElement} */ (byId('viewer'));
const { frame, show } = lazyImage('viewed');
byId('viewer-picture').append(frame);

let verdict = '';
/** @type {() => HTMLElement} */
let focusAfter = () => byId('main');

/**
 * Opens the dialog. The focus is on Close, so that a second press of the key that opened it decides nothing.
 * @param {Subject} subject
 * @param {() => HTMLElement} after returns what gets the focus when it closes
 */
export function openViewer(subject, after) {
  focusAfter = after;
  verdict = subject.verdict ?? '';
  byId('viewer-heading').replaceChildren(typed(subject.heading));
  byId('viewer-text').replaceChildren(typed(subject.text));
  byId('viewer-note').textContent = subject.note;
  show(subject.source, subject.text);
  const actions = subject.actions.map(({ text, className, run }) => button(text, () => decide(run), { className }));
  byId('viewer-actions').replaceChildren(...actions);
  rememberPlaces();
  dialog.showModal();
}

/** @param {() => unknown} run */
function decide(run) {
  act(run);
  closeViewer();
}

export function closeViewer() {
  if (!dialog.open) return;
  rememberPlaces();
  dialog.close();
}

/**
 * Takes the decision out of the dialog if its picture is none of those that wait.
 * @param {Set<string>} verdicts
 */
export function stillHeld(verdicts) {
  if (!verdict || verdicts.has(verdict)) return;
  verdict = '';
  write(byId('viewer-note'), OVER);
  if (byId('viewer-actions').contains(document.activeElement)) byId('viewer-close').focus();
  byId('viewer-actions').replaceChildren();
}

byId('viewer-close').addEventListener('click', closeViewer);
// Outside of it is the dialog itself; all that it shows stands in one element inside.
dialog.addEventListener('click', ({ target }) => target === dialog && closeViewer());
dialog.addEventListener('close', () => {
  verdict = '';
  show(null, '');
  const next = focusAfter();
  next.focus({ preventScroll: true });
  // It may be gone, or hidden with its section.
  if (document.activeElement !== next) byId('main').focus({ preventScroll: true });
});
