// @ts-check
// Keeps lists still under a pointer or a thumb: a click that hits the next picture would put the wrong one on air.

const SETTLE_MS = 500;
const hovers = matchMedia('(hover: hover)');
/** @type {WeakMap<Element, number>} */
const movedAt = new WeakMap();
/** @type {WeakMap<Element, (() => void) | null>} */
const postponed = new WeakMap();

/**
 * Tells whether somebody aims at a list with a mouse or by keyboard; if so, calls `later` once nobody does, since the
 * postponed update may be the last one for a long time. A clicked button keeps the focus, and a thumb leaves :hover
 * behind: neither means that anybody still aims.
 * @param {Element} list
 * @param {() => void} later
 */
export function aimed(list, later) {
  const aims = (hovers.matches && list.matches(':hover')) || list.querySelector(':focus-visible') !== null;
  if (!postponed.has(list)) {
    // One tick later the page itself knows that the pointer or the focus is gone.
    const release = () => setTimeout(() => postponed.get(list)?.());
    for (const event of ['pointerleave', 'focusout']) list.addEventListener(event, release);
  }
  postponed.set(list, aims ? later : null);
  return aims;
}

/**
 * Notes that rows of a list have just moved: for half a second, before anybody can have seen it, clicks do nothing.
 * @param {Element} list
 */
export function moved(list) {
  if (!movedAt.has(list)) list.addEventListener('click', (event) => stopEarlyClick(list, event), true);
  movedAt.set(list, performance.now());
}

/** @param {Element} list @param {Event} event */
function stopEarlyClick(list, event) {
  if (performance.now() - (movedAt.get(list) ?? 0) < SETTLE_MS) {
    event.stopPropagation();
    event.preventDefault();
  }
}
