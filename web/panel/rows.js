// @ts-check
// Lists whose rows are built once, updated in place, and never replaced, moved or removed under a pointer or the focus.

import { aimed, handFocus, whenReleased } from './aim.js';

const LOOK_AGAIN_MS = 1000;

/**
 * @template Item
 * @typedef {object} Row
 * @property {HTMLElement} element
 * @property {(item: Item) => void} update writes what changed into the row
 * @property {() => void} [drop] is called when the row leaves the page
 */

/**
 * Returns the function that shows items in a list. While somebody aims at the list nothing in it moves: rows whose item
 * is gone stay as gaps, new rows are added below. The rest follows as soon as nobody aims any more. A row that has the
 * keyboard's focus stays until the focus leaves it.
 * @template Item
 * @param {HTMLElement} list
 * @param {(item: Item, place: number) => string} keyOf
 * @param {(item: Item) => Row<Item>} build
 * @param {() => void} [shownNow] is called whenever the rows may have changed
 * @returns {(items: Item[]) => void}
 */
export function keyedRows(list, keyOf, build, shownNow) {
  /** @type {Map<string, Row<Item>>} */
  const rows = new Map();
  /** @type {Item[]} */
  let shown = [];
  let unfinished = false;
  let timer = 0;
  // It takes the focus when the last row goes.
  list.tabIndex = -1;

  /** @param {Item[]} items */
  function show(items) {
    shown = items;
    const still = aimed(list);
    unfinished = false;
    const keys = new Set(items.map(keyOf));
    for (const [key, row] of [...rows]) {
      if (!keys.has(key)) remove(key, row, still);
    }
    const wanted = items.map((item, place) => rowOf(item, place).element);
    if (still) appendNew(list, wanted);
    else arrange(list, wanted);
    unfinished ||= wanted.some((element, place) => list.children[place] !== element);
    clearTimeout(timer);
    if (unfinished) timer = setTimeout(finish, LOOK_AGAIN_MS);
    shownNow?.();
  }

  function finish() {
    if (unfinished) whenReleased(list, () => show(shown));
  }

  /** @param {Item} item @param {number} place */
  function rowOf(item, place) {
    const key = keyOf(item, place);
    const row = rows.get(key) ?? build(item);
    rows.set(key, row);
    markGone(row.element, false);
    row.update(item);
    return row;
  }

  /** @param {string} key @param {Row<Item>} row @param {boolean} still */
  function remove(key, row, still) {
    // Somebody who works by keyboard goes on from here; after a click the focus is only where the pointer was.
    if (still || row.element.querySelector(':focus-visible') !== null) {
      markGone(row.element, true);
      unfinished = true;
      return;
    }
    if (row.element.contains(document.activeElement)) handFocus(neighbour(list, row.element));
    row.element.remove();
    rows.delete(key);
    row.drop?.();
  }

  // One tick later the page itself knows that the pointer or the focus has left.
  for (const event of ['pointerleave', 'focusout']) list.addEventListener(event, () => setTimeout(finish));
  list.addEventListener('click', stopInGaps, true);
  return show;
}

/** @param {HTMLElement} list @param {HTMLElement[]} wanted */
function appendNew(list, wanted) {
  list.append(...wanted.filter((element) => element.parentElement === null));
}

/** @param {HTMLElement} list @param {HTMLElement[]} wanted */
function arrange(list, wanted) {
  if (wanted.every((element, place) => list.children[place] === element)) return;
  // An element that moves loses the focus, so the others move around the one that has it.
  const fixed = wanted.find((element) => element.contains(document.activeElement)) ?? null;
  const place = fixed === null ? wanted.length : wanted.indexOf(fixed);
  for (const element of wanted.slice(0, place)) list.insertBefore(element, fixed);
  list.append(...wanted.slice(place + 1));
}

/**
 * Returns what gets the focus after a row: the same button of the next or the previous row, else the list.
 * @param {HTMLElement} list
 * @param {Element} row
 * @returns {HTMLElement}
 */
export function neighbour(list, row) {
  const next = row.nextElementSibling ?? row.previousElementSibling;
  if (next === null) return list;
  const place = [...row.querySelectorAll('button')].findIndex((node) => node.matches(':focus'));
  const buttons = next.querySelectorAll('button');
  return buttons[Math.max(0, Math.min(place, buttons.length - 1))] ?? list;
}

/** @param {HTMLElement} element @param {boolean} gone */
function markGone(element, gone) {
  if (element.classList.contains('gone') === gone) return;
  element.classList.toggle('gone', gone);
  // Not `disabled`, which would take the focus away.
  for (const node of element.querySelectorAll('button')) node.ariaDisabled = String(gone);
}

/** @param {Event} event */
function stopInGaps(event) {
  if (event.target instanceof Element && event.target.closest('.gone') !== null) event.stopPropagation();
}
