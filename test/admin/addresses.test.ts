import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isAddressText } from '../../src/admin/addresses.ts';

test('takes addresses, localhost and the own name for a Host, and no other name', () => {
  for (const host of [
    '192.0.2.1',
    '192.0.2.1:2180',
    '[2001:db8::1]',
    '[::1]:2180',
    'localhost:80',
    'LocalHost',
    'gw',
    'GW',
  ])
    assert.ok(isAddressText(host, 'gw') && isAddressText(host, 'Gw'), host);
  for (const host of ['', 'evil.example', 'gw.evil.example', '[192.0.2.1]', '2001:db8::1', 'localhost.evil'])
    assert.ok(!isAddressText(host, 'gw'), host);
});
