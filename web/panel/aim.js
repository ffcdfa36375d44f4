// @ts-check
// Keeps the page still under a pointer, a thumb or the focus: a click that is lost, or that hits what has just slid
// under it, does something on air that nobody wanted.

const SETTLE_MS = 500;
const CLICK_WITHIN_MS = 100;
const LONGEST_PRESS_MS = 3000;
const IDLE_MS = 10000;
const AGAIN_MS = 2500;

/** @typedef {{ at: number, scrollY: number, buttons: [Element, DOMRect][] }} Places where buttons were until `at` */
/** @typedef {{ clientX: number, clientY: number }} Point */

const hovers = matchMedia('(hover: hover)');
const pointers = new Set();
/** @type {Places[]} */
let places = [];
/** @type {Map<object, () => void>} */
const postponed = new Map();
let releaseTimer = 0;
let longestTimer = 0;
let inputAt = -Infinity;
let stillUntil = -Infinity;
let slidUnder = false;
/** @type {Element | null} */
let handedTo = null;
let handedAt = -Infinity;
/** @type {() => void} */
let tellSlid = () => {};

/**
 * Changes a part of the page: at once, or when no pointer is down. A button that is moved, replaced or covered between
 * press and release gets no click. Of several changes of one part meanwhile the last one is made.
 * @param {object} part
 * @param {() => void} change
 */
export function whenReleased(part, change) {
  if (pointers.size > 0 || releaseTimer) {
    postponed.set(part, change);
    return;
  }
  rememberPlaces();
  const anchor = pointedAt();
  const top = anchor?.getBoundingClientRect().top ?? 0;
  change();
  // What comes and goes above it scrolls the page instead of moving it away from the pointer.
  if (anchor?.isConnected) scrollBy(0, anchor.getBoundingClientRect().top - top);
}

/** Returns what a mouse that moved lately points at, as far as it may move. */
function pointedAt() {
  if (!hovers.matches || performance.now() - inputAt > IDLE_MS) return null;
  return [...document.querySelectorAll('main :is(button, li, section):hover')].pop() ?? null;
}

/**
 * Tells whether somebody aims at a list with a mouse: then nothing in it may move. A thumb leaves :hover behind, and a
 * mouse may rest anywhere: neither means that somebody aims.
 * @param {Element} list
 */
export function aimed(list) {
  const now = performance.now();
  return now < stillUntil || (hovers.matches && now - inputAt < IDLE_MS && list.matches(':hover'));
}

/**
 * Gives the focus of an element that goes away to its neighbour. A second press of the key that was meant for the old
 * one does nothing for half a second.
 * @param {HTMLElement} next
 */
export function handFocus(next) {
  next.focus({ preventScroll: true });
  handedTo = next;
  handedAt = performance.now();
}

/**
 * Calls `tell` whenever a click is ignored, since its button was elsewhere half a second before.
 * @param {() => void} tell
 */
export function whenIgnored(tell) {
  tellSlid = tell;
}

/** Notes where every button is, before the page changes. */
export function rememberPlaces() {
  const at = performance.now();
  // Behind an open dialog nothing can be pressed.
  const reachable = document.querySelector('dialog[open]') ?? document;
  const buttons = [...reachable.querySelectorAll('button')].map((node) => [node, node.getBoundingClientRect()]);
  places = places.filter((earlier) => at - earlier.at < SETTLE_MS);
  places.push({ at, scrollY, buttons: /** @type {[Element, DOMRect][]} */ (buttons) });
}

/**
 * Tells whether another button was under this point half a second ago. After scrolling another one was there in the
 * window, and after scroll anchoring another one on the page; only what holds for both has slid there by itself.
 * @param {Point} point
 * @param {Element | null} target
 */
function otherWasThere({ clientX, clientY }, target) {
  const now = performance.now();
  const pressed = target?.closest('button') ?? null;
  if (pressed === null) return false;
  return places.some((earlier) => {
    if (now - earlier.at > SETTLE_MS) return false;
    const scrolled = scrollY - earlier.scrollY;
    return isOther(earlier, clientX, clientY, pressed) && isOther(earlier, clientX, clientY + scrolled, pressed);
  });
}

/** @param {Places} earlier @param {number} x @param {number} y @param {Element} pressed */
function isOther({ buttons }, x, y, pressed) {
  const there = buttons.find(([, box]) => x >= box.left && x <= box.right && y >= box.top && y <= box.bottom);
  return there !== undefined && there[0] !== pressed;
}

function release() {
  clearTimeout(releaseTimer);
  clearTimeout(longestTimer);
  releaseTimer = longestTimer = 0;
  pointers.clear();
  const changes = [...postponed];
  postponed.clear();
  for (const [part, change] of changes) whenReleased(part, change);
}

/** @param {PointerEvent} event */
function pressed(event) {
  inputAt = performance.now();
  if (pointers.size === 0) longestTimer = setTimeout(release, LONGEST_PRESS_MS);
  pointers.add(event.pointerId);
  slidUnder = otherWasThere(event, /** @type {Element} */ (event.target));
}

/** @param {PointerEvent} event */
function lifted({ pointerId }) {
  pointers.delete(pointerId);
  // The click comes after it: at once from a mouse, as a task of its own from a finger.
  if (pointers.size === 0 && !releaseTimer) releaseTimer = setTimeout(release, CLICK_WITHIN_MS);
}

/** @param {MouseEvent} event */
function clicked(event) {
  const target = /** @type {Element} */ (event.target);
  const byPointer = event.detail > 0;
  const pressedBefore = pointers.size > 0 || releaseTimer !== 0;
  const slid = pressedBefore ? slidUnder : otherWasThere(event, target);
  const handed = !byPointer && target === handedTo && performance.now() - handedAt < SETTLE_MS;
  if ((byPointer && slid) || handed) {
    event.stopPropagation();
    event.preventDefault();
    // What was meant stays where it is for the second press.
    stillUntil = performance.now() + AGAIN_MS;
    tellSlid();
  }
  setTimeout(release, 0);
}

/** A key that is held down presses a button again and again. @param {KeyboardEvent} event */
function keyDown(event) {
  inputAt = performance.now();
  if (event.repeat && event.key === 'Enter' && event.target instanceof HTMLButtonElement) event.preventDefault();
}

document.addEventListener('pointerdown', pressed, true);
document.addEventListener('pointerup', lifted, true);
document.addEventListener('pointercancel', release, true);
document.addEventListener('click', clicked, true);
document.addEventListener('keydown', keyDown, true);
document.addEventListener(
  'pointermove',
  () => {
    inputAt = performance.now();
  },
  { capture: true, passive: true },
);
window.addEventListener('blur', release);
