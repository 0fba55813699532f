/**
 * What sessions may rely on, whichever plane there is. Alone this file tests the relay plane; the integration tests
 * run it again in a network namespace, with PINHOLE_TEST_PLANE=kernel.
 */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { Event, Observer } from '../../src/events.ts';
import type { Address } from '../../src/net/address.ts';
import type { Endpoint } from '../../src/net/endpoint.ts';
import { openHostTable, startKernelPlane } from '../../src/plane/kernel-host.ts';
import { NoFreePortError, type Plane, type PinholeRequest } from '../../src/plane/plane.ts';
import { createRelayPlane } from '../../src/plane/relay.ts';
import { firstPassivePort, hosts } from '../support/relay/hosts.ts';
import { PeerListener } from '../support/relay/peer-listener.ts';
import { dial as connect, type Peer } from '../support/relay/peer.ts';
import { namesInKernel, plane as carrier } from '../support/relay/plane.ts';
import { Changes, turns } from '../support/relay/within.ts';

type EventOf<T extends Event['type']> = Event & { readonly type: T };

class Stand {
  readonly plane: Plane;
  /** Where the pinhole leads. */
  readonly behind: PeerListener;
  openChannels = 0;
  readonly #peers: Peer[] = [];
  readonly #events: Event[];
  readonly #changes: Changes;

  private constructor(plane: Plane, behind: PeerListener, events: Event[], changes: Changes) {
    this.plane = plane;
    this.behind = behind;
    this.#events = events;
    this.#changes = changes;
  }

  static async start(t: TestContext): Promise<Stand> {
    const events: Event[] = [];
    const changes = new Changes();
    const observe = (event: Event): void => {
      events.push(event);
      changes.wake();
    };
    const plane = await startPlane(t, observe);
    t.after(() => plane.close(0));
    const behind = await PeerListener.at(hosts.server);
    t.after(() => {
      behind.destroy();
    });
    const stand = new Stand(plane, behind, events, changes);
    t.after(() => {
      // A data channel outlives its plane.
      for (const { socket } of stand.#peers) socket.destroy();
    });
    return stand;
  }

  async dial(to: Endpoint, from: Address): Promise<Peer> {
    const peer = await connect(to, from);
    this.#peers.push(peer);
    return peer;
  }

  /** Refused, or reset before a byte has come. */
  async isRefused(at: Endpoint, from: Address): Promise<void> {
    let peer: Peer;
    try {
      peer = await this.dial(at, from);
    } catch (error) {
      assert.match(String((error as NodeJS.ErrnoException).code), /^(ECONNREFUSED|ECONNRESET)$/);
      return;
    }
    assert.equal(await peer.wasReset(), '');
  }

  passive(changes: Partial<PinholeRequest> = {}): PinholeRequest {
    const request: Omit<PinholeRequest, 'own'> = {
      session: 1,
      mode: 'passive',
      command: 'PASV',
      peer: hosts.client,
      alsoFrom: [],
      address: hosts.relay,
      ports: { first: firstPassivePort, last: firstPassivePort },
      preferredPort: 0,
      to: this.behind.endpoint,
      from: { address: hosts.relay, port: 0 },
      timeout: 60_000,
      owner: {
        channelOpened: () => {
          this.openChannels++;
        },
        channelClosed: () => {
          this.openChannels--;
          this.#changes.wake();
        },
      },
      ...changes,
    };
    return { own: { near: request.address, far: request.from.address }, ...request };
  }

  /** The same hosts the other way round: the server's part connects. */
  active(changes: Partial<PinholeRequest> = {}): PinholeRequest {
    const from = { address: hosts.other, port: firstPassivePort + 150 };
    return this.passive({ mode: 'active', command: 'PORT', from, ...changes });
  }

  event<T extends Event['type']>(type: T, n = 1): Promise<EventOf<T>> {
    return this.#changes.until(
      `event ${type}`,
      () => this.#events.filter((event): event is EventOf<T> => event.type === type)[n - 1],
      () => JSON.stringify(this.#events),
    );
  }

  async allClosed(): Promise<void> {
    await this.#changes.until('the end of all data channels', () => this.openChannels === 0 || undefined);
  }
}

async function startPlane(t: TestContext, observe: Observer): Promise<Plane> {
  if (carrier !== 'kernel') {
    return createRelayPlane({ observe, connectTimeout: 5000, dataIdleTimeout: 60_000 });
  }
  const needs = { ...namesInKernel(), what: 'the test', forwards: true };
  const host = await openHostTable(needs, observe);
  t.after(() => {
    host.close();
  });
  return startKernelPlane({ observe, table: host.table });
}

test('leads a peer to where it was told, both ways, half-closes included', async (t) => {
  const stand = await Stand.start(t);
  const { at } = await stand.plane.open(stand.passive());
  const client = await stand.dial(at, hosts.client);
  const server = await stand.behind.next();
  client.end('up');
  assert.equal(await server.rest(), 'up');
  server.end('down');
  assert.equal(await client.rest(), 'down');
});

test('tells the owner and the log when a data channel begins and ends, and what it served', async (t) => {
  const stand = await Stand.start(t);
  const pinhole = await stand.plane.open(stand.passive());
  pinhole.serve({ verb: 'RETR', path: 'file', isRelative: true });
  const client = await stand.dial(pinhole.at, hosts.client);
  const server = await stand.behind.next();
  const taken = await stand.event('pinhole-taken');
  assert.deepEqual([taken.from, taken.at, taken.to], [client.local, pinhole.at, stand.behind.endpoint]);
  assert.equal(stand.openChannels, 1);
  server.end('down');
  await client.rest();
  client.end();
  const { command, cause } = await stand.event('transfer-ended');
  assert.deepEqual([command, cause], [{ verb: 'RETR', path: 'file', isRelative: true }, 'complete']);
  await stand.allClosed();
});

test('refuses a stranger, who does not use it up', async (t) => {
  const stand = await Stand.start(t);
  const { at } = await stand.plane.open(stand.passive());
  await stand.isRefused(at, hosts.stranger);
  const client = await stand.dial(at, hosts.client);
  (await stand.behind.next()).end('for the right peer');
  assert.equal(await client.rest(), 'for the right peer');
  assert.equal(stand.behind.count, 1);
});

test('lets its peer connect once', async (t) => {
  const stand = await Stand.start(t);
  const { at } = await stand.plane.open(stand.passive());
  const client = await stand.dial(at, hosts.client);
  await stand.isRefused(at, hosts.client);
  (await stand.behind.next()).end('to the first');
  assert.equal(await client.rest(), 'to the first');
  assert.equal(stand.behind.count, 1);
});

test('leases a port to a peer: another has the same one at once, the same peer has it when it is free', async (t) => {
  const stand = await Stand.start(t);
  const first = await stand.plane.open(stand.passive());
  const other = await stand.plane.open(stand.passive({ peer: hosts.other }));
  assert.deepEqual(other.at, first.at);
  await assert.rejects(stand.plane.open(stand.passive()), NoFreePortError);
  await stand.dial(first.at, hosts.client);
  await stand.event('pinhole-taken');
  const again = await stand.plane.open(stand.passive());
  assert.deepEqual(again.at, first.at);
  for (const peer of [hosts.other, hosts.client]) (await stand.dial(first.at, peer)).end();
  await stand.event('pinhole-taken', 3);
});

test('takes the preferred port where it is in the range', async (t) => {
  const stand = await Stand.start(t);
  const ports = { first: firstPassivePort, last: firstPassivePort + 50 };
  const { at } = await stand.plane.open(stand.passive({ ports, preferredPort: firstPassivePort + 7 }));
  assert.equal(at.port, firstPassivePort + 7);
});

test('lets nobody in once it is taken back', async (t) => {
  const stand = await Stand.start(t);
  const pinhole = await stand.plane.open(stand.passive());
  pinhole.close('session-closed');
  const { reason } = await stand.event('pinhole-closed');
  assert.equal(reason, 'session-closed');
  await turns();
  await stand.isRefused(pinhole.at, hosts.client);
  assert.equal(stand.behind.count, 0);
});

test('lets nobody in when its time is over', async (t) => {
  const stand = await Stand.start(t);
  const { at } = await stand.plane.open(stand.passive({ timeout: 50 }));
  const { reason } = await stand.event('pinhole-closed');
  assert.equal(reason, 'expired');
  await turns();
  await stand.isRefused(at, hosts.client);
});

test('an active one takes a connection before it is armed, and that goes on to the client from where it was told', async (t) => {
  const stand = await Stand.start(t);
  const pinhole = await stand.plane.open(stand.active());
  // Some servers answer a PORT when they have connected, and not before.
  const early = stand.dial(pinhole.at, hosts.client);
  await early;
  await pinhole.arm();
  const [far, near] = await Promise.all([stand.behind.next(), early]);
  assert.deepEqual(far.remote, { address: hosts.other, port: firstPassivePort + 150 });
  near.end('active');
  assert.equal(await far.rest(), 'active');
});

test('resets or refuses who is led to a port that nobody listens on', async (t) => {
  const stand = await Stand.start(t);
  const { at } = await stand.plane.open(stand.passive());
  stand.behind.close();
  await stand.isRefused(at, hosts.client);
  const { cause } = await stand.event('transfer-ended');
  assert.equal(cause, 'server-unreachable');
  await stand.allClosed();
});

test('a data channel outlives its pinhole', async (t) => {
  const stand = await Stand.start(t);
  const pinhole = await stand.plane.open(stand.passive());
  const client = await stand.dial(pinhole.at, hosts.client);
  const server = await stand.behind.next();
  await stand.event('pinhole-taken');
  pinhole.close('session-closed');
  server.end('still here');
  assert.equal(await client.rest(), 'still here');
});

test('lets nobody in when the plane is closed', async (t) => {
  const stand = await Stand.start(t);
  const { at } = await stand.plane.open(stand.passive());
  await stand.plane.close(0);
  await stand.isRefused(at, hosts.client);
  assert.equal((await stand.event('pinhole-closed')).reason, 'shutdown');
});
