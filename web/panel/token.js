// @ts-check
// The token of the panel link: where it comes from, where the browser keeps it, and how it is forgotten.

const KEY = 'streamer-token';
const UNUSED_DAYS = 30;
const DAY_MS = 86400000;

/**
 * Returns the token in a pasted link, or the text itself when it is a token alone; '' when there is none.
 * @param {string} text
 */
export function tokenIn(text) {
  const given = text.trim().split('#').pop() ?? '';
  if (/[\s/]/.test(given)) return '';
  try {
    return decodeURIComponent(given);
  } catch {
    return given;
  }
}

/**
 * Returns the token to use: the one in the address, else this tab's, else the one that this browser keeps.
 * A token leaves the address at once, so that it is neither on screen nor in the history.
 */
function takeToken() {
  const given = tokenIn(location.hash);
  if (location.hash) history.replaceState(null, '', location.pathname);
  const found = given || keptByTab() || keptByBrowser();
  if (found) keep(found);
  return found;
}

function keptByTab() {
  try {
    return sessionStorage.getItem(KEY) ?? '';
  } catch {
    return ''; // the browser forbids storage
  }
}

function keptByBrowser() {
  try {
    return tokenOf(localStorage.getItem(KEY));
  } catch {
    return '';
  }
}

/** @param {string | null} entry what local storage holds */
function tokenOf(entry) {
  const { token: kept, usedAt } = JSON.parse(entry ?? '{}');
  return typeof kept === 'string' && Date.now() - usedAt < UNUSED_DAYS * DAY_MS ? kept : '';
}

/**
 * Keeps a token: for this tab, which stays what it is when another tab signs in with another link, and for new tabs.
 * @param {string} kept
 * @returns {boolean} false when the browser forbids storage
 */
function keep(kept) {
  try {
    sessionStorage.setItem(KEY, kept);
    localStorage.setItem(KEY, JSON.stringify({ token: kept, usedAt: Date.now() }));
    return true;
  } catch {
    return false;
  }
}

export const token = takeToken();

/** Forgets the token in this browser; tabs that use it sign out, too. */
export function forgetToken() {
  try {
    sessionStorage.removeItem(KEY);
    if (keptByBrowser() === token) localStorage.removeItem(KEY);
  } catch {
    // Nothing was kept.
  }
}

/**
 * Starts the page anew with a token.
 * @param {string} given
 */
export function signIn(given) {
  // Where storage is forbidden the address carries it over the reload.
  if (!keep(given)) history.replaceState(null, '', `#${encodeURIComponent(given)}`);
  location.reload();
}

// A link that is pasted into this tab changes the fragment alone, so the browser loads nothing.
window.addEventListener('hashchange', () => {
  const given = tokenIn(location.hash);
  history.replaceState(null, '', location.pathname);
  if (given) signIn(given);
});

// Another tab signed in, which helps a tab that is not, or signed out.
window.addEventListener('storage', ({ key, oldValue, newValue }) => {
  if (key !== KEY) return;
  if (newValue !== null && !token) location.reload();
  if (newValue === null && tokenOf(oldValue) === token) {
    forgetToken();
    location.reload();
  }
});
