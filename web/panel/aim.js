// Nothing may move under a pointer or a thumb: a click that hits the next picture would put the wrong one on air.

const SETTLE_MS = 500;
const hovers = matchMedia('(hover: hover)');
const movedAt = new WeakMap();
const heldBack = new WeakMap();

/** Tell whether somebody aims at a list with a mouse or by keys; if so, `later` is called once nobody does any longer:
 * what is held back may be the last news for a long time. A button that was clicked keeps the focus, and a thumb leaves
 * :hover behind: neither means that anybody still aims. */
export function aimed(list, later) {
  const aims = (hovers.matches && list.matches(':hover')) || list.querySelector(':focus-visible') !== null;
  if (!heldBack.has(list)) {
    // A tick later the page itself knows that the pointer or the focus is gone.
    const release = () => setTimeout(() => heldBack.get(list)?.());
    for (const event of ['pointerleave', 'focusout']) list.addEventListener(event, release);
  }
  heldBack.set(list, aims ? later : null);
  return aims;
}

/** Say that rows of a list have just moved: what is clicked before anybody can have seen that does nothing. */
export function moved(list) {
  if (!movedAt.has(list)) list.addEventListener('click', (event) => stopEarly(list, event), true);
  movedAt.set(list, performance.now());
}

function stopEarly(list, event) {
  if (performance.now() - movedAt.get(list) < SETTLE_MS) {
    event.stopPropagation();
    event.preventDefault();
  }
}
