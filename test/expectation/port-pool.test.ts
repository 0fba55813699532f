import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { portCandidates } from '../../src/expectation/port-pool.ts';
import { sizeOf } from '../../src/net/port-range.ts';

const ranges = fc
  .tuple(fc.integer({ min: 1, max: 65535 }), fc.nat(300))
  .map(([first, more]) => ({ first, last: Math.min(65535, first + more) }));
const randoms = fc.infiniteStream(fc.nat());

/** Integers from 0 to below what is asked for, from a stream of any. */
function generatorOf(stream: Iterator<number>): (below: number) => number {
  return (below) => {
    const next = stream.next();
    return next.done ? 0 : next.value % below;
  };
}

test('tries every port of the range, and none outside of it', () => {
  fc.assert(
    fc.property(ranges, fc.nat(65535), randoms, (range, preferred, stream) => {
      const ports = [...portCandidates(range, preferred, generatorOf(stream))];
      assert.ok(ports.every((port) => Number.isInteger(port) && port >= range.first && port <= range.last));
      assert.equal(new Set(ports).size, sizeOf(range));
      assert.ok(ports.length <= sizeOf(range) + 17);
    }),
  );
});

test('sweeps the range at last, each port once', () => {
  fc.assert(
    fc.property(ranges, randoms, (range, stream) => {
      const sweep = [...portCandidates(range, 0, generatorOf(stream))].slice(-sizeOf(range));
      assert.equal(new Set(sweep).size, sizeOf(range));
    }),
  );
});

test("tries the server's own number first, where it lies in the range", () => {
  const range = { first: 50000, last: 50999 };
  const first = (preferred: number): number | undefined => {
    const [port] = portCandidates(range, preferred, (below) => below / 2);
    return port;
  };
  for (const port of [50000, 50123, 50999]) assert.equal(first(port), port);
  for (const port of [0, 21, 49999, 51000, 65535]) assert.equal(first(port), 50500);
});

test('picks at random before it sweeps, so that the next port can not be guessed', () => {
  let calls = 0;
  const random = (): number => (calls++ % 10) * 10;
  const ports = [...portCandidates({ first: 50000, last: 50099 }, 0, random)];
  assert.deepEqual(ports.slice(0, 4), [50000, 50010, 50020, 50030]);
  assert.deepEqual(ports.slice(16, 20), [50060, 50061, 50062, 50063]);
});

test('picks no more often at random than the range has ports', () => {
  assert.deepEqual([...portCandidates({ first: 50000, last: 50000 }, 50000, () => 0)], [50000, 50000, 50000]);
});
