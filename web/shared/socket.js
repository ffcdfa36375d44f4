// @ts-check
// A WebSocket that never gives up: it reconnects with full jitter and treats silence as a dead connection.

const FIRST_DELAY_MS = 250;
const LONGEST_DELAY_MS = 5000;
const HEALTHY_AFTER_MS = 10000;
const SILENCE_MS = 15000;
const CHECK_MS = 2500;
const ABNORMAL_CLOSURE = 1006;

/**
 * @typedef {object} Handlers
 * @property {() => string} greet returns the first message of every connection
 * @property {(data: string | ArrayBuffer) => void} receive gets every message
 * @property {(code: number) => boolean | void} lost gets the close code of every connection; true ends the reconnects
 */

/**
 * Returns how many milliseconds to wait before the next attempt.
 * @param {number} attempt counts from 0
 * @param {number} random in [0, 1)
 */
export function delayMs(attempt, random) {
  return random * Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** Math.min(attempt, 16));
}

/**
 * Keeps a WebSocket to `url` open. The server must send something at least every 15 seconds.
 * @param {string} url
 * @param {Handlers} handlers
 */
export function connect(url, { greet, receive, lost }) {
  /** @type {WebSocket | null} */
  let socket = null;
  let attempt = 0;
  let receivedAt = 0;
  let openedAt = 0;
  let timer = 0;

  function open() {
    clearTimeout(timer);
    receivedAt = performance.now();
    openedAt = 0;
    const opening = openSocket();
    socket = opening;
    if (opening === null) return end(null, 0);
    opening.binaryType = 'arraybuffer';
    opening.onopen = () => {
      receivedAt = openedAt = performance.now();
      opening.send(greet());
    };
    opening.onmessage = ({ data }) => {
      receivedAt = performance.now();
      receive(data);
    };
    opening.onclose = ({ code }) => end(opening, code);
  }

  function openSocket() {
    try {
      return new WebSocket(url);
    } catch (error) {
      console.error('cannot connect:', String(error));
      return null;
    }
  }

  /** @param {WebSocket | null} closed @param {number} code */
  function end(closed, code) {
    if (closed !== socket) return; // an older socket that was given up before
    socket = null;
    if (openedAt && performance.now() - openedAt > HEALTHY_AFTER_MS) attempt = 0;
    if (lost(code) === true) return;
    timer = setTimeout(open, delayMs(attempt++, Math.random()));
  }

  /** Gives up a silent socket. A timer calls it, which hidden pages slow down, and so does every sign of waking up. */
  function check() {
    if (socket === null || performance.now() - receivedAt < SILENCE_MS) return;
    const dead = socket;
    dead.onopen = dead.onmessage = dead.onclose = null;
    dead.close(); // may take minutes on a dead line, so nobody waits for it
    end(dead, ABNORMAL_CLOSURE);
  }

  /** @param {string} text sent if the connection is open, dropped if it is not */
  function send(text) {
    if (socket !== null && socket.readyState === WebSocket.OPEN) socket.send(text);
  }

  setInterval(check, CHECK_MS);
  window.addEventListener('online', check);
  open();
  return { send, check };
}
