/** Rulesets of a size that a blocklist or a cluster has. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isFault } from '../../src/doctor/finding.ts';
import { examineHost } from '../../src/doctor/host.ts';
import { sourcesOf } from './host-sets.ts';

const vsftpd = 'listen=YES\npasv_min_port=30000\npasv_max_port=30099\n';
const lines = (count: number, line: (index: number) => string): string =>
  Array.from({ length: count }, (_, index) => line(index)).join('\n');

test('examines 100,000 rules, each for a port or an address', () => {
  const iptables = `*filter
:INPUT DROP
${lines(50_000, (index) => `-A INPUT -s 10.0.${index >> 8}.${index & 255} -j DROP`)}
${lines(50_000, (index) => `-A INPUT -p tcp --dport ${index + 1} -j ACCEPT`)}
COMMIT
`;
  assert.deepEqual(examineHost(sourcesOf({ vsftpd, iptables })).filter(isFault), []);
});

test('examines 50,000 chains', () => {
  const iptables = `*filter
:INPUT DROP
${lines(50_000, (index) => `:c${index} - [0:0]\n-A INPUT -j c${index}\n-A c${index} -p tcp --dport ${index + 1} -j ACCEPT`)}
COMMIT
`;
  assert.deepEqual(examineHost(sourcesOf({ vsftpd, iptables })).filter(isFault), []);
});

test('examines a map of 200,000 verdicts', () => {
  const nftables = `table inet filter {
  chain input {
    type filter hook input priority filter; policy drop;
    tcp dport vmap { ${lines(200_000, (index) => `${(index % 65_535) + 1} : accept,`)} }
  }
}
`;
  assert.deepEqual(examineHost(sourcesOf({ vsftpd, nftables })).filter(isFault), []);
});
