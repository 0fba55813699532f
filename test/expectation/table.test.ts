import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Expectation } from '../../src/expectation/expectation.ts';
import { ExpectationRegister } from '../../src/expectation/register.ts';
import { ExpectationTable, type Claim } from '../../src/expectation/table.ts';
import { contains } from '../../src/net/cidr.ts';
import type { Endpoint } from '../../src/net/endpoint.ts';
import { address, network } from '../data/sessions.ts';

const at: Endpoint = { address: address('203.0.113.1'), port: 50000 };
const client = address('198.51.100.10');
const stranger = address('192.0.2.66');

interface Pinhole {
  readonly expectation: Expectation;
}

function pinhole(changes: Partial<Expectation> = {}): Pinhole {
  const expectation: Expectation = {
    id: 1,
    session: 1,
    plane: 'relay',
    mode: 'passive',
    peer: client,
    alsoFrom: [],
    at,
    to: { address: address('10.77.0.2'), port: 51213 },
    expires: 300_000,
    ...changes,
  };
  return { expectation };
}

/** It keeps what has expired. */
class Table extends ExpectationTable<Pinhole> {
  readonly #gone: Pinhole[];

  constructor(...pinholes: Pinhole[]) {
    const gone: Pinhole[] = [];
    super({ plane: 'relay', expired: (one) => gone.push(one) });
    this.#gone = gone;
    for (const one of pinholes) this.add(one);
  }

  /** Those that expire now. */
  expiredAt(now: number): Pinhole[] {
    this.expire(now);
    return this.#gone.splice(0);
  }
}

function tableOf(...pinholes: Pinhole[]): Table {
  return new Table(...pinholes);
}

const refused = (reason: string): unknown => ({ kind: 'refused', reason });

test('gives an expectation to the first connection of the right peer, and to no second one', () => {
  const one = pinhole();
  const table = tableOf(one);
  assert.deepEqual(table.claim(at, client, 0), { kind: 'taken', pinhole: one });
  assert.deepEqual(table.claim(at, client, 0), refused('stranger'));
  assert.equal(table.size, 0);
});

test('refuses a stranger, whose connection does not use the expectation up', () => {
  const table = tableOf(pinhole());
  assert.deepEqual(table.claim(at, stranger, 0), refused('stranger'));
  assert.deepEqual(table.claim({ ...at, port: 50001 }, client, 0), refused('stranger'));
  assert.equal(table.claim(at, client, 0).kind, 'taken');
});

test('refuses the right peer once the expectation has expired', () => {
  const table = tableOf(pinhole({ expires: 1000 }));
  assert.deepEqual(table.claim(at, client, 1000), refused('expired'));
  assert.equal(table.claim(at, client, 999).kind, 'taken');
});

test('expects two clients at one endpoint at once, and tells them apart', () => {
  const other = address('198.51.100.11');
  const [one, two] = [pinhole(), pinhole({ id: 2, session: 2, peer: other })];
  const table = tableOf(one, two);
  assert.equal(table.size, 2);
  assert.deepEqual(
    [table.has(at, client), table.has(at, other), table.has(at, stranger)],
    [true, true, false],
  );
  assert.deepEqual(table.claim(at, other, 0), { kind: 'taken', pinhole: two });
  assert.deepEqual(table.claim(at, client, 0), { kind: 'taken', pinhole: one });
});

test('does not expect one client twice at one endpoint', () => {
  const table = tableOf(pinhole());
  assert.throws(() => {
    table.add(pinhole({ id: 2 }));
  }, /198\.51\.100\.10 is expected at 203\.0\.113\.1:50000 already/);
  assert.equal(table.size, 1);
});

test('takes out what has expired, and leaves the rest', () => {
  const early = pinhole({ expires: 10 });
  const late = pinhole({ id: 2, expires: 11, at: { ...at, port: 50001 } });
  const table = tableOf(early, late);
  assert.deepEqual(table.expiredAt(9), []);
  assert.deepEqual(table.expiredAt(10), [early]);
  assert.equal(table.size, 1);
  assert.deepEqual(table.expiredAt(1000), [late]);
});

test('removes an expectation once, and never another in its place', () => {
  const one = pinhole();
  const table = tableOf(one);
  assert.equal(table.close(pinhole({ id: 7 })), false);
  assert.equal(table.close(one), true);
  assert.equal(table.close(one), false);
  assert.equal(table.size, 0);
});

test('takes a third host of the FXP networks, where it can tell which expectation it means', () => {
  const fxp = [network('192.0.2.0/24')];
  const one = pinhole({ alsoFrom: fxp });
  assert.deepEqual(tableOf(one).claim(at, stranger, 0), { kind: 'taken', pinhole: one });
  const two = pinhole({ id: 2, peer: address('198.51.100.11'), alsoFrom: fxp });
  assert.deepEqual(tableOf(one, two).claim(at, stranger, 0), refused('stranger'));
  const own = pinhole({ id: 3, peer: stranger, alsoFrom: fxp });
  assert.deepEqual(tableOf(one, two, own).claim(at, stranger, 0), { kind: 'taken', pinhole: own });
});

test('keeps IPv4 and IPv6 endpoints apart', () => {
  const six = { address: address('2001:db8::1'), port: 50000 };
  const table = tableOf(pinhole(), pinhole({ id: 2, at: six, peer: address('2001:db8::10') }));
  assert.deepEqual(table.claim(six, client, 0), refused('stranger'));
  assert.equal(table.claim(six, address('2001:db8::10'), 0).kind, 'taken');
});

test('tells of what has expired, after a look at who has come by then', (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  let now = 0;
  let comes = false;
  const told: Pinhole[] = [];
  const table: ExpectationTable<Pinhole> = new ExpectationTable<Pinhole>({
    plane: 'kernel',
    now: () => now,
    expired: (one) => told.push(one),
    look: () => {
      if (comes) table.claim(at, client, 0);
    },
  });
  const [first, second] = [pinhole({ expires: 500 }), pinhole({ id: 2, expires: 500 })];
  table.add(first);
  t.mock.timers.tick(1000);
  assert.ok(table.isPending(first));
  now = 500;
  t.mock.timers.tick(1000);
  assert.deepEqual(told, [first]);
  assert.ok(!table.isPending(first));
  table.add(second);
  comes = true;
  t.mock.timers.tick(1000);
  assert.deepEqual([told, table.size], [[first], 0]);
});

test('puts back a pinhole that was taken', () => {
  const one = pinhole();
  const table = tableOf(one);
  table.claim(at, client, 0);
  assert.ok(table.isFree(at, client));
  table.add(one);
  assert.ok(table.isPending(one) && !table.isFree(at, client));
});

test('gives the endpoints where a peer is expected on no plane, after one look at who has come', () => {
  const register = new ExpectationRegister();
  const wanted = {
    session: 1,
    mode: 'active',
    peer: client,
    alsoFrom: [],
    address: at.address,
    ports: { first: 50000, last: 50003 },
    preferredPort: 50000,
    to: at,
    timeout: 1000,
  } as const;
  let looks = 0;
  const relay = new ExpectationTable<Pinhole>({ plane: 'relay', register, expired: () => undefined });
  const kernel = new ExpectationTable<Pinhole>({
    plane: 'kernel',
    register,
    now: () => 500,
    expired: () => undefined,
    look: () => looks++,
    isBlocked: ({ port }) => port === 50002,
  });
  relay.add(pinhole({ at: { ...at, port: 50001 } }));
  kernel.add({ expectation: kernel.record(wanted, at) });
  for (const table of [relay, kernel]) {
    const ports = [...table.freeEndpoints(wanted, () => 0)].map(({ port }) => port);
    assert.deepEqual(new Set(ports), new Set([50003]));
  }
  assert.equal(looks, 1);
  const [{ expectation } = assert.fail()] = kernel.pending;
  assert.deepEqual(
    [expectation.id, expectation.plane, expectation.expires, expectation.at],
    [1, 'kernel', 1500, at],
  );
});

/** The table as one list that is searched. */
class Model {
  list: Pinhole[] = [];

  find(where: Endpoint, peer: string): Pinhole | undefined {
    return this.list.find(({ expectation: one }) => one.at.port === where.port && one.peer === peer);
  }

  drop(gone: readonly Pinhole[]): void {
    this.list = this.list.filter((one) => !gone.includes(one));
  }

  claim(where: Endpoint, from: typeof client, now: number): Claim<Pinhole> {
    const third = this.list.filter(
      ({ expectation: one }) =>
        one.at.port === where.port &&
        one.expires > now &&
        one.alsoFrom.some((allowed) => contains(allowed, from)),
    );
    const one = this.find(where, from) ?? (third.length === 1 ? third[0] : undefined);
    if (!one) return { kind: 'refused', reason: 'stranger' };
    if (one.expectation.expires <= now) return { kind: 'refused', reason: 'expired' };
    this.drop([one]);
    return { kind: 'taken', pinhole: one };
  }

  expire(now: number): Pinhole[] {
    const gone = this.list.filter((one) => one.expectation.expires <= now);
    this.drop(gone);
    return gone;
  }
}

test('does what a plain list would do', () => {
  const step = fc.record({
    kind: fc.constantFrom('add', 'add', 'claim', 'expire', 'remove'),
    port: fc.integer({ min: 50000, max: 50001 }),
    peer: fc.constantFrom(client, address('198.51.100.11'), stranger),
    fxp: fc.boolean(),
    time: fc.nat(9),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const table = new Table();
      const model = new Model();
      for (const [id, { kind, port, peer, fxp, time }] of steps.entries()) {
        const where = { ...at, port };
        const known = model.find(where, peer);
        assert.equal(table.has(where, peer), known !== undefined);
        if (kind === 'add' && !known) {
          const alsoFrom = fxp ? [network('192.0.2.0/24')] : [];
          const one = pinhole({ id, at: where, peer, alsoFrom, expires: time });
          table.add(one);
          model.list.push(one);
        } else if (kind === 'claim') {
          assert.deepEqual(table.claim(where, peer, time), model.claim(where, peer, time));
        } else if (kind === 'expire') {
          assert.deepEqual(new Set(table.expiredAt(time)), new Set(model.expire(time)));
        } else if (kind === 'remove' && known) {
          assert.equal(table.close(known), true);
          model.drop([known]);
        }
        assert.equal(table.size, model.list.length);
      }
    }),
  );
});
