// @ts-check
// A picture over the whole page, cross-fading to the next one.

import { createCrossfade } from '../crossfade.js';

/** @import { Layer } from '../layer_queue.js' */
/** @import { LayerOptions } from '../protocol.js' */

const CLEAR_S = 0.2;

/**
 * @param {HTMLElement} root
 * @param {LayerOptions} options
 * @returns {Layer}
 */
export function create(root, options) {
  const crossfade = createCrossfade(root, options.fit);
  let current = options;
  let shownAt = -Infinity;

  /** Pictures that come faster than a cross-fade lasts get a shorter one, else the newest would never be seen. */
  function seconds() {
    const now = performance.now();
    const sinceLast_s = (now - shownAt) / 1000;
    shownAt = now;
    return Math.min(current.crossfade_s, sinceLast_s * 0.8);
  }

  return {
    show({ bitmap, blob }) {
      crossfade.show(bitmap, blob, seconds());
    },
    clear(fade) {
      crossfade.clear(fade ? CLEAR_S : 0);
    },
    repaint: crossfade.repaint,
    configure(changed) {
      current = changed;
    },
  };
}
