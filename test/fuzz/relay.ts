/** The relay in this process, in front of a server that the fuzz plays, and what it is seen to do. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig } from '../../src/config/load.ts';
import { startDaemon, type Daemon } from '../../src/daemon/daemon.ts';
import type { Event } from '../../src/events.ts';
import { createLogger } from '../../src/log/log.ts';
import { authority } from '../support/certificates.ts';
import { firstActivePort, firstPassivePort, hosts } from '../support/relay/hosts.ts';
import { namesInKernel } from '../support/relay/plane.ts';
import type { Mode } from './dialogue.ts';
import { listenAt, Notes, type Listening } from './stage.ts';

/** How many ports of each kind one relay has. */
const portsOfEach = 20;

export interface RelayOptions {
  readonly mode: Mode;
  readonly plane: 'relay' | 'kernel';
  /** Which of the relays of this process it is. */
  readonly lane: number;
}

export class FuzzedRelay {
  readonly options: RelayOptions;
  readonly server: Listening;
  readonly passivePorts: readonly [number, number];
  readonly activePorts: readonly [number, number];
  /** Notes of what nobody plays at the time. */
  readonly notes: Notes = new Notes();
  readonly #daemon: Daemon;
  readonly #folder: string;
  readonly #table: string | undefined;
  readonly #observers: Set<(event: Event) => void>;
  readonly #log: { text: string };
  readonly #left = new Set<number>();

  private constructor(
    options: RelayOptions,
    server: Listening,
    daemon: Daemon,
    parts: {
      readonly folder: string;
      readonly table: string | undefined;
      readonly observers: Set<(event: Event) => void>;
      readonly log: { text: string };
    },
  ) {
    this.options = options;
    this.server = server;
    this.#daemon = daemon;
    this.#folder = parts.folder;
    this.#table = parts.table;
    this.#observers = parts.observers;
    this.#log = parts.log;
    this.passivePorts = portsOf(firstPassivePort, options.lane);
    this.activePorts = portsOf(firstActivePort, options.lane);
  }

  static async start(options: RelayOptions): Promise<FuzzedRelay> {
    const { mode, plane, lane } = options;
    const folder = mkdtempSync(join(tmpdir(), 'pinhole-fuzz-'));
    const server = await listenAt(hosts.server, new Notes());
    const { table, mark } = namesInKernel();
    const flags = {
      server: `${hosts.server}:${server.port}`,
      listen: `${hosts.relay}:0`,
      'passive-ports': portsOf(firstPassivePort, lane).join('-'),
      'active-ports': portsOf(firstActivePort, lane).join('-'),
      'data-source-port': '0',
      grace: '0',
      tls: mode,
      ...(mode === 'terminate' && certificate(folder)),
      ...(plane === 'kernel' && { plane, 'kernel-table': table, 'kernel-mark': String(mark) }),
    };
    const { config } = loadConfig({ flags, env: {}, readFile: () => '' });
    const { listen } = config;
    if (!listen) throw new Error('the relay would listen nowhere');
    const log = { text: '' };
    const stream = {
      write: (line: string): void => {
        log.text += line;
      },
    };
    const logger = createLogger({ logLevel: 'trace', logFormat: 'json' }, stream);
    const observers = new Set<(event: Event) => void>();
    const observe = (event: Event): void => {
      for (const each of observers) each(event);
    };
    const daemon = await startDaemon({ ...config, listen }, logger, { observers: [observe] });
    const parts = { folder, table: plane === 'kernel' ? table : undefined, observers, log };
    return new FuzzedRelay(options, server, daemon, parts);
  }

  get port(): number {
    const [endpoint] = this.#daemon.endpoints;
    if (!endpoint) throw new Error('the relay is not listening');
    return endpoint.port;
  }

  get table(): string | undefined {
    return this.#table;
  }

  observe(observer: (event: Event) => void): () => void {
    this.#observers.add(observer);
    return () => this.#observers.delete(observer);
  }

  /** What was logged since the last time. */
  takeLog(): string {
    const { text } = this.#log;
    this.#log.text = '';
    return text;
  }

  /** Whether it listens for data connections, but for ports that were told of as left. */
  get isListening(): boolean {
    return this.#listening().length > 0;
  }

  /** The ports that it listens at for nobody; each is told of once. */
  newlyLeft(): number[] {
    const left = this.#listening();
    for (const port of left) this.#left.add(port);
    return left;
  }

  #listening(): number[] {
    const isOwn = (port: number): boolean =>
      [this.passivePorts, this.activePorts].some(([first, last]) => port >= first && port <= last);
    return listeningPorts().filter((port) => isOwn(port) && !this.#left.has(port));
  }

  async close(): Promise<void> {
    this.server.close();
    await this.#daemon.close();
    rmSync(this.#folder, { recursive: true });
  }
}

function portsOf(first: number, lane: number): [number, number] {
  return [first + lane * portsOfEach, first + lane * portsOfEach + portsOfEach - 1];
}

/** On this process's network of 127.0.0.0/8, or at 127.0.0.1, which the system connects to servers from. */
function listeningPorts(): number[] {
  const network = hosts.relay.split('.').slice(0, 3);
  const lines = readFileSync('/proc/self/net/tcp', 'utf8').split('\n').slice(1);
  return lines.flatMap((line) => {
    const [, , local = '', , state] = line.split(/\s+/);
    const [, hex = '', port = ''] = /^([0-9A-F]{8}):([0-9A-F]{4})$/.exec(local) ?? [];
    const address = Buffer.from(hex, 'hex').reverse().join('.');
    const isOurs = address === '127.0.0.1' || address.startsWith(`${network.join('.')}.`);
    return state === '0A' && isOurs ? [parseInt(port, 16)] : [];
  });
}

function certificate(folder: string): Record<string, string> {
  const { cert, key } = authority().issue({ name: 'relay', hosts: ['ftp.example'] });
  const write = (name: string, text: string): string => {
    const path = join(folder, name);
    writeFileSync(path, text);
    return path;
  };
  return { 'tls-cert': write('cert', cert), 'tls-key': write('key', key) };
}
