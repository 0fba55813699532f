import assert from 'node:assert/strict';
import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import type { Readable } from 'node:stream';
import type { TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { playTransfers } from '../../src/demo/client.ts';
import { plantFiles } from '../../src/demo/file-tree.ts';
import { startFtpServer } from '../../src/demo/ftp-server.ts';
import { formatEndpoint, type Endpoint } from '../../src/net/endpoint.ts';
import { program } from '../support/project.ts';
import { firstActivePort, hosts, passivePorts, activePorts } from '../support/relay/hosts.ts';
import { dial, type Peer } from '../support/relay/peer.ts';
import { within } from '../support/relay/within.ts';

/** Starting Node with a loader takes its time on a busy machine. */
const startLimit = 20_000;
const file = 'file';
const size = 300_000;

export interface AttackedRelayOptions {
  /** Besides where to listen, the server and the ports. */
  readonly flags?: readonly string[];
  /** What runs it, as `prlimit --nofile=256`. */
  readonly through?: readonly string[];
  /** Of Node itself. */
  readonly nodeFlags?: readonly string[];
  /** Where its log goes; a pipe that is read unless told. `hangs`: one that nobody reads. */
  readonly log?: number | 'hangs';
  /** `ADDRESS:PORT` of the server, where it is not one of files in memory. */
  readonly server?: string;
}

/** `pinhole run` in a process of its own, as the system shows it, with a server of files in memory behind it. */
export class AttackedRelay {
  readonly endpoint: Endpoint = { address: hosts.relay, port: firstActivePort + 99 };
  readonly #child: ChildProcess;
  readonly exited: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
  #log = '';

  private constructor(t: TestContext, server: string, options: AttackedRelayOptions) {
    const { flags = [], through = [], nodeFlags = [], log = 'pipe' } = options;
    const listen = formatEndpoint(this.endpoint);
    const ports = ['--passive-ports', passivePorts(), '--active-ports', activePorts(90)];
    const own = ['--server', server, '--listen', listen, ...ports, '--log-format', 'json', '--admin', 'off'];
    const [node = '', cli = ''] = program;
    const argv = [...through, node, ...nodeFlags, cli, 'run', ...own, ...flags];
    const stdio: StdioOptions = ['ignore', log === 'hangs' ? 'pipe' : log, 'pipe'];
    const env = Object.entries(process.env).filter(([name]) => !name.startsWith('PINHOLE_'));
    const child = spawn(argv[0] ?? '', argv.slice(1), { stdio, env: Object.fromEntries(env) });
    this.#child = child;
    const collect = (stream: Readable | null): void => {
      stream?.setEncoding('utf8').on('data', (text: string) => (this.#log += text));
    };
    collect(child.stderr);
    if (log === 'pipe') collect(child.stdout);
    this.exited = new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', (code, signal) => {
        resolve({ code, signal });
      });
    });
    this.exited.catch(() => undefined);
    t.after(async () => {
      child.kill('SIGKILL');
      await this.exited;
    });
  }

  static async start(t: TestContext, options: AttackedRelayOptions = {}): Promise<AttackedRelay> {
    let named = options.server;
    if (named === undefined) {
      const server = await startFtpServer(hosts.server, plantFiles({ [file]: Buffer.alloc(size, 'x') }));
      t.after(() => server.close());
      named = `${server.address}:${server.port}`;
    }
    const relay = new AttackedRelay(t, named, options);
    await relay.listens();
    return relay;
  }

  get pid(): number {
    return this.#child.pid ?? assert.fail('it was not started');
  }

  /** What it has logged, and said on standard error. */
  get log(): string {
    return this.#log;
  }

  get lives(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Resident memory in bytes. */
  get memory(): number {
    const status = readFileSync(`/proc/${this.pid}/status`, 'utf8');
    return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
  }

  get descriptors(): number {
    return readdirSync(`/proc/${this.pid}/fd`).length;
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  /** Waits until its log holds this. */
  async logs(text: string): Promise<void> {
    await waitUntil(
      () => this.#log.includes(text),
      () => `no '${text}' in ${this.#log.slice(-2000)}`,
    );
  }

  /** A client of another address does a download in passive and in active mode, and both are whole. */
  async serves(): Promise<void> {
    assert.ok(this.lives, this.#log);
    const got = await within(
      playTransfers(this.endpoint, file),
      'both downloads',
      () => this.#log.slice(-2000),
      startLimit,
    );
    assert.deepEqual(got, { passive: size, active: size });
  }

  /** Connects as another host. */
  async dial(t: TestContext, from: string = hosts.stranger): Promise<Peer> {
    const peer = await dial(this.endpoint, from);
    t.after(() => peer.socket.destroy());
    return peer;
  }

  /** As the system shows it: its log may be unreadable, and a connection would be a session. */
  private async listens(): Promise<void> {
    const { address, port } = this.endpoint;
    const bytes = address.split('.').reverse().map(Number);
    const hex = `${Buffer.from(bytes).toString('hex')}:${port.toString(16).padStart(4, '0')}`.toUpperCase();
    const listening = new RegExp(`: ${hex} 00000000:0000 0A `);
    await waitUntil(
      () => {
        if (!this.lives) assert.fail(`it ended: ${this.#log}`);
        return listening.test(readFileSync('/proc/net/tcp', 'latin1'));
      },
      () => this.#log,
    );
  }
}

/** Waits for what nothing tells of, and fails after 20 s. */
export async function waitUntil(
  holds: () => boolean | Promise<boolean>,
  found: () => string = () => 'it did not come',
): Promise<void> {
  const end = Date.now() + startLimit;
  while (!(await holds())) {
    assert.ok(Date.now() < end, found());
    await delay(20);
  }
}

/** Waits until a number stays for 0.4 s: what another process takes is at rest. Fails after 20 s. */
export async function settled(number: () => number): Promise<void> {
  let last = Number.NaN;
  let still = 0;
  await waitUntil(
    () => {
      const now = number();
      still = now === last ? still + 1 : 0;
      last = now;
      return still >= 20;
    },
    () => `it is ${last} and goes on`,
  );
}
