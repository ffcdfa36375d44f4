// @ts-check
// Calls to the control API with the token of the panel link.

import { byId } from './dom.js';
import { token } from './token.js';

/** Where the program's addresses begin: behind a reverse proxy that may be a folder. */
export const base = new URL('..', import.meta.url);

const MAX_IMAGES = 80;
const NOTICE_MS = 12000;

/** @type {Map<string, Promise<string>>} */
const images = new Map();
let noticeTimer = 0;

/**
 * Shows a message over the page, where it moves nothing; an empty one hides it.
 * @param {string} text
 */
export function notice(text) {
  byId('notice').textContent = text;
  byId('notice').hidden = !text;
  clearTimeout(noticeTimer);
  if (text) noticeTimer = setTimeout(() => notice(''), NOTICE_MS);
}

/**
 * Makes one HTTP call; throws with the server's explanation if it fails.
 * @param {'GET' | 'POST' | 'DELETE'} method
 * @param {string} path
 * @param {object} [body] sent as JSON
 */
export async function call(method, path, body) {
  /** @type {Record<string, string>} */
  const headers = { authorization: `Bearer ${token}` };
  if (body) headers['content-type'] = 'application/json';
  const url = new URL(path.slice(1), base);
  const answer = await fetch(url, { method, headers, body: body && JSON.stringify(body) }).catch(() => null);
  if (answer === null) throw new Error('The program does not answer. Nothing was done; look whether it still runs.');
  if (!answer.ok) {
    const problem = await answer.json().catch(() => ({}));
    throw new Error(problem.detail || `${method} ${path}: ${answer.status}`);
  }
  return answer;
}

/**
 * Runs an action of the user and shows its error, if there is one.
 * @param {() => unknown} action
 */
export async function act(action) {
  try {
    await action();
    notice('');
  } catch (error) {
    notice(error instanceof Error ? error.message : String(error));
  }
}

/**
 * Fetches an image and returns a local address for it: an <img> cannot send the token in a header.
 * @param {string} path
 */
export async function imageUrl(path) {
  return URL.createObjectURL(await (await call('GET', path)).blob());
}

/**
 * Fetches a picture that was on air, once.
 * @param {string} id
 */
export function picture(id) {
  const cached = images.get(id);
  if (cached !== undefined) return cached;
  if (images.size > MAX_IMAGES) dropOldestImage();
  const loading = imageUrl(`/api/v1/pictures/${encodeURIComponent(id)}/image`);
  loading.catch(() => images.delete(id));
  images.set(id, loading);
  return loading;
}

function dropOldestImage() {
  for (const [id, url] of images) {
    url.then(URL.revokeObjectURL, () => {});
    images.delete(id);
    return;
  }
}
