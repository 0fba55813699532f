import assert from 'node:assert/strict';
import { test } from 'node:test';
import { leastBusy } from '../../src/workers/choose.ts';

test('chooses the one with the fewest sessions, of several the first', () => {
  const workers = [3, 1, 2, 1].map((sessions, place) => ({ place, sessions }));
  assert.equal(leastBusy(workers)?.place, 1);
});

test('chooses none where there is none', () => {
  assert.equal(leastBusy<{ sessions: number }>([]), undefined);
});
