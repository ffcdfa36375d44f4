// @ts-check
// A pill in the lower corner with a line of text: always a text node, never markup.

import { move } from './transition.js';

/** @import { Motion } from './transition.js' */
/** @typedef {{ requestId: string, pill: HTMLElement, motion: Motion, timer: number }} Toast */

const ENTER_S = 0.35;
const EXIT_S = 0.25;
const LONGEST_S = 60;
// The credit comes after its picture: moving both at once delays the picture where there is no GPU.
const AFTER_PICTURE_S = 0.3;

/**
 * Builds the corner; a new toast replaces the one before.
 * @param {HTMLElement} root
 */
export function createToasts(root) {
  const corner = document.createElement('div');
  corner.className = 'toasts';
  root.append(corner);
  /** @type {Toast | null} */
  let current = null;
  let upcoming = { requestId: '', timer: 0 };

  /** @param {string} requestId @param {string} text @param {number} seconds */
  function show(requestId, text, seconds) {
    clearTimeout(upcoming.timer);
    upcoming = { requestId, timer: setTimeout(() => enter(requestId, text, seconds), AFTER_PICTURE_S * 1000) };
  }

  /** @param {string} requestId @param {string} text @param {number} seconds */
  function enter(requestId, text, seconds) {
    if (current !== null) leave(current);
    const pill = document.createElement('div');
    pill.className = 'toast';
    const line = document.createElement('span');
    line.textContent = text;
    pill.append(line);
    corner.append(pill);
    const keyframes = [
      { opacity: '0', transform: 'translateY(70%)' },
      { opacity: '1', transform: 'none' },
    ];
    const motion = move(pill, keyframes, ENTER_S, { easing: 'cubic-bezier(.2, .8, .2, 1)' });
    const toast = { requestId, pill, motion, timer: 0 };
    toast.timer = setTimeout(() => leave(toast), Math.min(Math.max(seconds, 1), LONGEST_S) * 1000);
    current = toast;
  }

  /** @param {Toast} toast */
  function leave(toast) {
    if (current === toast) current = null;
    clearTimeout(toast.timer);
    toast.motion.stop();
    toast.motion = move(toast.pill, [{ opacity: '0', transform: 'translateY(-35%)' }], EXIT_S, {
      easing: 'ease-in',
      ended: () => toast.pill.remove(),
    });
  }

  /**
   * Removes the toast that belongs to a request.
   * @param {string | undefined} requestId
   */
  function dismiss(requestId) {
    if (requestId === upcoming.requestId) clearTimeout(upcoming.timer);
    if (current !== null && requestId !== '' && current.requestId === requestId) leave(current);
  }

  return { show, dismiss };
}
