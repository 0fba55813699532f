import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Expectation } from '../../src/expectation/expectation.ts';
import { ExpectationTable, type Claim } from '../../src/expectation/table.ts';
import { contains } from '../../src/net/cidr.ts';
import type { Endpoint } from '../../src/net/endpoint.ts';
import { address, network } from '../data/sessions.ts';

const at: Endpoint = { address: address('203.0.113.1'), port: 50000 };
const client = address('198.51.100.10');
const stranger = address('192.0.2.66');

function expectation(changes: Partial<Expectation> = {}): Expectation {
  return {
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
}

function tableOf(...expectations: Expectation[]): ExpectationTable {
  const table = new ExpectationTable();
  for (const one of expectations) table.add(one);
  return table;
}

const refused = (reason: string): unknown => ({ kind: 'refused', reason });

test('gives an expectation to the first connection of the right peer, and to no second one', () => {
  const one = expectation();
  const table = tableOf(one);
  assert.deepEqual(table.claim(at, client, 0), { kind: 'taken', expectation: one });
  assert.deepEqual(table.claim(at, client, 0), refused('stranger'));
  assert.equal(table.size, 0);
});

test('refuses a stranger, whose connection does not use the expectation up', () => {
  const table = tableOf(expectation());
  assert.deepEqual(table.claim(at, stranger, 0), refused('stranger'));
  assert.deepEqual(table.claim({ ...at, port: 50001 }, client, 0), refused('stranger'));
  assert.equal(table.claim(at, client, 0).kind, 'taken');
});

test('refuses the right peer once the expectation has expired', () => {
  const table = tableOf(expectation({ expires: 1000 }));
  assert.deepEqual(table.claim(at, client, 1000), refused('expired'));
  assert.equal(table.claim(at, client, 999).kind, 'taken');
});

test('expects two clients at one endpoint at once, and tells them apart', () => {
  const other = address('198.51.100.11');
  const [one, two] = [expectation(), expectation({ id: 2, session: 2, peer: other })];
  const table = tableOf(one, two);
  assert.equal(table.size, 2);
  assert.deepEqual(
    [table.has(at, client), table.has(at, other), table.has(at, stranger)],
    [true, true, false],
  );
  assert.deepEqual(table.claim(at, other, 0), { kind: 'taken', expectation: two });
  assert.deepEqual(table.claim(at, client, 0), { kind: 'taken', expectation: one });
});

test('does not expect one client twice at one endpoint', () => {
  const table = tableOf(expectation());
  assert.throws(() => {
    table.add(expectation({ id: 2 }));
  }, /198\.51\.100\.10 is expected at 203\.0\.113\.1:50000 already/);
  assert.equal(table.size, 1);
});

test('takes out what has expired, and leaves the rest', () => {
  const early = expectation({ expires: 10 });
  const late = expectation({ id: 2, expires: 11, at: { ...at, port: 50001 } });
  const table = tableOf(early, late);
  assert.deepEqual(table.expire(9), []);
  assert.deepEqual(table.expire(10), [early]);
  assert.equal(table.size, 1);
  assert.deepEqual(table.expire(1000), [late]);
});

test('removes an expectation once, and never another in its place', () => {
  const one = expectation();
  const table = tableOf(one);
  assert.equal(table.remove({ ...one, id: 7 }), false);
  assert.equal(table.remove(one), true);
  assert.equal(table.remove(one), false);
  assert.equal(table.size, 0);
});

test('takes a third host of the FXP networks, where it can tell which expectation it means', () => {
  const fxp = [network('192.0.2.0/24')];
  const one = expectation({ alsoFrom: fxp });
  assert.deepEqual(tableOf(one).claim(at, stranger, 0), { kind: 'taken', expectation: one });
  const two = expectation({ id: 2, peer: address('198.51.100.11'), alsoFrom: fxp });
  assert.deepEqual(tableOf(one, two).claim(at, stranger, 0), refused('stranger'));
  const own = expectation({ id: 3, peer: stranger, alsoFrom: fxp });
  assert.deepEqual(tableOf(one, two, own).claim(at, stranger, 0), { kind: 'taken', expectation: own });
});

test('keeps IPv4 and IPv6 endpoints apart', () => {
  const six = { address: address('2001:db8::1'), port: 50000 };
  const table = tableOf(expectation(), expectation({ id: 2, at: six, peer: address('2001:db8::10') }));
  assert.deepEqual(table.claim(six, client, 0), refused('stranger'));
  assert.equal(table.claim(six, address('2001:db8::10'), 0).kind, 'taken');
});

/** The table as one list that is searched. */
class Model {
  list: Expectation[] = [];

  find(where: Endpoint, peer: string): Expectation | undefined {
    return this.list.find((one) => one.at.port === where.port && one.peer === peer);
  }

  drop(gone: readonly Expectation[]): void {
    this.list = this.list.filter((one) => !gone.includes(one));
  }

  claim(where: Endpoint, from: typeof client, now: number): Claim {
    const third = this.list.filter(
      (one) =>
        one.at.port === where.port &&
        one.expires > now &&
        one.alsoFrom.some((allowed) => contains(allowed, from)),
    );
    const one = this.find(where, from) ?? (third.length === 1 ? third[0] : undefined);
    if (!one) return { kind: 'refused', reason: 'stranger' };
    if (one.expires <= now) return { kind: 'refused', reason: 'expired' };
    this.drop([one]);
    return { kind: 'taken', expectation: one };
  }

  expire(now: number): Expectation[] {
    const gone = this.list.filter((one) => one.expires <= now);
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
      const table = new ExpectationTable();
      const model = new Model();
      for (const [id, { kind, port, peer, fxp, time }] of steps.entries()) {
        const where = { ...at, port };
        const known = model.find(where, peer);
        assert.equal(table.has(where, peer), known !== undefined);
        if (kind === 'add' && !known) {
          const alsoFrom = fxp ? [network('192.0.2.0/24')] : [];
          const one = expectation({ id, at: where, peer, alsoFrom, expires: time });
          table.add(one);
          model.list.push(one);
        } else if (kind === 'claim') {
          assert.deepEqual(table.claim(where, peer, time), model.claim(where, peer, time));
        } else if (kind === 'expire') {
          assert.deepEqual(new Set(table.expire(time)), new Set(model.expire(time)));
        } else if (kind === 'remove' && known) {
          assert.equal(table.remove(known), true);
          model.drop([known]);
        }
        assert.equal(table.size, model.list.length);
      }
    }),
  );
});
