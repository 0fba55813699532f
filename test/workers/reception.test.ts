import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { test } from 'node:test';
import type { Event } from '../../src/events.ts';
import { replies } from '../../src/helper/replies.ts';
import type { WorkerPool } from '../../src/workers/pool.ts';
import { Reception } from '../../src/workers/reception.ts';

const limits = {
  ...{ maxSessions: 1000, maxSessionsPerClient: 1000, ipv6ClientPrefix: 64 },
  connectTimeout: 60_000,
};

test('refuses clients that wait for a worker where this process has no descriptor for them', async (t) => {
  const noWorkers = {
    ...{ ready: [], all: [], listen: () => undefined },
    ...{ retire: () => undefined, tell: () => undefined },
  } as unknown as WorkerPool;
  const events: Event[] = [];
  const descriptors = { ofAll: 1000, here: 10 };
  const reception = new Reception(limits, noWorkers, descriptors, (event) => events.push(event));
  const server = createServer({ pauseOnConnect: true }, (socket) => {
    reception.accept(socket, false);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  const heard = async (client: Socket): Promise<string> => String((await once(client, 'data'))[0]);
  const waiting = Array.from({ length: 7 }, () => connect(port, '127.0.0.1'));
  await Promise.all(waiting.map((client) => once(client, 'connect')));
  const refused = connect(port, '127.0.0.1');
  t.after(() => refused.destroy());
  assert.equal(await heard(refused), `${replies.tooManyDescriptors}\r\n`);
  assert.equal(reception.count, 7);
  // The others are told at the end, and leave room.
  const told = Promise.all(waiting.map(heard));
  await reception.close();
  assert.deepEqual(await told, Array(7).fill(`${replies.shutdownForNew}\r\n`));
  assert.equal(reception.count, 0);
  const reasons = events.map((event) => event.type === 'session-refused' && event.reason);
  assert.deepEqual(reasons, ['too-many-descriptors', ...Array<string>(7).fill('shutdown')]);
  for (const client of waiting) client.destroy();
});
