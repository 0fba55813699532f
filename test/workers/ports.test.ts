import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { anyPort, type PortRange } from '../../src/net/port-range.ts';
import { halfOf, PortLeases } from '../../src/workers/port-leases.ts';
import { PortShare } from '../../src/workers/port-share.ts';

const lowest = (): number => 0;
const range: PortRange = { first: 50_000, last: 50_009 };
const all = [...Array(10).keys()].map((n) => range.first + n);

function sorted(ports: Iterable<number>): number[] {
  return [...ports].sort((one, other) => one - other);
}

test('shares out every port of the ranges once, evenly, whatever the chance', () => {
  const chance = fc.array(fc.nat(), { minLength: 1, maxLength: 50 });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 8 }), fc.nat({ max: 60 }), chance, (places, size, numbers) => {
      let n = 0;
      const random = (below: number): number => (numbers[n++ % numbers.length] ?? 0) % below;
      const leases = new PortLeases(places, random);
      const ranges = [
        { first: 50_000, last: 50_000 + size },
        { first: 50_000 + Math.floor(size / 2), last: 50_000 + size },
      ];
      const shares = leases.cover(ranges);
      assert.deepEqual(
        sorted(shares.flat()),
        [...Array(size + 1).keys()].map((port) => 50_000 + port),
      );
      const sizes = shares.map(({ length }) => length);
      assert.ok(Math.max(...sizes) - Math.min(...sizes) <= 1);
      shares.forEach((share, place) => {
        assert.deepEqual(sorted(leases.of(place)), sorted(share));
      });
    }),
  );
});

test('shares out only what is new of a range that has grown', () => {
  const leases = new PortLeases(2, lowest);
  leases.cover([{ first: 50_000, last: 50_004 }]);
  assert.deepEqual(sorted(leases.cover([range]).flat()), all.slice(5));
});

test('moves ports only from who has them', () => {
  const leases = new PortLeases(2, lowest);
  leases.cover([range]);
  const [first = 0] = leases.of(0);
  const [other = 0] = leases.of(1);
  assert.deepEqual(leases.move([first, other], 0, 1), [first]);
  assert.equal(leases.of(0).length, 4);
  assert.deepEqual(leases.move([first], 0, 1), []);
});

test('gives half of what is not in use, and the last one too', () => {
  assert.deepEqual([halfOf([]), halfOf([1]), halfOf([1, 2, 3])], [[], [1], [1, 2]]);
  const share = new PortShare();
  share.add(all);
  const used = new Set(all.slice(1));
  assert.deepEqual(share.giveBack(range, used), [50_000]);
  assert.deepEqual(share.giveBack(range, used), []);
  assert.deepEqual(sorted(new Set(share.candidates(range, 0, lowest))), all.slice(1));
});

test('tries its own ports alone, the preferred one first, and each of them', () => {
  const share = new PortShare();
  share.add([50_001, 50_003, 50_005, 51_000]);
  assert.deepEqual([...share.candidates(range, 50_003, lowest)].slice(0, 1), [50_003]);
  assert.notEqual([...share.candidates(range, 50_004, lowest)][0], 50_004);
  const tried = sorted(new Set(share.candidates(range, 51_000, lowest)));
  assert.deepEqual(tried, [50_001, 50_003, 50_005]);
  assert.deepEqual([...new PortShare().candidates(range, 50_003, lowest)], []);
});

test('tries no port that it has given up in the meantime', () => {
  const share = new PortShare();
  share.add([50_001, 50_003]);
  const candidates = share.candidates(range, 0, lowest);
  const first = candidates.next();
  assert.equal(first.done, false);
  const [given] = share.giveBack(range, new Set([first.value]));
  assert.ok(given !== undefined);
  assert.ok(![...candidates].includes(given));
});

test("tries any port of another host's address, the preferred one first, whatever it has itself", () => {
  const share = new PortShare();
  share.add([50_001]);
  const [first, second] = share.candidates(anyPort, 41_234, lowest);
  assert.deepEqual([first, second], [41_234, 1024]);
  assert.equal(new Set(new PortShare().candidates(anyPort, 0, lowest)).size, 65_536 - 1024);
});
