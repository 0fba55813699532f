import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load } from '../helpers/load-config.ts';

test('listens twice on any free port, and on one port of different addresses', () => {
  const listen = ['0', '127.0.0.1:0', '127.0.0.1:21', '[::1]:21', '127.0.0.2:21'];
  assert.equal(load({ flags: { listen } }).config.listen?.length, 5);
});
