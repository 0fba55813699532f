/**
 * Many transfers of many clients, good and bad ones, and then a look at what they have left:
 *
 *     npm run soak [-- --minutes N] [-- --transfers N] [-- --plane relay|kernel|both] [-- --server vsftpd|proftpd]
 *     npm run soak -- --restarts N [--clients N] [--workers N] [--own-sockets] [--plane relay|kernel|both]
 */
import { parseArgs } from 'node:util';

import { ownNamespaces } from '../support/lab/network.ts';
import { requirements } from '../support/lab/provision.ts';
import { restartUnderLoad, type Restarted } from './restarts.ts';
import { createStand, type Idle, type Stand } from './stand.ts';
import type { Plane } from './watched-relay.ts';

const help = `Lets good and bad clients work through the relay, and looks at what is left when they are gone.
It takes root, on Debian or Ubuntu.

    npm run soak -- [OPTIONS]

--minutes N     for how long, both planes side by side (30)
--transfers N   stops once each plane has carried so many, however long it takes (0: goes by the time)
--plane P       relay, kernel or both (both)
--server S      vsftpd or proftpd (vsftpd)
--restarts N    in place of all that: restarts the relay so often under transfers, in clear and with TLS
--clients N     of those restarts: sessions at once (50)
--workers N     of those restarts: processes that serve (1)
--own-sockets   of those restarts: Pinhole binds the sockets, and not the service manager
--seed S        of the clients' random numbers (the time)

Exit code 1 where anything is wrong: a file, a failure of a good client, something left over, memory that grew.
`;

/** What it may grow by between two looks at an idle relay, in bytes, besides so much for each transfer. */
const growth = {
  /** Of what is left after a collection: caches that fill, code that is compiled. */
  heap: { once: 6 * 2 ** 20, transfer: 40 },
  /** With what the system's allocator keeps. */
  resident: { once: 48 * 2 ** 20, transfer: 200 },
} as const;
/** A resolver, a netlink socket: what is opened once and kept. */
const spareDescriptors = 4;
/** Of a round, in seconds: after each everybody goes, and what is left is looked at. */
const longestRound = 300;

const tableHead = `| plane, TLS | restarts | seconds | processes at once | sessions | transfers | slow ones | refused | cut | wrong |
| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |`;

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '30' },
    transfers: { type: 'string', default: '0' },
    plane: { type: 'string', default: 'both' },
    server: { type: 'string', default: 'vsftpd' },
    restarts: { type: 'string', default: '0' },
    clients: { type: 'string', default: '50' },
    workers: { type: 'string', default: '1' },
    'own-sockets': { type: 'boolean', default: false },
    seed: { type: 'string', default: String(Date.now()) },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) process.stdout.write(help);
else process.exitCode = (await soak()) ? 0 : 1;

async function soak(): Promise<boolean> {
  const seconds = positive('minutes', values.minutes) * 60;
  const most = positive('transfers', values.transfers);
  const planes = oneOf('plane', values.plane, ['relay', 'kernel', 'both'] as const);
  const server = oneOf('server', values.server, ['vsftpd', 'proftpd'] as const);
  const missing = await requirements();
  if (missing.length > 0) {
    throw new Error(`the soak needs what is missing here: ${missing.map(({ what }) => what).join(', ')}`);
  }
  // A disk is not what is tried.
  process.env['TMPDIR'] ??= '/dev/shm';
  const restarts = positive('restarts', values.restarts);
  if (restarts > 0) return restartAll(restarts, positive('clients', values.clients), planes);
  say(`seed ${values.seed}, ${server}`);
  const chosen: readonly Plane[] = planes === 'both' ? ['relay', 'kernel'] : [planes];
  const results = await Promise.all(
    chosen.map(async (plane) => {
      const stand = await createStand({ plane, server, seed: values.seed });
      try {
        return await soakOne(stand, seconds, most);
      } finally {
        await stand.dispose();
      }
    }),
  );
  const left = ownNamespaces();
  if (left.length > 0) say(`PROBLEM: namespaces are left: ${left.join(' ')}`);
  const isFine = results.every((problems) => problems.length === 0) && left.length === 0;
  say(isFine ? 'nothing is wrong' : 'something is wrong');
  return isFine;
}

/** One after the other on each plane, in clear and with TLS. Prints a table, and returns whether nothing is wrong. */
async function restartAll(restarts: number, clients: number, planes: Plane | 'both'): Promise<boolean> {
  say(`seed ${values.seed}: ${restarts} restarts under ${clients} clients`);
  const rows: (readonly [string, Restarted])[] = [];
  for (const plane of planes === 'both' ? (['relay', 'kernel'] as const) : [planes])
    for (const isTls of [false, true]) {
      const workers = positive('workers', values.workers);
      const isOwn = values['own-sockets'];
      const options = { plane, isTls, workers, isOwn, restarts, clients, interval: 0.5, seed: values.seed };
      const done = await restartUnderLoad(options);
      const row = [`${plane}, ${isTls ? 'TLS' : 'clear'}`, done] as const;
      rows.push(row);
      say(rowOf(...row));
      for (const [words, count] of Object.entries(done.failures)) say(`  ${count} times: ${words}`);
    }
  process.stdout.write(`\n${tableHead}\n${rows.map((row) => rowOf(...row)).join('\n')}\n`);
  const isFine = rows.every(([, { failures }]) => Object.keys(failures).length === 0);
  say(isFine ? 'nothing is wrong' : 'something is wrong');
  return isFine;
}

function rowOf(what: string, done: Restarted): string {
  const { restarts, seconds, processes, sessions, transfers, slow, refused, cut, wrong } = done;
  const numbers = [restarts, Math.round(seconds), processes, sessions, transfers, slow, refused, cut, wrong];
  return `| ${[what, ...numbers].join(' | ')} |`;
}

/** Returns what is wrong. */
async function soakOne(stand: Stand, seconds: number, most: number): Promise<string[]> {
  const { plane, relay } = stand;
  const problems: string[] = [];
  const tell = (words: string): void => {
    say(`${plane} plane: ${words}`);
  };
  const note = (words: string): void => {
    problems.push(words);
    tell(`PROBLEM: ${words}`);
  };
  const enough = (): boolean => most > 0 && stand.done.transfers >= most;
  /** Seconds in which clients worked: what is waited for between the rounds is not the relay's. */
  let worked = 0;
  const atStart = await stand.idle();
  tell(`at the start: ${figures(atStart)}`);

  /** After the first round: before it hardly anything was compiled. */
  let warm: { idle: Idle; transfers: number } | undefined;
  for (let isFirst = true; isFirst || (most > 0 ? !enough() : worked < seconds - 1); isFirst = false) {
    const rest = most > 0 ? longestRound : seconds - worked;
    const length = isFirst ? Math.min(60, seconds / 4) : Math.min(longestRound, rest);
    worked += await stand.work(length, enough);
    if (relay.ended !== undefined) break;
    const left = await stand.settle();
    if (left.length > 0) note(`${left.length} things are left, as\n  ${left.slice(0, 5).join('\n  ')}`);
    const idle = await stand.idle();
    const { transfers, sessions, wrong, failed } = stand.done;
    const rate = (transfers / worked).toFixed(0);
    tell(
      `${worked.toFixed(0)} s: ${transfers} transfers (${rate} a second), ${sessions} sessions, ` +
        `${wrong} wrong, ${failed} failures; idle: ${figures(idle)}`,
    );
    warm ??= { idle, transfers };
    for (const words of grown(warm.idle, idle, transfers - warm.transfers)) note(words);
    if (idle.descriptors > atStart.descriptors + spareDescriptors) {
      note(`descriptors: ${atStart.descriptors} at the start, ${idle.descriptors} now`);
    }
  }
  for (const words of await stand.stop()) note(words);
  const { transfers, wrong, failed, failures, bad } = stand.done;
  if (wrong > 0) note(`${wrong} files were taken for complete and are not`);
  if (failed > 0) note(`${failed} failures of good clients`);
  for (const [words, count] of failures) tell(`  ${count} times: ${words}`);
  if (transfers === 0) note('not one transfer was done');
  tell(`bad clients: ${list(bad)}`);
  tell(`the log: ${list(relay.said)}`);
  return problems;
}

function grown(before: Idle, after: Idle, transfers: number): string[] {
  const heap = ({ memory }: Idle): number => memory.heapUsed + memory.external;
  const looked = [
    ['heap', heap(before), heap(after), growth.heap],
    ['resident memory', before.memory.rss, after.memory.rss, growth.resident],
  ] as const;
  return looked
    .filter(([, was, is, may]) => is - was > may.once + may.transfer * transfers)
    .map(([what, was, is]) => `${what} grew from ${mebibytes(was)} to ${mebibytes(is)} MiB`);
}

function figures({ descriptors, memory }: Idle): string {
  const { heapUsed, external, rss } = memory;
  return `${descriptors} descriptors, heap ${mebibytes(heapUsed + external)} MiB, resident ${mebibytes(rss)} MiB`;
}

function mebibytes(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(1);
}

function list(counts: ReadonlyMap<string, number>): string {
  return [...counts].map(([what, count]) => `${count} ${what}`).join(', ');
}

function positive(name: string, text: string): number {
  const number = Number(text);
  if (text.trim() === '' || !(number >= 0))
    throw new Error(`--${name} ${text}: a number from 0 on is allowed`);
  return number;
}

function oneOf<T extends string>(name: string, text: string, allowed: readonly T[]): T {
  const found = allowed.find((each) => each === text);
  if (found === undefined) throw new Error(`--${name} ${text}: ${allowed.join(', ')} are allowed`);
  return found;
}

function say(words: string): void {
  process.stdout.write(`${words}\n`);
}
