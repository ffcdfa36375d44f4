// @ts-check
// A picture on a card that pops up, stays while it is on air, and leaves.

import { createCrossfade } from '../crossfade.js';
import { move } from '../transition.js';

/** @import { Layer } from '../layer_queue.js' */
/** @import { LayerOptions } from '../protocol.js' */
/** @import { Motion } from '../transition.js' */
/** @typedef {{ width: number, height: number }} Size in pixels */

const MARGIN = 0.045;
const ROOMY = 720;
const MAX_SHARE = 0.92;
const RESIZE_MS = 300;

/** @type {Record<string, number[]>} */
const AWAY = { top: [0, -1], bottom: [0, 1], left: [-1, 0], right: [1, 0], center: [0, 1] };
const REST = { opacity: '1', transform: 'none' };

/**
 * @param {HTMLElement} root
 * @param {LayerOptions} layerOptions
 * @returns {Layer}
 */
export function create(root, layerOptions) {
  let options = layerOptions;
  const card = document.createElement('div');
  card.className = 'card';
  root.append(card);
  const crossfade = createCrossfade(card);
  let size = { width: 1, height: 1 };
  let entered = false;
  /** @type {Motion | null} */
  let motion = null;

  const isVisible = () => card.classList.contains('on');

  /**
   * Puts the card where the options want it; a visible card grows or shrinks to its new size.
   * @param {Size} picture
   * @param {boolean} cutout the picture may be transparent
   */
  function arrive({ width, height }, cutout) {
    const before = boxOf(card);
    size = { width, height };
    place();
    card.classList.toggle('cutout', cutout);
    const after = boxOf(card);
    const same = before.width === after.width && before.height === after.height;
    if (isVisible() && !same) card.animate([before, after], { duration: RESIZE_MS, easing: 'ease' });
  }

  function place() {
    const page = { width: innerWidth, height: innerHeight };
    const box = fitInto(size, page, shareOf(options.scale, page));
    const margin = MARGIN * Math.min(page.width, page.height);
    const [x, y] = cornerOf(options.position);
    Object.assign(card.style, {
      width: `${box.width}px`,
      height: `${box.height}px`,
      left: `${between(x, margin, page.width - box.width - margin)}px`,
      top: `${between(y, margin, page.height - box.height - margin)}px`,
      fontSize: `${box.height / 28}px`, // the shadow is measured in em
    });
    card.style.setProperty('--radius', `${Math.max(6, Math.min(box.width, box.height) * 0.035)}px`);
  }

  function enter() {
    motion?.stop();
    // A card that is called back on its way out turns round where it is.
    const frames = isVisible() ? [REST] : entering(options, card);
    card.classList.add('on');
    entered = true;
    motion = move(card, frames, options.animation_s, { easing: 'cubic-bezier(.2, .7, .2, 1)' });
  }

  /** @param {boolean} fade */
  function leave(fade) {
    entered = false;
    motion?.stop();
    const seconds = !fade || options.exit === 'none' ? 0 : options.animation_s * 0.65;
    motion = move(card, [leaving(options)], seconds, {
      easing: 'cubic-bezier(.5, 0, .9, .5)',
      ended() {
        card.classList.remove('on');
        crossfade.clear(0);
      },
    });
  }

  window.addEventListener('resize', place);
  return {
    show({ bitmap, blob, header }) {
      arrive(header, blob.type !== 'image/jpeg');
      crossfade.show(bitmap, blob, isVisible() ? options.crossfade_s : 0);
      if (!entered) enter();
    },
    clear: leave,
    repaint() {
      motion?.end();
      return crossfade.repaint();
    },
    configure(changed) {
      options = changed;
      place();
    },
  };
}

/** @param {HTMLElement} element */
function boxOf({ style }) {
  const { width, height, left, top } = style;
  return { width, height, left, top };
}

/**
 * Returns the share of the page that the picture fills: larger in small sources, like a corner of the scene.
 * @param {number} scale
 * @param {Size} page
 */
function shareOf(scale, page) {
  const roominess = Math.min(1, Math.min(page.width, page.height) / ROOMY);
  return Math.min(Math.max(scale, MAX_SHARE), scale + (MAX_SHARE - scale) * (1 - roominess) * 2);
}

/** @param {Size} size @param {Size} page @param {number} share */
function fitInto(size, page, share) {
  const factor = Math.min((page.width * share) / size.width, (page.height * share) / size.height);
  return { width: Math.round(size.width * factor), height: Math.round(size.height * factor) };
}

/**
 * Returns -1, 0 or 1 across and down.
 * @param {string} position
 */
function cornerOf(position) {
  const words = position.split('-');
  const x = words.includes('left') ? -1 : words.includes('right') ? 1 : 0;
  const y = words.includes('top') ? -1 : words.includes('bottom') ? 1 : 0;
  return [x, y];
}

/**
 * Returns the pixel for a place of -1, 0 or 1 between two ends; the middle if there is no room.
 * @param {number} place
 * @param {number} low
 * @param {number} high
 */
function between(place, low, high) {
  if (high < low) return Math.round((low + high) / 2);
  return Math.round(low + ((place + 1) / 2) * (high - low));
}

/** @param {LayerOptions} options @param {HTMLElement} card @returns {Keyframe[]} */
function entering({ enter, position }, card) {
  if (enter === 'pop') {
    return [
      { opacity: '0', transform: 'scale(.72) rotate(-2.5deg)' },
      { opacity: '1', transform: 'scale(1.035) rotate(.6deg)', offset: 0.55 },
      { opacity: '1', transform: 'scale(.995) rotate(0)', offset: 0.8 },
      REST,
    ];
  }
  if (enter === 'slide') return [{ opacity: '0', transform: aside(position, card.offsetWidth * 0.6) }, REST];
  return [{ opacity: enter === 'none' ? '1' : '0', transform: 'none' }, REST];
}

/** @param {LayerOptions} options @returns {Keyframe} */
function leaving({ exit, position }) {
  if (exit === 'pop') return { opacity: '0', transform: 'scale(.78)' };
  if (exit === 'slide') return { opacity: '0', transform: `${aside(position, 90)} scale(.96)` };
  return { opacity: '0', transform: 'none' };
}

/**
 * Returns a shift towards the edge of the page that is nearest to the position.
 * @param {string} position
 * @param {number} pixels
 */
function aside(position, pixels) {
  const words = position.split('-');
  const [x, y] = AWAY[words[words.length - 1]] ?? AWAY.center;
  return `translate(${Math.round(x * pixels)}px, ${Math.round(y * pixels)}px)`;
}
