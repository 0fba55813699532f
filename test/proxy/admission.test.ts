import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Descriptors, unlimited } from '../../src/net/descriptors.ts';
import { Admission, clientOf, sessionsWithin } from '../../src/proxy/admission.ts';
import { address } from '../data/sessions.ts';

const limits = { maxSessions: 5, maxSessionsPerClient: 3, ipv6ClientPrefix: 64 };

test('lets in as many sessions as there may be, of all and of a client', () => {
  const admission = new Admission(unlimited);
  const enter = (client: string): string => {
    const left = admission.enter(client, limits);
    return typeof left === 'string' ? left : 'in';
  };
  assert.deepEqual(['a', 'a', 'a', 'a'].map(enter), ['in', 'in', 'in', 'too-many-sessions-of-client']);
  assert.deepEqual(['b', 'b', 'b'].map(enter), ['in', 'in', 'too-many-sessions']);
  assert.equal(admission.count, 5);
});

test('lets another one in when one has left, which leaves once', () => {
  const admission = new Admission(unlimited);
  const one = { ...limits, maxSessions: 1 };
  const leave = admission.enter('a', one);
  assert.ok(typeof leave === 'function');
  assert.equal(admission.enter('b', one), 'too-many-sessions');
  leave();
  assert.equal(admission.count, 0);
  assert.ok(typeof admission.enter('b', one) === 'function');
});

test('keeps descriptors for the data connections of those that are in', () => {
  const descriptors = new Descriptors(20);
  const admission = new Admission(descriptors);
  let sessions = 0;
  while (typeof admission.enter(`client ${sessions}`, { ...limits, maxSessions: 100 }) === 'function')
    sessions++;
  assert.equal(sessions, 7);
  assert.equal(sessionsWithin(descriptors), 7);
  assert.equal(admission.enter('another', { ...limits, maxSessions: 100 }), 'too-many-descriptors');
  assert.ok(descriptors.take(6), 'the rest is there');
  assert.equal(descriptors.take(1), undefined);
});

test('lets one client have half of the sessions that there are descriptors for, and others the rest', () => {
  const admission = new Admission(new Descriptors(60));
  const many = { ...limits, maxSessions: 100, maxSessionsPerClient: 100 };
  const enter = (client: string): number => {
    let sessions = 0;
    while (typeof admission.enter(client, many) === 'function') sessions++;
    return sessions;
  };
  assert.equal(enter('a'), 10);
  assert.equal(admission.enter('a', many), 'too-many-sessions-of-client');
  assert.equal(enter('b'), 10);
});

test('waits for a bounded number of refused clients, and for few of one', () => {
  const admission = new Admission(unlimited);
  const waited = (client: string): boolean => admission.refuse(client) !== undefined;
  assert.equal(Array.from({ length: 10 }, () => waited('a')).filter(Boolean).length, 4);
  assert.equal(Array.from({ length: 100 }, (_, index) => waited(`b${index}`)).filter(Boolean).length, 60);
});

test('takes all addresses of an IPv6 network for one client, and an IPv4 address for itself', () => {
  const of = (text: string): string => clientOf(address(text), limits);
  assert.equal(of('2001:db8:0:1::1'), of('2001:db8:0:1:ffff:ffff:ffff:ffff'));
  assert.notEqual(of('2001:db8:0:1::1'), of('2001:db8:0:2::1'));
  assert.notEqual(of('198.51.100.1'), of('198.51.100.2'));
  assert.equal(clientOf(address('2001:db8::1'), { ...limits, ipv6ClientPrefix: 128 }), '2001:db8::1/128');
  assert.equal(
    clientOf(address('2001:db8:abcd::1'), { ...limits, ipv6ClientPrefix: 36 }),
    '2001:db8:a000::/36',
  );
});

test('tells when there is no session any more, or when that has been waited for long enough', async () => {
  const admission = new Admission(unlimited);
  const over = new AbortController();
  await admission.untilEmpty();
  const leave = admission.enter('a', limits);
  assert.ok(typeof leave === 'function');
  await admission.untilEmptyWithin(1, over.signal);
  assert.equal(admission.count, 1);
  const told = Promise.all([admission.untilEmpty(), admission.untilEmptyWithin(60_000, over.signal)]);
  leave();
  await told;
  assert.ok(typeof admission.enter('a', limits) === 'function');
  const early = admission.untilEmptyWithin(60_000, over.signal);
  over.abort();
  await early;
  assert.equal(admission.count, 1);
});
