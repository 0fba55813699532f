import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GreetingQueue, type GreetingPlace } from '../../src/proxy/greeting-queue.ts';
import { Lab, type ControlPair } from '../support/relay/lab.ts';
import type { Peer } from '../support/relay/peer.ts';
import { turns } from '../support/relay/within.ts';

/** Those that never leave keep the process as long. */
const long = 10_000;

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

test('passes over clients that have gone while they waited, and not over one that has said all it has to say', async (t) => {
  const lab = await Lab.start(t);
  // As many as may wait for a greeting where all are on one host.
  const greeting: ControlPair[] = [];
  for (let n = 0; n < 4; n++) greeting.push(await lab.connect());
  const clients: Peer[] = [];
  for (let n = 0; n < 5; n++) clients.push(await lab.dial(lab.relay));
  const [closed, reset, patient, said, silent] = clients;
  assert.ok(closed && reset && patient && said && silent);
  closed.socket.destroy();
  reset.reset();
  said.end('NOOP\r\n');
  await turns(20);
  assert.equal(lab.server.count, 4);
  for (const [index, words] of ['one', 'two', 'three'].entries()) {
    greeting[index]?.server.send('220 Ready.\r\n');
    const server = await lab.server.next();
    server.send(`220 ${words}.\r\n`);
    if (words === 'two') await server.expect('NOOP\r\n');
  }
  await patient.expect('220 one.\r\n');
  await said.expect('220 two.\r\n');
  await silent.expect('220 three.\r\n');
  assert.equal(lab.server.count, 7);
});
