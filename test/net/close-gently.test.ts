import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { closeGently } from '../../src/net/close-gently.ts';
import { mebibyte, pour, someFile } from '../support/relay/flood.ts';
import { link } from '../support/relay/tls-link.ts';
import { within } from '../support/relay/within.ts';

test('lets a peer read the last reply that has something under way itself', async (t) => {
  const { near, far } = await link(t);
  const closed = new Promise<void>((resolve) => {
    near.write('421 Goodbye.\r\n');
    closeGently(near, resolve);
  });
  far.send('NOOP\r\n'.repeat(5000));
  assert.equal(await far.rest(), '421 Goodbye.\r\n');
  far.end();
  await within(closed, 'the end of the connection');
});

test('cuts off a peer that says more and more', async (t) => {
  const { near, far } = await link(t);
  const closed = once(near, 'close');
  closeGently(near);
  const socket = far.give();
  socket.on('error', () => undefined).resume();
  pour(socket, someFile);
  await within(closed, 'the end of the connection');
  assert.ok(near.bytesRead <= mebibyte, `${near.bytesRead} bytes were read`);
});
