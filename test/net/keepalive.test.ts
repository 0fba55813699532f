import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isUnresponsive, patienceOf } from '../../src/net/keepalive.ts';

test('a peer that does not answer is given up after twice the keepalive time', () => {
  assert.equal(patienceOf(120_000), 240_000);
  assert.equal(patienceOf(0), 0);
});

test('distinguishes a dead peer from one that has reset', () => {
  const failed = (code: string): Error => Object.assign(new Error(code), { code });
  for (const code of ['ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH', 'EHOSTDOWN']) {
    assert.ok(isUnresponsive(failed(code)), code);
  }
  assert.ok(!isUnresponsive(failed('ECONNRESET')));
  assert.ok(!isUnresponsive(new Error('anything')));
});
