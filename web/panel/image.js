// @ts-check
// Images that show nothing until they are there: neither a broken frame nor their alternative text.

import { element } from './dom.js';

/**
 * Builds a frame with an image in it; `show` loads another picture into it and keeps the old one until then.
 * @param {string} className of the frame
 */
export function lazyImage(className) {
  const image = element('img', { alt: '' });
  const frame = element('span', { className }, image);
  /** @type {object | null} */
  let wanted = null;

  /**
   * @param {Promise<string> | null} source gives the address; null empties the image
   * @param {string} text describes the picture
   */
  async function show(source, text) {
    const mine = {};
    wanted = mine;
    const url = await source?.catch(() => null);
    if (wanted !== mine) return; // another picture came meanwhile
    image.alt = url ? text : '';
    if (url) image.src = url;
    else image.removeAttribute('src');
  }

  return { frame, show };
}
