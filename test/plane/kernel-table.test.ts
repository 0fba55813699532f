import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Event } from '../../src/events.ts';
import { NftError } from '../../src/linux/nftables/error.ts';
import type { AddElement } from '../../src/linux/nftables/statement.ts';
import { KernelTable } from '../../src/plane/kernel-table.ts';
import { FakeNft } from '../support/fake-nft.ts';
import { address } from '../support/relay/hosts.ts';

const settings = { table: 'pinhole', mark: 0x2121 };
function expecting(port: number): AddElement[] {
  const key = [address('192.0.2.1'), address('192.0.2.2'), port];
  return [{ kind: 'add-element', table: 'pinhole', set: 'expect4', key, timeout: 1000, value: undefined }];
}
const element = expecting(50_000);
const other = expecting(50_001);

function start(): { nft: FakeNft; events: Event[]; table: KernelTable } {
  const nft = new FakeNft();
  const events: Event[] = [];
  return { nft, events, table: new KernelTable(settings, nft, (event) => events.push(event)) };
}

test('a table that cannot be made leaves nothing', () => {
  const nft = new FakeNft();
  nft.failure = () => new NftError('other', 'nftables: no');
  assert.throws(() => new KernelTable(settings, nft, () => undefined), NftError);
  assert.ok(nft.closed);
});

test('what was submitted holds when that resolves, and what one turn asks for is one transaction', async () => {
  const { nft, table } = start();
  await Promise.all([table.submit(element), table.submit(other)]);
  assert.equal(nft.elements('expect4').length, 2);
  assert.equal(nft.transactions.length, 2);
});

test('a table that somebody has deleted is made again with all that it had, once', async () => {
  const { nft, events, table } = start();
  table.restores(() => [element]);
  await table.submit(element);
  nft.sets = undefined;
  await Promise.all([table.submit(other), table.submit(expecting(50_002))]);
  assert.equal(nft.elements('expect4').length, 3);
  assert.deepEqual(events, [{ type: 'table-restored', table: 'pinhole', pinholes: 1 }]);
});

test('no pinhole waits for what other processes put into a table that was made again', async () => {
  const { nft, events, table } = start();
  const put: ((pinholes: number) => void)[] = [];
  table.shareWith(() => new Promise((resolve) => put.push(resolve)));
  nft.sets = undefined;
  await table.submit(element);
  assert.equal(nft.elements('expect4').length, 1);
  assert.deepEqual(events, []);
  put[0]?.(2);
  await new Promise(setImmediate);
  assert.deepEqual(events, [{ type: 'table-restored', table: 'pinhole', pinholes: 2 }]);
});

test('where it cannot be made again, who asked is told, and the next tries again', async () => {
  const { nft, events, table } = start();
  nft.sets = undefined;
  const failure = new NftError('no-permission', 'nftables: Operation not permitted');
  nft.failure = (statements) => (statements[0]?.kind === 'table' ? failure : undefined);
  await assert.rejects(table.submit(element), failure);
  nft.failure = () => undefined;
  await table.submit(element);
  assert.equal(nft.elements('expect4').length, 1);
  assert.equal(events.length, 1);
});

test('the end deletes it before it returns, with what is pending, and may come twice', () => {
  const { nft, table } = start();
  table.withdraw(element.map((each) => ({ ...each, kind: 'delete-element' })));
  table.close();
  assert.equal(nft.sets, undefined);
  assert.ok(nft.closed);
  const { length } = nft.transactions;
  table.close();
  table.withdraw(element);
  assert.equal(nft.transactions.length, length);
});

test('a table that others use is neither replaced nor deleted, but its rules are of this process', async () => {
  const nft = new FakeNft();
  const old = new KernelTable(settings, nft, () => undefined);
  await old.submit(element);
  let others = true;
  const table = new KernelTable(settings, nft, () => undefined, {
    areOthers: () => others,
    leave: () => !others,
  });
  assert.equal(nft.transactions.at(-1)?.[0]?.kind, 'table');
  assert.equal(nft.elements('expect4').length, 1);
  table.close();
  assert.equal(nft.elements('expect4').length, 1);
  others = false;
  const last = new KernelTable(settings, nft, () => undefined, {
    areOthers: () => others,
    leave: () => !others,
  });
  assert.equal(nft.elements('expect4').length, 0, 'what a crash has left');
  last.close();
  assert.equal(nft.sets, undefined);
});

test('a table that another version has made with other sets is replaced', () => {
  const nft = new FakeNft();
  nft.failure = ([first]) =>
    first?.kind === 'table' && first.change === 'keep'
      ? new NftError('exists', 'nftables: File exists')
      : undefined;
  new KernelTable(settings, nft, () => undefined, { areOthers: () => true, leave: () => false });
  assert.deepEqual(nft.sets, new Map());
});
