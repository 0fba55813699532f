import assert from 'node:assert/strict';
import { Resolver } from 'node:dns/promises';
import { test, type TestContext } from 'node:test';
import type { Event } from '../../src/events.ts';
import { PublicAddress } from '../../src/proxy/public-address.ts';
import { turns } from '../support/relay/within.ts';

type Answer = readonly { readonly address: string; readonly ttl: number }[];

/** A name server that gives these answers in turn, the last one for ever; no packet is sent. */
function answering(t: TestContext, ...answers: readonly (Answer | Error)[]): { asked: () => number } {
  let asked = 0;
  const resolve = t.mock.method(Resolver.prototype, 'resolve4', () => {
    const answer = answers[Math.min(asked++, answers.length - 1)] ?? [];
    return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
  });
  return { asked: () => resolve.mock.callCount() };
}

function start(t: TestContext, name: string): { known: PublicAddress; events: Event[] } {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const events: Event[] = [];
  const known = new PublicAddress(name, 4, (event) => events.push(event));
  t.after(() => {
    known.stop();
  });
  return { known, events };
}

test('an address is taken as it is, and nobody is asked', async (t) => {
  const server = answering(t, []);
  const { known, events } = start(t, '192.0.2.1');
  await known.start();
  assert.equal(known.current, '192.0.2.1');
  assert.equal(server.asked(), 0);
  assert.deepEqual(events, []);
});

test('a name is asked for again when its TTL is over, and a new address is told', async (t) => {
  const server = answering(
    t,
    [{ address: '192.0.2.1', ttl: 60 }],
    [{ address: '192.0.2.1', ttl: 60 }],
    [{ address: '192.0.2.2', ttl: 60 }],
  );
  const { known, events } = start(t, 'ftp.example');
  await known.start();
  assert.equal(known.current, '192.0.2.1');
  t.mock.timers.tick(59_999);
  assert.equal(server.asked(), 1);
  t.mock.timers.tick(1);
  await turns();
  assert.equal(server.asked(), 2);
  t.mock.timers.tick(60_000);
  await turns();
  assert.equal(known.current, '192.0.2.2');
  assert.deepEqual(events, [
    { type: 'public-address-resolved', host: 'ftp.example', address: '192.0.2.1' },
    { type: 'public-address-resolved', host: 'ftp.example', address: '192.0.2.2' },
  ]);
});

test('a TTL of 0 asks every ten seconds at most', async (t) => {
  const server = answering(t, [{ address: '192.0.2.1', ttl: 0 }]);
  const { known } = start(t, 'ftp.example');
  await known.start();
  t.mock.timers.tick(9_999);
  await turns();
  assert.equal(server.asked(), 1);
  t.mock.timers.tick(1);
  assert.equal(server.asked(), 2);
});

test('of several addresses the one that is in use is kept', async (t) => {
  const one = { address: '192.0.2.1', ttl: 60 };
  const other = { address: '192.0.2.2', ttl: 60 };
  answering(t, [one, other], [other, one]);
  const { known, events } = start(t, 'ftp.example');
  await known.start();
  t.mock.timers.tick(60_000);
  await turns();
  assert.equal(known.current, '192.0.2.1');
  assert.equal(events.length, 1);
});

test('asks no more when it was stopped', async (t) => {
  const server = answering(t, [{ address: '192.0.2.1', ttl: 60 }]);
  const { known } = start(t, 'ftp.example');
  await known.start();
  known.stop();
  t.mock.timers.tick(3_600_000);
  await turns();
  assert.equal(server.asked(), 1);
});
