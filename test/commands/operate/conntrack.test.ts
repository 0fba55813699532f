import assert from 'node:assert/strict';
import { test } from 'node:test';
import { expectationEventLine, expectationLine } from '../../../src/commands/operate/conntrack.ts';

/** Lines of conntrack 1.4.7 on Linux 6.18, from the kernel's helper, and what they are made from here. */
const real = [
  {
    line: '299 proto=6 src=203.0.113.7 dst=203.0.113.1 sport=0 dport=50000 mask-src=255.255.255.255 mask-dst=255.255.255.255 sport=0 dport=65535 master-src=203.0.113.7 master-dst=203.0.113.1 sport=35354 dport=21 class=0 helper=ftp',
    facts: {
      ...{ expires: 299.6, peer: '203.0.113.7', at: '203.0.113.1:50000', client: '203.0.113.7' },
      control: { from: '203.0.113.7:35354', to: '203.0.113.1:21' },
    },
  },
  {
    // PORT: the server is expected.
    line: '299 proto=6 src=203.0.113.1 dst=203.0.113.7 sport=0 dport=51201 mask-src=255.255.255.255 mask-dst=255.255.255.255 sport=0 dport=65535 master-src=203.0.113.7 master-dst=203.0.113.1 sport=35356 dport=21 class=0 helper=ftp',
    facts: {
      ...{ expires: 299, peer: '203.0.113.1', at: '203.0.113.7:51201', client: '203.0.113.7' },
      control: { from: '203.0.113.7:35356', to: '203.0.113.1:21' },
    },
  },
  {
    line: '299 proto=6 src=2001:db8::7 dst=2001:db8::1 sport=0 dport=50001 mask-src=ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff mask-dst=ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff sport=0 dport=65535 master-src=2001:db8::7 master-dst=2001:db8::1 sport=56284 dport=21 class=0 helper=ftp',
    facts: {
      ...{ expires: 299.999, peer: '2001:db8::7', at: '[2001:db8::1]:50001', client: '2001:db8::7' },
      control: { from: '[2001:db8::7]:56284', to: '[2001:db8::1]:21' },
    },
  },
];

test('prints an expectation as conntrack -L expect does', () => {
  for (const { line, facts } of real) assert.equal(expectationLine(facts), line);
});

test('prints its beginning and its end as conntrack -E expect does', () => {
  const [{ line, facts } = assert.fail()] = real;
  assert.equal(expectationEventLine('NEW', facts), `    [NEW] ${line}`);
  assert.equal(expectationEventLine('DESTROY', facts), `[DESTROY] ${line}`);
});

test('without its control connection the ports are 0, and the zone of an address is left out', () => {
  const line = expectationLine({
    ...{
      expires: 0,
      peer: 'fe80::7%eth0',
      at: '[fe80::1%eth0]:50000',
      client: 'fe80::7%eth0',
      control: null,
    },
  });
  assert.match(line, /^0 proto=6 src=fe80::7 dst=fe80::1 sport=0 dport=50000 /);
  assert.match(line, / master-src=fe80::7 master-dst=fe80::1 sport=0 dport=0 class=0 helper=ftp$/);
});
