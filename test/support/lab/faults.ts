/** What the tests of faults and the soak share: transfers to disturb, and a look at what is left behind them. */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { sourceFolder } from '../project.ts';
import { addresses, type Host, type Network } from './network.ts';
import { mustRun, type LabProcess } from './process.ts';
import { debianPython } from './provision.ts';
import type { LabServer } from './servers.ts';

export type TransferKind = 'download' | 'upload' | 'reset';

/** As faults-transfers.py prints it. */
export interface Outcome {
  readonly name: string;
  readonly kind: TransferKind;
  readonly mode: 'passive' | 'active';
  readonly data: 'fin' | 'reset' | 'silent' | 'sent';
  readonly reply: string;
  readonly same: boolean;
  readonly moved: number;
}

export interface TransfersOptions {
  readonly name: string;
  readonly size: number;
  readonly sessions: readonly (readonly [mode: 'passive' | 'active', kind: TransferKind])[];
  /** Seconds between two pieces of a file: sessions go on until the relay is gone. Without it all wait in the middle. */
  readonly pause?: number;
  readonly host?: 'client' | 'stranger';
}

export interface Transfers {
  /** Resolves once all sessions are logged in. */
  ready(): Promise<void>;
  /** Resolves once all transfers wait in their middle. */
  half(): Promise<void>;
  /** Lets those go on. */
  goOn(): void;
  /** What has been judged so far. */
  outcomes(): Outcome[];
  /** Resolves once all have ended by themselves. */
  ended(): Promise<Outcome[]>;
  stop(signal?: NodeJS.Signals): Promise<void>;
}

const limit = 60_000;

/** The content of a file of that name, as faults-transfers.py makes it. */
export function contentOf(name: string): Buffer {
  const size = Number(name.split('-').at(-1));
  return createHash('shake128', { outputLength: size }).update(name).digest();
}

/** Starts them at the relay's usual address. What is downloaded is put in place first. */
export function startTransfers(network: Network, server: LabServer, options: TransfersOptions): Transfers {
  const { name, size, sessions, pause, host = 'client' } = options;
  const { user, password } = server;
  const down = `down-${size}`;
  server.put(down, contentOf(down));
  const to = { host: addresses[4].public, port: 21, user, password };
  const settings = { ...to, name, size, sessions, hold: pause === undefined, pause: pause ?? 0 };
  const script = join(sourceFolder(import.meta.dirname), 'faults-transfers.py');
  const argv = [debianPython, '-u', script, JSON.stringify(settings)];
  const program: LabProcess = network.spawn(host, argv, { interactive: true });
  const event = async (what: string): Promise<void> => {
    await program.waitForOutput(new RegExp(`^\\{"event": "${what}"\\}$`, 'm'), limit);
  };
  const outcomes = (): Outcome[] =>
    program
      .stdout()
      .split('\n')
      .filter((line) => line.startsWith('{"event": "transfer"') && line.endsWith('}'))
      .map((line) => JSON.parse(line) as Outcome);
  return {
    ready: () => event('ready'),
    half: () => event('half'),
    goOn: () => {
      program.write('go on\n');
    },
    outcomes,
    ended: async () => {
      const late = new AbortController();
      const exit = await Promise.race([
        program.exited,
        delay(2 * limit, undefined, { signal: late.signal, ref: false }),
      ]);
      late.abort();
      if (exit?.code !== 0)
        throw new Error(`transfers did not end well: ${program.stdout()}${program.stderr()}`);
      return outcomes();
    },
    stop: async (signal = 'SIGKILL') => {
      await program.stop(signal);
    },
  };
}

/** The processes of a host. */
export async function processesOf(network: Network, host: Host): Promise<number[]> {
  const listed = await mustRun(['ip', 'netns', 'pids', network.namespace(host)]);
  return listed
    .split('\n')
    .filter((line) => line !== '')
    .map(Number);
}

export interface LeftoversOptions {
  /** How many processes the server has without a session: 1 unless told. */
  readonly serverProcesses?: number;
  /** The table of nftables whose elements are looked at, if it is there. */
  readonly table?: string;
}

/** The default ranges of the relay's ports for data. */
const ranges = [
  [50_000, 50_999],
  [51_000, 51_999],
] as const;

/** What is there, and should not be where no client is: a line each. */
export async function leftovers(
  network: Network,
  { serverProcesses = 1, table = 'pinhole' }: LeftoversOptions = {},
): Promise<string[]> {
  const left: string[] = [];
  const sockets = (await network.must('gateway', ['ss', '-Htan'])).split('\n').filter((line) => line !== '');
  for (const line of sockets) {
    const [state = '', , , local = ''] = line.split(/\s+/);
    const port = Number(local.split(':').at(-1));
    if (state === 'LISTEN' && ranges.some(([first, last]) => port >= first && port <= last)) {
      left.push(`a listener of the relay: ${line}`);
    } else if (state !== 'LISTEN' && state !== 'TIME-WAIT') {
      left.push(`a connection of the relay: ${line}`);
    }
  }
  const more = (await processesOf(network, 'server')).length - serverProcesses;
  if (more > 0) left.push(`${more} processes of the server's sessions`);
  const tables = await network.must('gateway', ['nft', 'list', 'tables']);
  if (!tables.split('\n').includes(`table inet ${table}`)) return left;
  const text = await network.must('gateway', ['nft', 'list', 'table', 'inet', table]);
  const elements = [...text.matchAll(/elements = \{([^}]*)\}/g)].map(([, each = '']) => each.trim());
  return [...left, ...elements.map((each) => `elements of nftables: ${each}`)];
}

/** Waits until nothing is left; what is left then all the same. */
export async function whatStays(
  network: Network,
  options: LeftoversOptions & { readonly patience?: number; readonly isOver?: () => boolean } = {},
): Promise<string[]> {
  const { patience = 30_000, isOver = () => false, ...what } = options;
  const end = performance.now() + patience;
  for (;;) {
    const left = await leftovers(network, what);
    if (left.length === 0 || performance.now() > end || isOver()) return left;
    await delay(50);
  }
}
