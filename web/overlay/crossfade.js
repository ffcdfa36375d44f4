// @ts-check
// A stack of pictures: the newest fades in over the others, and covered ones are released.

import { fade } from './transition.js';

/** @import { Motion } from './transition.js' */

/**
 * @typedef {object} Sheet
 * @property {HTMLCanvasElement} canvas
 * @property {boolean} preview
 * @property {Blob | null} blob the encoded picture; null for a preview
 * @property {Motion | null} motion how it fades in
 * @property {Motion | null} leaving how it fades out, once it does
 */

const MAX_FINALS = 3;
const MAX_SHEETS = 6;
const MIST_WIDTH = 256;
const MISTY = 32; // a preview up to this size was not moderated yet and must not be recognisable
const SKETCH_WIDTH = 640;
const ORPHAN_MS = 30000;

/**
 * Builds the stack inside `root`.
 * @param {HTMLElement} root
 * @param {'cover' | 'contain'} [fit]
 */
export function createCrossfade(root, fit = 'cover') {
  const element = document.createElement('div');
  element.className = 'surface';
  root.append(element);
  /** @type {Sheet[]} */
  let sheets = [];
  /** @type {HTMLCanvasElement[]} */
  const spare = []; // reused, because the memory of a dropped canvas is kept until the garbage collector runs
  let orphanTimer = 0;

  const finals = () => sheets.filter((sheet) => !sheet.preview && !sheet.leaving);

  /** @param {ImageBitmap} bitmap @param {Blob | null} blob @param {number} seconds */
  function lay(bitmap, blob, seconds) {
    const canvas = spare.pop() ?? document.createElement('canvas');
    canvas.style.objectFit = fit;
    canvas.style.opacity = '0';
    transfer(canvas, bitmap);
    element.append(canvas);
    /** @type {Sheet} */
    const sheet = { canvas, preview: blob === null, blob, motion: null, leaving: null };
    sheets.push(sheet);
    sheet.motion = fade(canvas, 1, seconds, () => settled(sheet));
  }

  /**
   * Drops what a sheet covers once it is opaque. A preview may be removed again, so it drops only other previews.
   * @param {Sheet} sheet
   */
  function settled(sheet) {
    const beneath = sheets.slice(0, sheets.indexOf(sheet));
    drop(beneath.filter((other) => !sheet.preview || other.preview));
  }

  /** @param {Sheet[]} unwanted */
  function drop(unwanted) {
    const dropped = sheets.filter((sheet) => unwanted.includes(sheet)); // never one twice: its canvas is in use again
    for (const sheet of dropped) {
      sheet.motion?.stop();
      sheet.leaving?.stop();
      spare.push(release(sheet.canvas));
    }
    sheets = sheets.filter((sheet) => !dropped.includes(sheet));
  }

  /** @param {Sheet} sheet @param {number} seconds */
  function leave(sheet, seconds) {
    sheet.motion?.stop();
    sheet.leaving?.stop();
    sheet.leaving = fade(sheet.canvas, 0, seconds, () => drop([sheet]));
  }

  /**
   * Shows a finished picture. If it does not cover everything beneath it, that fades out meanwhile.
   * @param {ImageBitmap} bitmap
   * @param {Blob} blob
   * @param {number} seconds
   */
  function show(bitmap, blob, seconds) {
    clearTimeout(orphanTimer);
    if (finals().length >= MAX_FINALS) finals()[1].motion?.end(); // which drops the one beneath it
    drop(sheets.slice(0, -MAX_SHEETS));
    const beneath = [...sheets];
    lay(bitmap, blob, seconds);
    if (fit !== 'cover' || blob.type !== 'image/jpeg') {
      for (const sheet of beneath) leave(sheet, seconds);
    }
  }

  /**
   * Shows an unfinished picture, a very small one as mist.
   * @param {ImageBitmap} bitmap
   * @param {number} progress from 0 to 1; less blur towards 1
   * @param {number} seconds
   */
  function preview(bitmap, progress, seconds) {
    drop(sheets.filter((sheet) => sheet.preview).slice(0, -1));
    const misty = Math.max(bitmap.width, bitmap.height) <= MISTY;
    lay(misty ? mist(bitmap, progress) : sketch(bitmap, progress), null, seconds);
    clearTimeout(orphanTimer);
    orphanTimer = setTimeout(() => dropPreview(seconds), ORPHAN_MS);
  }

  /** @param {number} seconds */
  function dropPreview(seconds) {
    clearTimeout(orphanTimer);
    for (const sheet of sheets.filter((each) => each.preview)) leave(sheet, seconds);
  }

  /** @param {number} seconds */
  function clear(seconds) {
    clearTimeout(orphanTimer);
    for (const sheet of [...sheets]) leave(sheet, seconds);
  }

  /** Draws the newest finished picture again: OBS may have dropped the texture while the source was hidden. */
  async function repaint() {
    for (const sheet of [...sheets]) (sheet.leaving ?? sheet.motion)?.end();
    const sheet = finals().pop();
    if (sheet === undefined || sheet.blob === null) return;
    const bitmap = await createImageBitmap(sheet.blob);
    if (sheets.includes(sheet)) transfer(sheet.canvas, bitmap);
    else bitmap.close();
  }

  return { element, show, preview, dropPreview, clear, repaint, holds: () => finals().length > 0 };
}

/** @param {HTMLCanvasElement} canvas @param {ImageBitmap} bitmap */
function transfer(canvas, bitmap) {
  canvas.width = bitmap.width;
  canvas.height = bitmap.height;
  canvas.getContext('bitmaprenderer')?.transferFromImageBitmap(bitmap);
}

/**
 * Frees the pixels at once: the garbage collector may take its time, and a picture takes 8 MB.
 * @param {HTMLCanvasElement} canvas
 */
function release(canvas) {
  canvas.remove();
  canvas.getContext('bitmaprenderer')?.transferFromImageBitmap(null);
  canvas.width = canvas.height = 0;
  return canvas;
}

/**
 * Spreads a picture of a few dozen pixels into soft colour, once and at a small size: a blur of the page is slow.
 * @param {ImageBitmap} bitmap
 * @param {number} progress
 */
function mist(bitmap, progress) {
  const height = Math.max(1, Math.round((MIST_WIDTH * bitmap.height) / bitmap.width));
  const { canvas, context } = drawing(MIST_WIDTH, height);
  // A blur becomes transparent towards the edges, so an even softer opaque picture is drawn beneath.
  context.drawImage(coarse(bitmap), 0, 0, MIST_WIDTH, height);
  context.filter = `blur(${(14 - 7 * progress).toFixed(1)}px)`;
  context.drawImage(bitmap, 0, 0, MIST_WIDTH, height);
  bitmap.close();
  return canvas.transferToImageBitmap();
}

/**
 * Enlarges a preview that may be recognised; without the blur, the page would show its pixels as squares.
 * @param {ImageBitmap} bitmap
 * @param {number} progress
 */
function sketch(bitmap, progress) {
  const factor = Math.max(1, Math.min(SKETCH_WIDTH / bitmap.width, SKETCH_WIDTH / bitmap.height));
  const { canvas, context } = drawing(Math.round(bitmap.width * factor), Math.round(bitmap.height * factor));
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height); // opaque to the edges beneath the blur
  context.filter = `blur(${Math.max(factor / 2, 7 * (1 - progress)).toFixed(1)}px)`;
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  bitmap.close();
  return canvas.transferToImageBitmap();
}

/** @param {ImageBitmap} bitmap */
function coarse(bitmap) {
  const { canvas, context } = drawing(8, 8);
  context.drawImage(bitmap, 0, 0, 8, 8);
  return canvas;
}

/** @param {number} width @param {number} height */
function drawing(width, height) {
  const canvas = new OffscreenCanvas(width, height);
  const context = /** @type {OffscreenCanvasRenderingContext2D} */ (canvas.getContext('2d'));
  context.imageSmoothingQuality = 'high';
  return { canvas, context };
}
