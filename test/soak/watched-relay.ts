/** The built program as a user starts it, with what it costs in sight: its memory, its descriptors, its log's counts. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { createInterface } from 'node:readline';

import { addresses, isAlive, type Network } from '../support/lab/network.ts';
import { cli } from '../support/lab/relay.ts';

export type Plane = 'relay' | 'kernel';

/** Bytes after a collection, as `process.memoryUsage` has them. */
export interface Memory {
  readonly heapUsed: number;
  readonly external: number;
  readonly rss: number;
}

export interface WatchedRelay {
  readonly pid: number;
  /** How it ended, or undefined while it runs. */
  readonly ended: string | undefined;
  /** Lines of the log: how many of each message. */
  readonly said: ReadonlyMap<string, number>;
  /** The last lines that it wrote, the newest last. */
  readonly last: readonly string[];
  descriptors(): number;
  memory(): Promise<Memory>;
  /** SIGTERM; returns how it ended. */
  stop(): Promise<string>;
}

/**
 * Answers each message with the memory in use. The channel must not keep the program alive, nor does it: what listens on
 * it is not waited for.
 */
const reporter = `
const { memoryUsage } = process;
process.on('message', async () => {
  for (let n = 0; n < 4; n++) {
    globalThis.gc();
    await new Promise(setImmediate);
  }
  const { heapUsed, external, rss } = memoryUsage();
  process.send({ heapUsed, external, rss });
});
process.channel.unref();
`;

/** Resolves once it listens, on the gateway's addresses of both families. */
export async function startWatched(
  network: Network,
  plane: Plane,
  flags: readonly string[],
): Promise<WatchedRelay> {
  const node = ['--expose-gc', '--import', `data:text/javascript,${encodeURIComponent(reporter)}`];
  const named = ['--server', `${addresses[4].server}:21`, '--listen', '21', '--plane', plane];
  const run = [cli, 'run', ...named, '--log-format', 'json', '--admin', 'off', ...flags];
  const argv = ['netns', 'exec', network.namespace('gateway'), process.execPath, ...node, ...run];
  const child = spawn('ip', argv, { stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
  const exited = once(child, 'exit').then(([code, signal]) => String(code ?? signal));
  const said = new Map<string, number>();
  const last: string[] = [];
  let ended: string | undefined;
  void exited.then((how) => (ended = how));

  const take = (line: string): void => {
    last.push(line);
    if (last.length > 20) last.shift();
  };
  const { stdout, stderr } = child;
  if (stdout === null || stderr === null) throw new Error('no pipes');
  const listening = new Promise<void>((resolve) => {
    createInterface(stdout).on('line', (line) => {
      take(line);
      const message = /"msg":"([^"]*)"/.exec(line)?.[1] ?? 'no message';
      said.set(message, (said.get(message) ?? 0) + 1);
      if (message === 'listening') resolve();
    });
  });
  createInterface(stderr).on('line', take);
  await Promise.race([listening, exited]);
  const pid = child.pid ?? 0;
  if (!isAlive(pid)) throw new Error(`the relay did not start:\n${last.join('\n')}`);

  return {
    pid,
    said,
    last,
    get ended() {
      return ended;
    },
    descriptors: () => readdirSync(`/proc/${pid}/fd`).length,
    memory: async () => {
      const answer = once(child, 'message', { signal: AbortSignal.timeout(30_000) });
      child.send('memory');
      const [memory] = (await answer) as [Memory];
      return memory;
    },
    stop: async () => {
      child.kill('SIGTERM');
      return exited;
    },
  };
}
