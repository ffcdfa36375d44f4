// @ts-check
// Finding and building elements: always by properties and text nodes, never by markup.

const COPIED_MS = 1500;

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
 * Copies a text to the clipboard without showing it: addresses contain a token.
 * @param {string} text
 * @param {HTMLElement} button says for a moment that it is done
 */
export async function toClipboard(text, button) {
  // The clipboard API needs a secure origin, which a plain address in the local network is not.
  if (navigator.clipboard) await navigator.clipboard.writeText(text);
  else {
    const area = document.body.appendChild(element('textarea', { value: text, className: 'secret' }));
    area.select();
    document.execCommand('copy');
    area.remove();
  }
  const label = button.textContent;
  button.textContent = 'Copied';
  setTimeout(() => {
    button.textContent = label;
  }, COPIED_MS);
}
