/**
 * The built product in the lab's gateway namespace, in front of the server. `npm run build` must have been run.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { root } from '../project.ts';
import { addresses } from './network.ts';
import type { Family, Network } from './network.ts';
import type { Exit } from './process.ts';

export interface RelayOptions {
  /** 4 unless told: which of the lab's addresses the defaults below are. */
  family?: Family;
  /** `ADDRESS:PORT` of the server; the lab's server, port 21. Null: none is named. */
  server?: string | null;
  /** `ADDRESS:PORT` to listen on; the gateway's public side, port 21. */
  listen?: string;
  /** Added behind the others, as `--passive-ports`, `50000-50009`. */
  flags?: readonly string[];
  env?: Record<string, string>;
  /** Of Node itself, before the program. */
  nodeFlags?: readonly string[];
  /** What runs all of that, as `prlimit --nofile=64`. */
  through?: readonly string[];
}

/** One line of the relay's log. */
type LogRecord = Readonly<Record<string, unknown>>;

interface LogWait {
  /** The record to begin with: what `log` had before an action, where an earlier record may fulfil the condition. */
  from?: number;
  /** Which of those that fulfil the condition; the first unless told. */
  nth?: number;
  /** In ms; 5 s unless told. */
  limit?: number;
}

export interface LabRelay {
  /** What a client dials. */
  address: string;
  port: number;
  pid: number;
  /** The log so far. */
  log(): LogRecord[];
  /** Resolves with the first record, past or to come, that fulfils the condition. */
  waitForLog(condition: (record: LogRecord) => boolean, wait?: LogWait): Promise<LogRecord>;
  /** Everything it wrote, for a failing test's message. */
  output(): string;
  stop(signal?: NodeJS.Signals): Promise<Exit>;
}

/** The built program: of `dist`, or of the folder that TEST_DIST names. */
export const cli: string = join(process.env['TEST_DIST'] ?? join(root, 'dist'), 'cli.js');

/** Starts `pinhole run` and resolves once its log says that it listens. Throws with its output where it does not. */
export async function startRelay(network: Network, options: RelayOptions = {}): Promise<LabRelay> {
  if (!existsSync(cli)) throw new Error(`${cli} is missing: npm run build`);
  const home = addresses[options.family ?? 4];
  const server = options.server === undefined ? withPort(home.server, 21) : options.server;
  const listen = options.listen ?? withPort(home.public, 21);
  const named = server === null ? [] : ['--server', server];
  const flags = [...named, '--listen', listen, '--log-format', 'json'];
  const node = [...(options.through ?? []), process.execPath, ...(options.nodeFlags ?? [])];
  const own = options.flags ?? [];
  // One path is for one relay, and tests run many at once.
  const admin = own.includes('--admin') ? [] : ['--admin', 'off'];
  const argv = [...node, cli, 'run', ...flags, ...admin, ...own];
  const relay = network.spawn('gateway', argv, options.env === undefined ? {} : { env: options.env });

  const output = (): string => relay.stdout() + relay.stderr();
  const log = (): LogRecord[] => readLog(relay.stdout());
  const waitForLog: LabRelay['waitForLog'] = async (condition, { from = 0, nth = 1, limit = 5_000 } = {}) => {
    const end = Date.now() + limit;
    const find = (): LogRecord | undefined => log().slice(from).filter(condition)[nth - 1];
    const over = relay.exited.then(() => 'over' as const);
    for (;;) {
      const found = find();
      if (found !== undefined) return found;
      if (Date.now() > end) throw new Error(`no such log record within ${limit} ms:\n${output()}`);
      if ((await Promise.race([over, delay(10)])) === 'over' && find() === undefined) {
        throw new Error(`the relay ended without such a log record:\n${output()}`);
      }
    }
  };

  await waitForLog(({ msg }) => msg === 'listening', { limit: 10_000 });
  const { address, port } = readEndpoint(listen);
  return { address, port, pid: relay.pid, log, waitForLog, output, stop: (signal) => relay.stop(signal) };
}

/** The complete lines that are JSON; the last may still be being written. */
function readLog(text: string): LogRecord[] {
  return text
    .split('\n')
    .slice(0, -1)
    .flatMap((line) => {
      try {
        return [JSON.parse(line) as LogRecord];
      } catch {
        return [];
      }
    });
}

export function withPort(address: string, port: number): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

function readEndpoint(text: string): { address: string; port: number } {
  const [, address = '', port = ''] = /^\[?(.*?)\]?:(\d+)$/.exec(text) ?? [];
  return { address, port: Number(port) };
}
