// @ts-check
// One motion of one element by Web Animations; it always ends, exactly once, in its end state.

/**
 * @typedef {object} Motion
 * @property {() => void} end jumps to the end state
 * @property {() => void} stop freezes the element where it is
 */

/**
 * Moves `element` to the styles of the last keyframe, then calls `ended`.
 * A hidden page renders no frames, so there the end state is set at once.
 * @param {HTMLElement | SVGElement} element
 * @param {Keyframe[]} keyframes
 * @param {number} seconds
 * @param {{ easing?: string, ended?: () => void }} [options]
 * @returns {Motion}
 */
export function move(element, keyframes, seconds, { easing = 'ease', ended = () => {} } = {}) {
  let over = false;
  let timer = 0;
  /** @type {Animation | null} */
  let animation = null;

  function close() {
    over = true;
    clearTimeout(timer);
    if (animation === null) return;
    animation.onfinish = null;
    animation.cancel();
  }
  function end() {
    if (over) return;
    const { offset: _offset, easing: _easing, ...styles } = keyframes[keyframes.length - 1];
    Object.assign(element.style, styles);
    close();
    ended();
  }
  function stop() {
    if (over) return;
    try {
      animation?.commitStyles();
    } catch {
      // The element is not rendered now, so it has no current style to keep.
    }
    close();
  }

  if (document.hidden || !(seconds > 0)) {
    end();
    return { end, stop };
  }
  animation = element.animate(keyframes, { duration: seconds * 1000, easing, fill: 'both' });
  animation.onfinish = end;
  // OBS may stop rendering halfway, and then there is no finish event.
  timer = setTimeout(() => animation?.playState === 'paused' || end(), seconds * 1000 + 400);
  return { end, stop };
}

/**
 * Fades to an opacity from the current one.
 * @param {HTMLElement} element
 * @param {number} opacity
 * @param {number} seconds
 * @param {() => void} ended
 */
export function fade(element, opacity, seconds, ended) {
  return move(element, [{ opacity: String(opacity) }], seconds, { easing: 'ease-in-out', ended });
}
