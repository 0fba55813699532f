import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NftError } from '../../src/nft/error.ts';
import { NftQueue } from '../../src/nft/queue.ts';
import { FakeNft } from '../helpers/fake-nft.ts';

test('joins what is asked for in one turn to one transaction', async () => {
  const nft = new FakeNft();
  const queue = new NftQueue(nft);
  await Promise.all(['a\n', 'b\n', 'c\n'].map((text) => queue.submit(text)));
  await queue.submit('d\n');
  assert.deepEqual(nft.transactions, ['a\nb\nc\n', 'd\n']);
});

test('of several one bad transaction fails alone', async () => {
  const nft = new FakeNft();
  nft.failure = (text) => (text.includes('bad') ? new NftError('other', 'nftables: no') : undefined);
  const queue = new NftQueue(nft);
  const results = await Promise.allSettled(['a\n', 'bad\n', 'c\n'].map((text) => queue.submit(text)));
  assert.deepEqual(
    results.map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled'],
  );
  assert.deepEqual(nft.transactions, ['a\nbad\nc\n', 'a\n', 'bad\n', 'c\n']);
});

test('a bad transaction that is alone is tried once', async () => {
  const nft = new FakeNft();
  nft.failure = () => new NftError('full', 'nftables: full');
  await assert.rejects(new NftQueue(nft).submit('a\n'), { kind: 'full' });
  assert.equal(nft.transactions.length, 1);
});

test('flush runs what is pending at once, and nothing twice', async () => {
  const nft = new FakeNft();
  const queue = new NftQueue(nft);
  const submitted = queue.submit('a\n');
  queue.flush();
  assert.deepEqual(nft.transactions, ['a\n']);
  await submitted;
  await new Promise(setImmediate);
  assert.deepEqual(nft.transactions, ['a\n']);
});

test('what is in no hurry goes before the next transaction, in one with it', async () => {
  const nft = new FakeNft();
  const queue = new NftQueue(nft);
  const later = queue.submitLater('a\n');
  await new Promise(setImmediate);
  assert.deepEqual(nft.transactions, []);
  await Promise.all([queue.submit('b\n'), later]);
  assert.deepEqual(nft.transactions, ['a\nb\n']);
});

test('what is in no hurry does not wait for ever', async () => {
  const nft = new FakeNft();
  // It keeps no process alive by itself.
  const life = setInterval(() => undefined, 1000);
  await new NftQueue(nft).submitLater('a\n');
  clearInterval(life);
  assert.deepEqual(nft.transactions, ['a\n']);
});
