/** What the parts do; the check at start sees no more than their shape. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, Socket, type Server } from 'node:net';
import { test, type TestContext } from 'node:test';
import { beforeClose } from '../../src/node-internals/before-close.ts';
import { descriptorOf } from '../../src/node-internals/descriptor.ts';
import { handleOf } from '../../src/node-internals/handle.ts';
import { readsIntoBuffer } from '../../src/node-internals/reads-into-buffer.ts';
import { onSocket } from '../../src/node-internals/trial.ts';
import { unsentBytes } from '../../src/node-internals/unsent.ts';
import { within } from '../support/relay/within.ts';

async function pair(t: TestContext): Promise<{ server: Server; near: Socket; far: Socket }> {
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const bound = server.address();
  assert.ok(bound !== null && typeof bound === 'object');
  const accepted = once(server, 'connection') as Promise<[Socket]>;
  const near = connect({ host: '127.0.0.1', port: bound.port });
  await within(once(near, 'connect'), 'a connection');
  const [far] = await within(accepted, 'a connection');
  t.after(() => {
    server.close();
    near.destroy();
    far.destroy();
  });
  return { server, near, far };
}

test('a connection and a listener have a descriptor until they are closed', async (t) => {
  const { server, near, far } = await pair(t);
  const all = [server, near, far].map(descriptorOf);
  assert.equal(new Set(all).size, 3);
  assert.ok(all.every((fd) => fd !== undefined && fd > 2));
  near.destroy();
  server.close();
  await within(once(near, 'close'), 'an end');
  assert.deepEqual(
    [descriptorOf(near), descriptorOf(server), descriptorOf(new Socket())],
    Array(3).fill(undefined),
  );
});

test('a socket that is tried something on has no descriptor, and connects nowhere', async () => {
  const { socket, fd, had } = onSocket((one) => ({
    socket: one,
    fd: descriptorOf(one),
    had: Boolean(handleOf(one)),
  }));
  assert.deepEqual({ fd, had }, { fd: undefined, had: true });
  let isConnected = false;
  socket.on('connect', () => (isConnected = true));
  await within(once(socket, 'close'), 'an end');
  assert.ok(!isConnected);
});

test('acts before a connection is closed, and while its descriptor is there', async (t) => {
  const { near, far } = await pair(t);
  const fds: (number | undefined)[] = [];
  beforeClose(far, () => fds.push(descriptorOf(far)));
  const fd = descriptorOf(far);
  near.destroy();
  far.resume();
  far.end();
  await within(once(far, 'close'), 'an end');
  assert.deepEqual(fds, [fd]);
});

test('counts what the system has not taken; without the counts of the handle, whole writes', async (t) => {
  const { near, far } = await pair(t);
  const size = 16 * 1024 * 1024;
  near.write(Buffer.alloc(size));
  near.write(Buffer.alloc(1000));
  const exact = unsentBytes(near);
  assert.ok(exact > 1000 && exact < size + 1000, String(exact));
  // As on a Node whose handles have no such counts.
  const handle = handleOf<object>(near) ?? assert.fail();
  for (const name of ['bytesWritten', 'writeQueueSize'])
    Object.defineProperty(handle, name, { value: undefined });
  assert.equal(unsentBytes(near), size + 1000);
  far.resume();
  await within(once(near, 'drain'), 'all has left');
  assert.equal(unsentBytes(near), 0);
  near.destroy();
  assert.equal(unsentBytes(near), 0);
});

test('a connection that was accepted is read into a buffer of its owner, and paused', async (t) => {
  const { near, far } = await pair(t);
  const buffer = Buffer.alloc(4);
  let text = '';
  const reads = readsIntoBuffer(far, {
    buffer,
    callback: (length, read) => {
      text += Buffer.from(read.buffer, read.byteOffset, length).toString();
      return text.length !== 4;
    },
  });
  assert.equal(reads, far);
  near.end('all of it');
  await new Promise(setImmediate);
  assert.equal(text, '');
  const ended = once(far, 'end');
  far.resume();
  while (text.length < 4) await new Promise(setImmediate);
  assert.equal(text, 'all ');
  far.resume();
  await within(ended, 'an end');
  assert.equal(text, 'all of it');
});
