import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BackOff } from '../../src/workers/back-off.ts';

test('starts a process that had run for a while at once', () => {
  const backOff = new BackOff();
  assert.deepEqual([backOff.died(10_000), backOff.died(3_600_000)], [0, 0]);
});

test('waits twice as long each time that it dies soon after its start, and half a minute at most', () => {
  const backOff = new BackOff();
  const waits = Array.from({ length: 9 }, () => backOff.died(9999));
  assert.deepEqual(waits, [500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
});

test('begins anew once a process has run for a while', () => {
  const backOff = new BackOff();
  backOff.died(0);
  backOff.died(0);
  backOff.died(10_000);
  assert.equal(backOff.died(0), 500);
});
