// @ts-check
// A stack of pictures: the newest fades in over the others, and covered ones are released.

import { fade } from './transition.js';

/** @import { Motion } from './transition.js' */

/**
 * @typedef {object} Sheet
 * @property {HTMLCanvasElement} canvas
 * @property {Blob} blob the encoded picture
 * @property {Motion | null} motion how it fades in
 * @property {Motion | null} leaving how it fades out, once it does
 */

const MAX_STAYING = 3;
const MAX_SHEETS = 6;

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

  const staying = () => sheets.filter((sheet) => !sheet.leaving);

  /** @param {ImageBitmap} bitmap @param {Blob} blob @param {number} seconds */
  function lay(bitmap, blob, seconds) {
    const canvas = spare.pop() ?? document.createElement('canvas');
    canvas.style.objectFit = fit;
    canvas.style.opacity = '0';
    transfer(canvas, bitmap);
    element.append(canvas);
    /** @type {Sheet} */
    const sheet = { canvas, blob, motion: null, leaving: null };
    sheets.push(sheet);
    // Once it is opaque, nothing beneath it is seen any more.
    sheet.motion = fade(canvas, 1, seconds, () => drop(sheets.slice(0, sheets.indexOf(sheet))));
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
    if (staying().length >= MAX_STAYING) staying()[1].motion?.end(); // which drops the one beneath it
    drop(sheets.slice(0, -MAX_SHEETS));
    const beneath = [...sheets];
    lay(bitmap, blob, seconds);
    if (fit !== 'cover' || blob.type !== 'image/jpeg') {
      for (const sheet of beneath) leave(sheet, seconds);
    }
  }

  /** @param {number} seconds */
  function clear(seconds) {
    for (const sheet of [...sheets]) leave(sheet, seconds);
  }

  /** Draws the newest finished picture again: OBS may have dropped the texture while the source was hidden. */
  async function repaint() {
    for (const sheet of [...sheets]) (sheet.leaving ?? sheet.motion)?.end();
    const sheet = staying().pop();
    if (sheet === undefined) return;
    const bitmap = await createImageBitmap(sheet.blob);
    if (sheets.includes(sheet)) transfer(sheet.canvas, bitmap);
    else bitmap.close();
  }

  return { element, show, clear, repaint };
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
