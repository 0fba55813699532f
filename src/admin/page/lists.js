// Transfers and sessions.
import { element, setAttributes, setText } from './dom.js';
import { bytesText, countOf, durationText, rateText, visible } from './format.js';
import { makeTable } from './table.js';

/** @typedef {any} Data an entry of /v1/data, with `now`, bytes a second */
/** @typedef {any} Session an entry of /v1/sessions, with `now` */

/** @param {string | null} text text from outside */
function foreign(text) {
  return text === null ? '–' : visible(text);
}

/**
 * A cell that shows a text as it is.
 *
 * @param {HTMLElement} cell
 * @param {string} text
 */
function showText(cell, text) {
  // Foreign text has a direction of its own.
  let inner = cell.firstElementChild;
  if (!inner) {
    inner = element('bdi');
    cell.append(inner);
  }
  setText(inner, text);
  setAttributes(inner, { title: text.length > 60 ? text : undefined });
}

/** The link to the dialogue of a session.
 * @param {number} id
 */
function sessionLink(id) {
  return element('a', { href: `#session=${id}`, 'aria-label': `Session ${id}: its dialogue` }, `${id}`);
}

/** @param {Data} data */
function carried({ uploaded, downloaded }) {
  return uploaded === null || downloaded === null ? undefined : uploaded + downloaded;
}

/** Of 1; undefined where the size or what has come is not known.
 * @param {Data} data
 */
function shareOf(data) {
  const bytes = carried(data);
  if (bytes === undefined || data.size === null || data.size === 0) return undefined;
  return Math.min(1, bytes / data.size);
}

/** @param {Data} data */
function progressText(data) {
  const bytes = carried(data);
  if (bytes === undefined) return 'not counted by the kernel';
  const share = shareOf(data);
  return share === undefined
    ? `${bytesText(bytes)}, size not known`
    : `${Math.floor(share * 100)} % · ${bytesText(bytes)} of ${bytesText(data.size)}`;
}

function makeProgress() {
  return element(
    'div',
    { class: 'progress' },
    element('div', { class: 'track', 'aria-hidden': 'true' }, element('div')),
    element('span'),
  );
}

/**
 * @param {HTMLElement} cell
 * @param {Data} data
 */
function updateProgress(cell, data) {
  const [track, words] = cell.firstElementChild?.children ?? [];
  const share = shareOf(data);
  const bar = track?.firstElementChild;
  if (words) setText(words, progressText(data));
  if (track) setAttributes(track, { 'data-unknown': share === undefined });
  if (bar instanceof HTMLElement) bar.style.width = share === undefined ? '' : `${(share * 100).toFixed(1)}%`;
}

/** @param {Data} data */
function directionText({ direction, command }) {
  if (direction === null) return 'not begun';
  return `${direction === 'upload' ? '↑ up' : '↓ down'} · ${command}`;
}

/** @param {Data} data */
function pathText({ path, relative }) {
  if (path === null || path === '') return '–';
  return relative ? `${visible(path)} (as typed)` : visible(path);
}

/** @returns {(items: readonly Data[]) => void} */
export function makeTransfers() {
  return makeTable({
    ...{ id: 'transfers', heading: 'Transfers', noun: 'transfers', none: 'No data connection is open.' },
    ...{ sortedBy: 7, isDescending: true },
    key: ({ id }) => `${id}`,
    words: ({ user, client, path, command, session }) =>
      [user ?? '', client, path ?? '', command ?? '', session].map((word) => visible(`${word}`)).join('\n'),
    columns: [
      {
        ...{ name: 'Session', kind: 'number', sortBy: ({ session }) => session },
        make: ({ session }) => sessionLink(session),
        update: () => undefined,
      },
      {
        ...{ name: 'User', sortBy: ({ user }) => user ?? '' },
        update: (cell, { user }) => showText(cell, foreign(user)),
      },
      {
        ...{ name: 'Client', sortBy: ({ client }) => client },
        update: (cell, { client }) => showText(cell, client),
      },
      {
        ...{ name: 'Direction', sortBy: directionText },
        update: (cell, data) => showText(cell, directionText(data)),
      },
      {
        ...{ name: 'Path', kind: 'wide', sortBy: ({ path }) => path ?? '' },
        update: (cell, data) => showText(cell, pathText(data)),
      },
      {
        ...{ name: 'Progress', kind: 'wide', sortBy: (data) => shareOf(data) ?? -1 },
        ...{ make: makeProgress, update: updateProgress },
      },
      {
        ...{ name: 'Rate', kind: 'number', sortBy: ({ now }) => now ?? -1 },
        update: (cell, { now }) => showText(cell, now === undefined ? '–' : rateText(now)),
      },
      {
        ...{ name: 'Age', kind: 'number', sortBy: ({ seconds }) => seconds },
        update: (cell, { seconds }) => showText(cell, durationText(seconds)),
      },
    ],
  });
}

/** @param {Session} session */
function stateText({ loggedIn, opaque, dataConnections, tls, refusals }) {
  const parts = [
    opaque ? 'unreadable (TLS passed on)' : loggedIn ? 'logged in' : 'no login',
    dataConnections > 0 ? countOf(dataConnections, 'data connection') : '',
    tls.client === null ? '' : `TLS to the client${tls.server === null ? '' : ' and the server'}`,
    tls.client === null && tls.server !== null ? 'TLS to the server' : '',
    refusals > 0 ? countOf(refusals, 'refusal') : '',
  ];
  return parts.filter((part) => part !== '').join(', ');
}

/** @returns {(items: readonly Session[]) => void} */
export function makeSessions() {
  return makeTable({
    ...{ id: 'sessions', heading: 'Sessions', noun: 'sessions', none: 'Nobody is connected.' },
    ...{ sortedBy: 0, isDescending: true },
    key: ({ id }) => `${id}`,
    words: ({ id, user, client, server, path }) =>
      [id, user ?? '', client, server, path ?? ''].map((word) => visible(`${word}`)).join('\n'),
    columns: [
      {
        ...{ name: 'Session', kind: 'number', sortBy: ({ id }) => id },
        make: ({ id }) => sessionLink(id),
        update: () => undefined,
      },
      {
        ...{ name: 'User', sortBy: ({ user }) => user ?? '' },
        update: (cell, { user }) => showText(cell, foreign(user)),
      },
      {
        ...{ name: 'Client', sortBy: ({ client }) => client },
        update: (cell, { client }) => showText(cell, client),
      },
      {
        ...{ name: 'Server', sortBy: ({ server }) => server },
        update: (cell, { server }) => showText(cell, server),
      },
      {
        ...{ name: 'State', kind: 'wide', sortBy: stateText },
        update: (cell, session) => showText(cell, stateText(session)),
      },
      {
        ...{ name: 'Down', kind: 'number', sortBy: ({ downloaded }) => downloaded },
        update: (cell, { downloaded }) => showText(cell, bytesText(downloaded)),
      },
      {
        ...{ name: 'Up', kind: 'number', sortBy: ({ uploaded }) => uploaded },
        update: (cell, { uploaded }) => showText(cell, bytesText(uploaded)),
      },
      {
        ...{ name: 'Age', kind: 'number', sortBy: ({ seconds }) => seconds },
        update: (cell, { seconds }) => showText(cell, durationText(seconds)),
      },
    ],
  });
}
