import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeTable } from '../../../src/linux/nftables/table.ts';
import { toText } from '../../../src/linux/nftables/text.ts';
import {
  admit,
  borrow,
  disguise,
  dismiss,
  giveBack,
  sourceKey,
  sourceText,
  undisguise,
  type Translation,
} from '../../../src/linux/nftables/transaction.ts';
import { FakeNft } from '../../support/fake-nft.ts';
import { address } from '../../support/relay/hosts.ts';

const passive: Translation = {
  peer: address('198.51.100.10'),
  at: { address: address('198.51.100.1'), port: 50000 },
  to: { address: address('10.77.0.2'), port: 30000 },
  from: { address: address('10.77.0.1'), port: 0 },
};
const active: Translation = {
  peer: address('fd77::2'),
  at: { address: address('fd77::1'), port: 51000 },
  to: { address: address('2001:db8:51::10'), port: 40000 },
  from: { address: address('2001:db8:51::1'), port: 20 },
};

test('lets a peer in, leads it and names its source, each with a timeout', () => {
  assert.equal(
    toText([...admit('pinhole', passive, 300_000), ...disguise('pinhole', passive, 300_000)]),
    `add element inet pinhole to4 { 198.51.100.10 . 198.51.100.1 . 50000 timeout 310000ms : 10.77.0.2 . 30000 }
add element inet pinhole expect4 { 198.51.100.10 . 198.51.100.1 . 50000 timeout 300000ms }
add element inet pinhole from4 { 198.51.100.10 . 10.77.0.2 . 30000 timeout 310000ms : 10.77.0.1 }
`,
  );
  assert.equal(
    toText([...admit('pinhole', active, 1000), ...disguise('pinhole', active, 1000)]),
    `add element inet pinhole to6 { fd77::2 . fd77::1 . 51000 timeout 11000ms : 2001:db8:51::10 . 40000 }
add element inet pinhole expect6 { fd77::2 . fd77::1 . 51000 timeout 1000ms }
add element inet pinhole from_port6 { fd77::2 . 2001:db8:51::10 . 40000 timeout 11000ms : 2001:db8:51::1 . 20 }
`,
  );
});

test('never writes a timeout of nothing, which would be none at all', () => {
  assert.match(toText(admit('pinhole', passive, 0.2)), /expect4 \{ \S+ \. \S+ \. 50000 timeout 1ms \}/);
  assert.match(toText(admit('pinhole', passive, 0)), /expect4 .* timeout 1ms/);
});

test('writes link-local addresses without their zone, which nftables does not know', () => {
  const path = { ...active, peer: address('fe80::2%eth0') };
  assert.match(toText(admit('pinhole', path, 1000)), /expect6 \{ fe80::2 \. fd77::1 \. 51000 /);
});

for (const [what, begin, end] of [
  ['admit', admit, dismiss],
  ['disguise', disguise, undisguise],
] as const) {
  test(`the end of ${what} leaves nothing, whether the kernel has taken its elements already or not`, () => {
    const nft = new FakeNft();
    nft.run([makeTable({ table: 'pinhole', mark: 1 })]);
    for (const path of [passive, active]) {
      nft.run(begin('pinhole', path, 1000));
      assert.ok([...(nft.sets?.values() ?? [])].some((set) => set.size > 0));
      for (let round = 0; round < 2; round++) {
        nft.run(end('pinhole', path));
        for (const set of nft.sets?.values() ?? []) assert.equal(set.size, 0);
      }
    }
  });
}

test('paths with one peer and one goal share the key of their source', () => {
  const other = { ...passive, at: { address: address('198.51.100.1'), port: 50001 } };
  assert.equal(sourceKey(passive), '198.51.100.10 . 10.77.0.2 . 30000');
  assert.equal(sourceKey(other), sourceKey(passive));
  assert.equal(sourceText(passive), '10.77.0.1');
  assert.equal(sourceText(active), '2001:db8:51::1 . 20');
});

test('lends an address to one connection from this host, and takes it back, there or not', () => {
  const loan = {
    local: { address: address('10.77.0.1'), port: 40000 },
    to: { address: address('10.77.0.2'), port: 21 },
    as: address('198.51.100.10'),
  };
  const nft = new FakeNft();
  nft.run([makeTable({ table: 'pinhole', mark: 1 })]);
  nft.run(borrow('pinhole', loan, 5000));
  assert.deepEqual(nft.elements('borrowed4'), ['10.77.0.1 . 40000 . 10.77.0.2 . 21 : 198.51.100.10']);
  for (let n = 0; n < 2; n++) {
    nft.run(giveBack('pinhole', loan));
    assert.deepEqual(nft.elements('borrowed4'), []);
  }
});
