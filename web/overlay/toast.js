// A pill in the lower corner with a line of text: always a text node, never markup.

import { move } from './transition.js';

const ENTER_S = 0.35;
const EXIT_S = 0.25;
const LONGEST_S = 60;
// The credit comes after its picture: moving both at once delays the picture where there is no GPU.
const AFTER_PICTURE_S = 0.3;

/** Builds the corner; the newest toast replaces the one before. */
export function createToasts(root) {
  const corner = document.createElement('div');
  corner.className = 'toasts';
  root.append(corner);
  let current = null;
  let coming = { requestId: '', timer: 0 };

  function show(requestId, text, seconds) {
    clearTimeout(coming.timer);
    coming = { requestId, timer: setTimeout(() => enter(requestId, text, seconds), AFTER_PICTURE_S * 1000) };
  }

  function enter(requestId, text, seconds) {
    if (current !== null) leave(current);
    const pill = document.createElement('div');
    pill.className = 'toast';
    const line = document.createElement('span');
    line.textContent = text;
    pill.append(line);
    corner.append(pill);
    const toast = { requestId, pill, motion: null, timer: 0 };
    toast.motion = move(
      pill,
      [
        { opacity: '0', transform: 'translateY(70%)' },
        { opacity: '1', transform: 'none' },
      ],
      ENTER_S,
      { easing: 'cubic-bezier(.2, .8, .2, 1)' },
    );
    toast.timer = setTimeout(() => leave(toast), Math.min(Math.max(seconds, 1), LONGEST_S) * 1000);
    current = toast;
  }

  function leave(toast) {
    if (current === toast) current = null;
    clearTimeout(toast.timer);
    toast.motion.stop();
    toast.motion = move(toast.pill, [{ opacity: '0', transform: 'translateY(-35%)' }], EXIT_S, {
      easing: 'ease-in',
      ended: () => toast.pill.remove(),
    });
  }

  /** Takes the toast away that belongs to a request. */
  function dismiss(requestId) {
    if (requestId === coming.requestId) clearTimeout(coming.timer);
    if (requestId !== '' && current?.requestId === requestId) leave(current);
  }

  return { show, dismiss };
}
