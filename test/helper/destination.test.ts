import assert from 'node:assert/strict';
import { test } from 'node:test';
import { destinationOf, type DestinationPolicy } from '../../src/helper/destination.ts';
import { parseCidr } from '../../src/net/cidr.ts';
import type { Endpoint } from '../../src/net/endpoint.ts';
import { address } from '../support/relay/hosts.ts';

const relay: Endpoint = { address: address('10.77.0.1'), port: 21 };
const outside: Endpoint = { address: address('203.0.113.5'), port: 21 };
const redirected = { original: outside, arrived: relay };
const direct = { original: relay, arrived: relay };
const publicSide = { original: { address: address('198.51.100.1'), port: 21 }, arrived: relay };

function policy(changes: Partial<DestinationPolicy> = {}): DestinationPolicy {
  return {
    isNamed: false,
    intercepted: networks('0.0.0.0/0'),
    isOwnAddress: (each) => each === relay.address || each === publicSide.original.address,
    ...changes,
  };
}

function networks(...texts: string[]): NonNullable<DestinationPolicy['intercepted']> {
  return texts.map((text) => parseCidr(text) ?? assert.fail(text));
}

test('leads who was redirected to the server that it meant', () => {
  assert.deepEqual(destinationOf(redirected, policy()), { kind: 'meant', server: outside });
});

test('refuses a server that is in none of the networks', () => {
  const only = policy({ intercepted: networks('192.0.2.0/24', '2001:db8::/32') });
  assert.deepEqual(destinationOf(redirected, only), { kind: 'refuse', reason: 'destination-not-allowed' });
});

test('refuses who meant the relay itself: it would dial itself', () => {
  assert.deepEqual(destinationOf(direct, policy()), { kind: 'refuse', reason: 'loop' });
  // Another service of the gateway is for its firewall to let in.
  assert.deepEqual(destinationOf(publicSide, policy()), { kind: 'refuse', reason: 'loop' });
});

test('leads who meant this host to the server that is named', () => {
  const named = policy({ isNamed: true });
  assert.deepEqual(destinationOf(direct, named), { kind: 'named' });
  assert.deepEqual(destinationOf(publicSide, named), { kind: 'named' });
  assert.deepEqual(destinationOf(redirected, named), { kind: 'meant', server: outside });
});

test('leads everybody to the server that is named where nothing is intercepted', () => {
  const inFront = policy({ isNamed: true, intercepted: undefined });
  for (const meant of [redirected, direct, publicSide]) {
    assert.deepEqual(destinationOf(meant, inFront), { kind: 'named' });
  }
});
