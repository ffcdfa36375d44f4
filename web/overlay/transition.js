// One motion of one element by Web Animations: it always ends, exactly once, in the state it was meant to reach.

/**
 * Moves `element` to the styles of the last keyframe and calls `ended`.
 * Nothing moves on a hidden page (no frames are made there): the end state is set at once.
 * @returns {{end: () => void, stop: () => void}} `end` jumps to the end, `stop` freezes it where it is.
 */
export function move(element, keyframes, seconds, { easing = 'ease', ended = () => {} } = {}) {
  let over = false;
  let timer = 0;
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
    const { offset, easing: _, ...styles } = keyframes[keyframes.length - 1];
    Object.assign(element.style, styles);
    close();
    ended();
  }
  function stop() {
    if (over) return;
    try {
      animation.commitStyles();
    } catch {
      // Not rendered just now: there is nothing to hold on to.
    }
    close();
  }

  if (document.hidden || !(seconds > 0)) {
    end();
    return { end, stop };
  }
  animation = element.animate(keyframes, { duration: seconds * 1000, easing, fill: 'both' });
  animation.onfinish = end;
  // OBS may stop making frames halfway, and then no finish event ever comes.
  timer = setTimeout(() => animation.playState === 'paused' || end(), seconds * 1000 + 400);
  return { end, stop };
}

/** Fades to an opacity from wherever the element stands. */
export function fade(element, opacity, seconds, ended) {
  return move(element, [{ opacity: String(opacity) }], seconds, { easing: 'ease-in-out', ended });
}
