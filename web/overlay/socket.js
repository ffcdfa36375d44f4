// One connection that never gives up: full-jitter reconnects, and silence is taken for death.

const FIRST_DELAY_MS = 250;
const LONGEST_DELAY_MS = 5000;
const HEALTHY_AFTER_MS = 10000;
const SILENCE_MS = 15000;
const CHECK_MS = 2500;

/** How long to wait before the next attempt; `random` is in [0, 1). */
export function delayMs(attempt, random) {
  return random * Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** Math.min(attempt, 16));
}

/**
 * Keeps a WebSocket to `url` open for ever.
 * `greet()` returns the first message, `hear(data)` gets every message, `lost(code)` is told of every end.
 */
export function connect(url, { greet, hear, lost }) {
  let socket = null;
  let attempt = 0;
  let heardAt = 0;
  let openedAt = 0;
  let timer = 0;

  function open() {
    clearTimeout(timer);
    heardAt = performance.now();
    openedAt = 0;
    try {
      socket = new WebSocket(url);
    } catch (error) {
      console.error('overlay: cannot connect', error);
      return end(null, 0);
    }
    const mine = socket;
    mine.binaryType = 'arraybuffer';
    mine.onopen = () => {
      heardAt = openedAt = performance.now();
      mine.send(greet());
    };
    mine.onmessage = ({ data }) => {
      heardAt = performance.now();
      hear(data);
    };
    mine.onclose = ({ code }) => end(mine, code);
  }

  function end(which, code) {
    if (which !== socket) return; // an older socket, given up before
    socket = null;
    if (openedAt && performance.now() - openedAt > HEALTHY_AFTER_MS) attempt = 0;
    lost(code);
    timer = setTimeout(open, delayMs(attempt++, Math.random()));
  }

  /** Gives up a silent socket; called by a timer, which hidden pages slow down, and on every sign of waking up. */
  function check() {
    if (socket === null || performance.now() - heardAt < SILENCE_MS) return;
    const dead = socket;
    dead.onopen = dead.onmessage = dead.onclose = null;
    dead.close(); // may take minutes on a dead line, so nobody waits for it
    end(dead, 1006);
  }

  function send(text) {
    if (socket !== null && socket.readyState === WebSocket.OPEN) socket.send(text);
  }

  setInterval(check, CHECK_MS);
  window.addEventListener('online', check);
  open();
  return { send, check };
}
