import assert from 'node:assert/strict';
import dns from 'node:dns';
import { syncBuiltinESMExports } from 'node:module';
import type { LookupFunction } from 'node:net';
import { test } from 'node:test';
import { dial } from '../../src/net/dial.ts';
import { SharedLookup } from '../../src/net/shared-lookup.ts';
import { PeerListener } from '../support/relay/peer-listener.ts';
import { turns } from '../support/relay/within.ts';

type Question = Parameters<LookupFunction>;

const all = { all: true, family: 0, hints: 32 };
const addresses = [
  { address: '10.0.0.1', family: 4 },
  { address: 'fd00::1', family: 6 },
];
const notFound = Object.assign(new Error('getaddrinfo ENOTFOUND a.example'), { code: 'ENOTFOUND' });

/** A lookup whose questions the test answers, by a clock of its own. */
class Stand {
  readonly questions: Question[] = [];
  now = 0;
  readonly shared = new SharedLookup(
    (...question) => this.questions.push(question),
    () => this.now,
  );

  /** What so many who ask are told. */
  ask(count: number, options: Question[1] = all, host = 'a.example'): unknown[] {
    const told: unknown[] = [];
    for (let n = 0; n < count; n++) {
      this.shared.lookup(host, options, (error, ...answer) => told.push(error ?? answer));
    }
    return told;
  }

  async answer(...answer: Parameters<Question[2]>): Promise<void> {
    const [, , answered] = this.questions.at(-1) ?? assert.fail('nothing was asked');
    answered(...answer);
    await turns(1);
  }
}

test('asks once for all who ask meanwhile, and again after five seconds', async () => {
  const stand = new Stand();
  const told = stand.ask(100);
  assert.equal(stand.questions.length, 1);
  await stand.answer(null, addresses);
  assert.deepEqual(told, Array(100).fill([addresses, undefined]));
  stand.now = 4999;
  const later = stand.ask(3);
  assert.deepEqual(later, [], 'an answer comes in no caller’s own turn');
  await turns(1);
  assert.equal(later.length, 3);
  assert.equal(stand.questions.length, 1);
  stand.now = 5000;
  const last = stand.ask(3);
  assert.equal(stand.questions.length, 2);
  await stand.answer(null, addresses.slice(1));
  assert.deepEqual(last, Array(3).fill([addresses.slice(1), undefined]));
});

test('asks as it was asked, and shares nothing across names and options', async () => {
  const stand = new Stand();
  const one = stand.ask(1, { family: 4 });
  await stand.answer(null, '10.0.0.1', 4);
  assert.deepEqual(one, [['10.0.0.1', 4]]);
  for (const options of [all, { family: 6 }, { family: 4, all: true }, { family: 4, hints: 32 }]) {
    stand.ask(2, options);
    assert.deepEqual(stand.questions.at(-1)?.slice(0, 2), ['a.example', options]);
  }
  stand.ask(2, { family: 4 }, 'b.example');
  assert.equal(stand.questions.length, 6);
});

test('reports an error to all waiting callers if there is no earlier answer, and asks again', async () => {
  const stand = new Stand();
  const told = stand.ask(2);
  await stand.answer(notFound, '');
  assert.deepEqual(told, [notFound, notFound]);
  stand.ask(1);
  assert.equal(stand.questions.length, 2);
});

test('gives the last answer where lookups fail, and has nobody wait for the next ones', async () => {
  const stand = new Stand();
  stand.ask(1);
  await stand.answer(null, addresses);
  stand.now = 5000;
  const told = stand.ask(2);
  await stand.answer(notFound, '');
  assert.deepEqual(told, Array(2).fill([addresses, undefined]));
  stand.ask(1);
  assert.equal(stand.questions.length, 2);
  stand.now = 10_000;
  const later = stand.ask(2);
  await turns(1);
  assert.equal(later.length, 2);
  assert.equal(stand.questions.length, 3);
  await stand.answer(null, addresses.slice(1));
  const last = stand.ask(1);
  await turns(1);
  assert.deepEqual(last, [[addresses.slice(1), undefined]]);
});

test('gives each a list of its own', async () => {
  const stand = new Stand();
  stand.shared.lookup('a.example', all, (_error, list) => {
    assert.ok(Array.isArray(list) && list.splice(0).length > 0);
  });
  const told = stand.ask(1);
  await stand.answer(null, addresses);
  assert.deepEqual(told, [[addresses, undefined]]);
});

test('finds the first address of a family', async () => {
  const stand = new Stand();
  const found = stand.shared.resolve('a.example', 6);
  assert.deepEqual(stand.questions[0]?.[1], { family: 6 });
  await stand.answer(null, 'fd00::1', 6);
  assert.equal(await found, 'fd00::1');
  const none = assert.rejects(stand.shared.resolve('b.example', 4), notFound);
  await stand.answer(notFound, '');
  await none;
});

test('connects to a name of the hosts file as often as it is asked to, with one lookup', async (t) => {
  const server = await PeerListener.at('127.0.0.1');
  t.after(() => {
    server.destroy();
  });
  const asked = t.mock.method(dns, 'lookup');
  syncBuiltinESMExports();
  t.after(() => {
    asked.mock.restore();
    syncBuiltinESMExports();
  });
  const to = { host: 'localhost', port: server.endpoint.port };
  for (let round = 0; round < 2; round++) {
    const sockets = await Promise.all(Array.from({ length: 20 }, () => dial(to, 5000).connected));
    for (const socket of sockets) socket.destroy();
  }
  assert.equal(asked.mock.callCount(), 1);
});
