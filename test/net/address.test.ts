import assert from 'node:assert/strict';
import { createServer, connect } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { once } from 'node:events';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  addressOfBytes,
  addressOfSocket,
  bytesOfAddress,
  familyOf,
  parseAddress,
} from '../../src/net/address.ts';

const canonical: readonly (readonly [string, string])[] = [
  ['192.0.2.1', '192.0.2.1'],
  ['0.0.0.0', '0.0.0.0'],
  ['255.255.255.255', '255.255.255.255'],
  ['::', '::'],
  ['0:0:0:0:0:0:0:1', '::1'],
  ['2001:DB8:0:0:8:0800:200C:417A', '2001:db8::8:800:200c:417a'],
  // RFC 5952 section 4.2.2: one group of zeros is not shortened; 4.2.3: the longest run is, the first of two
  ['2001:db8::1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
  ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
  ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
  ['::ffff:192.0.2.1', '192.0.2.1'],
  ['::FFFF:c000:0201', '192.0.2.1'],
  ['64:ff9b::192.0.2.1', '64:ff9b::c000:201'],
  ['fe80::1%eth0', 'fe80::1%eth0'],
  ['FE80:0::1%eth0.100', 'fe80::1%eth0.100'],
];

for (const [text, address] of canonical) {
  test(`writes ${text} as ${address}`, () => {
    assert.equal(parseAddress(text), address);
  });
}

const refused = [
  '',
  ' ',
  'localhost',
  '192.0.2',
  '192.0.2.1.5',
  '192.0.2.256',
  '192.0.2.01',
  '0192.0.2.1',
  '0xc0.0.2.1',
  '3221225985',
  '-1.0.2.1',
  '+1.0.2.1',
  '1e0.0.2.1',
  ' 192.0.2.1',
  '192.0.2.1\n',
  '192.0.2.1/32',
  '192.0.2.1:21',
  '192,0,2,1',
  '\u0661.0.2.1',
  ':',
  ':::',
  '::1::',
  '1:2:3:4:5:6:7',
  '1:2:3:4:5:6:7:8:9',
  '12345::',
  '::g',
  '[::1]',
  '::1/128',
  '::ffff:192.0.2.01',
  '::ffff:192.0.2.256',
  '2001:db8::1%eth0',
  '::1%lo',
  'fe80::1%',
  'fe80::1%eth0%eth1',
  'fe80::1%/etc',
  'fe80::1%a name',
  'fe80::1%sixteen-letters-',
  '192.0.2.1%eth0',
  '1'.repeat(100_000),
  ':'.repeat(100_000),
];

for (const text of refused) {
  const shown = JSON.stringify(text.slice(0, 40));
  test(`does not take ${shown} for an address`, () => {
    assert.equal(parseAddress(text), undefined);
  });
}

test('returns the family of an address', () => {
  for (const [text, family] of [
    ['192.0.2.1', 4],
    ['::1', 6],
    ['::ffff:192.0.2.1', 4],
  ] as const) {
    const address = parseAddress(text);
    assert.ok(address !== undefined);
    assert.equal(familyOf(address), family);
  }
});

test('reads its own text again as the same address', () => {
  fc.assert(
    fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (text) => {
      const address = parseAddress(text);
      assert.ok(address !== undefined, text);
      assert.equal(parseAddress(address), address);
    }),
  );
});

test('never throws, whatever the text', () => {
  const near = fc.string({
    unit: fc.constantFrom(...Array.from('0123456789abcfF:.%/[] \u0000')),
    maxLength: 50,
  });
  fc.assert(
    fc.property(fc.oneof(near, fc.string()), (text) => {
      parseAddress(text);
    }),
  );
});

test('reads the endpoints of a socket', () => {
  const said: readonly (readonly [string | undefined, string | undefined])[] = [
    [undefined, undefined],
    ['', undefined],
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['2001:db8::1', '2001:db8::1'],
    ['::1', '::1'],
    ['::192.0.2.1', '::c000:201'],
    ['fe80::1%eth0', 'fe80::1%eth0'],
    ['fe80::1%eth0.7', 'fe80::1%eth0.7'],
  ];
  for (const [text, address] of said) assert.equal(addressOfSocket(text), address);
});

test(
  'calls an IPv4 client of a listener for both families by its IPv4 address',
  { timeout: 10_000 },
  async (t) => {
    const server = createServer();
    server.listen(0, '::');
    try {
      await once(server, 'listening');
    } catch {
      t.skip('no IPv6 here');
      return;
    }
    const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
    t.after(() => client.destroy());
    const [accepted] = (await once(server, 'connection')) as [Socket];
    t.after(() => accepted.destroy());
    assert.equal(addressOfSocket(accepted.remoteAddress), '127.0.0.1');
    assert.equal(addressOfSocket(accepted.localAddress), '127.0.0.1');
    accepted.destroy();
    client.destroy();
    server.close();
  },
);

test('an address and its bytes are the same thing', () => {
  const bytes = fc.oneof(
    fc.uint8Array({ minLength: 4, maxLength: 4 }),
    fc.uint8Array({ minLength: 16, maxLength: 16 }),
    // Long runs of zeros, at both ends too
    fc
      .array(fc.constantFrom(0, 0, 0, 1), { minLength: 16, maxLength: 16 })
      .map((all) => Uint8Array.from(all)),
  );
  fc.assert(
    fc.property(bytes, (each) => {
      const address = addressOfBytes(each);
      assert.deepEqual(bytesOfAddress(address), each);
      assert.equal(familyOf(address), each.length === 4 ? 4 : 6);
    }),
  );
});

test('writes the bytes of an address in its one form', () => {
  assert.equal(addressOfBytes(Uint8Array.of(198, 51, 100, 10)), '198.51.100.10');
  const bytes = Uint8Array.from([0x20, 0x01, 0x0d, 0xb8, ...new Array<number>(11).fill(0), 0x10]);
  assert.equal(addressOfBytes(bytes), '2001:db8::10');
});
