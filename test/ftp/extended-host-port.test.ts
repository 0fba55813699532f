import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  findExtendedPorts,
  findLoosePorts,
  formatExtendedHostPort,
  formatExtendedPort,
  parseExtendedHostPort,
  protocolNumber,
} from '../../src/ftp/extended-host-port.ts';
import { familyOf } from '../../src/net/address.ts';
import { address } from '../data/sessions.ts';

/** RFC 2428 section 2: any of ASCII 33-126, but a digit could not be told from the numbers. */
const delimiters = Array.from({ length: 94 }, (_, index) => String.fromCharCode(33 + index)).filter(
  (character) => !/\d/.test(character),
);

const endpoints = fc
  .tuple(fc.oneof(fc.ipV4(), fc.ipV6()).map(address), fc.integer({ min: 1, max: 65535 }))
  .map(([host, port]) => ({ address: host, port }));

test('formats an extended host-port so that parsing it gives the endpoint, with every delimiter', () => {
  fc.assert(
    fc.property(endpoints, fc.constantFrom(...delimiters), (endpoint, delimiter) => {
      const parsed = parseExtendedHostPort(formatExtendedHostPort(endpoint, delimiter));
      assert.deepEqual(parsed?.endpoint, endpoint);
      assert.equal(parsed.protocol, protocolNumber(familyOf(endpoint.address)));
    }),
  );
});

test('reads an EPRT with every delimiter, in IPv4 and IPv6', () => {
  assert.equal(delimiters.length, 84);
  const announced = [
    [1, '198.51.100.10'],
    [2, '2001:db8::a:10'],
  ] as const;
  for (const d of delimiters) {
    for (const [protocol, host] of announced) {
      const expected = { protocol, endpoint: { address: address(host), port: 50000 }, delimiter: d };
      assert.deepEqual(parseExtendedHostPort(`${d}${protocol}${d}${host}${d}50000${d}`), expected, d);
    }
  }
});

test('keeps the delimiter, unless it stands in the address', () => {
  for (const d of delimiters) {
    const kept = d === '.' ? '|' : d;
    const text = formatExtendedHostPort({ address: address('10.77.0.1'), port: 50001 }, d);
    assert.equal(text, `${kept}1${kept}10.77.0.1${kept}50001${kept}`);
  }
  const text = formatExtendedHostPort({ address: address('fd00::1'), port: 50001 }, ':');
  assert.equal(text, '|2|fd00::1|50001|');
});

test('finds the port of a 229 with every delimiter, with and without parentheses, its span exactly', () => {
  for (const d of delimiters) {
    for (const [before, behind] of [
      ['Entering Extended Passive Mode (', ')'],
      ['Entering (extended) mode ', ' now'],
    ] as const) {
      const start = before.length + 3;
      assert.deepEqual(
        findExtendedPorts(`${before}${d}${d}${d}6446${d}${behind}`),
        [{ port: 6446, start, end: start + 4 }],
        d,
      );
    }
  }
});

test('finds the port of a 229 whose first fields are filled, with every delimiter', () => {
  for (const d of delimiters) {
    const text = `Extended Passive Mode (${d}1${d}10-77-0-2${d}6446${d})`;
    assert.deepEqual(
      findExtendedPorts(text).map(({ port }) => port),
      [6446],
      d,
    );
  }
});

test('finds no port that nobody can connect to', () => {
  for (const port of ['', '0', '00000', '65536', '99999', '100000', '-1', '+1', '1.5', '0x10', '1e3']) {
    assert.deepEqual(findExtendedPorts(`(|||${port}|)`), [], port);
  }
});

test('formats a port so that finding it gives the port, in the strict form and the loose one', () => {
  const text = fc.string({ unit: fc.constantFrom(' ', '3', '\xff'), maxLength: 20 });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 65535 }), text, text, (port, before, behind) => {
      const written = formatExtendedPort(port);
      const line = `${before}${written}${behind}`;
      const start = before.length;
      const end = start + written.length;
      assert.deepEqual(findExtendedPorts(line), [{ port, start: start + 4, end: end - 2 }]);
      assert.deepEqual(findLoosePorts(line), [{ port, start, end }]);
    }),
  );
});

test('finds one number among a few marks or blanks in parentheses, with the span of the parentheses', () => {
  const before = 'Entering (extended) mode ';
  for (const inner of [
    '||| 6446 |',
    '|||6446 |',
    '|||\t6446|',
    '|!|6446|',
    '||6446|',
    '|6446|',
    '|||6446',
    '   6446 ',
    ' |||6446| ',
    '6446',
    '||||6446',
    '|||6446||||',
    '::6446',
    '[6446]',
  ]) {
    const line = `${before}(${inner}).`;
    const start = before.length;
    const found = [{ port: 6446, start, end: start + inner.length + 2 }];
    assert.deepEqual(findLoosePorts(line), found, inner);
  }
});

test('finds no port loosely where there are two numbers, none, or more than a few marks', () => {
  for (const inner of [
    '',
    '||||',
    '|1|10.77.0.2|6446|',
    '10,77,0,2,200,13',
    '|||64 46|',
    '|||6446|1',
    'RFC 2428',
    'port 6446',
    'x6446x',
    '|||||||||6446|',
    '|||6446|||||||||',
    '\xa0\xa0\xa06446\xa0',
    ...['0', '00000', '65536', '99999', '100000', '-1', '+1', '1.5', '.5', ',5', '0x10', '1e3'].map(
      (port) => `||| ${port} |`,
    ),
  ]) {
    assert.deepEqual(findLoosePorts(`Extended Passive Mode (${inner})`), [], inner);
  }
  for (const text of ['', '|||6446|', '((||6446|', '(||6446|', '||6446|)', ')||6446|(', '(6446(']) {
    assert.deepEqual(findLoosePorts(text), [], text);
  }
});

test('comes to the end of the longest lines of parentheses, marks and digits', () => {
  for (const line of [
    '('.repeat(8192),
    '(|||'.repeat(2048),
    `(${'1'.repeat(8190)}`,
    `(${'|'.repeat(8190)}`,
  ]) {
    assert.deepEqual(findLoosePorts(line), []);
  }
});
