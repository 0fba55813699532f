import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadOriginalDestination } from '../../src/linux/original-destination.ts';
import { hosts } from '../support/relay/hosts.ts';
import { PeerListener } from '../support/relay/peer-listener.ts';
import { dial } from '../support/relay/peer.ts';

test('of what nobody has redirected it is where it arrived, or is not known', async (t) => {
  const originalDestination = await loadOriginalDestination();
  for (const at of [hosts.relay, '::1'] as const) {
    const listener = await PeerListener.at(at);
    const client = await dial(listener.endpoint, at === '::1' ? '::1' : hosts.client);
    t.after(() => {
      client.socket.destroy();
      listener.destroy();
    });
    const { socket } = await listener.next();
    const found = originalDestination(socket, listener.endpoint.address);
    // Without connection tracking in this namespace the kernel does not know.
    if (found) assert.deepEqual(found, listener.endpoint);
    socket.destroy();
    assert.equal(originalDestination(socket, listener.endpoint.address), undefined);
  }
});
