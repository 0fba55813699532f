import assert from 'node:assert/strict';
import { test } from 'node:test';
import { becomeUser } from '../../src/linux/privileges.ts';

test('only root becomes another user', async (t) => {
  t.mock.method(process as { getuid: () => number }, 'getuid', () => 1000);
  await assert.rejects(becomeUser({ name: 'nobody', uid: 65534, gid: 65534, kept: ['NET_BIND_SERVICE'] }), {
    message: 'user: only root can become another user; allowed: none',
  });
});
