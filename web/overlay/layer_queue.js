// @ts-check
// The pictures of one layer on their way to the screen: one is decoded at a time, and the newest is next.

/** @import { createDrawingBadge } from './drawing_badge.js' */
/** @import { LayerOptions, Picture, PictureHeader } from './protocol.js' */

/**
 * What a layer module's create() returns; docs/wire-protocol.md describes it.
 * @typedef {object} Layer
 * @property {(picture: { bitmap: ImageBitmap, blob: Blob, header: PictureHeader }) => void} show
 * @property {(fade: boolean) => void} clear
 * @property {(picture: { bitmap: ImageBitmap, progress: number, header: PictureHeader }) => void} [preview] draws
 *   unfinished pictures in place of the badge
 * @property {() => void} [dropPreview]
 * @property {() => void | Promise<void>} [repaint]
 * @property {(options: LayerOptions) => void} [configure]
 */

const FRAME_TIMEOUT_MS = 500;

/**
 * Builds the queue of one layer.
 * @param {HTMLElement} element gets the layer's state in its data attributes
 * @param {Promise<Layer>} layer
 * @param {ReturnType<typeof createDrawingBadge>} badge
 * @param {(header: PictureHeader, shown: boolean) => void} answer is called exactly once for every picture
 * @param {() => boolean} isVisible
 */
export function createLayerQueue(element, layer, badge, answer, isVisible) {
  const name = element.dataset.layer ?? '';
  /** @type {Picture | null} */
  let waiting = null;
  let busy = false;
  let generation = 0;
  /** @type {PictureHeader | null} */
  let shown = null; // the header of the finished picture on the screen
  let reconnected = true; // no picture has come since the connection was made

  /** @param {Picture} picture */
  function push(picture) {
    if (waiting !== null) {
      // A waiting final picture is worth more than a newer preview.
      const loser = isFinal(waiting.header) && !isFinal(picture.header) ? picture : waiting;
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
      /** @type {Picture} */
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

  /** @param {Layer} target @param {Picture} picture */
  async function draw(target, { header, bytes }) {
    if (isFinal(header) && isShown(header)) {
      setShown(header);
      dropPreview(target);
      return answer(header, true);
    }
    const started = generation;
    const blob = new Blob([bytes], { type: header.media_type });
    const bitmap = bytes.length === 0 && !isFinal(header) ? null : await createImageBitmap(blob);
    if (started !== generation) {
      bitmap?.close(); // cleared meanwhile
      return answer(header, false);
    }
    if (isFinal(header) && bitmap !== null) {
      target.show({ bitmap, blob, header });
      setShown(header);
      badge.end(name, true);
    } else {
      drawPreview(target, bitmap, header);
    }
    afterPaint(isVisible(), () => answer(header, true));
  }

  /** @param {Layer} target @param {ImageBitmap | null} bitmap @param {PictureHeader} header */
  function drawPreview(target, bitmap, header) {
    if (target.preview === undefined) {
      badge.show(header, bitmap);
    } else if (bitmap !== null) {
      target.preview({ bitmap, header, progress: Math.min(1, Number(header.step) / Number(header.steps) || 0) });
    }
    mark('preview');
    reconnected = false;
  }

  /** @param {Layer} target */
  function dropPreview(target) {
    target.dropPreview?.();
    badge.end(name, true);
  }

  /** @param {PictureHeader} header */
  function setShown(header) {
    shown = header;
    reconnected = false;
    mark('final');
  }

  /**
   * Tells whether this very picture is on the screen: it comes again after a refusal and on a new connection.
   * @param {PictureHeader} header
   */
  function isShown(header) {
    if (shown === null) return false;
    return shown.seq === header.seq || (reconnected && shown.request_id === header.request_id);
  }

  /** @param {boolean} fade */
  async function clear(fade) {
    generation += 1;
    if (waiting !== null) answer(waiting.header, false);
    waiting = shown = null;
    mark('empty');
    badge.end(name, fade);
    (await layer).clear(fade);
  }

  /**
   * Makes the state visible from outside: for a streamer's custom CSS, and for troubleshooting.
   * @param {'empty' | 'preview' | 'final'} state
   */
  function mark(state) {
    element.dataset.state = state;
    element.dataset.request = shown?.request_id ?? '';
  }

  /** @param {boolean} epochChanged the server was restarted, and its `seq` begins again */
  function connected(epochChanged) {
    reconnected = true;
    if (epochChanged && shown !== null) shown = { ...shown, seq: -1 };
  }

  async function repaint() {
    await (await layer).repaint?.();
  }

  mark('empty');
  return { push, clear, connected, repaint };
}

/** @param {PictureHeader} header */
function isFinal(header) {
  return header.type === 'frame';
}

/**
 * Calls back once the frame is on the screen; a hidden page renders no frames, so there it does at once.
 * @param {boolean} visible
 * @param {() => void} callback
 */
function afterPaint(visible, callback) {
  if (!visible) return callback();
  let called = false;
  const once = () => {
    clearTimeout(timer);
    if (!called) callback();
    called = true;
  };
  const timer = setTimeout(once, FRAME_TIMEOUT_MS);
  requestAnimationFrame(() => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      once();
    };
    port2.postMessage(0);
  });
}
