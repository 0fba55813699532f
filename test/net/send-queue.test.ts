import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, connect, type Socket } from 'node:net';
import { test, type TestContext } from 'node:test';
import { SendQueue } from '../../src/net/send-queue.ts';
import { loadSocketCalls } from '../../src/linux/socket-calls.ts';
import { turns, within } from '../support/relay/within.ts';

interface Pair {
  readonly near: Socket;
  readonly far: Socket;
}

async function pair(t: TestContext, host: string): Promise<Pair> {
  const server = createServer({ allowHalfOpen: true });
  server.listen(0, host);
  await once(server, 'listening');
  const bound = server.address();
  assert.ok(bound !== null && typeof bound === 'object');
  const accepted = once(server, 'connection') as Promise<[Socket]>;
  const near = connect({ host, port: bound.port, allowHalfOpen: true });
  await within(once(near, 'connect'), 'a connection');
  const [far] = await within(accepted, 'a connection');
  server.close();
  t.after(() => {
    near.destroy();
    far.destroy();
  });
  far.pause();
  return { near, far };
}

async function until(holds: () => boolean, what: string): Promise<void> {
  const clock = { isLate: false };
  const waiting = (async () => {
    while (!clock.isLate && !holds()) await turns();
  })();
  try {
    await within(waiting, what);
  } finally {
    clock.isLate = true;
  }
}

const much = Buffer.alloc(16 * 1024 * 1024);

for (const calls of ['by SIOCOUTQ', 'by /proc'] as const) {
  for (const host of ['127.0.0.1', '::1']) {
    const name = `${calls}, ${host}`;
    const prepare = async (t: TestContext): Promise<Pair & { readonly queue: SendQueue }> => {
      if (calls === 'by SIOCOUTQ') assert.ok(await loadSocketCalls());
      else await loadSocketCalls(() => Promise.reject(new Error('none')));
      t.after(() => loadSocketCalls());
      const connected = await pair(t, host);
      return { ...connected, queue: new SendQueue(connected.near) };
    };

    test(`a queue is what the peer has not acknowledged, ${name}`, async (t) => {
      const { near, far, queue } = await prepare(t);
      near.write(much);
      await turns(20);
      // The far system has taken some: it acknowledges what nobody has read yet.
      const { size } = queue;
      assert.ok(size > 0 && size < much.length, `${size}`);
      far.resume();
      await until(() => queue.size === 0, 'an empty queue');
      assert.equal(queue.written, much.length);
    });

    test(`it can be asked when the connection is closed here, and the peer still reads, ${name}`, async (t) => {
      const { near, far, queue } = await prepare(t);
      near.resume();
      far.end();
      await once(near, 'end');
      queue.want();
      near.end(much.subarray(0, 3_000_000));
      await within(once(near, 'close'), 'close');
      assert.ok(queue.hasFin);
      assert.ok(queue.size > 0, `${queue.size}`);
      far.resume();
      await until(() => queue.size === 0, 'an empty queue');
      queue.release();
    });
  }
}

test('what a reset has left is in the queue for good, and it is gone', async (t) => {
  assert.ok(await loadSocketCalls());
  const { near, far } = await pair(t, '127.0.0.1');
  const queue = new SendQueue(near);
  near.on('error', () => undefined);
  near.resume();
  near.write(much);
  await turns(20);
  far.resetAndDestroy();
  await until(() => near.closed, 'close');
  assert.ok(queue.isGone);
  assert.ok(queue.size > 0);
});
