import { isListing } from '../ftp/transfer.ts';
import { columnsOf, cutEnd, cutMiddle } from '../net/columns.ts';
import { formatBytes } from '../net/size-text.ts';
import { visibleControls } from './harmless-line.ts';

/** The fields of a line of the log, as its JSON has them. */
export type Fields = Readonly<Record<string, unknown>>;

/** A part of what a line says. */
interface Part {
  readonly text: string;
  /** It may lose its middle. */
  readonly isElastic?: boolean;
  /** It may be left out; the highest first. */
  readonly rank?: number;
  /** One blank stands before it, however wide the terminal is. */
  readonly isClose?: boolean;
}

/** An elastic part has so many columns, as long as others can be left out for it. */
const leastElastic = 9;

/** What happened, part by part; undefined: the line is no event of a session. */
export function partsOf(words: string, fields: Fields): readonly Part[] | undefined {
  const isOfSession = typeof fields['session'] === 'number';
  if (typeof fields['repeated'] === 'number') return repetition(words, fields);
  const make = events.get(words);
  if (make && (isOfSession || words === 'session refused' || words === 'pinhole refused')) {
    return make(fields, words).filter(({ text }) => text !== '');
  }
  return isOfSession ? [{ text: words }, ...rest(fields)] : undefined;
}

/** The parts in so many columns, the least important left out and the longest cut. */
export function fitParts(parts: readonly Part[], room: number, gap: string): string {
  let kept = parts;
  for (;;) {
    const fitted = cutLongest(kept, room, gap);
    const last = Math.max(0, ...kept.map(({ rank = 0 }) => rank));
    if (columnsOf(joined(fitted, gap)) <= room || last === 0) return cutEnd(joined(fitted, gap), room);
    kept = kept.filter(({ rank }) => rank !== last);
  }
}

function joined(parts: readonly Part[], gap: string): string {
  return parts.reduce((line, { text, isClose = false }, at) => {
    return at === 0 ? text : `${line}${isClose ? ' ' : gap}${text}`;
  }, '');
}

/** Takes what is too much from the longest of the elastic parts, then from the next. */
function cutLongest(parts: readonly Part[], room: number, gap: string): readonly Part[] {
  const cut = [...parts];
  for (;;) {
    const excess = columnsOf(joined(cut, gap)) - room;
    if (excess <= 0) return cut;
    const lengths = cut.map(({ text, isElastic = false }) => (isElastic ? columnsOf(text) : 0));
    const longest = Math.max(0, ...lengths);
    if (longest <= leastElastic) return cut;
    const at = lengths.indexOf(longest);
    const second = Math.max(leastElastic, ...lengths.filter((_, index) => index !== at));
    const to = Math.max(longest - excess, Math.min(second, longest - 1), leastElastic);
    const part = cut[at];
    if (part) cut[at] = { ...part, text: cutMiddle(part.text, to) };
  }
}

type Make = (fields: Fields, words: string) => Part[];

const events: ReadonlyMap<string, Make> = new Map<string, Make>([
  ['transfer', transfer],
  [
    'session opened',
    (f, words) => [said(words), after('at', f['reached'], 2), after('server', f['server'], 1)],
  ],
  ['session closed', (f, words) => [said(words), said(f['reason']), seconds(f), elastic(f['error'])]],
  ['session refused', (f, words) => [said(words), said(f['reason']), elastic(f['error'])]],
  [
    'session secured',
    (f, words) => [
      said(words),
      said(f['side']),
      said(f['protocol']),
      said(f['cipher'], 2),
      after('as', f['subject'], 1),
    ],
  ],
  ['session user', (_, words) => [said(words)]],
  ['session opaque', (f, words) => [said(words), after('ports in use:', f['unavailable'])]],
  ['login failed', (f, words) => [said(words), said(f['code'])]],
  [
    'command refused',
    (f, words) => [
      ...[said(words), said(f['reason']), elastic(f['command'])],
      ...[elastic(f['detail'], 1), elastic(f['reply'], 2)],
    ],
  ],
  ['reply remarked', (f, words) => [said(words), said(f['reason']), elastic(f['reply'])]],
  [
    'pinhole opened',
    (f, words) => [said(words), said(f['command']), after('at', f['at']), after('to', f['to'], 1)],
  ],
  ['pinhole taken', (f, words) => [said(words), after('from', f['from'], 1), after('at', f['at'])]],
  ['pinhole closed', (f, words) => [said(words), said(f['reason']), after('at', f['at'], 1)]],
  ['pinhole refused', (f, words) => [said(words), said(f['reason']), after('at', f['at'], 1)]],
  ['transfer begun', (f, words) => [said(words), said(f['command']), path(f), said(sizeText(f['size']), 1)]],
  [
    'data channel closed',
    (f, words) => [said(words), said(f['command'], 2), path(f), said(f['cause']), elastic(f['error'], 1)],
  ],
  ['command', (f) => dialogue('>', f)],
  ['reply', (f) => dialogue('<', f)],
]);

/** `download /pub/a.iso  1.2 GiB  98 MiB/s  complete` */
function transfer(fields: Fields): Part[] {
  const { command, direction, bytes, rate, cause, error } = fields;
  return [
    said(typeof command === 'string' && isListing({ verb: command }) ? 'list' : direction),
    path(fields),
    said(sizeText(bytes)),
    said(typeof rate === 'number' ? `${sizeText(rate)}/s` : undefined, 1),
    said(cause),
    elastic(error, 2),
  ];
}

/** One arrow for a line that has gone on as it came: `> PASV`, or the line and what it has become. */
function dialogue(arrow: string, { line, received, sent }: Fields): Part[] {
  if (line !== undefined) return [said(arrow), { ...elastic(line), isClose: true }];
  if (received === undefined)
    return [said(arrow), { ...elastic(sent), isClose: true }, said('(of the relay)')];
  const came = [said(arrow), { ...elastic(received), isClose: true }];
  if (sent === undefined) return [...came, said('(answered by the relay)')];
  return [...came, said('=>'), { ...elastic(sent), isClose: true }];
}

/** How many there were of a kind. */
function repetition(words: string, fields: Fields): Part[] {
  return [said(words), said(fields['reason']), said(`${String(fields['repeated'])} times more`)].filter(
    ({ text }) => text !== '',
  );
}

const ofTheTable: ReadonlySet<string> = new Set(['session', 'client', 'user', 'since']);

/** `key value` of every field that has no column. */
function rest(fields: Fields): Part[] {
  return Object.entries(fields)
    .filter(([key]) => !ofTheTable.has(key))
    .map(([key, value]) => elastic(`${key} ${shown(value)}`));
}

function said(value: unknown, rank = 0): Part {
  return { text: shown(value), rank };
}

function elastic(value: unknown, rank = 0): Part {
  return { text: shown(value), rank, isElastic: true };
}

function after(word: string, value: unknown, rank = 0): Part {
  return { text: value === undefined ? '' : `${word} ${shown(value)}`, rank };
}

function seconds({ seconds: value }: Fields): Part {
  return said(typeof value === 'number' ? `${value} s` : undefined, 1);
}

/** A path that depends on a directory which is not known begins with `./`. */
function path({ path: value, relative }: Fields): Part {
  const text = shown(value);
  return { ...elastic(relative === true ? `./${text}` : text), isClose: true };
}

function shown(value: unknown): string {
  if (value === undefined) return '';
  return visibleControls(typeof value === 'string' ? value : JSON.stringify(value));
}

function sizeText(bytes: unknown): string | undefined {
  return typeof bytes === 'number' ? formatBytes(bytes) : undefined;
}
