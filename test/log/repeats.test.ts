import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Repeats, type Kind } from '../../src/log/repeats.ts';

const limits = { first: 3, period: 100, kinds: 4 };
const kindOf = (client: string, reason = 'syntax'): Kind => ({
  level: 'warn',
  words: 'command refused',
  client,
  reason,
});
const a = kindOf('192.0.2.1');
const b = kindOf('192.0.2.2');

/** How many of so many are logged. */
function admitted(repeats: Repeats, kind: Kind, count: number, now: number): number {
  return Array.from({ length: count }, () => repeats.admit(kind, now)).filter((is) => is).length;
}

test('logs the first of a kind, and counts the others for the end of the period', () => {
  const repeats = new Repeats(limits);
  assert.equal(admitted(repeats, a, 3, 0), 3);
  assert.equal(repeats.nextDue(), undefined);
  assert.equal(admitted(repeats, a, 5, 50), 0);
  assert.equal(repeats.nextDue(), 100);
  assert.deepEqual(repeats.due(99), []);
  assert.deepEqual(repeats.due(100), [{ ...a, repeated: 5 }]);
  assert.equal(repeats.nextDue(), undefined);
});

test('while it goes on logs one number a period and nothing else', () => {
  const repeats = new Repeats(limits);
  admitted(repeats, a, 10, 0);
  for (const now of [100, 200, 300]) {
    assert.deepEqual(repeats.due(now), [{ ...a, repeated: 7 }]);
    assert.equal(admitted(repeats, a, 7, now + 50), 0);
  }
});

test('begins anew after a period without any', () => {
  const repeats = new Repeats(limits);
  admitted(repeats, a, 10, 0);
  repeats.due(100);
  assert.deepEqual(repeats.due(200), []);
  assert.equal(admitted(repeats, a, 10, 200), 3);
});

test('counts clients and reasons apart', () => {
  const repeats = new Repeats(limits);
  const c = kindOf('192.0.2.1', 'http');
  for (const kind of [a, b, c]) assert.equal(admitted(repeats, kind, 5, 0), 3);
  assert.deepEqual(
    repeats.due(100),
    [a, b, c].map((kind) => ({ ...kind, repeated: 2 })),
  );
});

test('counts together what comes from too many clients, for each reason', () => {
  const repeats = new Repeats(limits);
  let logged = 0;
  for (let n = 0; n < 10_000; n++) {
    for (const reason of ['syntax', 'http']) logged += admitted(repeats, kindOf(`client ${n}`, reason), 1, 0);
  }
  // Four of kinds of their own, and the first three of all others.
  assert.equal(logged, 4 + 2 * 3);
  const { level, words } = a;
  const rest = 10_000 - 2 - 3;
  assert.deepEqual(repeats.due(100), [
    { level, words, reason: 'syntax', repeated: rest },
    { level, words, reason: 'http', repeated: rest },
  ]);
});

test('forgets quiet clients, and distinguishes others instead', () => {
  const repeats = new Repeats(limits);
  for (let n = 0; n < 4; n++) admitted(repeats, kindOf(`client ${n}`), 1, 0);
  assert.deepEqual(repeats.due(100), []);
  assert.equal(admitted(repeats, a, 4, 100), 3);
  assert.deepEqual(repeats.due(200), [{ ...a, repeated: 1 }]);
});

test('gives everything that was not told at once', () => {
  const repeats = new Repeats(limits);
  for (const kind of [a, b]) admitted(repeats, kind, 5, 0);
  assert.deepEqual(
    repeats.takeAll(),
    [a, b].map((kind) => ({ ...kind, repeated: 2 })),
  );
  assert.deepEqual(repeats.takeAll(), []);
  assert.equal(repeats.nextDue(), undefined);
});

test('does not count what may turn out to be no event of its kind, and keeps no line of its own for it', () => {
  const repeats = new Repeats(limits);
  const reserved = Array.from({ length: 5 }, () => repeats.reserve(a, 0));
  assert.deepEqual(reserved, [true, true, true, false, false]);
  repeats.release(a);
  assert.equal(admitted(repeats, a, 2, 50), 1);
  repeats.count(a, 50);
  assert.deepEqual(repeats.due(100), [{ ...a, repeated: 2 }]);
  // Nothing is told of the next period, but it has not paused.
  assert.equal(repeats.reserve(a, 150), false);
  assert.deepEqual(repeats.due(200), []);
  assert.equal(repeats.reserve(a, 250), false);
  assert.deepEqual(repeats.due(300), []);
  assert.deepEqual(repeats.due(400), []);
  assert.equal(repeats.reserve(a, 450), true);
});

test('forgets a client that nothing is left of, and gives back what was common to many', () => {
  const repeats = new Repeats({ ...limits, kinds: 1 });
  repeats.reserve(a, 0);
  repeats.release(a);
  repeats.release(a);
  assert.equal(admitted(repeats, b, 5, 0), 3);
  assert.deepEqual(
    [1, 2, 3, 4].map(() => repeats.reserve(a, 0)),
    [true, true, true, false],
  );
  repeats.release(a);
  assert.equal(repeats.reserve(kindOf('192.0.2.3'), 0), true);
  assert.deepEqual(repeats.takeAll(), [{ ...b, repeated: 2 }]);
});
