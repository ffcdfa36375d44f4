// The pictures of one layer on their way to the screen: one is decoded at a time and the newest is next.

/**
 * Feeds `layer`, a promise of what a layer module's create() returned.
 * `answer(header, shown)` is called exactly once for every picture.
 */
export function createFeed(element, layer, answer, isVisible) {
  let waiting = null;
  let busy = false;
  let generation = 0;
  let shown = null; // the header of the finished picture on the screen
  let restored = true; // no picture has come since the connection was made

  function push(picture) {
    if (waiting !== null) {
      // A preview may be newer than a final and still is not worth it.
      const loser = isFinal(waiting) && !isFinal(picture) ? picture : waiting;
      answer(loser.header, false);
      if (loser === picture) return;
    }
    waiting = picture;
    if (!busy) work();
  }

  async function work() {
    busy = true;
    const target = await layer;
    while (waiting !== null) {
      const picture = waiting;
      waiting = null;
      try {
        await draw(target, picture);
      } catch (error) {
        console.error(`overlay: picture ${picture.header.request_id} cannot be shown:`, String(error));
        answer(picture.header, false);
      }
    }
    busy = false;
  }

  async function draw(target, { header, bytes }) {
    if (isFinal({ header }) && isShown(header)) {
      shown = header;
      restored = false;
      mark('final');
      target.dropPreview?.();
      return answer(header, true);
    }
    const born = generation;
    const blob = new Blob([bytes], { type: header.media_type });
    const bitmap = await createImageBitmap(blob);
    if (born !== generation) {
      bitmap.close(); // cleared meanwhile
      return answer(header, false);
    }
    if (isFinal({ header })) {
      target.show({ bitmap, blob, header });
      shown = header;
      mark('final');
    } else if (target.preview) {
      target.preview({ bitmap, header, progress: Math.min(1, header.step / header.steps || 0) });
      mark('preview');
    } else {
      bitmap.close();
    }
    restored = false;
    afterPaint(isVisible(), () => answer(header, true));
  }

  /** The same picture again: after a refusal, or because a new connection starts with what is on air. */
  function isShown(header) {
    if (shown === null) return false;
    return shown.seq === header.seq || (restored && shown.request_id === header.request_id);
  }

  async function clear(fade) {
    generation += 1;
    if (waiting !== null) answer(waiting.header, false);
    waiting = shown = null;
    mark('empty');
    (await layer).clear(fade);
  }

  /** What can be seen from outside: by a streamer's custom CSS, and by whoever looks for a fault. */
  function mark(state) {
    element.dataset.state = state;
    element.dataset.request = shown?.request_id ?? '';
  }

  function connected(epochChanged) {
    restored = true;
    if (epochChanged && shown !== null) shown = { ...shown, seq: -1 };
  }

  async function repaint() {
    await (await layer).repaint?.();
  }

  mark('empty');
  return { push, clear, connected, repaint };
}

function isFinal({ header }) {
  return header.type === 'frame';
}

/** Calls back once the frame is on the screen; hidden pages make no frames, so there it is at once. */
function afterPaint(visible, callback) {
  if (!visible) return callback();
  let timer = 0;
  const once = () => {
    clearTimeout(timer);
    callback();
    callback = () => {};
  };
  timer = setTimeout(once, 500);
  requestAnimationFrame(() => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      once();
    };
    port2.postMessage(0);
  });
}
