import assert from 'node:assert/strict';
import { test } from 'node:test';
import { followConntrack, requireConntrack } from '../../../src/linux/conntrack/follow.ts';
import { address } from '../../support/relay/hosts.ts';

test('follows connections and lists them if that is allowed, otherwise reports why not', async () => {
  const listener = { event: () => undefined, missed: () => undefined };
  try {
    await requireConntrack();
  } catch (error) {
    assert.match(String(error), /^Error: the kernel plane cannot follow connections: /);
    return;
  }
  // A mark that nothing bears.
  const conntrack = await followConntrack(0x7e57_7e57, listener);
  const end = { address: address('192.0.2.1'), port: 1 };
  const ends6 = { address: address('2001:db8::1'), port: 1 };
  assert.equal(conntrack.poll(), false);
  assert.deepEqual(conntrack.list(), []);
  assert.equal(conntrack.look({ id: 1, from: end, at: end }), undefined);
  assert.equal(conntrack.look({ id: 1, from: ends6, at: ends6 }), undefined);
  for (const none of [end, ends6]) assert.equal(conntrack.find({ from: none, at: none }), undefined);
  conntrack.stop();
  assert.equal(conntrack.poll(), false);
  assert.equal(conntrack.find({ from: end, at: end }), undefined);
  assert.equal(conntrack.list(), undefined);
  conntrack.stop();
});
