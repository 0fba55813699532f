import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NftError } from '../../../src/linux/nftables/error.ts';
import { NftQueue } from '../../../src/linux/nftables/queue.ts';
import type { Statement } from '../../../src/linux/nftables/statement.ts';
import { FakeNft } from '../../support/fake-nft.ts';

function statement(table: string): Statement {
  return { kind: 'table', change: 'make', table, text: `add table inet ${table}\n` };
}
const a = statement('a');
const b = statement('b');
const c = statement('c');
const d = statement('d');
const bad = statement('bad');

test('joins what is asked for in one turn to one transaction', async () => {
  const nft = new FakeNft();
  const queue = new NftQueue(nft);
  await Promise.all([a, b, c].map((each) => queue.submit([each])));
  await queue.submit([d]);
  assert.deepEqual(nft.transactions, [[a, b, c], [d]]);
});

test('of several one bad transaction fails alone', async () => {
  const nft = new FakeNft();
  nft.failure = (statements) =>
    statements.includes(bad) ? new NftError('other', 'nftables: no') : undefined;
  const queue = new NftQueue(nft);
  const results = await Promise.allSettled([a, bad, c].map((each) => queue.submit([each])));
  assert.deepEqual(
    results.map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled'],
  );
  assert.deepEqual(nft.transactions, [[a, bad, c], [a], [bad], [c]]);
});

test('a bad transaction that is alone is tried once', async () => {
  const nft = new FakeNft();
  nft.failure = () => new NftError('full', 'nftables: full');
  await assert.rejects(new NftQueue(nft).submit([a]), { kind: 'full' });
  assert.equal(nft.transactions.length, 1);
});

test('flush runs what is pending at once, and nothing twice', async () => {
  const nft = new FakeNft();
  const queue = new NftQueue(nft);
  const submitted = queue.submit([a]);
  queue.flush();
  assert.deepEqual(nft.transactions, [[a]]);
  await submitted;
  await new Promise(setImmediate);
  assert.deepEqual(nft.transactions, [[a]]);
});

test('what is in no hurry goes before the next transaction, in one with it', async () => {
  const nft = new FakeNft();
  const queue = new NftQueue(nft);
  const later = queue.submitLater([a]);
  await new Promise(setImmediate);
  assert.deepEqual(nft.transactions, []);
  await Promise.all([queue.submit([b]), later]);
  assert.deepEqual(nft.transactions, [[a, b]]);
});

test('what is in no hurry does not wait for ever', async () => {
  const nft = new FakeNft();
  // It keeps no process alive by itself.
  const life = setInterval(() => undefined, 1000);
  await new NftQueue(nft).submitLater([a]);
  clearInterval(life);
  assert.deepEqual(nft.transactions, [[a]]);
});
