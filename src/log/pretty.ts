import { columnsOf, cutEnd, cutMiddle, padEnd, wrapWords } from '../net/columns.ts';
import { harmlessLine, visibleControls } from './harmless-line.ts';
import { fitParts, partsOf, type Fields } from './pretty-event.ts';

/** Where lines for people are shown. */
export interface Terminal {
  /** Columns of its window now. */
  columns(): number;
  isColoured(): boolean;
}

/** From so many columns on two blanks stand between the columns of the table, and else one. */
const roomy = 100;

/**
 * Lines for people, from lines in JSON. An event of a session is one line of a table, no wider than the terminal:
 *
 *     02:31:07.123  #12  198.51.100.7  anna  download /pub/a.iso  1.2 GiB  98 MiB/s  complete
 *
 * Everything else is text, which continues with an indent on the next line. Columns grow with what stands in them.
 */
export function createPrettyFormat(terminal: Terminal): (line: string) => string {
  const table = new Table();
  return (line) => {
    const { level, time, pid, msg, ...fields } = JSON.parse(harmlessLine(line)) as Fields;
    const width = Math.max(20, terminal.columns());
    const paint = terminal.isColoured() ? colour : plainly;
    const clock = clockOf(fields['since'] ?? time);
    const words = typeof msg === 'string' ? visibleControls(msg) : '';
    const parts = partsOf(words, fields);
    const gap = width < roomy ? ' ' : '  ';
    if (!parts) return textLines({ clock, gap, level: String(level), width }, words, fields, paint);
    const place = table.cells(fields, width, gap);
    const room = width - columnsOf(clock) - columnsOf(place) - 2 * gap.length;
    const text = cutEnd(`${place}${gap}${fitParts(parts, room, gap)}`, width - columnsOf(clock) - gap.length);
    return `${paint('time', clock)}${gap}${paint(String(level), text.trimEnd())}\n`;
  };
}

type Paint = (level: string, text: string) => string;

const plainly: Paint = (_, text) => text;

const colour: Paint = (level, text) => {
  switch (level) {
    case 'time':
      return `\u001b[2m${text}\u001b[22m`;
    case 'warn':
      return `\u001b[33m${text}\u001b[39m`;
    case 'error':
    case 'fatal':
      return `\u001b[31m${text}\u001b[39m`;
    default:
      return text;
  }
};

/** The columns that every event of a session has, as wide as they had to be so far. */
class Table {
  #session = 2;
  #client = 9;
  #user = 4;

  cells({ session, client, from, user }: Fields, width: number, gap: string): string {
    const number = typeof session === 'number' ? `#${session}` : '-';
    const address = addressOf(client ?? from);
    const name = typeof user === 'string' && user !== '' ? visibleControls(user) : '-';
    // An address is worth more than a name: of one nobody knows what was left out.
    const mostClient = Math.max(15, Math.floor(width / 5));
    const mostUser = Math.max(8, Math.floor(width / 8));
    this.#session = Math.max(this.#session, number.length);
    this.#client = Math.min(Math.max(this.#client, columnsOf(address)), mostClient);
    this.#user = Math.min(Math.max(this.#user, columnsOf(name)), mostUser);
    return [
      padEnd(number, this.#session),
      padEnd(cutMiddle(address, this.#client), this.#client),
      padEnd(cutMiddle(name, this.#user), this.#user),
    ].join(gap);
  }
}

/** An address without its port: `198.51.100.7:40000`, `[2001:db8::7]:40000`, or without one already. */
function addressOf(client: unknown): string {
  if (typeof client !== 'string') return '-';
  const [, address] = /^\[(.*)\]:\d+$/.exec(client) ?? /^([\d.]+):\d+$/.exec(client) ?? [];
  return visibleControls(address ?? client);
}

interface TextPlace {
  readonly clock: string;
  readonly gap: string;
  readonly level: string;
  readonly width: number;
}

/** `HH:MM:SS.mmm  warning: words  key value  key value`, wrapped */
function textLines(
  { clock, gap, level, width }: TextPlace,
  words: string,
  fields: Fields,
  paint: Paint,
): string {
  const label = labels.get(level) ?? '';
  const pairs = Object.entries(fields).map(([key, value]) => `${visibleControls(key)} ${textOf(value)}`);
  const indent = ' '.repeat(columnsOf(clock) + gap.length);
  const lines = wrapWords([`${label}${words}`, ...pairs].join('  '), width - indent.length);
  const [first = '', ...others] = lines.map((line) => paint(level, line.trimEnd()));
  return `${[`${paint('time', clock)}${gap}${first}`, ...others.map((line) => indent + line)].join('\n')}\n`;
}

const labels: ReadonlyMap<string, string> = new Map([
  ['warn', 'warning: '],
  ['error', 'error: '],
  ['fatal', 'fatal: '],
]);

function textOf(value: unknown): string {
  if (typeof value === 'string') return visibleControls(value);
  if (Array.isArray(value)) return value.map(textOf).join(', ');
  if (typeof value === 'object' && value !== null) {
    const pairs = Object.entries(value).map(([key, one]) => `${visibleControls(key)} ${textOf(one)}`);
    return pairs.join(', ');
  }
  return visibleControls(JSON.stringify(value));
}

/** `HH:MM:SS.mmm`, by the local clock */
function clockOf(time: unknown): string {
  const date = new Date(String(time));
  const digits = (value: number, count = 2): string => String(value).padStart(count, '0');
  const clock = [date.getHours(), date.getMinutes(), date.getSeconds()].map((value) => digits(value));
  return `${clock.join(':')}.${digits(date.getMilliseconds(), 3)}`;
}
