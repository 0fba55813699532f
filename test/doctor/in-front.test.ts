/** What is judged where the server is not what clients connect to here: Pinhole is, or a server behind a gateway. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { isFault } from '../../src/doctor/finding.ts';
import { examineHost } from '../../src/doctor/host.ts';
import type { HostSources } from '../../src/doctor/host-sources.ts';
import { makeTable } from '../../src/linux/nftables/table.ts';
import { server, sourcesOf } from './host-sets.ts';

const faultsOf = (sources: HostSources): string[] =>
  examineHost(sources)
    .filter(isFault)
    .map(({ id }) => id);
const idsOf = (sources: HostSources): string[] => examineHost(sources).map(({ id }) => id);

/** A server behind Pinhole on the same host, as `rules/in-front-same-host` has it, with a range of its own. */
const vsftpd = 'listen_port=2121\nlisten_address=127.0.0.1\npasv_min_port=30000\npasv_max_port=30099\n';

for (const deployment of [
  'in-front',
  'in-front-same-host',
  'gateway',
  'gateway-kernel-plane',
  'gateway-kernel-plane-tls',
  'gateway-intercept',
]) {
  for (const [source, path] of [
    ['nftables', 'nftables/etc/nftables.d/ftp.nft'],
    ['iptables', 'iptables/etc/iptables/rules.v4'],
  ] as const) {
    test(`takes the rules of ${deployment} for Pinhole's own, without its configuration: ${source}`, () => {
      // As the kernel shows them: without comments.
      const text = readFileSync(`rules/${deployment}/${path}`, 'utf8').replace(/^ *#.*\n/gm, '');
      const sources = sourcesOf({ vsftpd, [source]: text });
      assert.deepEqual(faultsOf(sources), []);
      assert.ok(idsOf(sources).includes('pinhole-without-config'));
    });
  }
}

for (const [source, path] of [
  ['nftables', 'nftables/etc/nftables.d/ftp.nft'],
  ['iptables', 'iptables/etc/iptables/rules.v4'],
] as const) {
  test(`takes the rules of server-alone for those of the server itself: ${source}`, () => {
    const [rules = '', settings = ''] = [path, 'vsftpd/etc/vsftpd.conf'].map((name) =>
      readFileSync(`rules/server-alone/${name}`, 'utf8').replace(/^ *#.*\n/gm, ''),
    );
    const findings = examineHost(sourcesOf({ vsftpd: settings, [source]: rules }));
    assert.deepEqual(
      findings.filter(({ level }) => level !== 'fine').map(({ id }) => id),
      [],
    );
    assert.ok(findings.some(({ id }) => id === 'passive-range-open'));
  });

  test(`does not know who serves behind the rules of server-alone without any settings: ${source}`, () => {
    const rules = readFileSync(`rules/server-alone/${path}`, 'utf8').replace(/^ *#.*\n/gm, '');
    const findings = examineHost(sourcesOf({ [source]: rules }));
    assert.deepEqual(
      findings.filter(({ level }) => level === 'fault' || level === 'unseen').map(({ id }) => id),
      ['no-server-found'],
    );
  });
}

test("knows Pinhole by the table that it makes, beside rules of somebody's own", () => {
  const nftables = `${makeTable({ table: 'pinhole', mark: 5 }).text}
table inet filter {
  chain input {
    type filter hook input priority filter; policy drop;
    tcp dport 21 accept
  }
}
`;
  assert.deepEqual(faultsOf(sourcesOf({ vsftpd, nftables })), []);
});

const closed = '*filter\n:INPUT DROP\n-A INPUT -p tcp --dport 22 -j ACCEPT\nCOMMIT\n';

test('knows Pinhole by who listens on port 21, and asks the firewall about that port', () => {
  const listening = 'LISTEN 0 511 *:21 *:* users:(("node",pid=9,fd=20))\n';
  assert.deepEqual(faultsOf(sourcesOf({ vsftpd, iptables: closed, listening })), ['control-port-closed']);
  const iptables = closed.replace('--dport 22', '--dport 21');
  assert.deepEqual(faultsOf(sourcesOf({ vsftpd, iptables, listening })), []);
});

test("takes the rules of the kernel's helper for none of Pinhole", () => {
  const nftables = readFileSync('rules/kernel-helper-on-the-server/nftables/etc/nftables.d/ftp.nft', 'utf8');
  const own = 'listen=YES\npasv_min_port=30000\npasv_max_port=30099\n';
  const ids = idsOf(sourcesOf({ vsftpd: own, nftables }));
  assert.ok(!ids.includes('pinhole-without-config'));
});

/** A gateway that routes to public addresses, and a server behind it. */
const routed = (ports: string): string => `*filter
:INPUT DROP
:FORWARD DROP
-A INPUT -p tcp --dport 22 -j ACCEPT
-A FORWARD -m conntrack --ctstate ESTABLISHED -j ACCEPT
-A FORWARD -p tcp -m multiport --dports ${ports} -j ACCEPT
COMMIT
`;

test('judges a gateway that routes to the server by its forward chain', () => {
  const sysctl = 'net.ipv4.ip_forward = 1\n';
  const sources = (ports: string): HostSources =>
    sourcesOf({ vsftpd: server.vsftpd, iptables: routed(ports), sysctl });
  assert.deepEqual(faultsOf(sources('21,50000:50099')), []);
  const [finding] = examineHost(sources('21,50000:50009'));
  assert.equal(finding?.id, 'passive-range-closed');
  assert.deepEqual(finding.remedies[0]?.lines, ['iptables -I FORWARD -p tcp --dport 50000:50099 -j ACCEPT']);
  assert.deepEqual(
    faultsOf(
      sourcesOf({
        vsftpd: server.vsftpd,
        iptables: routed('21,50000:50099'),
        sysctl: sysctl.replace('1', '0'),
      }),
    ),
    ['ip-forward-off'],
  );
});

test('judges a server by its input chain though its rules stand in the forward chain', () => {
  const { listening } = server;
  const sources = sourcesOf({ vsftpd: server.vsftpd, iptables: routed('21,50000:50099'), listening });
  assert.deepEqual(faultsOf(sources), ['control-port-closed', 'passive-range-closed']);
});
