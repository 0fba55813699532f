// A table that is kept up to date, sorted by a button in each heading, and filtered; on a narrow screen, cards.
import { element, keepChildren, setAttributes, setText } from './dom.js';
import { countText } from './format.js';

/** More rows than that are counted, and not shown. */
const mostRows = 200;

/**
 * @template T
 * @typedef {{
 *   name: string,
 *   kind?: 'number' | 'wide',
 *   sortBy: (item: T) => string | number,
 *   make?: (item: T) => Element,
 *   update: (cell: HTMLElement, item: T) => void,
 * }} Column
 */

/**
 * @template T
 * @param {{
 *   id: string, heading: string, none: string, noun: string,
 *   columns: readonly Column<T>[],
 *   key: (item: T) => string,
 *   words: (item: T) => string,
 *   sortedBy: number, isDescending: boolean,
 * }} how
 * @returns {(items: readonly T[]) => void} shows these
 */
export function makeTable({ id, heading, none, noun, columns, key, words, sortedBy, isDescending }) {
  let sort = { by: sortedBy, isDescending };
  /** @type {readonly T[]} */
  let items = [];

  const count = element('span', { class: 'count' });
  const filter = /** @type {HTMLInputElement} */ (
    element('input', {
      ...{ type: 'search', id: `${id}-filter`, autocomplete: 'off', spellcheck: 'false' },
      placeholder: 'Filter',
      'aria-label': `Filter ${noun} by user, address or path`,
    })
  );
  const buttons = columns.map(({ name }, index) => {
    const button = element('button', { type: 'button' }, name, element('span', { 'aria-hidden': 'true' }));
    button.addEventListener('click', () => {
      // Numbers are asked for with the greatest first.
      const isNumber = columns[index]?.kind === 'number';
      sort = { by: index, isDescending: sort.by === index ? !sort.isDescending : isNumber };
      show();
    });
    return button;
  });
  const headings = columns.map(({ kind }, index) =>
    element(
      'th',
      { scope: 'col', role: 'columnheader', 'data-kind': kind },
      /** @type {Node} */ (buttons[index]),
    ),
  );
  const body = element('tbody', { role: 'rowgroup' });
  const table = element(
    'table',
    { role: 'table', 'aria-labelledby': `${id}-heading` },
    element('thead', { role: 'rowgroup' }, element('tr', { role: 'row' }, ...headings)),
    body,
  );
  const empty = element('p', { class: 'empty' });
  document
    .getElementById(id)
    ?.replaceChildren(
      element(
        'div',
        { class: 'heading' },
        element('h2', { id: `${id}-heading` }, heading, ' ', count),
        filter,
      ),
      table,
      empty,
    );
  filter.addEventListener('input', () => show());

  const show = () => {
    const wanted = filter.value.trim().toLowerCase();
    const matching = items.filter((item) => words(item).toLowerCase().includes(wanted));
    const shown = sorted(matching, columns[sort.by], sort.isDescending).slice(0, mostRows);
    columns.forEach((_column, index) => {
      const direction = sort.isDescending ? 'descending' : 'ascending';
      setAttributes(/** @type {Element} */ (headings[index]), {
        'aria-sort': sort.by === index ? direction : undefined,
      });
    });
    setText(
      count,
      wanted === '' ? countText(items.length) : `${countText(matching.length)} of ${countText(items.length)}`,
    );
    keepChildren(body, shown, {
      key,
      make: (item) => makeRow(item, columns),
      update: (row, item) => {
        columns.forEach(({ update }, index) =>
          update(/** @type {HTMLElement} */ (row.children[index]), item),
        );
      },
    });
    table.hidden = shown.length === 0;
    const left = matching.length - shown.length;
    empty.hidden = left === 0 && shown.length > 0;
    setText(empty, wordsOfEmpty(left, wanted === '' ? none : `No ${noun} match the filter.`));
  };
  return (given) => {
    items = given;
    show();
  };
}

/**
 * @param {number} left
 * @param {string} none
 */
function wordsOfEmpty(left, none) {
  return left > 0 ? `${countText(left)} more are not shown; the filter finds them.` : none;
}

/**
 * @template T
 * @param {T} item
 * @param {readonly Column<T>[]} columns
 */
function makeRow(item, columns) {
  const cells = columns.map(({ name, kind, make }) => {
    const content = make?.(item);
    return element('td', { role: 'cell', 'data-name': name, 'data-kind': kind }, content ?? undefined);
  });
  return element('tr', { role: 'row' }, ...cells);
}

/**
 * @template T
 * @param {readonly T[]} items
 * @param {Column<T> | undefined} column
 * @param {boolean} isDescending
 * @returns {T[]}
 */
function sorted(items, column, isDescending) {
  if (!column) return [...items];
  const sign = isDescending ? -1 : 1;
  return [...items].sort((one, other) => {
    const [a, b] = [column.sortBy(one), column.sortBy(other)];
    if (typeof a === 'string' && typeof b === 'string')
      return sign * a.localeCompare(b, 'en', { numeric: true });
    return sign * (Number(a) - Number(b));
  });
}
