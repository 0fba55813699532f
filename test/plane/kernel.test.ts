/** The kernel plane without a kernel; test/integration/kernel-plane.test.ts has the real one. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import type { Event } from '../../src/events.ts';
import { formatEndpoint } from '../../src/net/endpoint.ts';
import { NftError } from '../../src/linux/nftables/error.ts';
import { admit, dismiss } from '../../src/linux/nftables/transaction.ts';
import type { Flow } from '../../src/linux/conntrack/flow.ts';
import { createKernelPlane } from '../../src/plane/kernel.ts';
import { KernelTable } from '../../src/plane/kernel-table.ts';
import { NoFreePortError, type Plane, type PinholeRequest } from '../../src/plane/plane.ts';
import { FakeNft } from '../support/fake-nft.ts';
import { address } from '../support/relay/hosts.ts';
import { Changes } from '../support/relay/within.ts';

const client = address('198.51.100.10');
const other = address('198.51.100.11');
const reached = address('198.51.100.1');
const inside = address('10.77.0.1');
const server = address('10.77.0.2');

class Stand {
  readonly nft = new FakeNft();
  readonly events: Event[] = [];
  readonly owner = {
    open: 0,
    channelOpened(): void {
      this.open++;
    },
    channelClosed(): void {
      this.open--;
    },
  };
  /** What the kernel has when it is asked; undefined: it does not say. */
  listed: Flow[] | undefined = [];
  /** The ends of connections that the kernel tracks, whosesoever, and their states. */
  readonly tracked = new Map<string, string>();
  /** What the kernel has to tell when it is asked. */
  #untold: Flow[] = [];
  following = true;
  /** Connections that the kernel was told to forget. */
  readonly forgotten: number[] = [];
  readonly #changes = new Changes();
  #plane: Plane | undefined;
  #listener: { event(flow: Flow): void; missed(): void } | undefined;

  static async start(t: TestContext): Promise<Stand> {
    const stand = new Stand();
    const observe = (event: Event): void => {
      stand.events.push(event);
      stand.#changes.wake();
    };
    const table = new KernelTable({ table: 'pinhole', mark: 0x2121 }, stand.nft, observe);
    stand.#plane = await createKernelPlane({
      table,
      observe,
      follow: (_mark, listener) => {
        stand.#listener = listener;
        return Promise.resolve({
          poll: () => {
            const flows = stand.#untold.splice(0);
            for (const flow of flows) stand.#listener?.event(flow);
            return flows.length > 0;
          },
          look: ({ id }) => stand.listed?.find((flow) => flow.id === id),
          find: ({ from, at }) => {
            const state = stand.tracked.get(`${formatEndpoint(from)} ${formatEndpoint(at)}`);
            return state === undefined ? undefined : stand.flow('listed', state, { id: 99, from, at });
          },
          list: () => stand.listed,
          forget: (flow) => {
            stand.forgotten.push(flow.id);
            stand.#changes.wake();
          },
          stop: () => {
            stand.following = false;
          },
        });
      },
    });
    t.after(async () => {
      await stand.#plane?.close(0);
      table.close();
    });
    return stand;
  }

  get plane(): Plane {
    return this.#plane ?? assert.fail('not started');
  }

  passive(changes: Partial<PinholeRequest> = {}): PinholeRequest {
    return {
      session: 1,
      mode: 'passive',
      command: 'PASV',
      peer: client,
      alsoFrom: [],
      address: reached,
      own: { near: reached, far: inside },
      ports: { first: 50000, last: 50000 },
      preferredPort: 0,
      to: { address: server, port: 30000 },
      from: { address: inside, port: 0 },
      timeout: 300_000,
      owner: this.owner,
      ...changes,
    };
  }

  active(changes: Partial<PinholeRequest> = {}): PinholeRequest {
    return this.passive({
      mode: 'active',
      command: 'PORT',
      peer: server,
      address: inside,
      ports: { first: 51000, last: 51000 },
      to: { address: client, port: 40000 },
      from: { address: reached, port: 20 },
      ...changes,
    });
  }

  /** The kernel tells of a connection from the client to its pinhole. */
  flow(what: Flow['what'], state: string | undefined, changes: Partial<Flow> = {}): Flow {
    return {
      what,
      id: 1,
      state,
      from: { address: client, port: 45000 },
      at: { address: reached, port: 50000 },
      bytes: undefined,
      ...changes,
    };
  }

  async forgets(id: number): Promise<void> {
    const isForgotten = (): true | undefined => this.forgotten.includes(id) || undefined;
    await this.#changes.until(`connection ${id} is forgotten`, isForgotten, undefined, 20_000);
  }

  /** It happens, and the plane has not asked yet. */
  happens(...flows: Flow[]): void {
    for (const flow of flows) {
      // Whom the kernel lets in it takes out of the set.
      const expected = `${flow.from.address} . ${flow.at.address} . ${flow.at.port}`;
      if (flow.what === 'new') this.nft.sets?.get('pinhole expect4')?.delete(expected);
      this.#untold.push(flow);
    }
  }

  tell(...flows: Flow[]): void {
    this.happens(...flows);
    for (const flow of this.#untold.splice(0)) this.#listener?.event(flow);
  }

  /** It happens at the last moment before the kernel carries out a transaction with such a statement about expect4. */
  happensBefore(kind: 'add-element' | 'delete-element', ...flows: Flow[]): void {
    this.nft.failure = (transaction) => {
      if (!transaction.some((each) => each.kind === kind && each.set === 'expect4')) return undefined;
      this.nft.failure = () => undefined;
      this.happens(...flows);
      return undefined;
    };
  }

  missed(): void {
    this.#listener?.missed();
  }

  /** What a pinhole that was taken leaves in the kernel is cleared away in no hurry. */
  async leftNothing(): Promise<void> {
    while (Object.keys(this.elements()).length > 0) await new Promise(setImmediate);
  }

  of(type: Event['type']): Event[] {
    return this.events.filter((event) => event.type === type);
  }

  async event<T extends Event['type']>(type: T, n = 1): Promise<Event & { readonly type: T }> {
    return this.#changes.until(
      `event ${type}`,
      () => this.events.filter((event): event is Event & { readonly type: T } => event.type === type)[n - 1],
    );
  }

  /** All elements that the kernel has. */
  elements(): Record<string, string[]> {
    const names = ['expect', 'to', 'from', 'from_port'].flatMap((name) => [`${name}4`, `${name}6`]);
    return Object.fromEntries(
      names.map((name) => [name, this.nft.elements(name)] as const).filter(([, keys]) => keys.length > 0),
    );
  }
}

async function settled(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
  await new Promise((resolve) => setImmediate(resolve));
}

test('a passive pinhole is there when it is told of', async (t) => {
  const stand = await Stand.start(t);
  const { at } = await stand.plane.open(stand.passive());
  assert.deepEqual(at, { address: reached, port: 50000 });
  assert.deepEqual(stand.elements(), {
    expect4: ['198.51.100.10 . 198.51.100.1 . 50000'],
    to4: ['198.51.100.10 . 198.51.100.1 . 50000 : 10.77.0.2 . 30000'],
    from4: ['198.51.100.10 . 10.77.0.2 . 30000 : 10.77.0.1'],
  });
});

test('an active pinhole is there before the server is told, as it may connect before it answers', async (t) => {
  const stand = await Stand.start(t);
  const pinhole = await stand.plane.open(stand.active());
  assert.deepEqual(stand.elements(), {
    expect4: ['10.77.0.2 . 10.77.0.1 . 51000'],
    to4: ['10.77.0.2 . 10.77.0.1 . 51000 : 198.51.100.10 . 40000'],
    from_port4: ['10.77.0.2 . 198.51.100.10 . 40000 : 198.51.100.1 . 20'],
  });
  pinhole.close('replaced');
  await settled();
  assert.deepEqual(stand.elements(), {});
});

test('a pinhole that is taken back before it is armed leaves nothing', async (t) => {
  const stand = await Stand.start(t);
  const pinhole = await stand.plane.open(stand.active());
  pinhole.close('refused-by-server');
  await pinhole.arm();
  await settled();
  assert.deepEqual(stand.elements(), {});
});

test('a pinhole that is taken back while it is opened leaves nothing', async (t) => {
  const stand = await Stand.start(t);
  await stand.plane.open(stand.passive());
  stand.tell(stand.flow('new', 'SYN_SENT'));
  const opening = stand.plane.open(stand.active());
  // It waits for the data channel, and the table stays.
  const closing = stand.plane.close(60_000);
  await assert.rejects(opening, /withdrawn while it was being opened/);
  await settled();
  assert.ok(stand.nft.sets);
  assert.deepEqual(stand.elements(), {});
  stand.tell(stand.flow('destroy', undefined));
  await closing;
});

test('what another process has in the table is not given out again, until it is gone', async (t) => {
  const stand = await Stand.start(t);
  const { at } = await stand.plane.open(stand.passive({ peer: other }));
  const elsewhere = { peer: client, at, to: { address: server, port: 30_099 } };
  stand.nft.run(admit('pinhole', elsewhere, 60_000));
  await assert.rejects(stand.plane.open(stand.passive()), NoFreePortError);
  stand.nft.run(dismiss('pinhole', elsewhere));
  assert.deepEqual((await stand.plane.open(stand.passive())).at, at);
});

test('a port is leased to a peer, and when none is left that is said', async (t) => {
  const stand = await Stand.start(t);
  const pinhole = await stand.plane.open(stand.passive());
  const others = await stand.plane.open(stand.passive({ peer: other }));
  assert.deepEqual(others.at, pinhole.at);
  await assert.rejects(stand.plane.open(stand.passive()), NoFreePortError);
  pinhole.close('replaced');
  assert.deepEqual((await stand.plane.open(stand.passive())).at, pinhole.at);
});

test('follows a connection from its first packet to its end, and reports what it carried', async (t) => {
  const stand = await Stand.start(t);
  const pinhole = await stand.plane.open(stand.passive());
  pinhole.serve({ verb: 'RETR', path: 'file', isRelative: true });
  stand.tell(stand.flow('new', 'SYN_SENT'), stand.flow('update', 'SYN_RECV'));
  stand.tell(stand.flow('update', 'ESTABLISHED'));
  assert.equal(stand.owner.open, 1);
  const taken = await stand.event('pinhole-taken');
  assert.deepEqual(taken.from, { address: client, port: 45000 });
  await stand.leftNothing();
  // The port is free again.
  await stand.plane.open(stand.passive());

  stand.listed = [stand.flow('listed', 'TIME_WAIT', { bytes: { sent: 100, returned: 5000 } })];
  stand.tell(stand.flow('update', 'FIN_WAIT'), stand.flow('update', 'TIME_WAIT'));
  assert.equal(stand.owner.open, 0);
  const { command, uploaded, downloaded, cause, at } = await stand.event('transfer-ended');
  assert.deepEqual(
    { command, uploaded, downloaded, cause, at },
    {
      command: { verb: 'RETR', path: 'file', isRelative: true },
      uploaded: 100,
      downloaded: 5000,
      cause: 'complete',
      at: pinhole.at,
    },
  );
  stand.tell(stand.flow('destroy', undefined));
  assert.equal(stand.of('transfer-ended').length, 1);
});

test('what is told of a connection after its end counts for it', async (t) => {
  const stand = await Stand.start(t);
  await stand.plane.open(stand.passive());
  stand.listed = [];
  stand.happens(
    stand.flow('new', 'SYN_SENT'),
    stand.flow('update', 'TIME_WAIT'),
    stand.flow('destroy', undefined, { bytes: { sent: 1, returned: 2 } }),
  );
  const { uploaded, downloaded } = await stand.event('transfer-ended');
  assert.deepEqual([uploaded, downloaded], [1, 2]);
});

test('a pinhole that was taken before it is taken back is taken', async (t) => {
  const stand = await Stand.start(t);
  const pinhole = await stand.plane.open(stand.passive());
  stand.happens(stand.flow('new', 'SYN_SENT'));
  pinhole.close('replaced');
  assert.deepEqual([stand.of('pinhole-closed').length, stand.of('pinhole-taken').length], [0, 1]);
});

test('pinholes that were taken before they expire are taken', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const stand = await Stand.start(t);
  for (const port of [50000, 50001, 50002]) {
    await stand.plane.open(stand.passive({ ports: { first: port, last: port }, timeout: 0 }));
  }
  for (const port of [50000, 50002]) {
    stand.happens(stand.flow('new', 'SYN_SENT', { id: port, at: { address: reached, port } }));
  }
  t.mock.timers.tick(1000);
  const portsOf = (type: 'pinhole-taken' | 'pinhole-closed'): number[] =>
    stand.of(type).map((event) => ('at' in event ? event.at.port : 0));
  assert.deepEqual(portsOf('pinhole-taken'), [50000, 50002]);
  assert.deepEqual(portsOf('pinhole-closed'), [50001]);
  assert.equal(stand.owner.open, 2);
});

test('counts a data channel that has begun, and none that has ended, before it was told of either', async (t) => {
  const stand = await Stand.start(t);
  await stand.plane.open(stand.passive());
  stand.happens(stand.flow('new', 'SYN_SENT'));
  assert.equal(stand.plane.channels, 1);
  stand.happens(stand.flow('update', 'TIME_WAIT'));
  assert.equal(stand.plane.channels, 0);
});

test('a port that was taken before another asks for it is free', async (t) => {
  const stand = await Stand.start(t);
  await stand.plane.open(stand.passive());
  stand.happens(stand.flow('new', 'SYN_SENT'));
  await stand.plane.open(stand.passive());
});

test('a source that was taken before another asks for it is free', async (t) => {
  const stand = await Stand.start(t);
  await stand.plane.open(stand.active());
  const ends = { from: { address: server, port: 20 }, at: { address: inside, port: 51000 } };
  stand.happens(stand.flow('new', 'SYN_SENT', ends));
  stand.tracked.set('198.51.100.10:40000 198.51.100.1:20', 'ESTABLISHED');
  // To the same port of the client: the kernel would drop a second connection between the same ends.
  const second = await stand.plane.open(stand.active({ ports: { first: 51001, last: 51001 } }));
  await settled();
  assert.deepEqual(stand.nft.elements('from_port4'), []);
  assert.deepEqual(stand.nft.elements('from4'), ['10.77.0.2 . 198.51.100.10 . 40000 : 198.51.100.1']);
  stand.tell(stand.flow('new', 'SYN_SENT', { id: 2, from: ends.from, at: second.at }));
  const elsewhere = stand.active({ from: { address: address('198.51.100.2'), port: 20 } });
  await stand.plane.open(elsewhere);
});

test('distinguishes what the client sent and received on an active connection', async (t) => {
  const stand = await Stand.start(t);
  await (await stand.plane.open(stand.active())).arm();
  const ends = { from: { address: server, port: 20 }, at: { address: inside, port: 51000 } };
  stand.tell(stand.flow('new', 'SYN_SENT', ends), stand.flow('update', 'ESTABLISHED', ends));
  stand.tell(stand.flow('destroy', undefined, { ...ends, bytes: { sent: 5000, returned: 100 } }));
  const { uploaded, downloaded } = await stand.event('transfer-ended');
  assert.deepEqual([uploaded, downloaded], [100, 5000]);
});

for (const [cause, states, mode] of [
  ['complete', ['SYN_SENT', 'ESTABLISHED', 'FIN_WAIT', 'LAST_ACK', 'TIME_WAIT'], 'passive'],
  ['complete', ['SYN_SENT', 'ESTABLISHED', 'FIN_WAIT', 'LAST_ACK'], 'passive'],
  ['reset', ['SYN_SENT', 'SYN_RECV', 'ESTABLISHED', 'CLOSE'], 'passive'],
  ['server-unreachable', ['SYN_SENT', 'CLOSE'], 'passive'],
  ['server-unreachable', ['SYN_SENT'], 'passive'],
  ['client-unreachable', ['SYN_SENT', 'CLOSE'], 'active'],
  ['data-idle-timeout', ['SYN_SENT', 'ESTABLISHED'], 'passive'],
] as const) {
  test(`names ${cause} what went through ${states.join(', ')} in ${mode} mode`, async (t) => {
    const stand = await Stand.start(t);
    const isPassive = mode === 'passive';
    await (await stand.plane.open(isPassive ? stand.passive() : stand.active())).arm();
    const ends = isPassive
      ? {}
      : { from: { address: server, port: 20 }, at: { address: inside, port: 51000 } };
    states.forEach((state, index) => {
      stand.tell(stand.flow(index === 0 ? 'new' : 'update', state, ends));
    });
    stand.tell(stand.flow('destroy', undefined, ends));
    assert.equal((await stand.event('transfer-ended')).cause, cause);
    assert.equal(stand.owner.open, 0);
  });
}

test('a connection that the kernel let in just before its pinhole was taken back is followed too', async (t) => {
  const stand = await Stand.start(t);
  const pinhole = await stand.plane.open(stand.passive());
  stand.happensBefore('delete-element', stand.flow('new', 'SYN_SENT'));
  pinhole.close('replaced');
  await stand.event('pinhole-taken');
  assert.equal(stand.owner.open, 1);
  stand.tell(stand.flow('destroy', undefined));
  await stand.event('transfer-ended');
});

test('a connection to the last pinhole is heard of, however late, though nothing else is pending', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const stand = await Stand.start(t);
  (await stand.plane.open(stand.passive())).close('replaced');
  t.mock.timers.tick(1000);
  stand.happens(stand.flow('new', 'SYN_SENT'));
  t.mock.timers.tick(1000);
  assert.equal(stand.of('pinhole-taken').length, 1);
});

test('who connects to a tuple that was opened again takes the later pinhole', async (t) => {
  const stand = await Stand.start(t);
  (await stand.plane.open(stand.passive())).close('replaced');
  await stand.plane.open(stand.passive());
  stand.tell(stand.flow('new', 'SYN_SENT'));
  assert.equal((await stand.event('pinhole-taken')).expectation, 2);
});

test('a connection to a pinhole that was taken back does not use up the next one of the same tuple', async (t) => {
  const stand = await Stand.start(t);
  const first = await stand.plane.open(stand.passive());
  first.close('replaced');
  stand.happensBefore('add-element', stand.flow('new', 'SYN_SENT'));
  await stand.plane.open(stand.passive({ to: { address: server, port: 30001 } }));
  const expectations = (): (number | undefined)[] =>
    stand.of('pinhole-taken').map((event) => ('expectation' in event ? event.expectation : undefined));
  assert.deepEqual(expectations(), [1]);
  await settled();
  assert.deepEqual(stand.nft.elements('expect4'), ['198.51.100.10 . 198.51.100.1 . 50000']);
  assert.deepEqual(stand.nft.elements('to4'), ['198.51.100.10 . 198.51.100.1 . 50000 : 10.77.0.2 . 30001']);
  stand.tell(stand.flow('new', 'SYN_SENT', { id: 2 }));
  assert.deepEqual(expectations(), [1, 2]);
});

test('an active connection comes from any port while another has the ends that it was to have', async (t) => {
  const stand = await Stand.start(t);
  stand.tracked.set('198.51.100.10:40000 198.51.100.1:20', 'ESTABLISHED');
  const first = await stand.plane.open(stand.active());
  assert.deepEqual(stand.nft.elements('from_port4'), []);
  assert.deepEqual(stand.nft.elements('from4'), ['10.77.0.2 . 198.51.100.10 . 40000 : 198.51.100.1']);
  first.close('replaced');
  // Conntrack has forgotten it.
  stand.tracked.clear();
  await stand.plane.open(stand.active());
  assert.deepEqual(stand.nft.elements('from4'), []);
  assert.deepEqual(stand.nft.elements('from_port4'), [
    '10.77.0.2 . 198.51.100.10 . 40000 : 198.51.100.1 . 20',
  ]);
});

test('connections of nobody are nothing', async (t) => {
  const stand = await Stand.start(t);
  stand.tell(
    stand.flow('new', 'SYN_SENT'),
    stand.flow('update', 'TIME_WAIT'),
    stand.flow('destroy', undefined),
  );
  assert.deepEqual(stand.events, []);
});

test('an older connection of the same tuple does not use a pinhole up', async (t) => {
  const stand = await Stand.start(t);
  await stand.plane.open(stand.passive());
  for (const state of ['FIN_WAIT', 'CLOSE_WAIT', 'TIME_WAIT']) stand.tell(stand.flow('update', state));
  stand.tell(stand.flow('destroy', undefined));
  assert.deepEqual(stand.of('pinhole-taken'), []);
  assert.equal(stand.nft.elements('expect4').length, 1);
  stand.tell(stand.flow('new', 'SYN_SENT', { id: 2 }));
  await stand.event('pinhole-taken');
});

test('if events were lost, the list shows what has begun and what has ended', async (t) => {
  const stand = await Stand.start(t);
  await stand.plane.open(stand.passive());
  stand.listed = [stand.flow('listed', 'ESTABLISHED')];
  stand.missed();
  await stand.event('pinhole-taken');
  assert.equal(stand.owner.open, 1);
  stand.listed = undefined;
  stand.missed();
  assert.equal(stand.owner.open, 1);
  stand.listed = [];
  stand.missed();
  await stand.event('transfer-ended');
  assert.equal(stand.owner.open, 0);

  const ends = { id: 2, from: { address: server, port: 20 }, at: { address: inside, port: 51000 } };
  await (await stand.plane.open(stand.active())).arm();
  stand.tell(stand.flow('new', 'SYN_SENT', ends));
  stand.missed();
  await stand.event('transfer-ended', 2);
  await (await stand.plane.open(stand.active())).arm();
  assert.equal(stand.nft.elements('from_port4').length, 1);
});

test('a pinhole is there again where its connection was never established', async (t) => {
  const stand = await Stand.start(t);
  await stand.plane.open(stand.passive());
  stand.tell(stand.flow('new', 'SYN_SENT'));
  await stand.event('pinhole-taken');
  stand.tell(stand.flow('update', 'CLOSE'));
  await stand.event('transfer-ended');
  await settled();
  assert.equal(stand.nft.elements('expect4').length, 1);
  assert.equal(stand.nft.elements('to4').length, 1);
  stand.tell(stand.flow('new', 'SYN_SENT', { id: 2 }), stand.flow('update', 'ESTABLISHED', { id: 2 }));
  await stand.event('pinhole-taken', 2);
  stand.tell(stand.flow('update', 'TIME_WAIT', { id: 2 }));
  await stand.event('transfer-ended', 2);
  await settled();
  assert.deepEqual(stand.nft.elements('expect4'), []);
});

test('a pinhole does not come back that its session has replaced, whose transfer is over, or that has expired', async (t) => {
  for (const after of ['close', 'retire', 'expiry'] as const) {
    const stand = await Stand.start(t);
    const pinhole = await stand.plane.open(stand.passive(after === 'expiry' ? { timeout: 1 } : {}));
    stand.tell(stand.flow('new', 'SYN_SENT'));
    await stand.event('pinhole-taken');
    if (after === 'close') pinhole.close('replaced');
    if (after === 'retire') pinhole.retire?.();
    if (after === 'expiry') await setTimeout(5);
    stand.tell(stand.flow('update', 'CLOSE'));
    await stand.event('transfer-ended');
    await settled();
    assert.deepEqual(stand.nft.elements('expect4'), [], after);
  }
});

test('a connection that is not established in time is forgotten by the kernel', async (t) => {
  const stand = await Stand.start(t);
  await stand.plane.open(stand.passive());
  stand.tell(stand.flow('new', 'SYN_SENT'));
  await stand.event('pinhole-taken');
  await stand.forgets(1);
});

test('an active pinhole is not opened where the server has a connection, and an old one is forgotten', async (t) => {
  const stand = await Stand.start(t);
  const ports = { first: 51000, last: 51001 };
  stand.tracked.set('10.77.0.2:20 10.77.0.1:51000', 'ESTABLISHED');
  stand.tracked.set('10.77.0.2:20 10.77.0.1:51001', 'CLOSE');
  const { at } = await stand.plane.open(stand.active({ ports, preferredPort: 51000 }));
  assert.equal(at.port, 51001);
  assert.deepEqual(stand.forgotten, [99]);
});

test('a pinhole that nobody takes expires', async (t) => {
  const stand = await Stand.start(t);
  await stand.plane.open(stand.passive({ timeout: 1 }));
  const { reason } = await stand.event('pinhole-closed');
  assert.equal(reason, 'expired');
  await settled();
  assert.deepEqual(stand.elements(), {});
});

test('two paths of one peer to one place share their source, and each ends alone', async (t) => {
  const stand = await Stand.start(t);
  const first = await stand.plane.open(stand.passive());
  const second = await stand.plane.open(stand.passive({ ports: { first: 50001, last: 50001 } }));
  assert.equal(stand.nft.elements('from4').length, 1);
  first.close('replaced');
  await settled();
  assert.equal(stand.nft.elements('from4').length, 1);
  const elsewhere = stand.passive({ from: { address: address('10.77.0.9'), port: 0 } });
  await assert.rejects(stand.plane.open(elsewhere), /is already forwarded to .* from 10\.77\.0\.1/);
  second.close('replaced');
  await settled();
  assert.deepEqual(stand.elements(), {});
  await stand.plane.open(elsewhere);
});

test('a full set fails one pinhole and leaves the others', async (t) => {
  const stand = await Stand.start(t);
  stand.nft.capacity = 1;
  const [first, second] = await Promise.allSettled([
    stand.plane.open(stand.passive()),
    stand.plane.open(stand.passive({ peer: other })),
  ]);
  assert.equal(first.status, 'fulfilled');
  assert.ok(second.status === 'rejected' && second.reason instanceof NftError);
  assert.equal(stand.nft.elements('expect4').length, 1);
  // The failed one holds no port.
  stand.nft.capacity = 2;
  await stand.plane.open(stand.passive({ peer: other }));
});

test('makes a table that somebody has deleted again, with all that were pending', async (t) => {
  const stand = await Stand.start(t);
  await stand.plane.open(stand.passive());
  await stand.plane.open(stand.active());
  stand.nft.sets = undefined;
  const ports = { first: 50001, last: 50002 };
  await Promise.all([stand.plane.open(stand.passive({ ports })), stand.plane.open(stand.passive({ ports }))]);
  assert.equal(stand.nft.elements('expect4').length, 4);
  assert.equal(stand.of('table-restored').length, 1);
});

test('a table that is made again lets nobody in where somebody has come already', async (t) => {
  const stand = await Stand.start(t);
  await stand.plane.open(stand.passive());
  const opening = stand.plane.open(stand.passive({ peer: other }));
  stand.happens(stand.flow('new', 'SYN_SENT'));
  stand.nft.sets = undefined;
  await opening;
  assert.deepEqual(stand.nft.elements('expect4'), ['198.51.100.11 . 198.51.100.1 . 50000']);
  assert.equal(stand.of('pinhole-taken').length, 1);
});

test('a table that cannot be made again fails the pinhole, which holds no port, and the next one makes it', async (t) => {
  const stand = await Stand.start(t);
  await stand.plane.open(stand.passive({ peer: other }));
  stand.nft.sets = undefined;
  stand.nft.failure = (statements) =>
    statements.some(({ kind }) => kind === 'table') ? new NftError('other', 'nftables: no') : undefined;
  await assert.rejects(stand.plane.open(stand.passive()), { message: 'nftables: no' });
  assert.deepEqual(stand.of('table-restored'), []);
  stand.nft.failure = () => undefined;
  await stand.plane.open(stand.passive());
  assert.equal(stand.nft.elements('expect4').length, 2);
  assert.equal(stand.of('table-restored').length, 1);
});

test('does not try to lead IPv6 to IPv4', async (t) => {
  const stand = await Stand.start(t);
  const request = stand.passive({ peer: address('2001:db8::1'), address: address('2001:db8::2') });
  await assert.rejects(stand.plane.open(request), /one is IPv4, the other IPv6/);
});

test('takes its pinholes back at the end, and nothing waits for data channels without a grace', async (t) => {
  const stand = await Stand.start(t);
  await stand.plane.open(stand.passive());
  stand.tell(stand.flow('new', 'SYN_SENT'));
  await stand.plane.open(stand.passive());
  const closing = stand.plane.close(0);
  // Done before it returns: the process may end next.
  assert.deepEqual(stand.elements(), {});
  assert.ok(!stand.following);
  await closing;
  assert.equal(stand.of('pinhole-closed').length, 1);
});

test('tells how far each transfer is, as far as the kernel counts', async (t) => {
  const stand = await Stand.start(t);
  assert.deepEqual(stand.plane.progress(), []);
  await stand.plane.open(stand.passive());
  stand.tell(stand.flow('new', 'SYN_SENT'), stand.flow('update', 'ESTABLISHED'));
  const [{ expectation = 0 } = {}] = stand.of('pinhole-taken') as { readonly expectation?: number }[];
  stand.listed = [stand.flow('listed', 'ESTABLISHED', { bytes: { sent: 7, returned: 5000 } })];
  assert.deepEqual(stand.plane.progress(), [{ expectation, uploaded: 7, downloaded: 5000 }]);
  stand.listed = undefined;
  assert.deepEqual(stand.plane.progress(), [{ expectation, uploaded: undefined, downloaded: undefined }]);
});

test('holds no reply back for what the kernel carries, and cuts nothing off', async (t) => {
  const stand = await Stand.start(t);
  const pinhole = await stand.plane.open(stand.passive());
  stand.tell(stand.flow('new', 'SYN_SENT'), stand.flow('update', 'ESTABLISHED'));
  const command = { verb: 'RETR', path: 'file', isRelative: true };
  pinhole.serve(command);
  pinhole.accept({ ...command, path: '/file', isRelative: false });
  pinhole.hurry();
  const outcomes = [
    await pinhole.connected(),
    await pinhole.delivered({ isUpload: false, isRefusal: false }),
  ];
  assert.deepEqual(outcomes, [{ kind: 'well' }, { kind: 'well' }]);
  assert.equal(pinhole.abort('closed-by-administrator'), false);
  assert.equal(stand.owner.open, 1);
  stand.tell(stand.flow('destroy', undefined));
  assert.equal((await stand.event('transfer-ended')).command?.path, '/file');
});

test('takes no connection for a transfer whose command the server has refused', async (t) => {
  const stand = await Stand.start(t);
  const pinhole = await stand.plane.open(stand.passive());
  stand.tell(stand.flow('new', 'SYN_SENT'), stand.flow('update', 'ESTABLISHED'));
  pinhole.serve({ verb: 'RETR', path: 'file', isRelative: true });
  pinhole.refuse();
  stand.tell(stand.flow('update', 'TIME_WAIT'), stand.flow('destroy', undefined));
  assert.equal((await stand.event('data-channel-closed')).command, undefined);
  assert.equal(stand.of('transfer-ended').length, 0);
});

test('waits for the data channel of a client that comes at the last moment', async (t) => {
  const stand = await Stand.start(t);
  await stand.plane.open(stand.passive());
  stand.happensBefore('delete-element', stand.flow('new', 'SYN_SENT'));
  const closing = stand.plane.close(60_000);
  await settled();
  assert.ok(stand.following);
  stand.tell(stand.flow('destroy', undefined));
  await closing;
  assert.equal(stand.of('transfer-ended').length, 1);
});

test('tells of a data channel that has ended when the grace is over', async (t) => {
  const stand = await Stand.start(t);
  await stand.plane.open(stand.passive());
  stand.tell(stand.flow('new', 'SYN_SENT'));
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const closing = stand.plane.close(1000);
  stand.happens(stand.flow('destroy', undefined));
  t.mock.timers.tick(1000);
  await closing;
  assert.equal(stand.of('transfer-ended').length, 1);
});

test('waits for data channels until they have ended or the grace is over', async (t) => {
  const stand = await Stand.start(t);
  await stand.plane.open(stand.passive());
  stand.tell(stand.flow('new', 'SYN_SENT'));
  const closing = stand.plane.close(60_000);
  await settled();
  assert.ok(stand.following);
  stand.tell(stand.flow('destroy', undefined));
  await closing;
  assert.ok(!stand.following);

  const second = await Stand.start(t);
  await second.plane.open(second.passive());
  second.tell(second.flow('new', 'SYN_SENT'));
  await second.plane.close(1);
  assert.ok(!second.following);
});
