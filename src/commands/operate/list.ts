import type { DataAnswer, ExpectationAnswer, SessionAnswer } from '../../admin/answers.ts';
import type { StatusAnswer } from '../../admin/status-answer.ts';
import { programVersion } from '../../status/version.ts';
import { formatBytes, formatRate } from '../../net/size-text.ts';
import type { Subcommand } from '../subcommand.ts';
import { carried, doneOf } from './carried.ts';
import { expectationLine } from './conntrack.ts';
import { entriesOf, findRelays, sessionText, type OfProcess, type Relays } from './draining.ts';
import { withAdmin, type AdminFlags } from './flags.ts';
import { print, printJson, remark, shown, terminalWidth } from './print.ts';
import { formatTable, type Column } from './table.ts';
import { formatSeconds } from './units.ts';

const lists = ['sessions', 'expect', 'data'] as const;
type List = (typeof lists)[number];

interface ListFlags extends AdminFlags {
  readonly what: List;
  readonly json: boolean;
}

export const listCommand: Subcommand<ListFlags> = {
  builder: (yargs) =>
    withAdmin(yargs)
      .positional('what', {
        choices: lists,
        default: 'sessions' as const,
        describe:
          'sessions; pinholes that nobody has connected to yet (expect), in the form of conntrack -L expect; data connections (data)',
      })
      .option('json', { type: 'boolean', default: false, describe: 'print everything, as JSON' })
      .usage('$0 list [sessions|expect|data] [--json]')
      .epilogue(
        'A table fits the terminal: long names lose their middle, and on a narrow terminal columns are left out. In a ' +
          'pipe it is whole. A user in parentheses has not logged in. PID:ID is a session of a process that drains while its ' +
          'successor serves; in JSON each entry has the process id.',
      ),
  handler: async ({ admin, what, json }) => {
    const relays = await findRelays(admin);
    if (json) printJson(await asJson(relays, what), 2);
    else await printers[what](relays);
  },
};

/** As one process says it, but each entry has the process id. */
async function asJson(relays: Relays, what: List): Promise<object> {
  const key = keys[what];
  const { pid } = (await relays.serving?.get<StatusAnswer>('/v1/status')) ?? {};
  const entries = await entriesOf<object>(relays, key);
  return {
    [key]: entries.map(({ process, ...entry }) => ({
      ...entry,
      pid: process ?? pid,
      draining: process !== undefined,
    })),
  };
}

const keys = { sessions: 'sessions', expect: 'expectations', data: 'data' } as const;

/** Those of the process that serves first. */
function byProcess(a: OfProcess, b: OfProcess): number {
  return (a.process ?? 0) - (b.process ?? 0);
}

const printers: Readonly<Record<List, (relays: Relays) => Promise<void>>> = {
  sessions: async (relays) => {
    const sessions = await entriesOf<SessionAnswer>(relays, keys.sessions);
    const sorted = sessions.toSorted((a, b) => byProcess(a, b) || a.id - b.id);
    printTable(sessionColumns(sorted), sorted.length, 'no sessions');
  },
  data: async (relays) => {
    const data = await entriesOf<DataAnswer>(relays, keys.data);
    const sorted = data.toSorted((a, b) => byProcess(a, b) || a.session - b.session || a.id - b.id);
    printTable(dataColumns(sorted), sorted.length, 'no data connections');
  },
  expect: async (relays) => {
    const expectations = await entriesOf<ExpectationAnswer>(relays, keys.expect);
    print(...expectations.toSorted((a, b) => byProcess(a, b) || a.id - b.id).map(expectationLine));
    process.stderr.write(
      `pinhole v${programVersion()} (pinhole): ${expectations.length} expectations have been shown.\n`,
    );
  },
};

function printTable(columns: readonly Column[], rows: number, none: string): void {
  if (rows === 0) remark(none);
  else print(...formatTable(columns, terminalWidth()));
}

export function sessionColumns(sessions: readonly (SessionAnswer & OfProcess)[]): Column[] {
  const cells = (of: (session: SessionAnswer & OfProcess) => string): string[] => sessions.map(of);
  return [
    { title: 'ID', rank: 0, isNumber: true, cells: cells((each) => sessionText(each.id, each)) },
    { title: 'CLIENT', rank: 1, cells: cells(({ client }) => client) },
    { title: 'USER', rank: 2, least: 8, cells: cells(userOf) },
    { title: 'SERVER', rank: 9, cells: cells(({ server }) => server) },
    { title: 'COMMAND', rank: 5, cells: cells(({ command }) => shown(command)) },
    { title: 'PATH', rank: 3, least: 12, cells: cells(({ path }) => shown(path)) },
    { title: 'BYTES', rank: 6, isNumber: true, cells: cells(bytesOf) },
    {
      ...{ title: 'RATE', rank: 4, isNumber: true },
      cells: cells(({ rate, dataConnections }) => (dataConnections > 0 ? formatRate(rate) : '-')),
    },
    { title: 'AGE', rank: 7, isNumber: true, cells: cells(({ seconds }) => formatSeconds(seconds)) },
    { title: 'PLANE', rank: 8, cells: cells(({ planes }) => shown(planes.join(','))) },
  ];
}

/** The dialogue says who, and whether the server has let them in. */
export function userOf({ user, loggedIn, opaque }: SessionAnswer): string {
  if (opaque) return user === null ? '(TLS)' : shown(user);
  return loggedIn || user === null ? shown(user) : `(${shown(user)})`;
}

function bytesOf({ uploaded, downloaded }: SessionAnswer): string {
  return formatBytes(uploaded + downloaded);
}

function dataColumns(data: readonly (DataAnswer & OfProcess)[]): Column[] {
  const cells = (of: (each: DataAnswer & OfProcess) => string): string[] => data.map(of);
  return [
    { title: 'SESSION', rank: 0, isNumber: true, cells: cells((each) => sessionText(each.session, each)) },
    { title: 'CLIENT', rank: 1, cells: cells(({ client }) => client) },
    { title: 'USER', rank: 2, least: 8, cells: cells(({ user }) => shown(user)) },
    { title: 'COMMAND', rank: 7, cells: cells(({ command }) => shown(command)) },
    { title: 'PATH', rank: 3, least: 12, cells: cells(({ path }) => shown(path)) },
    {
      title: 'BYTES',
      rank: 4,
      isNumber: true,
      cells: cells((each) => orUnknown(carried(each), formatBytes)),
    },
    { title: 'SIZE', rank: 8, isNumber: true, cells: cells(({ size }) => orUnknown(size, formatBytes)) },
    { title: 'DONE', rank: 6, isNumber: true, cells: cells((each) => doneOf(carried(each), each.size)) },
    { title: 'RATE', rank: 5, isNumber: true, cells: cells(({ rate }) => orUnknown(rate, formatRate)) },
    { title: 'AGE', rank: 9, isNumber: true, cells: cells(({ seconds }) => formatSeconds(seconds)) },
    { title: 'MODE', rank: 10, cells: cells(({ mode }) => mode) },
    { title: 'PLANE', rank: 11, cells: cells(({ plane }) => plane) },
  ];
}

function orUnknown(value: number | null, format: (value: number) => string): string {
  return value === null ? '-' : format(value);
}
