import assert from 'node:assert/strict';
import { test } from 'node:test';
import { accountOf, groupId } from '../../src/linux/accounts.ts';

test('knows the numbers of users and groups by name', () => {
  assert.deepEqual(accountOf('root'), { uid: 0, gid: 0 });
  assert.equal(groupId('root'), 0);
  assert.equal(accountOf('nosuch-user'), undefined);
  assert.equal(groupId('nosuch-group'), undefined);
});
