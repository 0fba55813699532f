import type { SessionAnswer } from '../../admin/answers.ts';
import { columnsOf, cutEnd } from '../../net/columns.ts';
import { formatBytes, formatRate } from '../../net/size-text.ts';
import { doneOf } from './carried.ts';
import { sessionText, type OfProcess } from './draining.ts';
import { userOf } from './list.ts';
import { shown } from './print.ts';
import { formatTable, type Column } from './table.ts';
import type { Refusal, Seen, Transfer } from './top-state.ts';
import { formatSeconds, percentOf } from './units.ts';

export const sortings = ['rate', 'bytes', 'age', 'client'] as const;
type Sorting = (typeof sortings)[number];

/** What is on the screen: what was seen, and how it is looked at. */
export interface TopView {
  /** undefined until the relay has answered. */
  readonly seen: Seen | undefined;
  readonly sorting: Sorting;
  readonly isReversed: boolean;
  readonly isPaused: boolean;
  readonly isHelp: boolean;
  /** What is asked, with the answer so far, or what the last key has done. */
  readonly bottom: string | undefined;
}

/** The screen: at most `rows` lines of at most `columns` columns, the bottom line last. */
export function renderTop(view: TopView, columns: number, rows: number): string[] {
  const room = Math.max(0, rows - 1);
  const body = view.isHelp
    ? helpLines
    : view.seen
      ? bodyLines(view, view.seen, columns, room)
      : ['asking the relay ...'];
  const above = body.slice(0, room);
  const filled = [...above, ...Array<string>(room - above.length).fill('')];
  return [...filled, bottomOf(view, columns)].slice(-rows).map((line) => cutEnd(line, columns));
}

const helpLines = [
  'Pinhole top',
  '',
  '  s   sort transfers by the next of: rate, bytes, age, client',
  '  r   reverse the order',
  '  k   end a session: its number, then y',
  '  p   pause, and go on',
  '  q   quit (Ctrl-C too)',
  '  ?   this help, and back',
  '',
  'RATE is that of the last second. DONE compares with the size',
  'that the server or the client has announced; - where none was.',
  'A user in parentheses has not logged in.',
];

function bottomOf({ bottom, sorting, isReversed, isPaused }: TopView, columns: number): string {
  if (bottom !== undefined) return bottom;
  if (columns < 76)
    return isPaused ? 'PAUSED  p go on  ? help  q quit' : `by ${sorting}  s sort  k end  ? help  q quit`;
  const keys = `s sort: ${sorting}${isReversed ? ' (reversed)' : ''}  r reverse  k end session  p pause  ? help  q quit`;
  return isPaused ? `PAUSED  ${keys}` : keys;
}

function bodyLines(view: TopView, seen: Seen, columns: number, room: number): string[] {
  const { transfers, idle } = seen;
  const head = [...headLines(seen, columns).slice(0, Math.max(2, Math.floor(room / 2) - 1)), ''];
  const left = Math.max(0, room - head.length);
  // Sessions without a transfer get what transfers leave, and a third in any case.
  const forIdle = idle.length === 0 ? 0 : Math.max(left - transfers.length - 2, Math.floor(left / 3));
  const top = transferLines(
    sorted(transfers, view),
    columns,
    Math.max(2, left - Math.min(forIdle, idle.length + 1)),
  );
  return [...head, ...top, ...idleLines(idle, view, columns, left - top.length)];
}

// ---- The head ----

function headLines(seen: Seen, columns: number): string[] {
  const { status, draining: beside, upload, download, refusals, recentSeconds, transfers } = seen;
  const { listening, server, seconds, draining, sessions, limits } = status;
  const { now, most } = limits.passivePorts;
  const of = (use: { readonly most: number | null }): string => (use.most === null ? '' : ` of ${use.most}`);
  const speed = (value: number | undefined): string => (value === undefined ? '-' : formatRate(value));
  return [
    ...joined(
      [
        `Pinhole ${draining ? 'draining' : 'serving'} at ${listening.join(' ')}`,
        `for ${shown(server ?? 'intercepted servers')}`,
        `up ${formatSeconds(seconds)}`,
      ],
      columns,
    ),
    ...joined(
      [
        `sessions ${sessions}${of(limits.sessions)}`,
        `transfers ${transfers.length}`,
        `upload ${speed(upload)}`,
        `download ${speed(download)}`,
      ],
      columns,
    ),
    ...joined(
      [
        `passive ports ${bar(now, most ?? 0, columns < 60 ? 8 : 20)} ${percentOf(now, most ?? 0)}`,
        `${now}${of(limits.passivePorts)}`,
      ],
      columns,
    ),
    ...joined(
      beside.map((each) => `process ${each.pid} drains: sessions ${each.sessions}`),
      columns,
    ).slice(0, 2),
    ...joined(refusalTexts(refusals, recentSeconds), columns).slice(0, 3),
  ];
}

function refusalTexts(refusals: readonly Refusal[], seconds: number): string[] {
  const sum = (of: 'recent' | 'total'): number => refusals.reduce((total, each) => total + each[of], 0);
  const since = seconds >= 60 ? 'in the last minute' : `in the last ${seconds} s`;
  const named = refusals.slice(0, 6).map(({ reason, recent, total }) => `${reason} ${recent}/${total}`);
  return [
    `refused ${sum('recent')} ${since}, ${sum('total')} since start${named.length > 0 ? ':' : ''}`,
    ...named,
  ];
}

/** Texts side by side, on as many lines as it takes. */
function joined(texts: readonly string[], columns: number): string[] {
  const lines: string[] = [];
  for (const text of texts) {
    const last = lines.at(-1);
    if (last !== undefined && columnsOf(last) + 2 + columnsOf(text) <= columns)
      lines[lines.length - 1] = `${last}  ${text}`;
    else lines.push(text);
  }
  return lines;
}

/** `[#####...............]` */
function bar(part: number, whole: number, columns: number): string {
  const full = whole > 0 ? Math.floor((columns * Math.min(part, whole)) / whole) : 0;
  return `[${'#'.repeat(full)}${'.'.repeat(columns - full)}]`;
}

// ---- The tables ----

function sorted(transfers: readonly Transfer[], { sorting, isReversed }: TopView): Transfer[] {
  const order: Readonly<Record<Sorting, (a: Transfer, b: Transfer) => number>> = {
    rate: (a, b) => (b.rate ?? -1) - (a.rate ?? -1),
    bytes: (a, b) => (b.bytes ?? -1) - (a.bytes ?? -1),
    age: (a, b) => b.data.seconds - a.data.seconds,
    client: (a, b) => compare(a.data.client, b.data.client),
  };
  const list = transfers.toSorted((a, b) => order[sorting](a, b) || a.data.id - b.data.id);
  return isReversed ? list.reverse() : list;
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

function transferLines(transfers: readonly Transfer[], columns: number, room: number): string[] {
  if (transfers.length === 0) return ['no transfers', ''];
  const rows = transfers.slice(0, roomFor(transfers.length, room - 1));
  const cells = (of: (transfer: Transfer) => string): string[] => rows.map(of);
  const table: Column[] = [
    { title: 'ID', rank: 0, isNumber: true, cells: cells(({ data }) => sessionText(data.session, data)) },
    { title: 'CLIENT', rank: 4, cells: cells(({ data }) => data.client) },
    { title: 'USER', rank: 3, least: 6, cells: cells(({ data }) => shown(data.user)) },
    { title: 'COMMAND', rank: 7, cells: cells(({ data }) => shown(data.command)) },
    { title: 'PROGRESS', rank: 6, cells: cells(progressOf) },
    { title: 'DONE', rank: 2, isNumber: true, cells: cells(({ data, bytes }) => doneOf(bytes, data.size)) },
    {
      title: 'RATE',
      rank: 1,
      isNumber: true,
      cells: cells(({ rate }) => (rate === undefined ? '-' : formatRate(rate))),
    },
    {
      title: 'BYTES',
      rank: 5,
      isNumber: true,
      cells: cells(({ bytes }) => (bytes === null ? '-' : formatBytes(bytes))),
    },
    { title: 'AGE', rank: 8, isNumber: true, cells: cells(({ data }) => formatSeconds(data.seconds)) },
    { title: 'PATH', rank: 1, least: 10, cells: cells(({ data }) => shown(data.path)) },
  ];
  return [...formatTable(table, columns), ...more(transfers.length - rows.length, 'transfers'), ''];
}

function progressOf({ data, bytes }: Transfer): string {
  const { size } = data;
  return bytes === null || size === null ? '-' : bar(bytes, size, 10);
}

function idleLines(
  idle: readonly (SessionAnswer & OfProcess)[],
  { sorting, isReversed }: TopView,
  columns: number,
  room: number,
): string[] {
  if (idle.length === 0 || room < 2) return [];
  const list = idle.toSorted(
    (a, b) => (sorting === 'client' ? compare(a.client, b.client) : 0) || a.id - b.id,
  );
  if (isReversed) list.reverse();
  const rows = list.slice(0, roomFor(list.length, room - 1));
  const cells = (of: (session: SessionAnswer & OfProcess) => string): string[] => rows.map(of);
  const table: Column[] = [
    { title: 'ID', rank: 0, isNumber: true, cells: cells((each) => sessionText(each.id, each)) },
    { title: 'IDLE CLIENT', rank: 1, cells: cells(({ client }) => client) },
    {
      title: 'USER',
      rank: 2,
      least: 6,
      cells: cells(userOf),
    },
    { title: 'AGE', rank: 3, isNumber: true, cells: cells(({ seconds }) => formatSeconds(seconds)) },
    {
      ...{ title: 'BYTES', rank: 5, isNumber: true },
      cells: cells(({ uploaded, downloaded }) => formatBytes(uploaded + downloaded)),
    },
    { title: 'REFUSED', rank: 6, isNumber: true, cells: cells(({ refusals }) => String(refusals)) },
    {
      ...{ title: 'LAST', rank: 4, least: 10 },
      cells: cells(({ command, path }) =>
        command === null ? '-' : shown(`${command} ${path ?? ''}`.trimEnd()),
      ),
    },
  ];
  return [...formatTable(table, columns), ...more(list.length - rows.length, 'sessions')];
}

/** How many rows there is room for, one of them for what says that there are more. */
function roomFor(length: number, room: number): number {
  return length <= room ? length : Math.max(0, room - 1);
}

function more(count: number, what: string): string[] {
  return count > 0 ? [`... ${count} more ${what}`] : [];
}
