// @ts-check
// A quiet card in the corner, shown during a break: always text nodes, never markup.

import { move } from './transition.js';

/** @import { Motion } from './transition.js' */

const ENTER_S = 0.5;
const EXIT_S = 0.35;
const AWAY = { opacity: '0', transform: 'translateY(18%) scale(.97)' };
const HERE = { opacity: '1', transform: 'none' };

/**
 * Builds the corner, which shows one card at a time; `show` with an empty title removes it.
 * @param {HTMLElement} root
 */
export function createNoticeCard(root) {
  /** @type {{ card: HTMLElement, motion: Motion } | null} */
  let current = null;

  /** @param {string} title @param {string} line */
  function build(title, line) {
    const card = document.createElement('div');
    card.className = 'break-card';
    const mark = document.createElement('i');
    mark.className = 'break-mark';
    const words = document.createElement('div');
    for (const [name, text] of [
      ['break-title', title],
      ['break-line', line],
    ]) {
      const row = document.createElement('div');
      row.className = name;
      row.textContent = text;
      if (text !== '') words.append(row);
    }
    card.append(mark, words);
    return card;
  }

  /** @param {string} title @param {string} line */
  function show(title, line) {
    hide();
    if (title === '') return;
    const card = build(title, line);
    root.append(card);
    current = { card, motion: move(card, [AWAY, HERE], ENTER_S, { easing: 'cubic-bezier(.2, .8, .2, 1)' }) };
  }

  function hide() {
    if (current === null) return;
    const { card, motion } = current;
    current = null;
    motion.stop();
    move(card, [HERE, AWAY], EXIT_S, { easing: 'ease-in', ended: () => card.remove() });
  }

  return { show, hide };
}
