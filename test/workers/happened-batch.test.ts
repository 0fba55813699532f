import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Event } from '../../src/events.ts';
import { HappenedBatch } from '../../src/workers/happened-batch.ts';
import type { Happened } from '../../src/workers/messages.ts';
import { events } from '../data/events.ts';

test('tells what happens in batches, in its order, and at once what is in the kernel from then on', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const told: Happened[] = [];
  const batch = new HappenedBatch((happened) => told.push(happened), false);
  const counts = (): number[] => told.map(({ events: each }) => each.length);
  batch.observe(events.opened);
  batch.observe(events.command);
  batch.observe(events.named);
  assert.deepEqual(counts(), []);
  t.mock.timers.tick(20);
  assert.deepEqual(counts(), [2]);
  batch.observe(events.pinholeOpened);
  assert.deepEqual(counts(), [2]);
  batch.observe({ ...events.pinholeOpened, plane: 'kernel' } as Event);
  assert.deepEqual(counts(), [2, 2]);
  t.mock.timers.tick(20);
  assert.deepEqual(counts(), [2, 2]);
});
