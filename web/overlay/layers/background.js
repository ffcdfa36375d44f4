// @ts-check
// A picture over the whole page, cross-fading to the next one.

import { createCrossfade } from '../crossfade.js';

/** @import { Layer } from '../layer_queue.js' */
/** @import { LayerOptions } from '../protocol.js' */

const CLEAR_S = 0.2;
const PREVIEW_S = 0.25;
const RESOLVE_S = 0.4;

/**
 * @param {HTMLElement} root
 * @param {LayerOptions} options
 * @returns {Layer}
 */
export function create(root, options) {
  const crossfade = createCrossfade(root, options.fit);
  let current = options;
  let previewing = false;
  let shownAt = -Infinity;

  /** Pictures that come faster than a cross-fade lasts get a shorter one, else the newest would never be seen. */
  function seconds() {
    const now = performance.now();
    const sinceLast_s = (now - shownAt) / 1000;
    shownAt = now;
    return Math.min(current.crossfade_s, previewing ? RESOLVE_S : Infinity, sinceLast_s * 0.8);
  }

  return {
    show({ bitmap, blob }) {
      crossfade.show(bitmap, blob, seconds());
      previewing = false;
    },
    preview({ bitmap, progress }) {
      crossfade.preview(bitmap, progress, PREVIEW_S);
      previewing = true;
    },
    dropPreview() {
      crossfade.dropPreview(PREVIEW_S);
      previewing = false;
    },
    clear(fade) {
      crossfade.clear(fade ? CLEAR_S : 0);
      previewing = false;
    },
    repaint: crossfade.repaint,
    configure(changed) {
      current = changed;
    },
  };
}
