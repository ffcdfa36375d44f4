// @ts-check
// The messages between server and page, as pure functions; docs/wire-protocol.md describes them.

/** @import { Visibility } from './visibility.js' */

export const PROTOCOL = 1;

/**
 * @typedef {object} PictureHeader
 * @property {number} v
 * @property {'frame' | 'preview'} type
 * @property {string} layer
 * @property {string} request_id
 * @property {number} seq
 * @property {string} media_type
 * @property {number} width in pixels
 * @property {number} height in pixels
 * @property {number} [step] previews only, counts from 1
 * @property {number} [steps] previews only
 * @property {string} [line] previews only: for whom it is drawn
 * @property {number} [due_s] previews only: in how many seconds the picture is expected
 */

/** @typedef {{ header: PictureHeader, bytes: Uint8Array<ArrayBuffer> }} Picture */

/**
 * The options of one layer in config.yaml.
 * @typedef {object} LayerOptions
 * @property {string} use
 * @property {number} z
 * @property {number} crossfade_s
 * @property {'cover' | 'contain'} fit
 * @property {string} position
 * @property {number} scale
 * @property {'pop' | 'slide' | 'fade' | 'none'} enter
 * @property {'pop' | 'slide' | 'fade' | 'none'} exit
 * @property {number} animation_s
 */

/** @typedef {{ type: string } & Record<string, any>} TextMessage */

const utf8 = new TextDecoder('utf-8', { fatal: true });

/**
 * Splits a binary message into header and picture; throws if it is cut short or not understood.
 * @param {ArrayBuffer} message
 * @returns {Picture}
 */
export function decodePicture(message) {
  if (message.byteLength < 4) throw new RangeError('shorter than its length field');
  const end = 4 + new DataView(message).getUint32(0);
  if (end > message.byteLength) throw new RangeError('header is cut short');
  const header = JSON.parse(utf8.decode(new Uint8Array(message, 4, end - 4)));
  checkHeader(header);
  return { header, bytes: new Uint8Array(message, end) };
}

/** @param {any} header */
function checkHeader(header) {
  if (header === null || typeof header !== 'object') throw new TypeError('header is not an object');
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
 * @returns {TextMessage}
 */
export function decodeText(text) {
  const message = JSON.parse(text);
  if (message === null || typeof message !== 'object' || typeof message.type !== 'string') {
    throw new TypeError('message has no type');
  }
  return message;
}

/** @param {string} token @param {string[] | null} layers @param {Visibility} visibility */
export function encodeHello(token, layers, { visible, active }) {
  return JSON.stringify({ v: PROTOCOL, type: 'hello', token, layers, visible, active });
}

/** @param {PictureHeader} header @param {boolean} shown */
export function encodePainted(header, shown) {
  const { seq, request_id, layer } = header;
  return JSON.stringify({ v: PROTOCOL, type: 'painted', seq, request_id, layer, shown });
}

/** @param {Visibility} visibility */
export function encodeState({ visible, active }) {
  return JSON.stringify({ v: PROTOCOL, type: 'state', visible, active });
}

export function encodePong() {
  return JSON.stringify({ v: PROTOCOL, type: 'pong' });
}
