import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { test } from 'node:test';
import { tcpChannel } from '../../src/net/channel.ts';
import { readInto } from '../../src/plane/reads.ts';
import { within } from '../support/relay/within.ts';

test('a connection is read also where this Node cannot read into a buffer of ours', async (t) => {
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const bound = server.address();
  assert.ok(bound !== null && typeof bound === 'object');
  const accepted = once(server, 'connection') as Promise<[Socket]>;
  const near = connect({ host: '127.0.0.1', port: bound.port });
  const [far] = await within(accepted, 'a connection');
  t.after(() => {
    server.close();
    near.destroy();
    far.destroy();
  });
  const taken: string[] = [];
  const channel = tcpChannel(far);
  readInto(
    channel,
    (chunk) => {
      taken.push(Buffer.from(chunk).toString());
      return taken.length > 1;
    },
    () => undefined,
  );
  near.write('one');
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.deepEqual(taken, []);
  channel.resume();
  while (taken.length === 0) await new Promise(setImmediate);
  near.end('two');
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.deepEqual(taken, ['one']);
  const ended = once(far, 'end');
  channel.resume();
  await within(ended, 'an end');
  assert.deepEqual(taken, ['one', 'two']);
});
