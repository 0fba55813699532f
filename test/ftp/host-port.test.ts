import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { findHostPorts, formatHostPort, parseHostPort } from '../../src/ftp/host-port.ts';
import { address } from '../data/sessions.ts';

const endpoints = fc
  .tuple(fc.ipV4().map(address), fc.integer({ min: 1, max: 65535 }))
  .map(([host, port]) => ({ address: host, port }));

test('formats a host-port so that parsing it gives the endpoint', () => {
  fc.assert(
    fc.property(endpoints, (endpoint) => {
      assert.deepEqual(parseHostPort(formatHostPort(endpoint)), endpoint);
    }),
  );
});

test('finds a host-port wherever it stands, and its span exactly', () => {
  const text = fc.string({ unit: fc.constantFrom('a', ' ', '(', ')', '=', '.', '\xff'), maxLength: 20 });
  fc.assert(
    fc.property(endpoints, text, text, (endpoint, before, behind) => {
      const numbers = formatHostPort(endpoint);
      const start = before.length;
      const found = [{ endpoint, start, end: start + numbers.length }];
      assert.deepEqual(findHostPorts(before + numbers + behind), found);
    }),
  );
});

test('finds a host-port whose numbers have leading zeros and blanks', () => {
  const zeros = fc.array(fc.constantFrom('', '0', '00'), { minLength: 6, maxLength: 6 });
  const blanks = fc.array(fc.constantFrom('', ' ', '\t '), { minLength: 10, maxLength: 10 });
  fc.assert(
    fc.property(endpoints, zeros, blanks, (endpoint, zero, blank) => {
      const numbers = formatHostPort(endpoint).split(',');
      const text = numbers
        .map(
          (number, i) => `${i > 0 ? (blank[i - 1] ?? '') : ''}${zero[i] ?? ''}${number}${blank[i + 4] ?? ''}`,
        )
        .join(',');
      assert.deepEqual(findHostPorts(text)[0]?.endpoint, endpoint);
    }),
  );
});

test('writes four zeros for the host where it is IPv6', () => {
  assert.equal(formatHostPort({ address: address('2001:db8::1'), port: 50000 }), '0,0,0,0,195,80');
});

test('comes to the end of the longest lines of digits, commas and blanks', () => {
  const lines = ['1'.repeat(8192), '1,'.repeat(4096), `1${' '.repeat(8190)}`, '1 , '.repeat(2048)];
  for (const line of lines) assert.ok(findHostPorts(line).every(({ endpoint }) => endpoint.port === 257));
});
