// @ts-check
// Finding and building elements: always by properties and text nodes, never by markup.

const COPIED_MS = 1500;
const RIGHT_TO_LEFT = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u;

/**
 * Returns an element of the page that must be there.
 * @param {string} id
 */
export function byId(id) {
  const element = document.getElementById(id);
  if (element === null) throw new Error(`the page has no element '${id}'`);
  return element;
}

/**
 * Returns an input or select of the page.
 * @param {string} id
 */
export function field(id) {
  return /** @type {HTMLInputElement | HTMLSelectElement} */ (byId(id));
}

/**
 * Builds an element.
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Partial<HTMLElementTagNameMap[Tag]>} [properties]
 * @param {(Node | string)[]} children
 */
export function element(tag, properties = {}, ...children) {
  const node = /** @type {HTMLElementTagNameMap[Tag]} */ (document.createElement(tag));
  Object.assign(node, properties);
  node.append(...children);
  return node;
}

/**
 * Builds an element around what somebody typed: it has a direction of its own, so that a name or a prompt written
 * from right to left does not change places with the words around it.
 * @param {string} text
 */
export function typed(text) {
  return element('bdi', { textContent: text });
}

/**
 * Does the same for a text that cannot hold elements, like a label: U+2068 and U+2069 isolate what they enclose.
 * @param {string} text
 */
export function isolated(text) {
  return RIGHT_TO_LEFT.test(text) ? `\u2068${text}\u2069` : text;
}

/**
 * Tells the login beside a shown name that is written differently: moderators type logins.
 * @param {{ actor: string, login: string }} request
 */
export function loginNote({ actor, login }) {
  return login && login !== actor.toLowerCase() ? ` (${login})` : '';
}

/**
 * Builds a button.
 * @param {string} text
 * @param {() => unknown} onclick
 * @param {{ label?: string, className?: string }} [options] the label is for screen readers, if the text is not enough
 */
export function button(text, onclick, { label, className = '' } = {}) {
  const made = element('button', { type: 'button', textContent: text, className, onclick });
  if (label) made.ariaLabel = label;
  return made;
}

/**
 * Writes a text where it changed: writing the same text would end a selection in it.
 * @param {Element} node
 * @param {string} text
 */
export function write(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/**
 * Hides or shows an element; the focus goes to `next` if it was inside.
 * @param {HTMLElement} node
 * @param {boolean} hidden
 * @param {HTMLElement} next
 */
export function hide(node, hidden, next) {
  if (hidden && node.contains(document.activeElement)) next.focus({ preventScroll: true });
  node.hidden = hidden;
}

/**
 * Copies a text to the clipboard without showing it: addresses contain a token.
 * @param {string} text
 * @param {HTMLElement} from says for a moment that it is done
 */
export async function toClipboard(text, from) {
  // The clipboard API needs a secure origin, which a plain address in the local network is not.
  if (navigator.clipboard) await navigator.clipboard.writeText(text);
  else copyBySelection(text, from);
  from.dataset.label ??= from.textContent ?? '';
  from.textContent = 'Copied';
  setTimeout(() => {
    from.textContent = from.dataset.label ?? '';
  }, COPIED_MS);
}

/** @param {string} text @param {HTMLElement} from gets the focus back */
function copyBySelection(text, from) {
  const area = document.body.appendChild(element('textarea', { value: text, className: 'secret' }));
  area.select();
  document.execCommand('copy');
  area.remove();
  from.focus({ preventScroll: true });
}
