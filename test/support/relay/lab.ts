import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { loadConfig } from '../../../src/config/load.ts';
import { startDaemon, type Daemon } from '../../../src/daemon/daemon.ts';
import type { ServableConfig } from '../../../src/daemon/settings.ts';
import type { Event } from '../../../src/events.ts';
import { findExtendedPorts } from '../../../src/ftp/extended-host-port.ts';
import { findHostPorts } from '../../../src/ftp/host-port.ts';
import { createLogger } from '../../../src/log/log.ts';
import { formatEndpoint, type Endpoint } from '../../../src/net/endpoint.ts';
import { activePorts, hostPort, hosts, passivePorts } from './hosts.ts';
import { PeerListener } from './peer-listener.ts';
import { dial, type Peer } from './peer.ts';
import { plane, settingsOfPlane } from './plane.ts';
import { Changes, turns, within } from './within.ts';

export type Settings = Readonly<Record<string, string>>;

/** A client that has logged in, and the server's end of its session. */
export interface ControlPair {
  readonly client: Peer;
  readonly server: Peer;
}

/** A pinhole that a client was told of, and the server's data port behind it. */
export interface PassivePinhole {
  readonly at: Endpoint;
  readonly behind: PeerListener;
}

/** What the client's end and the server's end of one data channel are. */
export interface DataPair {
  readonly client: Peer;
  readonly server: Peer;
}

type EventOf<T extends Event['type']> = Event & { readonly type: T };

/** The relay in this process, in front of a server whose every byte the test writes. */
export class Lab {
  readonly server: PeerListener;
  readonly events: Event[] = [];
  #log = '';
  #daemon: Daemon | undefined;
  readonly #settings: Settings;
  readonly #changes = new Changes();
  readonly #peers: Peer[] = [];
  readonly #listeners: PeerListener[] = [];

  private constructor(server: PeerListener, settings: Settings) {
    this.server = server;
    this.#listeners.push(server);
    this.#settings = {
      server: formatEndpoint(server.endpoint),
      listen: `${hosts.relay}:0`,
      'passive-ports': passivePorts(),
      'active-ports': activePorts(),
      'data-source-port': '0',
      grace: '0',
      ...settingsOfPlane(),
      ...settings,
    };
  }

  /** Starts the relay with these settings (as flags say them); everything ends with the test. */
  static async start(t: TestContext, settings: Settings = {}, at: string = hosts.server): Promise<Lab> {
    const lab = new Lab(await PeerListener.at(at), settings);
    t.after(() => lab.close());
    const stream = {
      write: (line: string): void => {
        lab.#log += line;
        lab.#changes.wake();
      },
    };
    const logger = createLogger({ logLevel: 'trace', logFormat: 'json' }, stream);
    lab.#daemon = await startDaemon(lab.configWith(), logger, {
      observers: [
        (event) => {
          lab.events.push(event);
          lab.#changes.wake();
        },
      ],
    });
    return lab;
  }

  get daemon(): Daemon {
    return this.#daemon ?? assert.fail('the relay was not started');
  }

  /** All that was logged, at every level. */
  get log(): string {
    return this.#log;
  }

  /** Waits for a line of the log with this message. */
  logged(message: string): Promise<true> {
    const line = `"msg":${JSON.stringify(message)}`;
    return this.#changes.until(
      `log line '${message}'`,
      () => this.#log.includes(line) || undefined,
      () => this.#log,
    );
  }

  /** Where clients connect. */
  get relay(): Endpoint {
    return this.daemon.endpoints[0] ?? assert.fail('the relay is not listening');
  }

  /** The settings of this relay with some of them changed. */
  configWith(changes: Settings = {}): ServableConfig {
    const flags = { ...this.#settings, ...changes };
    const { config } = loadConfig({ flags, env: {}, readFile: () => '' });
    const { server, listen } = config;
    assert.ok(server && listen);
    return { ...config, server, listen };
  }

  async dial(to: Endpoint, from: string = hosts.client): Promise<Peer> {
    const peer = await dial(to, from);
    this.#peers.push(peer);
    return peer;
  }

  /**
   * Connects, and is reset, before the system has told of the connection or after. In the kernel's hands there is
   * no listener, and a connection that leads nowhere is refused.
   */
  async isTurnedAway(to: Endpoint, from: string): Promise<void> {
    const peer = await this.dial(to, from).catch((error: unknown) => {
      const { code } = error as NodeJS.ErrnoException;
      if (plane === 'relay' || code !== 'ECONNREFUSED') assert.equal(code, 'ECONNRESET');
    });
    if (peer) assert.equal(await peer.wasReset(), '');
  }

  /** A pinhole that was said to be closed is: the kernel is told at the end of the same turn. */
  async isClosed(at: Endpoint, from?: string): Promise<void> {
    await turns();
    await assert.rejects(this.dial(at, from), { code: 'ECONNREFUSED' });
  }

  async listen(at: string, port = 0): Promise<PeerListener> {
    const listener = await PeerListener.at(at, port);
    this.#listeners.push(listener);
    return listener;
  }

  /** A client's control connection and the one that the relay made for it, before a word is said. */
  async connect(from: string = hosts.client): Promise<ControlPair> {
    const accepted = this.server.next();
    const client = await this.dial(this.relay, from);
    return { client, server: await accepted };
  }

  /** The same, logged in. */
  async login(from: string = hosts.client): Promise<ControlPair> {
    const pair = await this.connect(from);
    const { client, server } = pair;
    server.send('220 Ready.\r\n');
    await client.expect('220 Ready.\r\n');
    await exchange(pair, 'USER anne', '331 Password?');
    await exchange(pair, 'PASS secret', '230 Welcome.');
    return { client, server };
  }

  /** Goes through PASV, or EPSV for a client that is told no address. */
  async passive({ client, server }: ControlPair, verb: 'PASV' | 'EPSV' = 'PASV'): Promise<PassivePinhole> {
    const behind = await this.listen(server.local.address);
    client.send(`${verb}\r\n`);
    await server.expect(`${verb}\r\n`);
    if (verb === 'PASV') {
      server.send(`227 Entering Passive Mode (${hostPort(behind.endpoint)}).\r\n`);
      return { at: announcedIn(await client.line()), behind };
    }
    server.send(`229 Entering Extended Passive Mode (|||${behind.endpoint.port}|)\r\n`);
    const [found] = findExtendedPorts(await client.line());
    assert.ok(found);
    return { at: { address: client.remote.address, port: found.port }, behind };
  }

  /** Opens a data channel through PASV. */
  async passiveChannel(pair: ControlPair): Promise<DataPair> {
    const { at, behind } = await this.passive(pair);
    const client = await this.dial(at, pair.client.local.address);
    const server = await behind.next();
    behind.close();
    return { client, server };
  }

  /** Goes through PORT: where the server was told to connect, and where the client listens. */
  async active(pair: ControlPair): Promise<{ told: Endpoint; listener: PeerListener }> {
    const listener = await this.listen(pair.client.local.address);
    pair.client.send(`PORT ${hostPort(listener.endpoint)}\r\n`);
    const told = announcedIn(await pair.server.line());
    pair.server.send('200 PORT command successful.\r\n');
    await pair.client.expect('200 PORT command successful.\r\n');
    return { told, listener };
  }

  /** Opens a data channel through PORT. */
  async activeChannel(pair: ControlPair): Promise<DataPair> {
    const { told, listener } = await this.active(pair);
    const server = await this.dial(told, pair.server.local.address);
    return { client: await listener.next(), server };
  }

  /** The n-th event of this type that has these values; what happened before counts too. */
  event<T extends Event['type']>(type: T, values: Partial<EventOf<T>> = {}, n = 1): Promise<EventOf<T>> {
    return this.#changes.until(
      `event ${type} ${JSON.stringify(values)}`,
      () => this.eventsOf(type, values)[n - 1],
      () => `(events: ${this.events.map((event) => JSON.stringify(event)).join('\n')})`,
    );
  }

  eventsOf<T extends Event['type']>(type: T, values: Partial<EventOf<T>> = {}): EventOf<T>[] {
    return this.events.filter((event): event is EventOf<T> => {
      const fields: Readonly<Record<string, unknown>> = { ...event };
      return event.type === type && Object.entries(values).every(([key, value]) => fields[key] === value);
    });
  }

  /** Data ports that transfers so far have used are wanted no more. */
  closeDataListeners(): void {
    for (const listener of this.#listeners) if (listener !== this.server) listener.close();
  }

  /** Cuts every connection that the test has, and its listeners. */
  cut(): void {
    for (const { socket } of this.#peers) socket.destroy();
    for (const listener of this.#listeners) listener.destroy();
  }

  /** Cuts every connection of the test and ends the relay, which must not take long. */
  async close(): Promise<void> {
    this.cut();
    if (this.#daemon) await within(this.#daemon.close(), 'the end of the relay');
  }
}

/** One command to the server as it is, and one reply back as it is. */
export async function exchange(
  { client, server }: ControlPair,
  command: string,
  reply: string,
): Promise<void> {
  client.send(`${command}\r\n`);
  await server.expect(`${command}\r\n`);
  server.send(`${reply}\r\n`);
  await client.expect(`${reply}\r\n`);
}

/** The endpoint that a 227 or a PORT names. */
export function announcedIn(line: string): Endpoint {
  const [found] = findHostPorts(line.replace(/^227/, ''));
  return found?.endpoint ?? assert.fail(`no endpoint in ${JSON.stringify(line)}`);
}
