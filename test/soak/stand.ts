/** One network with a server, a relay, good clients and bad ones. */
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';

import { processesOf, whatStays } from '../support/lab/faults.ts';
import { addresses, createNetwork, type Network } from '../support/lab/network.ts';
import type { LabProcess } from '../support/lab/process.ts';
import { debianPython } from '../support/lab/provision.ts';
import { startServer, type LabServer } from '../support/lab/servers.ts';
import { sourceFolder } from '../support/project.ts';
import { startWatched, type Memory, type Plane, type WatchedRelay } from './watched-relay.ts';

export interface StandOptions {
  readonly plane: Plane;
  readonly server: 'vsftpd' | 'proftpd';
  readonly seed: string;
}

/** What has happened so far. */
interface Done {
  transfers: number;
  sessions: number;
  /** Files that client or server took for complete, and that are not what they should be. */
  wrong: number;
  /** What good clients could not do. */
  failed: number;
  /** Words of either -> how often. */
  failures: Map<string, number>;
  /** What bad clients did -> how often. */
  bad: Map<string, number>;
}

/** What is there when nobody is. */
export interface Idle {
  readonly descriptors: number;
  readonly memory: Memory;
}

export interface Stand {
  readonly plane: Plane;
  readonly relay: WatchedRelay;
  readonly done: Done;
  /**
   * Lets all clients work for so long, in seconds, or until `enough`; and waits until they are gone.
   *
   * @returns how long they have worked
   */
  work(seconds: number, enough: () => boolean): Promise<number>;
  /** Waits until nothing is left of their sessions, and says what is left all the same. */
  settle(): Promise<string[]>;
  idle(): Promise<Idle>;
  /** Ends the relay, then the server, and says what is wrong then. */
  stop(): Promise<string[]>;
  dispose(): Promise<void>;
}

/** A second address of the stranger's link, for those who behave badly, and a third for strangers to them. */
const bad = { address: '198.51.100.67', stranger: '198.51.100.68' } as const;
const passivePorts = [50_000, 50_999] as const;
/** How long what clients leave may take to go, in milliseconds. */
const patience = 60_000;

export async function createStand({ plane, server: name, seed }: StandOptions): Promise<Stand> {
  const network = await createNetwork({ forwarding: true, paths: ['public'] });
  try {
    const log = join(network.folder, 'uploads.log');
    const extra =
      name === 'vsftpd' ? ['accept_timeout=10', 'log_ftp_protocol=NO', `vsftpd_log_file=${log}`] : [];
    const server = await startServer(network, name, { extra, passivePorts: [30_000, 30_999] });
    for (const [file, size] of Object.entries(sizes)) server.put(file, contentOf(file, size));
    for (const address of Object.values(bad)) {
      await network.must('stranger', ['ip', 'addr', 'add', `${address}/24`, 'dev', 'eth0']);
    }
    const relay = await startWatched(network, plane, []);
    await network.setPath('public', { delay: 60, loss: 0.001 });
    return new LabStand({ plane, network, server, relay, seed, log: name === 'vsftpd' ? log : undefined });
  } catch (error) {
    await network.dispose();
    throw error;
  }
}

const sizes = { 'file-1k': 1024, 'file-16k': 16_384, 'file-300k': 300_000, 'file-big': 3_000_000 } as const;

/** Unlike at every place. */
function contentOf(name: string, size: number): string {
  const lines = Array.from({ length: Math.ceil(size / 16) }, (_, n) => `${name}-${n}`.padEnd(15, '.'));
  return lines.join('\n').slice(0, size);
}

interface Parts extends Pick<StandOptions, 'plane' | 'seed'> {
  readonly network: Network;
  readonly server: LabServer;
  readonly relay: WatchedRelay;
  /** Where vsftpd says which upload it takes for complete. */
  readonly log: string | undefined;
}

class LabStand implements Stand {
  readonly plane: Plane;
  readonly relay: WatchedRelay;
  readonly #network: Network;
  readonly #server: LabServer;
  readonly #seed: string;
  readonly #log: string | undefined;
  /** Of the rounds before this one. */
  #past: Done = nothing();
  #clients: LabProcess[] = [];
  #rounds = 0;

  constructor({ plane, network, server, relay, seed, log }: Parts) {
    this.plane = plane;
    this.relay = relay;
    this.#network = network;
    this.#server = server;
    this.#seed = seed;
    this.#log = log;
  }

  get done(): Done {
    return this.#clients.reduce((sum, client) => add(sum, reportOf(client)), add(nothing(), this.#past));
  }

  async work(seconds: number, enough: () => boolean): Promise<number> {
    const begun = performance.now();
    const end = begun + seconds * 1000;
    this.#clients = this.#start(`${this.#seed} ${++this.#rounds}`);
    while (performance.now() < end && !enough() && this.relay.ended === undefined) {
      await delay(Math.min(1000, end - performance.now()));
    }
    for (const client of this.#clients) client.write('stop\n');
    const late = setTimeout(() => {
      this.#past.failures.set('clients that did not end: killed', 1);
      this.#past.failed++;
      for (const client of this.#clients) void client.stop('SIGKILL');
    }, patience);
    const exits = await Promise.all(this.#clients.map((client) => client.exited));
    clearTimeout(late);
    const past = this.done;
    for (const [index, { code }] of exits.entries()) {
      // Those that were killed above have been counted.
      if (code === 0 || code === null) continue;
      past.failed++;
      past.failures.set(this.#clients[index]?.stderr().slice(-1000) ?? '', 1);
    }
    this.#past = past;
    this.#clients = [];
    return (performance.now() - begun) / 1000;
  }

  async settle(): Promise<string[]> {
    return whatStays(this.#network, { patience, isOver: () => this.relay.ended !== undefined });
  }

  async idle(): Promise<Idle> {
    return { memory: await this.relay.memory(), descriptors: this.relay.descriptors() };
  }

  async stop(): Promise<string[]> {
    const how = this.relay.ended ?? (await this.relay.stop());
    const problems = how === '0' ? [] : [`the relay ended with ${how}:\n${this.relay.last.join('\n')}`];
    const tables = await this.#network.must('gateway', ['nft', 'list', 'tables']);
    if (tables.trim() !== '') problems.push(`after the relay's end nftables has: ${tables.trim()}`);
    await this.#server.stop();
    for (const host of ['client', 'stranger', 'gateway', 'server'] as const) {
      const pids = await processesOf(this.#network, host);
      if (pids.length > 0) problems.push(`processes are left at the ${host}: ${pids.join(' ')}`);
    }
    return [...problems, ...(await this.#wrongUploads())];
  }

  dispose(): Promise<void> {
    return this.#network.dispose();
  }

  #start(seed: string): LabProcess[] {
    const { user, password, root } = this.#server;
    const both = [addresses[4].public, addresses[6].public];
    const to = { port: 21, user, password, seed };
    const good = { ...to, root };
    const python = (host: 'client' | 'stranger', script: string, settings: object): LabProcess =>
      this.#network.spawn(
        host,
        [debianPython, '-Bu', join(sourceFolder(import.meta.dirname), script), JSON.stringify(settings)],
        { interactive: true },
      );
    const [four] = both;
    return [
      python('stranger', 'good-clients.py', {
        ...good,
        hosts: both,
        name: 'near',
        threads: 8,
        curl: 1,
        timeout: 60,
      }),
      python('client', 'good-clients.py', {
        ...good,
        hosts: both,
        name: 'far',
        threads: 8,
        curl: 1,
        timeout: 60,
      }),
      python('stranger', 'bad-clients.py', { ...to, ...bad, host: four, ports: passivePorts }),
    ];
  }

  /** Of bad clients that reset their connection in the middle of an upload no file is complete. */
  async #wrongUploads(): Promise<string[]> {
    if (this.#log === undefined) return [];
    let wrong = 0;
    for await (const line of createInterface(createReadStream(this.#log))) {
      if (line.includes('OK UPLOAD') && line.includes('/reset-')) wrong++;
    }
    this.#past.wrong += wrong;
    return wrong === 0 ? [] : [`the server took ${wrong} uploads for complete that the client had reset`];
  }
}

function nothing(): Done {
  return { transfers: 0, sessions: 0, wrong: 0, failed: 0, failures: new Map(), bad: new Map() };
}

function add(one: Done, other: Done): Done {
  const sum = (a: ReadonlyMap<string, number>, b: ReadonlyMap<string, number>): Map<string, number> =>
    [...b].reduce((all, [key, count]) => all.set(key, (all.get(key) ?? 0) + count), new Map(a));
  return {
    transfers: one.transfers + other.transfers,
    sessions: one.sessions + other.sessions,
    wrong: one.wrong + other.wrong,
    failed: one.failed + other.failed,
    failures: sum(one.failures, other.failures),
    bad: sum(one.bad, other.bad),
  };
}

/** The last complete line that clients of either program have printed. */
function reportOf(client: LabProcess): Done {
  const line = client.stdout().split('\n').at(-2) ?? '{}';
  const { failures = {}, ...counts } = JSON.parse(line) as Record<string, number> & {
    failures?: Record<string, number>;
  };
  const isGood = client.argv.some((word) => word.endsWith('good-clients.py'));
  if (!isGood) {
    const { served = 0 } = counts;
    const words: [string, number][] = served > 0 ? [['strangers got bytes of a file', served]] : [];
    return { ...nothing(), wrong: served, failures: new Map(words), bad: new Map(Object.entries(counts)) };
  }
  const { transfers = 0, sessions = 0, wrong = 0, failed = 0 } = counts;
  return { transfers, sessions, wrong, failed, failures: new Map(Object.entries(failures)), bad: new Map() };
}
