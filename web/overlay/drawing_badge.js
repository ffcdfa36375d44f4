// @ts-check
// A small card in the corner while a picture takes its time: its first colours, a ring that fills, and for whom it is.

import { move } from './transition.js';

/** @import { PictureHeader } from './protocol.js' */
/** @import { Motion } from './transition.js' */

const ENTER_S = 0.35;
const EXIT_S = 0.25;
const HERE = { opacity: '1', transform: 'none' };
const ROOM = '--drawing-height'; // by which toasts move up meanwhile
const REACH = 0.97; // a full ring would say that the picture is there
const STEP_S = 0.5;
const PAINTS_PER_S = 12; // without a GPU the ring costs 15 % of a core when it is painted in every frame, so 8 %
const RADIUS = 16;
const CIRCUMFERENCE = 2 * Math.PI * RADIUS;
const SKETCH_HEIGHT = 160;
const MISTY = 32; // a preview up to this size was not moderated yet and must not be recognisable
const ORPHAN_S = 30;

/**
 * Builds the badge. There is one, because one picture is drawn at a time.
 * @param {HTMLElement} root
 */
export function createDrawingBadge(root) {
  const { card, frame, canvas, ring, line } = build();
  let requestId = ''; // what it is about; empty when it is gone or going
  let layer = '';
  let orphanTimer = 0;
  /** @type {Motion | null} */
  let motion = null;
  /** @type {Motion | null} */
  let filling = null;

  /**
   * Shows how far a picture has come. A step without structure has no bitmap: then the sketch stays as it is.
   * @param {PictureHeader} header
   * @param {ImageBitmap | null} bitmap
   */
  function show(header, bitmap) {
    if (requestId !== header.request_id) begin(header);
    line.textContent = String(header.line ?? '');
    if (bitmap !== null) sketch(frame, canvas, bitmap, shareOf(header));
    root.style.setProperty(ROOM, `${card.offsetHeight}px`);
    const due_s = Number(header.due_s) || 0;
    fill(header, due_s);
    clearTimeout(orphanTimer);
    orphanTimer = setTimeout(() => leave(EXIT_S), Math.max(ORPHAN_S, 3 * due_s) * 1000);
  }

  /** @param {PictureHeader} header */
  function begin(header) {
    const shown = requestId !== '';
    requestId = header.request_id;
    layer = header.layer;
    frame.className = 'drawing-frame';
    filling?.stop();
    ring.style.strokeDashoffset = gap(shareOf(header));
    if (shown) return;
    const entering = card.isConnected ? [HERE] : [away(), HERE]; // on its way out it turns round where it is
    root.append(card);
    motion?.stop();
    motion = move(card, entering, ENTER_S, { easing: 'cubic-bezier(.2, .8, .2, 1)' });
  }

  /**
   * Fills the ring evenly until the picture is due, or step by step if nobody knows when that is.
   * @param {PictureHeader} header
   * @param {number} due_s
   */
  function fill(header, due_s) {
    filling?.stop();
    const frames = [{ strokeDashoffset: gap(due_s > 0 ? REACH : shareOf(header)) }];
    const easing = due_s > 0 ? `steps(${Math.ceil(due_s * PAINTS_PER_S)})` : 'ease';
    filling = move(ring, frames, due_s || STEP_S, { easing });
  }

  /** @param {number} seconds */
  function leave(seconds) {
    if (requestId === '') return;
    requestId = '';
    root.style.removeProperty(ROOM);
    clearTimeout(orphanTimer);
    filling?.stop();
    motion?.stop();
    motion = move(card, [away()], seconds, { easing: 'ease-in', ended: forget });
  }

  function forget() {
    card.remove();
    canvas.width = 0; // nobody has judged what was on it
  }

  /**
   * Takes the badge of a layer away: its picture has come, was refused, or the layer was cleared.
   * @param {string} name
   * @param {boolean} fade
   */
  function end(name, fade) {
    if (layer === name) leave(fade ? EXIT_S : 0);
  }

  return { show, end, hide: () => leave(EXIT_S) };
}

function build() {
  const card = element('div', 'drawing');
  const frame = element('div', 'drawing-frame');
  const canvas = document.createElement('canvas');
  const line = element('span', 'drawing-line');
  const svg = shape('svg', { class: 'drawing-ring', viewBox: '-20 -20 40 40' });
  const ring = shape('circle', { class: 'drawing-done', r: RADIUS });
  ring.style.strokeDasharray = String(CIRCUMFERENCE);
  svg.append(shape('circle', { class: 'drawing-track', r: RADIUS }), ring);
  frame.append(canvas, svg);
  card.append(frame, line);
  return { card, frame, canvas, ring, line };
}

function away() {
  const still = matchMedia('(prefers-reduced-motion: reduce)').matches;
  return { opacity: '0', transform: still ? 'none' : 'translateY(30%)' };
}

/**
 * Returns how much of the picture is done, from 0 to 1.
 * @param {PictureHeader} header
 */
function shareOf({ step, steps }) {
  return Math.min(1, Number(step) / Number(steps) || 0);
}

/**
 * Returns the length of the ring that is not drawn.
 * @param {number} share
 */
function gap(share) {
  return String(CIRCUMFERENCE * (1 - Math.min(share, REACH)));
}

/**
 * Draws the first colours of the picture, those that nobody has moderated yet as mist.
 * @param {HTMLElement} frame
 * @param {HTMLCanvasElement} canvas
 * @param {ImageBitmap} bitmap
 * @param {number} share how much of the picture is done
 */
function sketch(frame, canvas, bitmap, share) {
  canvas.height = SKETCH_HEIGHT;
  canvas.width = Math.round((SKETCH_HEIGHT * bitmap.width) / bitmap.height);
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
  context.imageSmoothingQuality = 'high';
  const misty = Math.max(bitmap.width, bitmap.height) <= MISTY;
  if (misty) mist(context, bitmap, share);
  else context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  bitmap.close();
  frame.style.setProperty('--aspect', String(canvas.width / canvas.height));
  frame.className = `drawing-frame sketched ${misty ? '' : 'sharp'}`;
}

/**
 * Spreads a picture of a few dozen pixels into soft colour.
 * @param {CanvasRenderingContext2D} context
 * @param {ImageBitmap} bitmap
 * @param {number} progress from 0 to 1; less blur towards 1
 */
function mist(context, bitmap, progress) {
  const { width, height } = context.canvas;
  // A blur becomes transparent towards the edges, so an even softer opaque picture is drawn beneath.
  const coarse = new OffscreenCanvas(8, 8);
  /** @type {OffscreenCanvasRenderingContext2D} */ (coarse.getContext('2d')).drawImage(bitmap, 0, 0, 8, 8);
  context.drawImage(coarse, 0, 0, width, height);
  context.filter = `blur(${(Math.max(width, height) * (0.055 - 0.028 * progress)).toFixed(1)}px)`;
  context.drawImage(bitmap, 0, 0, width, height);
  context.filter = 'none';
}

/** @param {string} name @param {Record<string, string | number>} attributes */
function shape(name, attributes) {
  const made = /** @type {SVGElement} */ (document.createElementNS('http://www.w3.org/2000/svg', name));
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
  return made;
}

/** @param {string} name @param {string} className */
function element(name, className) {
  const made = document.createElement(name);
  made.className = className;
  return made;
}
