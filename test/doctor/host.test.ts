import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { isFault, type Level } from '../../src/doctor/finding.ts';
import { examineHost } from '../../src/doctor/host.ts';
import type { HostSources } from '../../src/doctor/host-sources.ts';
import { reportText } from '../../src/doctor/report.ts';
import {
  ends,
  gateway,
  healthySets,
  helped,
  kernelPlane,
  leaves,
  passes,
  relay,
  server,
  sourcesOf,
} from './host-sets.ts';
import { setups } from './setups.ts';

const told = new Set<string>();

/** Where something that decides is not known. */
const doubtful: readonly HostSources[] = [
  {},
  sourcesOf({
    vsftpd: server.vsftpd,
    iptables:
      '*nat\n-A PREROUTING -p tcp --dport 21 -m set --match-set a src -j DNAT --to 192.168.0.5\nCOMMIT\n*filter\n:INPUT ACCEPT\nCOMMIT\n',
  }),
  sourcesOf({
    iptables:
      '*nat\n-A PREROUTING -p tcp --dport 21 -j DNAT --to 192.168.0.5\n-A PREROUTING -p tcp --dport 50000:50099 -m set --match-set a src -j DNAT --to 192.168.0.5\nCOMMIT\n',
    vsftpd: server.vsftpd,
  }),
  sourcesOf({
    iptables:
      '*nat\n-A PREROUTING -p tcp --dport 21 -j DNAT --to 192.168.0.5\n-A PREROUTING -p tcp --dport 50000:50099 -j DNAT --to 192.168.0.5\nCOMMIT\n',
  }),
  sourcesOf({ proftpd: 'Include /etc/proftpd/conf.d/*.conf\n' }),
  sourcesOf({
    ...helped,
    nftables: helped.nftables
      .replace('ct helper set "ftp-standard"', 'xt target CT')
      .replace('tcp dport 21 xt', 'iifname "eth0" tcp dport 21 xt'),
  }),
];

for (const [index, id] of [
  'firewall-not-seen',
  'forwarding-not-known',
  'passive-forwarding-not-known',
  'range-behind-not-known',
  'settings-incomplete',
  'helper-not-known',
].entries()) {
  test(`says that it is not known: ${id}`, () => {
    const sources = doubtful[index] ?? {};
    assert.ok(idsOf(sources, ['unseen']).includes(id), idsOf(sources, ['unseen']).join());
    assert.deepEqual(
      idsOf(sources, ['fault']).filter((one) => one !== 'address-missing'),
      [],
    );
  });
}

/** The ids of faults and notes, or of what is not known. */
function idsOf(sources: HostSources, levels: readonly Level[] = ['fault', 'note']): string[] {
  const findings = examineHost(sources);
  for (const finding of findings) told.add(finding.id);
  // A value that a message asks for and a finding has not is an error.
  reportText(findings, 'en');
  reportText(findings, 'zh');
  return findings.filter(({ level }) => levels.includes(level)).map(({ id }) => id);
}

for (const [name, texts] of Object.entries(healthySets)) {
  test(`finds nothing to change in a healthy set: ${name}`, () => {
    assert.deepEqual(idsOf(sourcesOf(texts)), []);
  });
}

/** `old` in a text becomes `young`. */
function changed(text: string, old: string, young: string): string {
  assert.ok(text.includes(old), old);
  return text.replace(old, () => young);
}

const { iptables } = server;

/** One thing broken in a set that is well: the finding, its level, where it is, and a line of a remedy. */
const broken: readonly (readonly [
  id: string,
  level: Level,
  sources: HostSources,
  where: string | undefined,
  remedy: string | undefined,
])[] = [
  [
    'passive-range-inverted',
    'fault',
    sourcesOf({
      ...server,
      vsftpd: changed(changed(server.vsftpd, '50099', '5'), '50000', '50099').replace('=5\n', '=50000\n'),
    }),
    'vsftpd:3',
    'pasv_min_port=50000',
  ],
  [
    'passive-range-inverted',
    'fault',
    sourcesOf({ ...helped, proftpd: changed(helped.proftpd, '50000 50099', '50099 50000') }),
    'proftpd:3',
    'PassivePorts 50000 50099',
  ],
  [
    'passive-range-missing',
    'fault',
    sourcesOf({
      ...server,
      vsftpd: 'listen=YES\n',
      iptables: changed(iptables, 'RELATED,', '').replace('50000:50099', '50000:50009'),
    }),
    'vsftpd',
    'iptables -I INPUT -p tcp --dport 50000:50999 -j ACCEPT',
  ],
  [
    'passive-range-missing',
    'fault',
    sourcesOf({
      ...server,
      vsftpd: 'listen=YES\n',
      iptables: changed(iptables, '50000:50099', '1024:65535'),
    }),
    'vsftpd',
    'pasv_max_port=50999',
  ],
  [
    'passive-disabled',
    'note',
    sourcesOf({ ...server, vsftpd: `${server.vsftpd}pasv_enable=NO\n` }),
    'vsftpd',
    'pasv_enable=YES',
  ],
  [
    'port-20-unprivileged',
    'fault',
    sourcesOf({ ...server, vsftpd: `${server.vsftpd}run_as_launching_user=YES\n` }),
    'vsftpd:5',
    'connect_from_port_20=NO',
  ],
  [
    'port-20-unprivileged',
    'fault',
    sourcesOf({ ...helped, proftpd: `RootRevoke on\n${helped.proftpd}` }),
    'proftpd:1',
    'RootRevoke UseNonCompliantActiveTransfer',
  ],
  [
    'port-20-unprivileged',
    'fault',
    sourcesOf({ proftpd: 'RootRevoke on\nPort 1000\nPassivePorts 50000 50099\n' }),
    'proftpd:1',
    'RootRevoke UseNonCompliantActiveTransfer',
  ],
  [
    'port-20-not-root',
    'fault',
    sourcesOf({ ...server, listening: changed(server.listening, ' ino:1', ' uid:1000 ino:1') }),
    'vsftpd',
    'connect_from_port_20=NO',
  ],
  [
    'vsftpd-spaces',
    'fault',
    sourcesOf({ ...server, vsftpd: changed(server.vsftpd, 'pasv_min_port=', 'pasv_min_port =') }),
    'vsftpd:3',
    'pasv_min_port=50000',
  ],
  [
    'vsftpd-spaces',
    'fault',
    sourcesOf({ ...server, vsftpd: changed(server.vsftpd, 'listen=YES', 'listen=YES ') }),
    'vsftpd:1',
    'listen=YES',
  ],
  [
    'vsftpd-spaces',
    'fault',
    sourcesOf({ ...server, vsftpd: changed(server.vsftpd, 'listen=YES', 'listen= YES') }),
    'vsftpd:1',
    'listen=YES',
  ],
  [
    'vsftpd-spaces',
    'fault',
    sourcesOf({ ...server, vsftpd: `${server.vsftpd} # the end\n` }),
    'vsftpd:5',
    '# the end',
  ],
  [
    'vsftpd-line-ends',
    'fault',
    sourcesOf({ ...server, vsftpd: server.vsftpd.replaceAll('\n', '\r\n') }),
    'vsftpd:1',
    "sed -i 's/\\r$//' vsftpd",
  ],
  [
    'address-not-resolved',
    'fault',
    sourcesOf({ ...server, vsftpd: `${server.vsftpd}pasv_address=ftp.example.org\n` }),
    'vsftpd:5',
    'pasv_addr_resolve=YES',
  ],
  [
    'control-port-closed',
    'fault',
    sourcesOf({ ...server, iptables: changed(iptables, '--dport 21 ', '--dport 2121 ') }),
    'iptables:3',
    'iptables -I INPUT -p tcp --dport 21 -j ACCEPT',
  ],
  [
    'related-without-helper',
    'fault',
    sourcesOf({ ...server, iptables: changed(iptables, '50000:50099', '60000:60099') }),
    'iptables:3',
    'iptables -t raw -A PREROUTING -p tcp --dport 21 -j CT --helper ftp',
  ],
  [
    'related-without-helper',
    'fault',
    sourcesOf({
      ...helped,
      nftables: changed(helped.nftables, 'tcp dport 21 ct helper', 'tcp dport 2121 ct helper'),
    }),
    'nftables:19',
    'nft insert rule inet filter input tcp dport 50000-50099 accept',
  ],
  [
    'related-without-helper',
    'fault',
    sourcesOf({ ...server, vsftpd: '', iptables: changed(iptables, '50000:50099', '8080') }),
    'iptables:3',
    'pasv_min_port=50000',
  ],
  [
    'forward-closed',
    'note',
    sourcesOf({ ...server, sysctl: 'net.ipv4.ip_forward = 1\n' }),
    'iptables:4',
    'iptables -I FORWARD -p tcp --dport 21 -j ACCEPT',
  ],
  [
    'helper-and-pinhole',
    'fault',
    sourcesOf({
      ...kernelPlane,
      pinhole: 'server = "10.77.0.2"\nlisten = [21, 2121]\nplane = "kernel"\n',
      iptables: `*raw\n-A PREROUTING -p tcp --dport 2121 -j CT --helper ftp\nCOMMIT\n${kernelPlane.iptables}`,
    }),
    'iptables:2',
    'iptables -t raw -D PREROUTING -p tcp --dport 2121 -j CT --helper ftp',
  ],
  [
    'passive-range-closed',
    'fault',
    sourcesOf({
      ...server,
      iptables: changed(iptables, 'RELATED,', '').replace('50000:50099', '50000:50049'),
    }),
    'iptables:3',
    'iptables -I INPUT -p tcp --dport 50000:50099 -j ACCEPT',
  ],
  [
    'passive-range-closed',
    'fault',
    sourcesOf({ ...relay, nftables: changed(relay.nftables, '50000-50999', '50000-50500') }),
    'nftables:2',
    'nft insert rule inet filter input tcp dport 50000-50999 accept',
  ],
  [
    'helper-sees-no-tls',
    'fault',
    sourcesOf({ ...helped, proftpd: `<IfModule mod_tls.c>\nTLSEngine on\n</IfModule>\n${helped.proftpd}` }),
    'proftpd:2',
    'PassivePorts 50000 50099',
  ],
  [
    'active-range-closed',
    'fault',
    sourcesOf({ ...relay, nftables: changed(relay.nftables, '51000-51999', '52000-52999') }),
    'nftables:2',
    'nft insert rule inet filter input tcp dport 51000-51999 accept',
  ],
  [
    'firewall-opens-too-much',
    'fault',
    sourcesOf({ ...server, iptables: changed(iptables, '50000:50099', '80,40000:65535') }),
    'iptables:10',
    '-A INPUT -p tcp -m multiport --dports 80,50000:50099 -j ACCEPT',
  ],
  [
    'firewall-opens-too-much',
    'fault',
    sourcesOf({ ...relay, nftables: changed(relay.nftables, '50000-50999', '1024-65535') }),
    'nftables:6',
    'tcp dport { 21, 50000-50999, 51000-51999 } accept',
  ],
  [
    'firewall-opens-too-much',
    'fault',
    sourcesOf({
      ...server,
      iptables: changed(iptables, '-m multiport --dports 50000:50099', '-m tcp ! --dport 5432'),
    }),
    'iptables:10',
    '-A INPUT -p tcp -m multiport --dports 1:5431,50000:50099 -j ACCEPT',
  ],
  [
    'firewall-opens-too-much',
    'note',
    sourcesOf({
      ...server,
      iptables: changed(
        iptables,
        '-A INPUT -p tcp -m multiport --dports 50000:50099',
        '-A INPUT -i eth0 ! -s 192.0.2.0/24 -p tcp --dport 1024:65535',
      ),
    }),
    'iptables:10',
    '-A INPUT -i eth0 ! -s 192.0.2.0/24 -p tcp -m tcp --dport 50000:50099 -j ACCEPT',
  ],
  [
    'firewall-opens-too-much',
    'note',
    sourcesOf({
      ...relay,
      nftables: changed(relay.nftables, 'tcp dport { ftp, 50000', 'iifname "eth0" tcp dport { ftp, 40000'),
    }),
    'nftables:6',
    'iifname eth0 tcp dport { 21, 50000-50999 } accept',
  ],
  [
    'firewall-lets-all-in',
    'note',
    sourcesOf({ ...server, iptables: changed(iptables, 'INPUT DROP', 'INPUT ACCEPT') }),
    'iptables',
    '-A INPUT -p tcp -m tcp --dport 50000:50099 -j ACCEPT',
  ],
  [
    'firewall-lets-all-in',
    'note',
    sourcesOf({ ...helped, nftables: 'table inet filter {\n}\n', modules: '' }),
    'nftables',
    '    tcp dport { 22, 21, 50000-50099 } accept',
  ],
  [
    'ip-forward-off',
    'fault',
    sourcesOf({ ...gateway, sysctl: 'net.ipv4.ip_forward = 0\n' }),
    'sysctl:1',
    'sysctl -w net.ipv4.ip_forward=1',
  ],
  [
    'ip-forward-off',
    'fault',
    sourcesOf({ ...kernelPlane, sysctl: 'net.ipv4.ip_forward = 0\n' }),
    'sysctl:1',
    'sysctl -w net.ipv4.ip_forward=1',
  ],
  [
    'forward-drops',
    'fault',
    sourcesOf({
      ...gateway,
      iptables: changed(gateway.iptables, '--ctstate DNAT', '--ctstate NEW -p tcp --dport 50000:50099'),
    }),
    'iptables:8',
    'iptables -I FORWARD -p tcp --dport 21 -j ACCEPT',
  ],
  [
    'only-control-port-forwarded',
    'fault',
    sourcesOf({
      iptables: changed(
        gateway.iptables,
        /.*--dport 50000:50099 -j DNAT.*\n/.exec(gateway.iptables)?.[0] ?? '?',
        '',
      ),
    }),
    'iptables:3',
    'iptables -t raw -A PREROUTING -p tcp --dport 21 -j CT --helper ftp',
  ],
  [
    'passive-range-not-forwarded',
    'fault',
    sourcesOf({
      ...gateway,
      iptables: changed(gateway.iptables, '50000:50099 -j DNAT', '50000:50050 -j DNAT'),
    }),
    'iptables:3',
    'iptables -t nat -I PREROUTING -d 203.0.113.5/32 -p tcp --dport 50000:50099 -j DNAT --to-destination 192.168.1.10',
  ],
  [
    'forward-drops-pinhole',
    'fault',
    sourcesOf({ ...kernelPlane, iptables: changed(kernelPlane.iptables, '0x2121', '0x1') }),
    'iptables:3',
    'iptables -I FORWARD -m connmark --mark 0x2121 -j ACCEPT',
  ],
  [
    'address-missing',
    'fault',
    sourcesOf({ ...gateway, pureFtpd: changed(gateway.pureFtpd, 'ForcePassiveIP', '#') }),
    'pureFtpd',
    'ForcePassiveIP 203.0.113.5',
  ],
  [
    'address-private',
    'fault',
    sourcesOf({ ...gateway, pureFtpd: '-p 50000:50099 -P 192.168.1.10 -S ,21\n' }),
    'pureFtpd:1',
    '-P 203.0.113.5',
  ],
  [
    'control-port-closed-ipv6',
    'note',
    sourcesOf({ vsftpd: server.vsftpd, ip6tables: '*filter\n:INPUT DROP\nCOMMIT\n' }),
    'ip6tables:2',
    'ip6tables -I INPUT -p tcp --dport 21 -j ACCEPT',
  ],
  [
    'address-private-announced',
    'unseen',
    sourcesOf({ ...server, vsftpd: `${server.vsftpd}pasv_address=192.168.1.10\n` }),
    'vsftpd:5',
    'pasv_address=PUBLIC-ADDRESS',
  ],
  [
    'address-may-be-missing',
    'unseen',
    sourcesOf({ ...server, addresses: changed(server.addresses, '203.0.113.5', '192.168.1.5') }),
    'vsftpd',
    'pasv_address=PUBLIC-ADDRESS',
  ],
  [
    'helper-and-pinhole',
    'fault',
    sourcesOf({
      ...relay,
      nftables: `${relay.nftables}table ip raw {\n ct helper ftp {\n  type "ftp" protocol tcp\n }\n chain pre {\n  type filter hook prerouting priority mangle;\n  tcp dport 21 ct helper set "ftp"\n }\n}\n`,
    }),
    'nftables:16',
    '# tcp dport 21 ct helper set ftp',
  ],
  [
    'helper-and-pinhole',
    'fault',
    sourcesOf({ ...relay, sysctl: 'net.netfilter.nf_conntrack_helper = 1\n' }),
    'sysctl:1',
    'sysctl -w net.netfilter.nf_conntrack_helper=0',
  ],
  [
    'helper-and-pinhole',
    'fault',
    sourcesOf({
      ...kernelPlane,
      iptables: `*raw\n-A PREROUTING -p tcp -m tcp --dport 21 -j CT --helper ftp\nCOMMIT\n${kernelPlane.iptables}`,
    }),
    'iptables:2',
    'iptables -t raw -D PREROUTING -p tcp -m tcp --dport 21 -j CT --helper ftp',
  ],
  [
    'helper-module-missing',
    'fault',
    sourcesOf({ ...helped, modules: 'Module Size Used by\n' }),
    'modules',
    'modprobe nf_conntrack_ftp',
  ],
  [
    'helper-module-missing',
    'fault',
    sourcesOf({
      iptables: `*raw\n-A PREROUTING -p tcp --dport 21 -j CT --helper ftp\nCOMMIT\n${gateway.iptables}`,
      modules: 'kernel/net/netfilter/nf_conntrack_ftp.ko\n',
    }),
    'modules',
    'modprobe nf_nat_ftp',
  ],
  [
    'helper-by-sysctl',
    'note',
    sourcesOf({ ...helped, sysctl: 'net.netfilter.nf_conntrack_helper = 1\n' }),
    'sysctl:1',
    'sysctl -w net.netfilter.nf_conntrack_helper=0',
  ],
  [
    'helper-unused',
    'note',
    sourcesOf({ ...server, modules: 'nf_conntrack_ftp 24576 0 - Live 0x0\n' }),
    'modules',
    'iptables -t raw -A PREROUTING -p tcp --dport 21 -j CT --helper ftp',
  ],
  [
    'source-port-for-destination',
    'fault',
    sourcesOf({
      ...server,
      iptables: changed(iptables, 'COMMIT', '-A INPUT -p tcp -m tcp --sport 21 -j ACCEPT\nCOMMIT'),
    }),
    'iptables:11',
    '-A INPUT -p tcp -m tcp --dport 21 -j ACCEPT',
  ],
  [
    'source-port-for-destination',
    'fault',
    sourcesOf({
      ...helped,
      nftables: changed(
        helped.nftables,
        '\t\tlog prefix',
        '\t\ttcp sport { 21, 990 } ct state new accept\n\t\tlog prefix',
      ),
    }),
    'nftables:26',
    'tcp dport { 21, 990 } ct state new accept',
  ],
  [
    'rule-without-target',
    'fault',
    sourcesOf({ ...server, iptables: changed(iptables, 'COMMIT', '-A INPUT -p tcp --dport 80 -j\nCOMMIT') }),
    'iptables:11',
    '-A INPUT -p tcp --dport 80 -j ACCEPT',
  ],
  [
    'rule-without-target',
    'fault',
    sourcesOf({ ...server, savedIptables: '*filter\n-A INPUT -p tcp -j\nCOMMIT\n' }),
    'savedIptables:2',
    '-A INPUT -p tcp -j ACCEPT',
  ],
  [
    'modules-line-overridden',
    'fault',
    sourcesOf({ ...server, iptablesConfig: 'IPTABLES_MODULES="ip_tables"\nIPTABLES_MODULES="x_tables"\n' }),
    'iptablesConfig:1',
    'IPTABLES_MODULES="ip_tables x_tables"',
  ],
  [
    'nat-module-first',
    'fault',
    sourcesOf({
      proftpd: helped.proftpd,
      iptablesConfig: "IPTABLES_MODULES='ip_nat_ftp ip_conntrack_ftp'\n",
    }),
    'iptablesConfig:1',
    'IPTABLES_MODULES="ip_conntrack_ftp ip_nat_ftp"',
  ],
  ['nobody-listens', 'fault', sourcesOf({ ...server, listening: '' }), 'listening', undefined],
  [
    'pinhole-port-taken',
    'fault',
    sourcesOf({ ...relay, listening: 'tcp 0 0 0.0.0.0:21 0.0.0.0:* LISTEN 812/vsftpd\n' }),
    'listening:1',
    undefined,
  ],
  [
    'listens-on-loopback',
    'fault',
    sourcesOf({ ...server, listening: changed(server.listening, '0.0.0.0:21', '127.0.0.1:21') }),
    'listening:2',
    undefined,
  ],
  [
    'passive-port-taken',
    'note',
    sourcesOf({ ...server, listening: changed(server.listening, '[::]:22', '[::]:50007') }),
    'listening:3',
    undefined,
  ],
  ['pinhole-config-refused', 'fault', sourcesOf({ pinhole: 'listen = "nowhere"\n' }), 'pinhole', undefined],
  [
    'pinhole-without-config',
    'unseen',
    sourcesOf({ nftables: relay.nftables, listening: relay.listening }),
    undefined,
    undefined,
  ],
  ['no-server-found', 'unseen', sourcesOf({ iptables: ':INPUT ACCEPT' }), undefined, undefined],
  [
    'control-port-closed',
    'fault',
    sourcesOf({ pinhole: ends.pinhole, iptables: changed(ends.iptables, '21,990', '21') }),
    'iptables:2',
    'iptables -I INPUT -p tcp --dport 990 -j ACCEPT',
  ],
  [
    'nobody-listens',
    'fault',
    sourcesOf({ ...ends, listening: changed(ends.listening, ':990 ', ':9900 ') }),
    'listening',
    undefined,
  ],
  [
    'helper-and-pinhole',
    'fault',
    sourcesOf({
      ...ends,
      iptables: `${ends.iptables}*raw\n-A PREROUTING -p tcp --dport 990 -j CT --helper ftp\nCOMMIT\n`,
    }),
    'iptables:10',
    'iptables -t raw -D PREROUTING -p tcp --dport 990 -j CT --helper ftp',
  ],
  [
    'passive-range-closed',
    'fault',
    sourcesOf({ ...ends, iptables: changed(ends.iptables, '50000:50999', '50000:50009') }),
    'iptables:2',
    'iptables -I INPUT -p tcp --dport 50000:50999 -j ACCEPT',
  ],
  [
    'active-range-closed',
    'fault',
    sourcesOf({ ...ends, iptables: changed(ends.iptables, '51000:51999', '51000:51009') }),
    'iptables:2',
    'iptables -I INPUT -p tcp --dport 51000:51999 -j ACCEPT',
  ],
  [
    'tls-pass-other-range',
    'fault',
    sourcesOf({ ...passes, vsftpd: changed(passes.vsftpd, '50999', '50998') }),
    'vsftpd:2',
    'pasv_max_port=50999',
  ],
  [
    'tls-pass-other-range',
    'fault',
    sourcesOf({
      ...passes,
      vsftpd: changed(passes.vsftpd, 'pasv_min_port=50000\npasv_max_port=50999\n', ''),
    }),
    'vsftpd',
    'pasv_min_port=50000',
  ],
  [
    'tls-pass-address-missing',
    'fault',
    sourcesOf({ ...passes, vsftpd: changed(passes.vsftpd, 'pasv_address=203.0.113.5\n', '') }),
    'vsftpd',
    'pasv_address=203.0.113.5',
  ],
  [
    'tls-pass-address-missing',
    'fault',
    sourcesOf({
      pinhole: changed(passes.pinhole, '203.0.113.5:21', '0.0.0.0:21'),
      vsftpd: changed(passes.vsftpd, 'pasv_address=203.0.113.5\n', ''),
    }),
    'vsftpd',
    'pasv_address=PUBLIC-ADDRESS',
  ],
  [
    'tls-pass-address-private',
    'fault',
    sourcesOf({ ...passes, vsftpd: changed(passes.vsftpd, '=203.0.113.5', '=10.77.0.2') }),
    'vsftpd:4',
    'pasv_address=203.0.113.5',
  ],
  [
    'tls-data-demands-reuse',
    'fault',
    sourcesOf({ ...leaves, vsftpd: changed(leaves.vsftpd, '=NO', '=YES') }),
    'vsftpd:2',
    'require_ssl_reuse=NO',
  ],
  [
    'tls-data-demands-reuse',
    'fault',
    sourcesOf({ ...leaves, vsftpd: 'ssl_enable=YES\n' }),
    'vsftpd:1',
    'tls-data = "relay"',
  ],
  [
    'tls-data-demands-reuse',
    'fault',
    sourcesOf({ pinhole: leaves.pinhole, proftpd: 'TLSEngine on\nTLSOptions AllowClientRenegotiations\n' }),
    'proftpd:2',
    'TLSOptions NoSessionReuseRequired',
  ],
  [
    'helper-blind-to-tls',
    'note',
    sourcesOf({
      ...helped,
      proftpd: `TLSEngine on\n${helped.proftpd}`,
      nftables: changed(helped.nftables, '80,', '80, 50000-50099,'),
    }),
    'proftpd:1',
    undefined,
  ],
];

for (const [id, level, sources, where, remedy] of broken) {
  test(`finds exactly ${id} in ${Object.keys(sources).join(', ')}${where === undefined ? '' : ` at ${where}`}`, () => {
    assert.deepEqual(idsOf(sources, level === 'unseen' ? ['fault', 'unseen'] : undefined), [id]);
    const finding = examineHost(sources).find((each) => each.id === id);
    assert.equal(finding?.level, level);
    const place =
      finding.where &&
      [finding.where.file, finding.where.line].filter((part) => part !== undefined).join(':');
    assert.equal(place, where);
    const lines = finding.remedies.flatMap((each) => each.lines);
    if (remedy === undefined) assert.deepEqual(lines, []);
    else assert.ok(lines.includes(remedy), lines.join('\n'));
  });
}

test('has no message about this host that nothing gives', () => {
  for (const { broken: texts } of setups) idsOf(sourcesOf(texts));
  for (const sources of doubtful) idsOf(sources);
  const text = readFileSync('src/doctor/messages/en.ts', 'utf8');
  const part = text.slice(text.indexOf('--- this host'), text.indexOf('--- a server'));
  const ids = Array.from(part.matchAll(/^ {4}'([a-z0-9-]+)':/gm), ([, id]) => id);
  const whileReading = [
    'settings-refused',
    ...['program-missing', 'program-failed', 'rights-missing'],
    ...['missing', 'unreadable', 'unusable', 'key-foreign', 'expired', 'expiring'].map(
      (problem) => `certificate-${problem}`,
    ),
  ];
  assert.deepEqual([...told, ...whileReading].sort(), ids.sort());
});

function article(folder: string): HostSources {
  const read = (name: string): { file: string; text: string } => ({
    file: name,
    text: readFileSync(`test/data/doctor/${folder}/${name}`, 'utf8'),
  });
  return { vsftpd: read('vsftpd.conf'), iptables: read('iptables'), iptablesConfig: read('iptables-config') };
}

test('names the four faults of a set that is copied widely', () => {
  const faults = examineHost(article('article')).filter(isFault);
  assert.deepEqual(
    faults.map(({ id, where }) => `${where?.file}:${where?.line} ${id}`),
    [
      'vsftpd.conf:4 passive-range-inverted',
      'iptables-config:1 modules-line-overridden',
      'iptables:8 source-port-for-destination',
      'iptables:8 rule-without-target',
    ],
  );
});

test('has nothing to change in that set once its remedies are applied', () => {
  assert.deepEqual(examineHost(article('article-mended')).filter(isFault), []);
  for (const { remedies, where } of examineHost(article('article')).filter(isFault)) {
    const mended = readFileSync(`test/data/doctor/article-mended/${where?.file}`, 'utf8').split('\n');
    for (const line of remedies.flatMap(({ lines }) => lines)) assert.ok(mended.includes(line), line);
  }
});

const silent: readonly (readonly [string, HostSources])[] = [
  [
    'a rule for one interface',
    sourcesOf({
      ...server,
      iptables: changed(iptables, '-p tcp -m multiport', '-i eth0 -p tcp -m multiport'),
    }),
  ],
  [
    'blanks around texts and numbers of vsftpd',
    sourcesOf({
      ...server,
      vsftpd: `${server.vsftpd}ftpd_banner= Welcome \n  pasv_max_port= 50099 \npasv_address= 1.2.3.4\r\n\r\n# the end \r\n`,
    }),
  ],
  [
    'a ProFTPD without rights whose active data port needs none',
    sourcesOf({ proftpd: 'RootRevoke on\nPort 2121\nPassivePorts 50000 50099\n' }),
  ],
  [
    'a match that it does not know',
    sourcesOf({
      ...server,
      iptables: changed(iptables, '-m multiport', '-m geoip --src-cc DE -m multiport'),
    }),
  ],
  [
    'a set of banned addresses',
    sourcesOf({
      ...server,
      iptables: changed(
        iptables,
        '-A INPUT -p tcp -m state',
        '-A INPUT -s 198.51.100.1 -j DROP\n-A INPUT -p tcp -m state',
      ),
    }),
  ],
  [
    '--sport 21 of answers',
    sourcesOf({
      ...server,
      iptables: changed(
        iptables,
        'COMMIT',
        '-A OUTPUT -p tcp --sport 21 -j ACCEPT\n-A INPUT -p tcp --sport 21 ! --syn -j ACCEPT\nCOMMIT',
      ),
    }),
  ],
  [
    'a second line of modules that has the first in it',
    sourcesOf({ ...server, iptablesConfig: 'IPTABLES_MODULES="a"\nIPTABLES_MODULES="a b"\n' }),
  ],
  [
    'a server behind Pinhole that has a range of its own',
    sourcesOf({ ...relay, vsftpd: 'pasv_min_port=40000\npasv_max_port=40010\nlisten_address=10.77.0.2\n' }),
  ],
  [
    'a set of rules that nftables shows again',
    sourcesOf({
      ...server,
      nftables:
        '# Warning: table ip filter is managed by iptables-nft, do not touch!\ntable ip filter {\n\tchain INPUT {\n\t\ttype filter hook input priority filter; policy drop;\n\t}\n}\n',
    }),
  ],
  [
    'a helper that nftables cannot show',
    sourcesOf({
      ...helped,
      nftables: changed(helped.nftables, 'ct helper set "ftp-standard"', 'xt target CT'),
    }),
  ],
  ['IPv6 that is shut', sourcesOf({ ...server, ip6tables: '*filter\n:INPUT DROP [0:0]\nCOMMIT\n' })],
  [
    'zones as firewalld makes them',
    sourcesOf({ vsftpd: server.vsftpd, nftables: readFileSync('test/data/doctor/firewalld.nft', 'utf8') }),
  ],
];

for (const [name, sources] of silent) {
  test(`finds no fault in ${name}`, () => {
    assert.deepEqual(examineHost(sources).filter(isFault), []);
  });
}

test('finds in rules without settings that they rely on a helper that is not attached', () => {
  const alone =
    '*filter\n:INPUT DROP\n-A INPUT -m state --state ESTABLISHED,RELATED -j ACCEPT\n-A INPUT -p tcp --dport 21 -j ACCEPT\n';
  const found = (text: string): string[] =>
    idsOf(sourcesOf({ iptables: `${text}COMMIT\n` }), ['fault', 'note', 'unseen']);
  assert.deepEqual(found(alone), ['related-without-helper', 'no-server-found']);
  assert.deepEqual(found(`${alone}-A INPUT -p tcp --dport 50000:50099 -j ACCEPT\n`), ['no-server-found']);
  assert.deepEqual(found(`${alone}*raw\n-A PREROUTING -p tcp --dport 21 -j CT --helper ftp\n`), [
    'no-server-found',
  ]);
});

test('finds that IPv6 lets clients in, and not their data', () => {
  const ip6tables = '*filter\n:INPUT DROP [0:0]\n-A INPUT -p tcp --dport 21 -j ACCEPT\nCOMMIT\n';
  assert.deepEqual(idsOf(sourcesOf({ ...server, ip6tables })), ['passive-range-closed']);
});

const drop = ':INPUT DROP\n-A INPUT -i lo -j ACCEPT\n:FORWARD DROP\n';

for (const [name, nat] of [
  [
    'of another port on the way to it',
    `:KUBE-SERVICES - [0:0]
:KUBE-SVC-ABC - [0:0]
:KUBE-SEP-DEF - [0:0]
-A PREROUTING -j KUBE-SERVICES
-A KUBE-SERVICES -d 10.96.0.10/32 -p tcp -m tcp --dport 53 -j KUBE-SVC-ABC
-A KUBE-SVC-ABC -j KUBE-SEP-DEF
-A KUBE-SEP-DEF -p tcp -m tcp -j DNAT --to-destination 10.244.0.5:53
`,
  ],
  ['of a whole address', '-A PREROUTING -d 203.0.113.5/32 -j DNAT --to 192.168.0.5\n'],
  ['of every port', '-A PREROUTING -p tcp -j DNAT --to 192.168.0.5\n'],
  ['that nothing leads to', ':FTP - [0:0]\n-A FTP -p tcp --dport 21 -j DNAT --to 192.168.0.5\n'],
  ['of a set', '-A PREROUTING -p tcp --dport 21 -m set --match-set a src -j DNAT --to 192.168.0.5\n'],
  [
    'behind a jump of a set',
    ':FTP - [0:0]\n-A PREROUTING -m set --match-set a src -j FTP\n-A FTP -p tcp --dport 21 -j DNAT --to 192.168.0.5\n',
  ],
] as const) {
  test(`takes no translation ${name} for one of FTP`, () => {
    const iptables = `*nat\n${nat}COMMIT\n*filter\n${drop}COMMIT\n`;
    const sources = sourcesOf({ iptables, sysctl: 'net.ipv4.ip_forward = 0\n' });
    assert.deepEqual(examineHost(sources).filter(isFault), []);
  });
}

test('follows a translation through the chains that lead to it', () => {
  const iptables = `*nat
:DOCKER - [0:0]
:FTP - [0:0]
-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
-A PREROUTING -i eth0 -p tcp --dport 21 -j FTP
-A DOCKER -i docker0 -j RETURN
-A DOCKER ! -i docker0 -p tcp --dport 8080 -j DNAT --to-destination 172.17.0.2:80
-A FTP -j DNAT --to 192.168.0.5
COMMIT
*filter
${drop}COMMIT
`;
  assert.ok(idsOf(sourcesOf({ iptables })).includes('forward-drops'));
});

for (const rule of [
  'meta l4proto . th dport { tcp . 21, tcp . 50000-50999 } accept',
  'ip protocol . th dport { tcp . 21, tcp . 50000-50999 } accept',
  'th dport . ip saddr @clients accept',
  'meta l4proto vmap { icmp : jump icmp_in, tcp : jump tcp_in }',
  'iifname vmap { "eth1" : jump lan, "eth0" : jump wan }',
  'iifname vmap @zones',
  'meta iifname vmap @zones',
  'ip protocol vmap { tcp : jump tcp_in }',
  'th dport vmap { 21 : accept, 50000-50999 : accept }',
  'tcp dport vmap @ports',
  'meta l4proto @protocols accept',
  'ct state @states accept',
  'some words that nobody knows',
]) {
  test(`finds no fault behind what it cannot look up: ${rule}`, () => {
    const nftables = `table inet filter {
  chain icmp_in { accept
  }
  chain tcp_in { tcp dport { 21, 50000-50999 } accept
  }
  chain lan {
    drop
  }
  chain wan { tcp dport { 21, 50000-50999 } accept
  }
  chain input {
    type filter hook input priority filter; policy drop;
    ct state established,related accept
    iif lo accept
    ${rule}
  }
}
`;
    const vsftpd = 'listen=YES\npasv_min_port=50000\npasv_max_port=50999\n';
    assert.deepEqual(examineHost(sourcesOf({ vsftpd, nftables })).filter(isFault), []);
    assert.deepEqual(examineHost(sourcesOf({ nftables })).filter(isFault), []);
  });
}

test("takes the helper of this host's own connections for none of its server", () => {
  const base = changed(iptables, '50000:50099', '60000:60099');
  const raw = (chain: string): string => `*raw\n-A ${chain} -p tcp --dport 21 -j CT --helper ftp\nCOMMIT\n`;
  const found = (chain: string): string[] => idsOf(sourcesOf({ ...server, iptables: raw(chain) + base }));
  assert.deepEqual(found('OUTPUT'), ['related-without-helper']);
  assert.ok(!found('PREROUTING').includes('related-without-helper'));
  const hooked = (hook: string): string[] =>
    idsOf(
      sourcesOf({
        ...helped,
        nftables: changed(helped.nftables, 'hook prerouting', `hook ${hook}`),
      }),
    );
  assert.ok(hooked('output').includes('related-without-helper'));
  assert.deepEqual(hooked('input'), []);
});

test('asks the forward chain about the port that a translation gives', () => {
  const rules = (open: number): string => `*nat
-A PREROUTING -p tcp --dport 21 -j DNAT --to 192.168.0.5:2121
-A PREROUTING -p tcp --dport 50000:50099 -j DNAT --to 192.168.0.5
COMMIT
*filter
${drop}-A FORWARD -p tcp -m multiport --dports ${open},50000:50099 -j ACCEPT
COMMIT
`;
  const nft = (open: number): string => `table ip nat {
  chain prerouting {
    type nat hook prerouting priority dstnat;
    tcp dport 21 dnat to 192.168.0.5:2121
    tcp dport 50000-50099 dnat to 192.168.0.5
  }
}
table ip filter {
  chain forward {
    type filter hook forward priority filter; policy drop;
    tcp dport { ${open}, 50000-50099 } accept
  }
}
`;
  const { pureFtpd } = gateway;
  assert.deepEqual(idsOf(sourcesOf({ pureFtpd, iptables: rules(2121) })), []);
  assert.deepEqual(idsOf(sourcesOf({ pureFtpd, iptables: rules(21) })), ['forward-drops']);
  assert.deepEqual(idsOf(sourcesOf({ pureFtpd, nftables: nft(2121) })), []);
  assert.deepEqual(idsOf(sourcesOf({ pureFtpd, nftables: nft(21) })), ['forward-drops']);
});

test('calls nothing missing in a proftpd.conf that includes others', () => {
  const closed = '*filter\n:INPUT DROP\n-A INPUT -p tcp --dport 21 -j ACCEPT\nCOMMIT\n';
  const nat =
    '*nat\n-A PREROUTING -p tcp --dport 21 -j DNAT --to 192.168.1.10\nCOMMIT\n*filter\n:INPUT ACCEPT\nCOMMIT\n';
  const found = (proftpd: string, iptables: string): string[] => idsOf(sourcesOf({ proftpd, iptables }));
  const partial = 'Port 21\nInclude /etc/proftpd/conf.d/*.conf\n';
  assert.deepEqual(found('Port 21\n', closed), ['passive-range-missing']);
  assert.deepEqual(found(partial, closed), []);
  assert.deepEqual(found('Port 21\n', nat), [
    'only-control-port-forwarded',
    'address-missing',
    'passive-range-missing',
  ]);
  assert.deepEqual(found(partial, nat), []);
});

for (const [manager, sources, lines] of [
  [
    'firewalld',
    {
      nftables: `table inet firewalld {
  chain filter_INPUT {
    type filter hook input priority filter + 10; policy accept;
    ct state { established, related } accept
    jump filter_INPUT_ZONES
    reject with icmpx admin-prohibited
  }
  chain filter_INPUT_ZONES {
    goto filter_IN_public
  }
  chain filter_IN_public {
    tcp dport 21 accept
  }
}
`,
    },
    ['firewall-cmd --permanent --add-port=50000-50099/tcp', 'firewall-cmd --reload'],
  ],
  [
    'ufw',
    {
      iptables: `*filter
:INPUT DROP [0:0]
:ufw-user-input - [0:0]
-A INPUT -j ufw-user-input
-A ufw-user-input -p tcp -m tcp --dport 21 -j ACCEPT
COMMIT
`,
    },
    ['ufw allow proto tcp to any port 50000:50099'],
  ],
] as const) {
  test(`opens ports by the commands of ${manager} where that makes the rules`, () => {
    const findings = examineHost(sourcesOf({ vsftpd: server.vsftpd, ...sources })).filter(isFault);
    const remedies = findings.flatMap((finding) => finding.remedies);
    assert.ok(remedies.some((remedy) => remedy.lines.join() === lines.join()));
  });
}
