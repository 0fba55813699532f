// The header, and the figures with their limits.
import { byId, element, keepChildren, setAttributes, setText } from './dom.js';
import { countOf, countText, durationText, rateText, visible } from './format.js';

/**
 * @typedef {'good' | 'near' | 'full'} Level
 * @typedef {{
 *   key: string, name: string, value: string, of?: string, detail: string,
 *   share?: number, level: Level, word?: string,
 * }} Figure
 */

/** @param {any} status */
export function showState(status) {
  const state = byId('state');
  setText(state, status.draining ? 'Draining' : 'Serving');
  setAttributes(state, { 'data-state': status.draining ? 'draining' : 'serving' });
  const facts = [
    ['Server', status.server ?? 'as each client addresses it'],
    ['Listening', status.listening.join(', ')],
    ['Plane', status.plane],
    ['Up', durationText(status.seconds)],
    ['Version', status.version],
  ];
  keepChildren(byId('facts'), facts, {
    key: ([name = '']) => name,
    make: ([name = '']) => element('div', {}, element('dt', {}, name), element('dd')),
    update: (made, [, value = '']) => {
      if (made.lastElementChild) setText(made.lastElementChild, visible(value));
    },
  });
  document.title = status.draining
    ? 'Draining - Pinhole'
    : `${countOf(status.sessions, 'session')} - Pinhole`;
}

export function showGone() {
  const state = byId('state');
  setText(state, 'No answer');
  setAttributes(state, { 'data-state': 'gone' });
  document.title = 'No answer - Pinhole';
}

/**
 * @param {any} status
 * @param {readonly any[]} data
 * @param {{ up: number | undefined, down: number | undefined }} now bytes a second
 * @param {{ up: number, down: number }} most of the last hour
 */
export function showFigures(status, data, now, most) {
  const { limits, eventLoopDelay: delay } = status;
  const uploads = data.filter(({ direction }) => direction === 'upload').length;
  const downloads = data.filter(({ direction }) => direction === 'download').length;
  const idle = data.length - uploads - downloads;
  /** @type {(Figure | undefined)[]} */
  const figures = [
    useFigure('sessions', 'Sessions', limits.sessions, perClient(limits.sessionsPerClient)),
    {
      ...{ key: 'transfers', name: 'Transfers', value: countText(uploads + downloads), level: 'good' },
      detail: `${countText(downloads)} down, ${countText(uploads)} up${idle > 0 ? `, ${countText(idle)} not begun` : ''}`,
    },
    rateFigure('down', 'Downloads', now.down, most.down),
    rateFigure('up', 'Uploads', now.up, most.up),
    useFigure('passive', 'Passive ports', limits.passivePorts, 'where a client is awaited'),
    limits.activePorts.now > 0
      ? useFigure('active', 'Active ports', limits.activePorts, 'where the server is awaited')
      : undefined,
    useFigure('descriptors', 'Descriptors', limits.descriptors, 'taken by connections'),
    {
      ...{ key: 'delay', name: 'Event-loop delay', value: millisecondsText(delay.p99) },
      detail: `99th percentile; median ${millisecondsText(delay.median)}, worst ${millisecondsText(delay.worst)}`,
      level: delay.p99 >= 250 ? 'full' : delay.p99 >= 50 ? 'near' : 'good',
      word: delay.p99 >= 250 ? 'Overloaded' : 'Slow',
    },
    certificateFigure(status.certificates),
  ];
  keepChildren(
    byId('figures'),
    figures.filter((figure) => figure !== undefined),
    { key: ({ key }) => key, make: makeFigure, update: updateFigure },
  );
}

/** @param {{ now: number, most: number | null }} use */
function perClient({ now, most }) {
  return `most of one client: ${countText(now)}${most === null ? '' : ` of ${countText(most)}`}`;
}

/**
 * @param {string} key
 * @param {string} name
 * @param {{ now: number, most: number | null }} use
 * @param {string} detail
 * @returns {Figure}
 */
function useFigure(key, name, { now, most }, detail) {
  const value = countText(now);
  if (most === null) return { key, name, value, of: 'no limit', detail, level: 'good' };
  const share = most > 0 ? now / most : 0;
  const level = share >= 0.95 ? 'full' : share >= 0.75 ? 'near' : 'good';
  const word = level === 'full' ? 'At the limit' : 'Near the limit';
  return { key, name, value, of: `of ${countText(most)}`, detail, share, level, word };
}

/**
 * @param {string} key
 * @param {string} name
 * @param {number | undefined} now
 * @param {number} most
 * @returns {Figure}
 */
function rateFigure(key, name, now, most) {
  const value = now === undefined ? '…' : rateText(now);
  return { key, name, value, detail: `most in the last hour: ${rateText(most)}`, level: 'good' };
}

/**
 * The one that expires first.
 *
 * @param {readonly { daysLeft: number, subject: string, file: string }[]} certificates
 * @returns {Figure | undefined}
 */
function certificateFigure(certificates) {
  const [first] = [...certificates].sort((a, b) => a.daysLeft - b.daysLeft);
  if (!first) return undefined;
  const { daysLeft, subject, file } = first;
  const level = daysLeft < 7 ? 'full' : daysLeft < 30 ? 'near' : 'good';
  const value = daysLeft < 0 ? 'Expired' : countOf(daysLeft, 'day');
  const more = certificates.length > 1 ? ` and ${countText(certificates.length - 1)} more` : '';
  const word = daysLeft < 0 ? 'Expired' : 'Renew it';
  const detail = `${visible(subject === '' ? file : subject)}${more}`;
  return { key: 'certificate', name: 'Certificate', value, of: 'left', detail, level, word };
}

/** @param {number} milliseconds */
function millisecondsText(milliseconds) {
  return `${milliseconds >= 100 ? Math.round(milliseconds) : Math.round(milliseconds * 10) / 10} ms`;
}

/** @param {Figure} figure */
function makeFigure({ key, name, share }) {
  return element(
    'li',
    { class: 'figure', id: `figure-${key}` },
    element('h3', {}, name),
    element('p', { class: 'value' }, element('b'), ' ', element('span')),
    share === undefined ? undefined : element('div', { class: 'use', 'aria-hidden': 'true' }, element('div')),
    element('p', { class: 'detail' }),
    element('p', { class: 'word', hidden: true }),
  );
}

/**
 * @param {Element} made
 * @param {Figure} figure
 */
function updateFigure(made, { value, of, detail, share, level, word }) {
  const part = (/** @type {string} */ selector) => /** @type {HTMLElement} */ (made.querySelector(selector));
  setAttributes(made, { 'data-level': level });
  setText(part('.value b'), value);
  setText(part('.value span'), value === 'Expired' ? '' : (of ?? ''));
  setText(part('.detail'), detail);
  setText(part('.word'), word ?? '');
  part('.word').hidden = level === 'good' || word === undefined;
  const bar = made.querySelector('.use div');
  if (bar instanceof HTMLElement && share !== undefined)
    bar.style.width = `${Math.min(100, share * 100).toFixed(1)}%`;
}
