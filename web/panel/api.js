// @ts-check
// Calls to the control API with the token of the panel link.

import { byId } from './dom.js';

const TOKEN_KEY = 'streamer-token';
const MAX_IMAGES = 80;

export const token = takeToken();

/** @type {Map<string, Promise<string>>} */
const images = new Map();

/** Takes the token out of the address, so that it is neither on screen nor in the history. */
function takeToken() {
  const given = location.hash.slice(1);
  if (given) {
    sessionStorage.setItem(TOKEN_KEY, given);
    history.replaceState(null, '', location.pathname);
  }
  return sessionStorage.getItem(TOKEN_KEY) || '';
}

/**
 * Shows a message above everything; an empty one hides it.
 * @param {string} text
 */
export function notice(text) {
  byId('notice').textContent = text;
  byId('notice').hidden = !text;
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
  const answer = await fetch(path, { method, headers, body: body && JSON.stringify(body) });
  if (!answer.ok) {
    const problem = await answer.json().catch(() => ({}));
    throw new Error(problem.detail || `${method} ${path}: ${answer.status}`);
  }
  return answer;
}

/**
 * Runs an action of the page and shows its error, if there is one.
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
