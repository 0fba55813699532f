import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Address4, Address6 } from 'ip-address';
import { parseAddress } from '../../src/net/address.ts';
import type { Address } from '../../src/net/address.ts';
import { contains, formatCidr, parseCidr } from '../../src/net/cidr.ts';
import type { Cidr } from '../../src/net/cidr.ts';

function network(text: string): Cidr {
  const cidr = parseCidr(text);
  assert.ok(cidr !== undefined, text);
  return cidr;
}

function address(text: string): Address {
  const parsed = parseAddress(text);
  assert.ok(parsed !== undefined, text);
  return parsed;
}

test('writes a network with its host bits cleared', () => {
  const cases = [
    ['10.0.0.0/8', '10.0.0.0/8'],
    ['10.1.2.3/8', '10.0.0.0/8'],
    ['192.0.2.1', '192.0.2.1/32'],
    ['192.0.2.255/25', '192.0.2.128/25'],
    ['0.0.0.0/0', '0.0.0.0/0'],
    ['2001:DB8::/32', '2001:db8::/32'],
    ['2001:db8:ffff:ffff::1/47', '2001:db8:fffe::/47'],
    ['2001:db8::1', '2001:db8::1/128'],
    ['::/0', '::/0'],
    ['::ffff:10.0.0.0/104', '10.0.0.0/8'],
    ['::ffff:10.0.0.1', '10.0.0.1/32'],
  ] as const;
  for (const [text, written] of cases) assert.equal(formatCidr(network(text)), written);
});

test('refuses what is no network', () => {
  const texts = [
    '',
    '/8',
    '10.0.0.0/',
    '10.0.0.0/33',
    '10.0.0.0/-1',
    '10.0.0.0/08',
    '10.0.0.0/8/8',
    '10.0.0.0/255.0.0.0',
    '10/8',
    '10.0.0/8',
    '010.0.0.0/8',
    ' 10.0.0.0/8',
    '10.0.0.0 /8',
    '::/129',
    '::ffff:10.0.0.0/64',
    'fe80::1%eth0',
    'fe80::%eth0/64',
    'ftp.example',
  ];
  for (const text of texts) assert.equal(parseCidr(text), undefined, JSON.stringify(text));
});

test('holds the addresses of its network, first and last, and no others', () => {
  const cases = [
    ['192.0.2.128/25', ['192.0.2.128', '192.0.2.255'], ['192.0.2.127', '192.0.3.0', '::c000:280']],
    ['192.0.2.1', ['192.0.2.1', '::ffff:192.0.2.1'], ['192.0.2.0', '192.0.2.2']],
    ['0.0.0.0/0', ['0.0.0.0', '255.255.255.255'], ['::', '::1']],
    [
      '2001:db8::/33',
      ['2001:db8::', '2001:db8:7fff:ffff::1'],
      ['2001:db8:8000::', '2001:db7::', '32.1.13.184'],
    ],
    ['::/0', ['::', 'ffff::', 'fe80::1%eth0'], ['192.0.2.1']],
    ['fe80::/10', ['fe80::1%eth0', 'febf::1'], ['fec0::']],
    ['::1', ['::1'], ['::', '::2', '1::']],
  ] as const;
  for (const [text, inside, outside] of cases) {
    const cidr = network(text);
    for (const other of inside) assert.equal(contains(cidr, address(other)), true, `${other} in ${text}`);
    for (const other of outside)
      assert.equal(contains(cidr, address(other)), false, `${other} not in ${text}`);
  }
});

test('agrees with the library on what lies in a network', () => {
  const pair = fc.oneof(
    fc.tuple(fc.ipV4(), fc.ipV4(), fc.integer({ min: 0, max: 32 })),
    fc.tuple(fc.ipV6(), fc.ipV6(), fc.integer({ min: 0, max: 128 })),
  );
  fc.assert(
    fc.property(pair, ([base, other, bits]) => {
      const [cidr, one] = [
        network(`${address(base)}/${bits % (address(base).includes(':') ? 129 : 33)}`),
        address(other),
      ];
      const text = formatCidr(cidr);
      const expected =
        text.includes(':') && one.includes(':')
          ? new Address6(one).isInSubnet(new Address6(text))
          : !text.includes(':') && !one.includes(':') && new Address4(one).isInSubnet(new Address4(text));
      assert.equal(contains(cidr, one), expected);
      assert.equal(contains(cidr, address(base)), true);
    }),
  );
});

test('reads its own text again as the same network', () => {
  fc.assert(
    fc.property(fc.ipV6(), fc.integer({ min: 0, max: 32 }), (base, bits) => {
      const cidr = network(`${address(base)}/${bits}`);
      assert.deepEqual(parseCidr(formatCidr(cidr)), cidr);
    }),
  );
});

test('is frozen', () => {
  const cidr = network('10.0.0.0/8');
  assert.throws(() => Object.assign(cidr.masks, { 0: 0 }), TypeError);
});
