// The messages between server and page; pure functions over docs/wire-protocol.md.

export const PROTOCOL = 1;

const utf8 = new TextDecoder('utf-8', { fatal: true });

/**
 * Splits a binary message into header and picture; throws if it is cut short or not understood.
 * @param {ArrayBuffer} message
 */
export function decodePicture(message) {
  if (message.byteLength < 4) throw new RangeError('shorter than its length field');
  const end = 4 + new DataView(message).getUint32(0);
  if (end > message.byteLength) throw new RangeError('header is cut short');
  const header = JSON.parse(utf8.decode(new Uint8Array(message, 4, end - 4)));
  checkHeader(header);
  return { header, bytes: new Uint8Array(message, end) };
}

function checkHeader(header) {
  if (header === null || typeof header !== 'object') throw new TypeError('header is no object');
  if (header.v !== PROTOCOL) throw new TypeError(`header speaks protocol ${header.v}`);
  if (header.type !== 'frame' && header.type !== 'preview') throw new TypeError(`unknown picture type ${header.type}`);
  for (const key of ['layer', 'request_id', 'media_type']) {
    if (typeof header[key] !== 'string') throw new TypeError(`header has no ${key}`);
  }
  for (const key of ['seq', 'width', 'height']) {
    if (!Number.isFinite(header[key])) throw new TypeError(`header has no ${key}`);
  }
}

/**
 * Reads a text message; throws if it is no object with a type.
 * @param {string} text
 */
export function decodeText(text) {
  const message = JSON.parse(text);
  if (message === null || typeof message !== 'object' || typeof message.type !== 'string') {
    throw new TypeError('message has no type');
  }
  return message;
}

export function encodeHello(token, layers, { visible, active }) {
  return JSON.stringify({ v: PROTOCOL, type: 'hello', token, layers, visible, active });
}

export function encodePainted(header, shown) {
  const { seq, request_id, layer } = header;
  return JSON.stringify({ v: PROTOCOL, type: 'painted', seq, request_id, layer, shown });
}

export function encodeState({ visible, active }) {
  return JSON.stringify({ v: PROTOCOL, type: 'state', visible, active });
}

export function encodePong() {
  return JSON.stringify({ v: PROTOCOL, type: 'pong' });
}
