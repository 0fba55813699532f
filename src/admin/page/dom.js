// Elements, made and kept up to date. Text from outside becomes text nodes, and nothing else.

/**
 * @typedef {string | Node | null | undefined} Child
 * @typedef {Readonly<Record<string, string | number | boolean | undefined>>} Attributes
 */

/**
 * @param {string} name
 * @param {Attributes} [attributes]
 * @param {...Child} children
 * @returns {HTMLElement}
 */
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  setAttributes(made, attributes);
  made.append(...present(children));
  return made;
}

const svgNamespace = 'http://www.w3.org/2000/svg';

/**
 * @param {string} name
 * @param {Attributes} [attributes]
 * @param {...Child} children
 * @returns {SVGElement}
 */
export function svg(name, attributes = {}, ...children) {
  const made = document.createElementNS(svgNamespace, name);
  setAttributes(made, attributes);
  made.append(...present(children));
  return made;
}

/**
 * Touches the document only where something differs: selections and the focus stay.
 *
 * @param {Element} target
 * @param {string} text
 */
export function setText(target, text) {
  if (target.textContent !== text) target.textContent = text;
}

/**
 * @param {Element} target
 * @param {Attributes} attributes false and undefined: without it
 */
export function setAttributes(target, attributes) {
  for (const [key, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) target.removeAttribute(key);
    else if (target.getAttribute(key) !== String(value))
      target.setAttribute(key, value === true ? '' : String(value));
  }
}

/**
 * The element of the page with this id.
 *
 * @param {string} id
 * @returns {HTMLElement}
 */
export function byId(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page has no #${id}`);
  return found;
}

/**
 * Children of `parent`, one for each item, in their order: kept where there is one of the same key, made where not.
 *
 * @template T
 * @param {Element} parent
 * @param {readonly T[]} items
 * @param {{ key: (item: T) => string, make: (item: T) => Element, update: (element: Element, item: T) => void }} how
 */
export function keepChildren(parent, items, { key, make, update }) {
  const known = new Map([...parent.children].map((child) => [child.getAttribute('data-key'), child]));
  /** @type {Element | null} */
  let next = parent.firstElementChild;
  for (const item of items) {
    const name = key(item);
    let child = known.get(name);
    known.delete(name);
    if (!child) {
      child = make(item);
      child.setAttribute('data-key', name);
    }
    update(child, item);
    if (child === next) next = next.nextElementSibling;
    else parent.insertBefore(child, next);
  }
  for (const child of known.values()) child.remove();
}

/**
 * @param {readonly Child[]} children
 * @returns {(string | Node)[]}
 */
function present(children) {
  return /** @type {(string | Node)[]} */ (children.filter((child) => child !== null && child !== undefined));
}
