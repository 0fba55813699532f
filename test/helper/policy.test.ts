import assert from 'node:assert/strict';
import { test } from 'node:test';
import { announcedAddress, whyNotDial } from '../../src/helper/policy.ts';
import { address, network, policyWith } from '../data/sessions.ts';

const policy = policyWith({
  fxpPeers: [network('192.0.2.0/24'), network('2001:db8:f::/48')],
  denyPorts: [
    { first: 3306, last: 3306 },
    { first: 6000, last: 6063 },
  ],
  localNetworks: [network('10.0.0.0/8'), network('fd00::/8')],
  publicAddress: (family) => (family === 4 ? address('203.0.113.1') : undefined),
});

test('says why the relay must not dial what a client announced', () => {
  for (const [host, port, client, reason] of [
    ['198.51.100.10', 1024, '198.51.100.10', undefined],
    ['198.51.100.10', 65535, '198.51.100.10', undefined],
    ['198.51.100.10', 1023, '198.51.100.10', 'port-below-1024'],
    ['198.51.100.10', 1, '198.51.100.10', 'port-below-1024'],
    ['198.51.100.10', 3305, '198.51.100.10', undefined],
    ['198.51.100.10', 3306, '198.51.100.10', 'denied-port'],
    ['198.51.100.10', 6063, '198.51.100.10', 'denied-port'],
    ['198.51.100.10', 6064, '198.51.100.10', undefined],
    ['198.51.100.11', 50000, '198.51.100.10', 'not-the-peer'],
    ['127.0.0.1', 50000, '198.51.100.10', 'not-the-peer'],
    ['192.0.2.7', 50000, '198.51.100.10', undefined],
    ['192.0.2.7', 22, '198.51.100.10', 'port-below-1024'],
    ['192.0.2.7', 6000, '198.51.100.10', 'denied-port'],
    ['2001:db8::10', 50000, '2001:db8::10', undefined],
    ['2001:db8::11', 50000, '2001:db8::10', 'not-the-peer'],
    ['2001:db8:f::1', 50000, '2001:db8::10', undefined],
  ] as const) {
    assert.equal(
      whyNotDial({ address: address(host), port }, address(client), policy),
      reason,
      `${host} ${port} for ${client}`,
    );
  }
});

test('announces the public address, but to clients of the local networks the one that they reached', () => {
  for (const [client, reached, expected] of [
    ['198.51.100.10', '10.77.0.1', '203.0.113.1'],
    ['10.1.2.3', '10.77.0.1', '10.77.0.1'],
    ['2001:db8::10', 'fd00::1', 'fd00::1'],
    ['fd00::10', 'fd00::1', 'fd00::1'],
  ] as const) {
    assert.equal(announcedAddress(address(client), address(reached), policy), expected, client);
  }
});

test('announces the address that a client reached where no other is set', () => {
  const reached = address('198.51.100.1');
  assert.equal(announcedAddress(address('198.51.100.10'), reached, policyWith()), reached);
});
