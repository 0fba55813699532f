import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Refusals } from '../../../src/proxy/session/refusals.ts';

test('lets ten refusals in a row cost nothing, and each further one more, up to a second', () => {
  const refusals = new Refusals(0);
  const delays = Array.from({ length: 20 }, () => refusals.add());
  assert.deepEqual(delays, [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 20, 40, 80, 160, 320, 640, 1000, 1000, 1000, 1000]);
});

test('ends the session at the most that there may be', () => {
  const refusals = new Refusals(3);
  assert.deepEqual([refusals.add(), refusals.add(), refusals.add()], [0, 0, undefined]);
  assert.equal(refusals.count, 3);
});

test('begins anew after an answer that was none', () => {
  const refusals = new Refusals(3);
  refusals.add();
  refusals.add();
  refusals.clear();
  assert.deepEqual([refusals.add(), refusals.add(), refusals.add()], [0, 0, undefined]);
});
