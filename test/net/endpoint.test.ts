import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseAddress } from '../../src/net/address.ts';
import {
  endpointOfServer,
  formatEndpoint,
  parseHost,
  parsePort,
  splitHostPort,
} from '../../src/net/endpoint.ts';

test('reads ports from 1 to 65535, digits only', () => {
  assert.equal(parsePort('1'), 1);
  assert.equal(parsePort('21'), 21);
  assert.equal(parsePort('65535'), 65535);
  for (const text of [
    '',
    '0',
    '65536',
    '99999',
    '100000',
    '-1',
    '+21',
    ' 21',
    '21 ',
    '2.1',
    '1e3',
    '0x15',
    '21\n',
    '\u0662',
  ]) {
    assert.equal(parsePort(text), undefined, JSON.stringify(text));
  }
});

test('splits a host from its port', () => {
  const cases = [
    ['ftp.example:21', 'ftp.example', 21],
    ['ftp.example', 'ftp.example', undefined],
    ['ftp.example.:21', 'ftp.example.', 21],
    ['192.0.2.1', '192.0.2.1', undefined],
    ['192.0.2.1:2121', '192.0.2.1', 2121],
    ['[2001:DB8::1]:21', '2001:db8::1', 21],
    ['[2001:db8::1]', '2001:db8::1', undefined],
    ['2001:db8::1', '2001:db8::1', undefined],
    // no port: all eight groups are the address
    ['1:2:3:4:5:6:7:21', '1:2:3:4:5:6:7:21', undefined],
    ['[fe80::1%eth0]:21', 'fe80::1%eth0', 21],
  ] as const;
  for (const [text, host, port] of cases) assert.deepEqual(splitHostPort(text), { host, port }, text);
});

test('refuses an invalid host, or an invalid port after one', () => {
  const texts = [
    '',
    ':21',
    'ftp.example:',
    'ftp.example:0',
    'ftp.example:65536',
    'ftp.example:ftp',
    'ftp.example:21:22',
    '[192.0.2.1]:21',
    '[ftp.example]:21',
    '[2001:db8::1',
    '2001:db8::1]:21',
    '[2001:db8::1]21',
    '[2001:db8::1]:',
    '[[::1]]:21',
    '192.0.2',
    '192.0.2.256',
    '192.0.2.01',
    '0x7f.1',
    '21',
    'ftp example',
    'ftp..example',
    '-ftp.example',
    'ftp-.example',
    'ftp://ftp.example',
    'user@ftp.example',
    `${'a'.repeat(64)}.example`,
    `${'a.'.repeat(130)}example`,
  ];
  for (const text of texts) assert.equal(splitHostPort(text), undefined, JSON.stringify(text));
});

test('takes the names that hosts have', () => {
  for (const name of [
    'localhost',
    'a',
    'ftp-1.example',
    '1.example',
    'xn--bcher-kva.example',
    'my_server',
    'ftp.example.',
  ]) {
    assert.equal(parseHost(name), name);
  }
});

test('formats an endpoint so that splitting it gives the endpoint', () => {
  fc.assert(
    fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), fc.integer({ min: 1, max: 65535 }), (text, port) => {
      const address = parseAddress(text);
      assert.ok(address !== undefined);
      assert.deepEqual(splitHostPort(formatEndpoint({ address, port })), { host: address, port });
    }),
  );
});

test('returns where a server listens, and throws if it does not listen on TCP', () => {
  const listening = { address: () => ({ address: '::ffff:127.0.0.1', port: 21 }) };
  assert.deepEqual(endpointOfServer(listening), { address: '127.0.0.1', port: 21 });
  for (const bound of [null, '/run/socket']) {
    assert.throws(() => endpointOfServer({ address: () => bound }), /not listening/);
  }
});
