/** How the lines of a server are to be read: RFC 959 section 4.2, RFC 2428 section 3, docs/what-it-does.md. */
import type { Place } from '../transcript.ts';
import type { Line } from './lines.ts';

export interface Reply {
  readonly code: number;
  /** Which lines it is of, both included. */
  readonly first: number;
  readonly last: number;
  readonly begun: number;
  readonly at: number;
}

export interface Replies {
  /** Whether the last one has begun, and not ended. */
  readonly isOpen: boolean;
  /** Those whose last line has come. */
  readonly whole: readonly Reply[];
  /** Behind `sureUntil`: all that somebody may read as a reply. */
  readonly possible: readonly Reply[];
  /** The first line that some read as part of a reply, and others as the beginning of the next. */
  readonly sureUntil: number;
  /** Of each line: whether it may be the first of a reply, as somebody reads it. */
  readonly mayBegin: readonly boolean[];
}

const begins = /^([1-6]\d\d)(?!\d)(-?)/;
const seemsReply = /^[1-6]\d\d(?:$|[ -])/;
/** As the RFC has a line with a code. */
const strict = /^[1-5][0-5]\d(?:[ -]|$)/;

export function repliesOf(lines: readonly Line[]): Replies {
  const whole: Reply[] = [];
  let sureUntil = lines.length;
  let open: { readonly code: string; readonly first: number; readonly begun: number } | undefined;
  let hasGreeted = false;
  const unsureFrom = (index: number): void => {
    sureUntil = Math.min(sureUntil, index);
  };
  for (const [index, { text, begun, at, end }] of lines.entries()) {
    if (end === '') break;
    if (open) {
      const behind = text.slice(3);
      if (text.startsWith(open.code) && /^(?:$|[ \t:])/.test(behind)) {
        whole.push({ code: Number(open.code), first: open.first, last: index, begun: open.begun, at });
        open = undefined;
        hasGreeted = true;
      } else if (seemsReply.test(text) && !text.startsWith(open.code) && mayBreakOff(open.code, hasGreeted)) {
        unsureFrom(index);
      }
      continue;
    }
    const [, digits, hyphen] = begins.exec(text) ?? [];
    if (digits === undefined || !strict.test(text)) unsureFrom(index);
    if (digits === undefined) continue;
    if (hyphen === '-') {
      open = { code: digits, first: index, begun };
    } else {
      whole.push({ code: Number(digits), first: index, last: index, begun, at });
      hasGreeted = true;
    }
  }
  const mayBegin = possibleBeginnings(lines);
  return {
    isOpen: open !== undefined,
    whole,
    sureUntil,
    mayBegin,
    possible: possibleReplies(lines, sureUntil, mayBegin),
  };
}

/** A consent may show text that a user has written, and is read to its end; a refusal or a greeting may break off. */
function mayBreakOff(code: string, hasGreeted: boolean): boolean {
  return !code.startsWith('2') || !hasGreeted;
}

function possibleReplies(lines: readonly Line[], from: number, mayBegin: readonly boolean[]): Reply[] {
  return lines.flatMap(({ text, begun }, first): Reply[] => {
    const [, digits, hyphen] = begins.exec(text) ?? [];
    if (first < from || digits === undefined || !mayBegin[first]) return [];
    const isEnd = (line: Line, index: number): boolean =>
      index > first && line.text.startsWith(digits) && /^(?:$|[ \t:])/.test(line.text.slice(3));
    const last = hyphen === '-' ? lines.findIndex(isEnd) : first;
    const at = lines[last]?.at;
    return at === undefined ? [] : [{ code: Number(digits), first, last, begun, at }];
  });
}

/** How one reading of the lines so far stands. */
interface Reading {
  /** The code of the reply that has begun, and not ended. */
  readonly open: string;
  /** Whether a reply has ended. */
  readonly hasGreeted: boolean;
}

/** Follows all readings at once. */
function possibleBeginnings(lines: readonly Line[]): boolean[] {
  let readings: Reading[] = [{ open: '', hasGreeted: false }];
  return lines.map(({ text }) => {
    const next = new Map<string, Reading>();
    const add = (reading: Reading): void => {
      next.set(`${reading.open} ${reading.hasGreeted}`, reading);
    };
    let isBeginning = false;
    const begin = (hasGreeted: boolean): void => {
      const [, digits, hyphen] = begins.exec(text) ?? [];
      isBeginning ||= digits !== undefined;
      if (digits !== undefined && hyphen === '-') add({ open: digits, hasGreeted });
      else add({ open: '', hasGreeted: hasGreeted || digits !== undefined });
    };
    for (const reading of readings) {
      const { open, hasGreeted } = reading;
      if (open === '') begin(hasGreeted);
      else if (text.startsWith(open) && /^(?:$|[ \t:])/.test(text.slice(3))) {
        add({ open: '', hasGreeted: true });
      } else {
        add(reading);
        if (seemsReply.test(text) && !text.startsWith(open) && mayBreakOff(open, hasGreeted))
          begin(hasGreeted);
      }
    }
    readings = [...next.values()];
    return isBeginning;
  });
}

/** Where numbers stand in a line, and what they name. */
interface Found {
  readonly start: number;
  readonly end: number;
  readonly port: number;
}

/** The code of a line and the character behind it name nothing. */
const behindCode = (text: string): number => (/^\d{3}[ -]/.test(text) ? 4 : 0);

/** RFC 959's six numbers, in every form that clients read. */
export function hostPortsIn(text: string): Found[] {
  const found: Found[] = [];
  let at = behindCode(text);
  while (at < text.length) {
    const isDigit = /\d/.test(text.charAt(at));
    const match = isDigit ? /^\d+(?:[ \t]*,[ \t]*\d+){5}/.exec(text.slice(at)) : null;
    const numbers = match?.[0].split(',').map(Number) ?? [];
    const port = (numbers[4] ?? 0) * 256 + (numbers[5] ?? 0);
    if (match && numbers.every((number) => number <= 255) && port > 0) {
      found.push({ start: at, end: at + match[0].length, port });
      at += match[0].length;
    } else if (isDigit) {
      while (/\d/.test(text.charAt(at))) at++;
    } else at++;
  }
  return found;
}

/** RFC 2428's port, and the forms with filled fields: the span of its digits. */
export function extendedPortsIn(text: string): Found[] {
  const skipped = behindCode(text);
  const found = new Map<number, Found>();
  for (const [form, closing] of extendedForms) {
    for (const match of text.slice(skipped).matchAll(form)) {
      const digits = match[2] ?? '';
      const port = Number(digits);
      if (port < 1 || port > 65_535) continue;
      const end = skipped + match.index + match[0].length - closing;
      found.set(end, { start: end - digits.length, end, port });
    }
  }
  return [...found.values()].sort((one, other) => one.start - other.start);
}

/** Each form, and how many characters stand in it behind the digits. */
const extendedForms = [
  [/([!-/:-~])\1\1(\d+)\1/g, 1],
  [/\(([!-/:-~])[^()]{0,64}?\1[^()]{0,64}?\1(\d+)\1\)/g, 2],
] as const;

/** Every number in parentheses without letters: some clients read those, and others do not. */
function loosePortsIn(text: string): Found[] {
  const found: Found[] = [];
  for (const match of text.slice(behindCode(text)).matchAll(/\([^()A-Za-z\x80-\xff]*\)/g)) {
    const numbers = match[0].match(/\d+/g) ?? [];
    const start = behindCode(text) + match.index;
    for (const number of numbers.map(Number)) {
      if (number >= 1 && number <= 65_535) found.push({ start, end: start + match[0].length, port: number });
    }
  }
  return found;
}

/** The texts that a line of a 227 or 229 may become for a pinhole that is there. */
export function rewritten(text: string, code: number, { address, port }: Place): string[] {
  const replace = (spans: readonly Found[], by: string): string => {
    let result = '';
    let from = 0;
    for (const { start, end } of spans) {
      result += text.slice(from, start) + by;
      from = end;
    }
    return result + text.slice(from);
  };
  if (code === 227) {
    const numbers = `${address.replaceAll('.', ',')},${port >> 8},${port & 0xff}`;
    return [replace(hostPortsIn(text), numbers)];
  }
  const loose = loosePortsIn(text).filter((each, index, all) => all[index - 1]?.start !== each.start);
  return [replace(extendedPortsIn(text), String(port)), replace(loose, `(|||${port}|)`)];
}

/** The ports that a line names, as some client reads it. */
export function portsNamed(text: string, code: number): number[] {
  const found = code === 227 ? hostPortsIn(text) : [...extendedPortsIn(text), ...loosePortsIn(text)];
  return found.map(({ port }) => port);
}

/** Whether every client finds a port in these lines. */
export function isPlainAnnouncement(texts: readonly string[], code: number): boolean {
  const find = code === 227 ? hostPortsIn : extendedPortsIn;
  return texts.some((text) => find(text).length > 0);
}
