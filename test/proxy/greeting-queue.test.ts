import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GreetingQueue, type GreetingPlace } from '../../src/proxy/greeting-queue.ts';
import { turns } from '../helpers/relay/within.ts';

const long = 60_000;

/** Which of them are let in, and their places. */
function watch(
  queue: GreetingQueue,
  client: string,
  count: number,
): { readonly seen: string[]; readonly places: readonly GreetingPlace[] } {
  const seen: string[] = [];
  const places = Array.from({ length: count }, () => queue.enter(client, 2, long));
  for (const [number, { turn }] of places.entries()) {
    void turn.then((isIn) => seen.push(`${number} ${isIn ? 'in' : 'late'}`));
  }
  return { seen, places };
}

test('lets in as many of a client as may wait for a greeting, and others as these are greeted', async () => {
  const queue = new GreetingQueue();
  const { seen, places } = watch(queue, 'a', 4);
  await turns();
  assert.deepEqual(seen, ['0 in', '1 in']);
  places[0]?.leave();
  await turns();
  assert.deepEqual(seen, ['0 in', '1 in', '2 in']);
  for (const place of places.slice(1)) place.leave();
  await turns();
  assert.deepEqual(seen, ['0 in', '1 in', '2 in', '3 in']);
});

test('lets a session that was greeted leave once, when it ends as well', async () => {
  const queue = new GreetingQueue();
  const { seen, places } = watch(queue, 'a', 4);
  places[0]?.leave();
  places[0]?.leave();
  await turns();
  assert.deepEqual(seen, ['0 in', '1 in', '2 in']);
});

test('lets other clients in meanwhile', async () => {
  const queue = new GreetingQueue();
  watch(queue, 'a', 4);
  const { seen } = watch(queue, 'b', 2);
  await turns();
  assert.deepEqual(seen, ['0 in', '1 in']);
});

test('says so where it is not greeted in time, and counts that one no more', async () => {
  const queue = new GreetingQueue();
  const [first, second] = [queue.enter('a', 1, long), queue.enter('a', 1, 1)];
  assert.equal(await first.turn, true);
  assert.equal(await second.turn, false);
  const third = queue.enter('a', 1, long);
  first.leave();
  assert.equal(await third.turn, true);
});

test('lets one that waits give up', async () => {
  const queue = new GreetingQueue();
  queue.enter('a', 1, long);
  const waiting = queue.enter('a', 1, long);
  waiting.leave();
  assert.equal(await waiting.turn, false);
});
