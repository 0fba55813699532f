import assert from 'node:assert/strict';
import { endianness } from 'node:os';
import { test } from 'node:test';
import { isFailure, toMessages } from '../../../src/linux/nftables/messages.ts';
import type { Statement } from '../../../src/linux/nftables/statement.ts';
import { toText } from '../../../src/linux/nftables/text.ts';
import { dropTable, makeTable } from '../../../src/linux/nftables/table.ts';
import {
  admit,
  borrow,
  clear,
  disguise,
  dismiss,
  giveBack,
  undisguise,
} from '../../../src/linux/nftables/transaction.ts';
import { address } from '../../support/relay/hosts.ts';

// Headers are in the order of the host.
const skip = endianness() === 'LE' ? false : 'the messages are of a little-endian host';

const settings = { table: 'pinhole', mark: 1 };
const begin = '14000000' + '10000100' + '0000000000000000' + '0000000a';
const end = '14000000' + '11000100' + '0000000000000000' + '0000000a';

function hexOf(statements: readonly Statement[]): string | undefined {
  const batch = toMessages(statements);
  return batch && Buffer.from(batch).toString('hex');
}

test('writes an element of a map as the kernel reads it', { skip }, () => {
  const elements =
    '38000380' +
    '34000180' +
    ('14000180' + '10000100' + 'c633640a' + 'c6336401' + 'c3500000') + // its key
    ('0c000400' + '000000000004baf0') + // 310,000 ms
    ('10000280' + '0c000100' + '0a4d0002' + '75300000'); // where it leads
  assert.equal(
    hexOf([
      {
        ...{ kind: 'add-element', table: 'pinhole', set: 'to4', timeout: 310_000 },
        key: [address('198.51.100.10'), address('198.51.100.1'), 50_000],
        value: [address('10.77.0.2'), 30_000],
      },
    ]),
    begin +
      ('60000000' + '0c0a0104' + '0000000000000000' + '01000000') +
      ('0c000100' + '70696e686f6c6500') + // pinhole
      ('08000200' + '746f3400') + // to4
      elements +
      end,
  );
});

test('writes the end of an element by its key', { skip }, () => {
  const key =
    '2c000180' +
    '28000100' +
    '20010db8005100000000000000000010' +
    'fd770000000000000000000000000002' +
    '00150000';
  assert.equal(
    hexOf([
      {
        ...{ kind: 'delete-element', table: 'p', set: 'to6' },
        key: [address('2001:db8:51::10'), address('fd77::2'), 21],
      },
    ]),
    begin +
      ('58000000' + '0e0a0100' + '0000000000000000' + '01000000') +
      ('06000100' + '70000000') +
      ('08000200' + '746f3600') +
      ('34000380' + '30000180' + key) +
      end,
  );
});

test('writes all that a pinhole needs, in one batch', () => {
  for (const [client, reached, server, inside] of [
    ['198.51.100.10', '198.51.100.1', '10.77.0.2', '10.77.0.1'],
    ['2001:db8:51::10', '2001:db8:51::1', 'fd77::2', 'fd77::1'],
  ] as const) {
    const path = {
      peer: address(client),
      at: { address: address(reached), port: 50000 },
      to: { address: address(server), port: 30000 },
      from: { address: address(inside), port: 0 },
    };
    const loan = { local: { address: address(inside), port: 40000 }, to: path.to, as: address(client) };
    const port20 = { ...path, from: { ...path.from, port: 20 } };
    const statements = [
      admit('t', path, 1),
      dismiss('t', path),
      clear('t', path),
      disguise('t', path, 1),
      undisguise('t', path),
      disguise('t', port20, 1),
      undisguise('t', port20),
      borrow('t', loan, 1),
      giveBack('t', loan),
    ];
    for (const each of statements) assert.ok(toMessages(each), toText(each));
    assert.ok(toMessages(statements.flat()));
  }
});

const element: Statement = { kind: 'delete-element', table: 't', set: 's', key: [address('192.0.2.1'), 21] };

for (const statements of [[makeTable(settings)], [dropTable(settings)], [element, dropTable(settings)]]) {
  test(`leaves to nftables what is more than elements: ${JSON.stringify(toText(statements).slice(0, 60))}`, () => {
    assert.equal(toMessages(statements), undefined);
  });
}

test('an element that has to be new is created, for the kernel and in text', { skip }, () => {
  const added = { ...element, kind: 'add-element', timeout: 1000, value: undefined } as const;
  // NLM_F_CREATE, and NLM_F_EXCL with it.
  assert.match(hexOf([added]) ?? '', /0c0a0104/);
  assert.match(hexOf([{ ...added, isNew: true }]) ?? '', /0c0a0106/);
  assert.match(toText([{ ...added, isNew: true }]), /^create element inet t s /);
});

test('writes a timeout of more than 32 bits', { skip }, () => {
  const timeout = 2 ** 32 + 1;
  assert.match(
    hexOf([{ ...element, kind: 'add-element', timeout, value: undefined }]) ?? '',
    /0000000100000001/,
  );
});

test('distinguishes a refusal from a success', { skip }, () => {
  const answer = (errno: string): Buffer =>
    Buffer.from('24000000' + '02000000' + '0000000000000000' + errno + '00'.repeat(16), 'hex');
  assert.equal(isFailure(answer('feffffff')), true);
  assert.equal(isFailure(answer('00000000')), false);
  assert.equal(isFailure(Buffer.alloc(3)), false);
});
