// A stack of pictures in which the newest fades in over those beneath; what is covered is let go.

import { fade } from './transition.js';

const DEEPEST = 3;
const CROWDED = 6;
const MIST_WIDTH = 256;
const MISTY = 32; // no larger is what nobody has looked at yet and may not be recognised
const SHARP_WIDTH = 640;
const ORPHAN_MS = 30000;

/** Builds a surface inside `root`; `fit` is cover or contain. */
export function createSurface(root, fit = 'cover') {
  const element = document.createElement('div');
  element.className = 'surface';
  root.append(element);
  let sheets = [];
  const spare = []; // canvases to use again: the memory of a dropped one is kept until the garbage collector comes
  let orphan = 0;

  const finals = () => sheets.filter((sheet) => !sheet.preview && !sheet.leaving);

  function lay(bitmap, sheet, seconds) {
    const canvas = spare.pop() ?? document.createElement('canvas');
    canvas.style.objectFit = fit;
    canvas.style.opacity = '0';
    transfer(canvas, bitmap);
    element.append(canvas);
    sheet.canvas = canvas;
    sheets.push(sheet);
    sheet.motion = fade(canvas, 1, seconds, () => settled(sheet));
  }

  /** A sheet is fully in: whatever it covers can go. A preview covers only previews, it may have to be taken back. */
  function settled(sheet) {
    const beneath = sheets.slice(0, sheets.indexOf(sheet));
    drop(beneath.filter((other) => !sheet.preview || other.preview));
  }

  function drop(unwanted) {
    const gone = sheets.filter((sheet) => unwanted.includes(sheet)); // never one twice: its canvas is in use again
    for (const sheet of gone) {
      sheet.motion?.stop();
      sheet.leaving?.stop();
      spare.push(release(sheet.canvas));
    }
    sheets = sheets.filter((sheet) => !gone.includes(sheet));
  }

  function leave(sheet, seconds) {
    sheet.motion?.stop();
    sheet.leaving?.stop();
    sheet.leaving = fade(sheet.canvas, 0, seconds, () => drop([sheet]));
  }

  /** Shows a finished picture. One that does not hide all beneath it makes them fade out meanwhile. */
  function show(bitmap, blob, seconds) {
    clearTimeout(orphan);
    if (finals().length >= DEEPEST) finals()[1].motion.end(); // which lets go of the one beneath it
    drop(sheets.slice(0, -CROWDED));
    const beneath = [...sheets];
    lay(bitmap, { preview: false, blob }, seconds);
    if (fit !== 'cover' || blob.type !== 'image/jpeg') beneath.forEach((sheet) => leave(sheet, seconds));
  }

  /** Shows an unfinished picture, a very small one as mist; `progress` from 0 to 1 thins it. */
  function preview(bitmap, progress, seconds) {
    drop(sheets.filter((sheet) => sheet.preview).slice(0, -1));
    const misty = Math.max(bitmap.width, bitmap.height) <= MISTY;
    lay(misty ? mist(bitmap, progress) : sketch(bitmap, progress), { preview: true }, seconds);
    clearTimeout(orphan);
    orphan = setTimeout(() => dropPreview(seconds), ORPHAN_MS);
  }

  function dropPreview(seconds) {
    clearTimeout(orphan);
    sheets.filter((sheet) => sheet.preview).forEach((sheet) => leave(sheet, seconds));
  }

  function clear(seconds) {
    clearTimeout(orphan);
    sheets.forEach((sheet) => leave(sheet, seconds));
  }

  /** Draws the newest finished picture again: OBS may have thrown the texture away while the source was hidden. */
  async function repaint() {
    for (const sheet of [...sheets]) (sheet.leaving ?? sheet.motion).end();
    const sheet = finals().pop();
    if (sheet === undefined) return;
    const bitmap = await createImageBitmap(sheet.blob);
    if (sheets.includes(sheet)) transfer(sheet.canvas, bitmap);
    else bitmap.close();
  }

  return { element, show, preview, dropPreview, clear, repaint, holds: () => finals().length > 0 };
}

function transfer(canvas, bitmap) {
  canvas.width = bitmap.width;
  canvas.height = bitmap.height;
  canvas.getContext('bitmaprenderer').transferFromImageBitmap(bitmap);
}

/** Frees the pixels at once; the garbage collector is in no hurry and a picture takes 8 MB. */
function release(canvas) {
  canvas.remove();
  canvas.getContext('bitmaprenderer').transferFromImageBitmap(null);
  canvas.width = canvas.height = 0;
  return canvas;
}

/** Spreads a picture of a few dozen pixels into soft colour. Small and once: a blur of the whole page is slow. */
function mist(bitmap, progress) {
  const height = Math.max(1, Math.round((MIST_WIDTH * bitmap.height) / bitmap.width));
  const canvas = new OffscreenCanvas(MIST_WIDTH, height);
  const context = canvas.getContext('2d');
  context.imageSmoothingQuality = 'high';
  // A blur fades out towards the edges, so something opaque and even softer lies beneath.
  context.drawImage(coarse(bitmap), 0, 0, MIST_WIDTH, height);
  context.filter = `blur(${(14 - 7 * progress).toFixed(1)}px)`;
  context.drawImage(bitmap, 0, 0, MIST_WIDTH, height);
  bitmap.close();
  return canvas.transferToImageBitmap();
}

/** Enlarges a preview that may be recognised, without squares: the page alone would show each of its pixels. */
function sketch(bitmap, progress) {
  const factor = Math.max(1, Math.min(SHARP_WIDTH / bitmap.width, SHARP_WIDTH / bitmap.height));
  const canvas = new OffscreenCanvas(Math.round(bitmap.width * factor), Math.round(bitmap.height * factor));
  const context = canvas.getContext('2d');
  context.imageSmoothingQuality = 'high';
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height); // opaque to the edges beneath the blur
  context.filter = `blur(${Math.max(factor / 2, 7 * (1 - progress)).toFixed(1)}px)`;
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  bitmap.close();
  return canvas.transferToImageBitmap();
}

function coarse(bitmap) {
  const canvas = new OffscreenCanvas(8, 8);
  const context = canvas.getContext('2d');
  context.imageSmoothingQuality = 'high';
  context.drawImage(bitmap, 0, 0, 8, 8);
  return canvas;
}
