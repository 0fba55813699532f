import { replaceHarmful, replaceHarmfulButC0 } from '../net/harmful-text.ts';

/** Characters of one text in a line; further ones are left out. */
const longestText = 500;

/** Bytes of a line. */
const longestLine = 8 * 1024;

/**
 * A line of the log, one object in JSON, with an upper limit to its length and to that of each text in it, and without
 * characters that do harm where it is read. What it means is the same, but for what was too long.
 *
 *     {"msg":"\x9b2J"} -> {"msg":"\u009b2J"}
 */
export function harmlessLine(line: string): string {
  // No text in it can be too long then, nor the line: an escape is six bytes for one character.
  if (line.length <= longestText) return escapeHarmful(line);
  const fields = Object.entries(shortened(JSON.parse(line)) as object);
  const short = lineOf(fields);
  return Buffer.byteLength(short) <= longestLine ? short : lineOf(asManyAsFit(fields));
}

/** In text for people an escape can be read, and no message begins a line of its own. */
export function visibleControls(text: string): string {
  return replaceHarmful(text, escape);
}

/** The same for text that has its colours already, and ends its lines itself. */
export function escapeHarmful(text: string): string {
  return replaceHarmfulButC0(text, escape);
}

/** JSON without what a terminal would obey: an escape means the same in it. */
export function harmlessJson(value: unknown, space?: number): string {
  return escapeHarmful(JSON.stringify(value, undefined, space));
}

function escape(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

function lineOf(fields: readonly [string, unknown][]): string {
  return `${harmlessJson(Object.fromEntries(fields))}\n`;
}

function shortened(value: unknown): unknown {
  if (typeof value === 'string') return shortenedText(value);
  if (Array.isArray(value)) return value.map(shortened);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, shortened(one)]));
}

function shortenedText(text: string): string {
  if (text.length <= longestText) return text;
  // Not between the two halves of a pair.
  const kept = text.slice(0, longestText).replace(/[\ud800-\udbff]$/, '');
  return `${kept}... [${text.length - kept.length} characters left out]`;
}

/** Without what every line has, the first fields that there is room for, and how many were left out. */
const essential: ReadonlySet<string> = new Set(['level', 'time', 'pid', 'msg']);

function asManyAsFit(fields: readonly [string, unknown][]): [string, unknown][] {
  const sizes = new Map(fields.map((field) => [field[0], Buffer.byteLength(lineOf([field]))]));
  const sizeOf = ([key]: readonly [string, unknown]): number => sizes.get(key) ?? 0;
  const isEssential = ([key]: readonly [string, unknown]): boolean => essential.has(key);
  let room = longestLine - '"leftOut":12345678,'.length;
  for (const field of fields.filter(isEssential)) room -= sizeOf(field);
  const kept = fields.filter((field) => {
    if (isEssential(field)) return true;
    room -= sizeOf(field);
    return room >= 0;
  });
  const message = kept.findIndex(([key]) => key === 'msg');
  return kept.toSpliced(message === -1 ? kept.length : message, 0, ['leftOut', fields.length - kept.length]);
}
