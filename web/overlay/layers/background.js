// A picture over the whole page, cross-fading to the next one.

import { createSurface } from '../surface.js';

const CLEAR_S = 0.2;
const MIST_S = 0.25;
const RESOLVE_S = 0.4;

export function create(root, options) {
  const surface = createSurface(root, options.fit);
  let misty = false;
  let shownAt = -Infinity;

  /** Pictures that come faster than a cross-fade lasts get a shorter one, else the newest would never be seen. */
  function seconds() {
    const now = performance.now();
    const since = (now - shownAt) / 1000;
    shownAt = now;
    return Math.min(options.crossfade_s, misty ? RESOLVE_S : Infinity, since * 0.8);
  }

  return {
    show({ bitmap, blob }) {
      surface.show(bitmap, blob, seconds());
      misty = false;
    },
    preview({ bitmap, progress }) {
      surface.preview(bitmap, progress, MIST_S);
      misty = true;
    },
    dropPreview() {
      surface.dropPreview(MIST_S);
      misty = false;
    },
    clear(fade) {
      surface.clear(fade ? CLEAR_S : 0);
      misty = false;
    },
    repaint: surface.repaint,
    configure(changed) {
      options = changed;
    },
  };
}
