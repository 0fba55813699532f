import assert from 'node:assert/strict';
import { test } from 'node:test';
import { endpointsOf, listenInFront, listenOf, reachedIPv4, reaches } from '../../src/config/listening.ts';
import type { Address } from '../../src/net/address.ts';
import { formatEndpoint } from '../../src/net/endpoint.ts';
import { load } from '../support/load-config.ts';
import { address } from '../support/relay/hosts.ts';

const four = address('203.0.113.1');
const six = address('2001:db8::1');

test('listens twice on any free port, and on one port of different addresses', () => {
  const listen = ['0', '127.0.0.1:0', '127.0.0.1:21', '[::1]:21', '127.0.0.2:21'];
  assert.equal(load({ flags: { listen } }).config.listen?.length, 5);
});

test('takes a server at another family of the same port for another one', () => {
  load({ flags: { server: '[::1]:21', listen: '0.0.0.0:21' } });
  load({ flags: { server: '127.0.0.1:21', listen: '[::]:21' } });
});

test('a listener at a wildcard gets what comes to any address of its family that is one of the host', () => {
  const isOwn = (own: Address): boolean => own === four || own === six;
  for (const [to, listening, expected] of [
    [four, undefined, true],
    [six, undefined, true],
    [four, '0.0.0.0', true],
    [six, '0.0.0.0', false],
    [four, '::', false],
    [six, '::', true],
    ['198.51.100.7', '0.0.0.0', false],
    ['198.51.100.7', '198.51.100.7', true],
    [four, '198.51.100.7', false],
  ] as const) {
    const at = listening === undefined ? undefined : address(listening);
    assert.equal(reaches(address(to), at, isOwn), expected, `${to} at ${listening}`);
  }
});

test('binds a port alone at all addresses of both families', () => {
  const ends = endpointsOf({ address: undefined, port: 21 });
  assert.deepEqual(ends.map(formatEndpoint), ['0.0.0.0:21', '[::]:21']);
  assert.deepEqual(endpointsOf({ address: six, port: 21 }), [{ address: six, port: 21 }]);
});

test('listens where it is told to, else on port 21, and on loopback where it leads to no server', () => {
  const none = { listen: undefined, server: undefined, intercept: false };
  const everywhere = [{ address: undefined, port: 21 }];
  assert.deepEqual(listenOf({ ...none, server: {} }), everywhere);
  assert.deepEqual(listenOf({ ...none, intercept: true }), everywhere);
  assert.deepEqual(listenOf(none), [{ address: '127.0.0.1', port: 2121 }]);
  const listen = [{ address: six, port: 2100 }];
  assert.deepEqual(listenOf({ ...none, listen }), listen);
  assert.deepEqual(listenInFront({ listen }), listen);
});

test('other hosts reach one IPv4 address, or there is none to tell', () => {
  for (const [listen, expected] of [
    ['203.0.113.1:21', '203.0.113.1'],
    ['203.0.113.1:21,[2001:db8::1]:21,127.0.0.1:21', '203.0.113.1'],
    ['203.0.113.1:21,203.0.113.2:21', undefined],
    ['0.0.0.0:21', undefined],
    ['21', undefined],
    ['[2001:db8::1]:21', undefined],
    ['127.0.0.1:21', undefined],
  ] as const) {
    assert.equal(reachedIPv4(load({ flags: { listen } }).config.listen ?? []), expected, listen);
  }
});
