/**
 * Setups as people post them, each broken in one way, with a twin that is not. docs/doctor.md counts them.
 */
import { readFileSync } from 'node:fs';
import type { HostSources } from '../../src/doctor/host-sources.ts';
import type { Texts } from '../support/doctor/mended.ts';
import { brokenSets } from './broken-sets.ts';
import { changed, server, sourcesOf, type ReportedSetup } from './host-sets.ts';

function report(name: string): string {
  return readFileSync(`test/data/doctor/reports/${name}`, 'utf8');
}

const open = '*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\nCOMMIT\n';
const ipForward = 'net.ipv4.ip_forward = 1\n';
const range = 'pasv_min_port=40000\npasv_max_port=40100\n';
const accepting = (ports: string): string => `table inet filter {
  chain input {
    type filter hook input priority filter; policy drop;
    ct state established,related accept
    iif lo accept
    tcp dport { ${ports} } accept
  }
}
`;
const nftables = accepting('21, 40000-40100');
const vsftpd = (lines: string, twin: string): { broken: Texts; twin: Texts } => ({
  broken: { vsftpd: `listen=YES\n${lines}`, nftables },
  twin: { vsftpd: `listen=YES\n${twin}`, nftables },
});
const proftpd = (lines: string, twin: string): { broken: Texts; twin: Texts } => ({
  broken: { proftpd: `ServerName "x"\n${lines}`, nftables },
  twin: { proftpd: `ServerName "x"\n${twin}`, nftables },
});
const pureFtpd = (line: string, twin: string): { broken: Texts; twin: Texts } => ({
  broken: { pureFtpd: line, nftables },
  twin: { pureFtpd: twin, nftables },
});

const docker = report('d11-docker-30000-30009.rules');
const dockerWhole = Array.from({ length: 10 }, (_, index) => 30010 + index).reduce(
  (text, port) =>
    text
      .replace(
        '-A DOCKER ! -i docker0 -o docker0 -j DROP',
        `-A DOCKER -d 172.17.0.2/32 ! -i docker0 -o docker0 -p tcp -m tcp --dport ${port} -j ACCEPT\n$&`,
      )
      .replace(
        /COMMIT\n$/,
        `-A DOCKER ! -i docker0 -p tcp -m tcp --dport ${port} -j DNAT --to-destination 172.17.0.2:${port}\n$&`,
      ),
  docker,
);
const helped = (place: string): string => `table ip ftp {
  ct helper ftp-standard {
    type "ftp" protocol tcp
  }
  chain pre {
    type filter hook prerouting ${place}; policy accept;
    tcp dport PORT ct helper set "ftp-standard"
  }
  chain lead {
    type nat hook prerouting priority dstnat; policy accept;
    tcp dport 2121 dnat to 10.1.1.10:21
  }
}
`;

const forwarding = (ports: string, before = ''): string => `table inet nat {
  chain prerouting {
    type nat hook prerouting priority dstnat; policy accept;
    ${before}
    iifname "eth0" tcp dport { ${ports} } dnat ip to 192.168.1.5
  }
}
`;
const bothWays = (ports: string): string => `*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT DROP [0:0]
-A INPUT -p tcp -m tcp --dport 21 -j ACCEPT
-A INPUT -p tcp -m tcp --dport ${ports} -j ACCEPT
-A OUTPUT -p tcp -m tcp --sport 21 -j ACCEPT
-A OUTPUT -p tcp -m tcp --sport ${ports} -j ACCEPT
COMMIT
`;

const variable = (ports: string): string =>
  accepting('22, $ftp_ports').replace('{\n', () => `{\n  define ftp_ports = { ${ports} }\n`);
const interfaces = (ports: string): string => `table inet filter {
  chain input {
    type filter hook input priority filter; policy drop;
    ct state established accept
    iif lo accept
    iifname "eth0" tcp dport { ${ports} } accept
    iifname != "eth0" tcp dport { ${ports} } accept
  }
}
`;
const recent = (ports: string): string => `*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -m state --state RELATED,ESTABLISHED -j ACCEPT
-A INPUT -p tcp -m tcp --dport 21 -m recent --set --name ftp --rsource
-A INPUT -p tcp -m tcp --dport 21 -m recent --update --seconds 60 --hitcount 10 --name ftp --rsource -j DROP
-A INPUT -p tcp -m multiport --dports ${ports} -j ACCEPT
COMMIT
`;

export const setups: readonly ReportedSetup[] = [
  {
    what: 'ports 20 and 21 are led on, and no data connection',
    broken: { nftables: report('d1-20-21.nft'), sysctl: ipForward },
    faults: ['only-control-port-forwarded'],
    twin: {
      nftables: changed(report('d1-20-21.nft'), ['{ 20, 21 }', '{ 21, 40000-40100 }']),
      sysctl: ipForward,
      vsftpd: `${range}pasv_address=203.0.113.5\n`,
    },
  },
  {
    what: 'port 21 is led on, and another port to another host',
    broken: { iptables: report('d1-other-dnat.rules'), sysctl: ipForward },
    faults: ['only-control-port-forwarded'],
    twin: {
      iptables: changed(report('d1-other-dnat.rules'), [
        '--dport 80 -j DNAT --to-destination 192.168.1.6',
        '--dport 40000:40100 -j DNAT --to-destination 192.168.1.5',
      ]),
      sysctl: ipForward,
      vsftpd: `${range}pasv_address=203.0.113.5\n`,
    },
  },
  {
    what: 'the range is led on to another host than port 21',
    broken: {
      iptables: changed(report('d1-other-dnat.rules'), ['--dport 80', '--dport 40000:40100']),
      sysctl: ipForward,
      vsftpd: `${range}pasv_address=203.0.113.5\n`,
    },
    faults: ['passive-range-not-forwarded'],
    twin: {
      iptables: changed(report('d1-other-dnat.rules'), ['--dport 80', '--dport 40000:40100'], ['1.6', '1.5']),
      sysctl: ipForward,
      vsftpd: `${range}pasv_address=203.0.113.5\n`,
    },
  },
  {
    what: 'the range is led on for UDP',
    broken: {
      iptables: changed(
        report('d1-other-dnat.rules'),
        ['-p tcp -m tcp --dport 80', '-p udp -m udp --dport 40000:40100'],
        ['1.6', '1.5'],
      ),
      sysctl: ipForward,
      vsftpd: `${range}pasv_address=203.0.113.5\n`,
    },
    faults: ['passive-range-not-forwarded'],
    twin: {
      iptables: changed(report('d1-other-dnat.rules'), ['--dport 80', '--dport 40000:40100'], ['1.6', '1.5']),
      sysctl: ipForward,
      vsftpd: `${range}pasv_address=203.0.113.5\n`,
    },
  },
  {
    what: 'only packets in state NEW are accepted: iptables',
    broken: { iptables: report('d3-no-established.rules'), vsftpd: range },
    faults: ['established-dropped'],
    twin: {
      iptables: changed(report('d3-no-established.rules'), [
        '-A INPUT -p tcp -m state --state NEW -m tcp --dport 21',
        '-A INPUT -m state --state ESTABLISHED -j ACCEPT\n-A INPUT -p tcp -m state --state NEW -m tcp --dport 21',
      ]),
      vsftpd: range,
    },
  },
  {
    what: 'only packets in state NEW are accepted: nftables',
    broken: { nftables: report('d3-no-established.nft'), vsftpd: range },
    faults: ['established-dropped'],
    twin: {
      nftables: changed(report('d3-no-established.nft'), [
        'ct state new accept',
        'ct state new,established accept',
      ]),
      vsftpd: range,
    },
  },
  {
    what: 'the server may not answer',
    broken: {
      nftables: `${nftables}table inet out {\n  chain output {\n    type filter hook output priority 0; policy drop;\n    tcp dport 53 accept\n  }\n}\n`,
      vsftpd: range,
    },
    faults: ['established-dropped'],
    twin: {
      nftables: `${nftables}table inet out {\n  chain output {\n    type filter hook output priority 0; policy drop;\n    tcp sport { 20, 21, 40000-40100 } accept\n  }\n}\n`,
      vsftpd: range,
    },
  },
  {
    what: 'a helper is named that is no object of the table',
    broken: {
      nftables: `table inet ftp {\n  chain pre {\n    type filter hook prerouting priority filter;\n    tcp dport 21 ct helper set "ftp"\n  }\n}\n`,
      vsftpd: range,
    },
    faults: ['helper-object-missing'],
    twin: {
      nftables: `table inet ftp {\n  ct helper ftp {\n    type "ftp" protocol tcp\n  }\n  chain pre {\n    type filter hook prerouting priority filter;\n    tcp dport 21 ct helper set "ftp"\n  }\n}\n`,
      vsftpd: range,
    },
  },
  {
    what: 'the helper is given to the port behind a translation, by a rule before it',
    broken: { iptables: report('d9-helper-behind-dnat.rules'), sysctl: ipForward },
    faults: ['helper-behind-translation'],
    twin: {
      iptables: changed(report('d9-helper-behind-dnat.rules'), ['--dport 21 ', '--dport 2121 ']),
      sysctl: ipForward,
      modules: 'nf_conntrack_ftp 1 0\nnf_nat_ftp 1 0\n',
    },
  },
  {
    what: 'the helper is given to the port before a translation, by a rule behind it',
    broken: { nftables: changed(helped('priority filter'), ['PORT', '2121']), sysctl: ipForward },
    faults: ['helper-behind-translation'],
    twin: { nftables: changed(helped('priority filter'), ['PORT', '21']), sysctl: ipForward },
  },
  {
    what: 'the helper is given to the port behind a translation, at a priority before it',
    broken: { nftables: changed(helped('priority dstnat - 10'), ['PORT', '21']), sysctl: ipForward },
    faults: ['helper-behind-translation'],
    twin: { nftables: changed(helped('priority mangle'), ['PORT', '2121']), sysctl: ipForward },
  },
  {
    what: 'rules by lines "add rule", of which the range is not one',
    broken: { nftables: report('d10-add-rule.nft'), vsftpd: range },
    faults: ['passive-range-closed'],
    twin: {
      nftables: `${report('d10-add-rule.nft')}add rule inet filter input tcp dport 40000-40100 accept\n`,
      vsftpd: range,
    },
  },
  {
    what: 'a chain without its table',
    broken: {
      nftables:
        'chain input {\n  type filter hook input priority 0; policy drop;\n  tcp dport 21 accept\n}\n',
      vsftpd: range,
    },
    faults: ['passive-range-closed'],
    twin: {
      nftables:
        'chain input {\n  type filter hook input priority 0; policy drop;\n  tcp dport { 21, 40000-40100 } accept\n}\n',
      vsftpd: range,
    },
  },
  {
    what: 'rules without their chain',
    broken: { nftables: 'tcp dport 21 accept\ntcp dport 40000-40100 accept\n', vsftpd: range },
    faults: [],
    unseen: ['lines-not-understood'],
    twin: { nftables, vsftpd: range },
  },
  {
    what: 'a file that includes others',
    broken: { nftables: `include "/etc/nftables.d/*.nft"\n${accepting('22')}`, vsftpd: range },
    faults: [],
    unseen: ['lines-not-understood'],
    twin: { nftables, vsftpd: range },
  },
  {
    what: 'a line of a listing among rules',
    broken: { iptables: `Chain INPUT (policy ACCEPT)\n${open}`, vsftpd: range },
    faults: [],
    unseen: ['lines-not-understood'],
    twin: {
      iptables: changed(report('d3-no-established.rules'), ['-m state --state NEW ', '']),
      vsftpd: range,
    },
  },
  {
    what: 'two rules of an article, for a chain that no line makes',
    broken: { iptables: report('article-rules'), vsftpd: range },
    faults: ['chain-not-declared', 'rule-without-target', 'source-port-for-destination'],
    twin: {
      iptables: `*filter\n:INPUT ACCEPT [0:0]\n:RH-Firewall-1-INPUT - [0:0]\n-A INPUT -j RH-Firewall-1-INPUT\n-A INPUT -j DROP\n${changed(report('article-rules'), ['--sport 21 -j', '--dport 21 -j ACCEPT'])}-A RH-Firewall-1-INPUT -p tcp -m tcp --dport 40000:40100 -j ACCEPT\nCOMMIT\n`,
      vsftpd: range,
    },
  },
  {
    what: 'a container of which half of the range is published',
    broken: { iptables: docker, pureFtpd: report('d11-pure-ftpd.cmd'), sysctl: ipForward },
    faults: ['passive-range-not-forwarded'],
    twin: { iptables: dockerWhole, pureFtpd: report('d11-pure-ftpd.cmd'), sysctl: ipForward },
  },
  {
    what: 'a container of which the range is translated and not let through',
    broken: {
      iptables: dockerWhole
        .replaceAll(/-A DOCKER -d .* --dport 300\d\d -j ACCEPT\n/g, '')
        .replaceAll(/^-A DOCKER-BRIDGE .*\n/gm, '-A DOCKER-BRIDGE -j DOCKER\n'),
      pureFtpd: report('d11-pure-ftpd.cmd'),
      sysctl: ipForward,
    },
    faults: ['related-without-helper'],
    twin: { iptables: dockerWhole, pureFtpd: report('d11-pure-ftpd.cmd'), sysctl: ipForward },
  },
  {
    what: 'rules of IPv6 alone',
    broken: { ip6tables: open, vsftpd: range },
    faults: [],
    unseen: ['firewall-not-seen'],
    twin: { ip6tables: open, nftables, vsftpd: range },
  },
  {
    what: 'a port that is open on one interface alone',
    broken: { nftables: changed(nftables, ['tcp dport {', 'iifname "eth0" tcp dport {']), vsftpd: range },
    faults: [],
    unseen: ['ports-not-known', 'ports-not-known'],
    twin: { nftables, vsftpd: range },
  },
  {
    what: "a word like Pinhole's in a rule of somebody else",
    broken: {
      iptables:
        '*filter\n:INPUT DROP [0:0]\n:ftp-2121 - [0:0]\n-A INPUT -j ftp-2121\n-A ftp-2121 -p tcp -m tcp --dport 21 -j ACCEPT\nCOMMIT\n',
      vsftpd: range,
    },
    faults: ['passive-range-closed'],
    twin: {
      iptables:
        '*filter\n:INPUT DROP [0:0]\n:ftp-2121 - [0:0]\n-A INPUT -j ftp-2121\n-A ftp-2121 -p tcp -m multiport --dports 21,40000:40100 -j ACCEPT\nCOMMIT\n',
      vsftpd: range,
    },
  },
  {
    what: 'rules of iptables that nftables shows too',
    broken: {
      iptables: '*filter\n:INPUT DROP [0:0]\n-A INPUT -p tcp -m tcp --dport 21 -j ACCEPT\nCOMMIT\n',
      nftables:
        'table ip filter {\n\tchain INPUT {\n\t\ttype filter hook input priority filter; policy drop;\n\t\ttcp dport 21 counter packets 0 bytes 0 accept\n\t}\n}\n',
      vsftpd: range,
    },
    faults: ['passive-range-closed'],
    twin: {
      iptables:
        '*filter\n:INPUT DROP [0:0]\n-A INPUT -p tcp -m multiport --dports 21,40000:40100 -j ACCEPT\nCOMMIT\n',
      nftables:
        'table ip filter {\n\tchain INPUT {\n\t\ttype filter hook input priority filter; policy drop;\n\t\tip protocol tcp tcp dport { 21,40000-40100 } counter packets 0 bytes 0 accept\n\t}\n}\n',
      vsftpd: range,
    },
  },
  {
    what: 'a translation without its table line',
    broken: {
      iptables: '-A PREROUTING -p tcp --dport 21 -j DNAT --to-destination 192.168.1.5\n',
      sysctl: ipForward,
    },
    faults: ['only-control-port-forwarded'],
    twin: {
      iptables:
        '-A PREROUTING -p tcp -m multiport --dports 21,40000:40100 -j DNAT --to-destination 192.168.1.5\n',
      sysctl: ipForward,
      vsftpd: `${range}pasv_address=203.0.113.5\n`,
    },
  },
  {
    what: 'a command for a chain that its table has not',
    broken: {
      iptables: 'iptables -A PREROUTING -p tcp --dport 21 -j DNAT --to 192.168.1.5\n',
      sysctl: ipForward,
    },
    faults: ['chain-of-other-table'],
    unseen: ['no-server-found'],
    next: ['only-control-port-forwarded'],
    twin: {
      iptables:
        'iptables -t nat -A PREROUTING -p tcp -m multiport --dports 21,40000:40100 -j DNAT --to 192.168.1.5\n',
      sysctl: ipForward,
      vsftpd: `${range}pasv_address=203.0.113.5\n`,
    },
  },
  {
    what: 'a table before the others drops the control port',
    broken: { iptables: `*raw\n-A PREROUTING -p tcp --dport 21 -j DROP\nCOMMIT\n${open}`, vsftpd: range },
    faults: ['control-port-closed'],
    twin: {
      iptables: `*raw\n-A PREROUTING -d 172.17.0.2/32 ! -i docker0 -j DROP\n-A PREROUTING -m rpfilter --invert -j DROP\nCOMMIT\n${open}`,
      vsftpd: range,
    },
  },
  {
    what: 'the helper opens the first packet of data connections alone',
    broken: {
      nftables: `${changed(nftables, ['ct state established,related accept', 'ct state related accept'], ['{ 21, 40000-40100 } accept', '21 ct state new,established accept'])}${changed(helped('priority filter'), ['PORT', '21'], ['2121', '2020'])}`,
      vsftpd: range,
    },
    faults: ['established-dropped'],
    twin: {
      nftables: `${changed(nftables, ['{ 21, 40000-40100 } accept', '21 ct state new,established accept'])}${changed(helped('priority filter'), ['PORT', '21'], ['2121', '2020'])}`,
      vsftpd: range,
    },
  },
  {
    what: 'another server than the one of the settings listens',
    broken: {
      vsftpd: `listen=YES\n${range}`,
      nftables,
      listening: 'LISTEN 0 32 0.0.0.0:21 0.0.0.0:* users:(("proftpd",pid=811,fd=3))\n',
    },
    faults: [],
    unseen: ['other-program-listens'],
    twin: {
      vsftpd: `listen=YES\n${range}`,
      nftables,
      listening: 'LISTEN 0 32 0.0.0.0:21 0.0.0.0:* users:(("vsftpd",pid=811,fd=3))\n',
    },
  },
  {
    what: 'vsftpd: it is to listen twice',
    broken: { vsftpd: `listen=YES\nlisten_ipv6=YES\n${range}`, nftables },
    faults: ['vsftpd-listens-twice'],
    twin: { vsftpd: `listen=NO\nlisten_ipv6=YES\n${range}`, nftables },
  },
  {
    what: 'vsftpd: a blank in place of the sign',
    ...vsftpd('pasv_min_port 40000\npasv_max_port=40100\n', range),
    faults: ['vsftpd-value-missing'],
  },
  {
    what: 'vsftpd: a link-local address is announced',
    ...vsftpd(`${range}pasv_address=169.254.3.4\n`, `${range}pasv_address=203.0.113.5\n`),
    faults: ['address-loopback'],
    fillings: { 'PUBLIC-ADDRESS': '203.0.113.5' },
  },
  {
    what: 'vsftpd: an address in quotation marks',
    broken: { vsftpd: report('d4-quoted-address.conf'), nftables },
    faults: ['vsftpd-value-quoted'],
    twin: { vsftpd: changed(report('d4-quoted-address.conf'), ["'", '']), nftables },
  },
  {
    what: 'vsftpd: a comment behind YES',
    broken: { vsftpd: report('d5-comment-behind-value.conf'), nftables },
    faults: ['switch-unreadable'],
    twin: {
      vsftpd: changed(report('d5-comment-behind-value.conf'), ['YES # passive mode', 'YES']),
      nftables,
    },
  },
  {
    what: 'vsftpd: pasv_address_resolve',
    broken: { vsftpd: report('d5-pasv_address_resolve.conf'), nftables: accepting('21, 21100-21110') },
    faults: ['setting-misspelt'],
    twin: {
      vsftpd: changed(report('d5-pasv_address_resolve.conf'), ['address_resolve', 'addr_resolve']),
      nftables: accepting('21, 21100-21110'),
    },
  },
  {
    what: 'vsftpd: pasv_minport',
    broken: { vsftpd: report('d5-unknown-name.conf'), nftables },
    faults: ['setting-misspelt'],
    twin: { vsftpd: changed(report('d5-unknown-name.conf'), ['minport', 'min_port']), nftables },
  },
  {
    what: 'vsftpd: loopback is announced',
    broken: { vsftpd: report('d6-loopback-address.conf'), nftables, addresses: server.addresses },
    faults: ['address-loopback'],
    twin: {
      vsftpd: changed(report('d6-loopback-address.conf'), ['127.0.0.1', '203.0.113.5']),
      nftables,
      addresses: server.addresses,
    },
  },
  {
    what: 'vsftpd: 0.0.0.0 is announced',
    ...vsftpd(`${range}pasv_address=0.0.0.0\n`, `${range}pasv_address=203.0.113.5\n`),
    faults: ['address-loopback'],
    fillings: { 'PUBLIC-ADDRESS': '203.0.113.5' },
  },
  {
    what: 'vsftpd: localhost is announced',
    ...vsftpd(
      `${range}pasv_address=localhost\npasv_addr_resolve=YES\n`,
      `${range}pasv_address=ftp.example.org\npasv_addr_resolve=YES\n`,
    ),
    faults: ['address-loopback'],
    fillings: { 'PUBLIC-ADDRESS': '203.0.113.5' },
  },
  {
    what: 'vsftpd: on',
    ...vsftpd(`${range}pasv_enable=on\n`, `${range}pasv_enable=true\n`),
    faults: ['switch-unreadable'],
  },
  {
    what: 'vsftpd: YES;',
    ...vsftpd(`${range}write_enable=YES;\n`, `${range}write_enable=yes\n`),
    faults: ['switch-unreadable'],
  },
  {
    what: "vsftpd: 'YES'",
    ...vsftpd(`${range}local_enable='YES'\n`, `${range}local_enable=1\n`),
    faults: ['switch-unreadable'],
  },
  {
    what: 'vsftpd: a byte order mark',
    broken: { vsftpd: `\ufefflisten=YES\n${range}`, nftables },
    twin: { vsftpd: `listen=YES\n${range}`, nftables },
    faults: ['settings-bom'],
  },
  {
    what: 'vsftpd: a setting that there is not',
    ...vsftpd(`${range}frobnicate=YES\n`, `${range}#frobnicate=YES\n`),
    faults: ['setting-unknown'],
  },
  {
    what: 'vsftpd: a name in capitals',
    ...vsftpd(`${range}PASV_ENABLE=YES\n`, `${range}pasv_enable=YES\n`),
    faults: ['setting-misspelt'],
  },
  {
    what: 'vsftpd: a name without a value',
    ...vsftpd(`${range}listen\n`, `${range}banner_file=\n`),
    faults: ['vsftpd-value-missing'],
  },
  {
    what: 'vsftpd: a number in quotation marks',
    ...vsftpd(changed(range, ['40000', "'40000'"]), range),
    faults: ['vsftpd-value-quoted'],
  },
  {
    what: 'vsftpd: a number that is none',
    ...vsftpd(`${range}max_clients=none\n`, `${range}max_clients=5 # or so\n`),
    faults: ['vsftpd-number-unread'],
  },
  {
    what: 'ProFTPD: a range with a hyphen',
    ...proftpd('PassivePorts 40000-40100\n', 'PassivePorts 40000 40100 # ours\n'),
    faults: ['range-unreadable'],
  },
  {
    what: 'ProFTPD: PassivePort',
    ...proftpd('PassivePort 40000 40100\n', 'PassivePorts 40000 40100\n'),
    faults: ['setting-misspelt'],
  },
  {
    what: 'ProFTPD: an address in single quotation marks',
    ...proftpd(
      "PassivePorts 40000 40100\nMasqueradeAddress '203.0.113.5'\n",
      'PassivePorts 40000 40100\nMasqueradeAddress "203.0.113.5"\n',
    ),
    faults: ['value-quoted'],
  },
  {
    what: 'ProFTPD: YES;',
    ...proftpd(
      'PassivePorts 40000 40100\nUseReverseDNS YES;\n',
      'PassivePorts 40000 40100\nUseReverseDNS YES # or no\n',
    ),
    faults: ['switch-unreadable'],
  },
  {
    what: 'ProFTPD: a byte order mark',
    broken: { proftpd: '\ufeffPort 21\nPassivePorts 40000 40100\n', nftables },
    twin: { proftpd: 'Port 21\nPassivePorts 40000 40100\n', nftables },
    faults: ['settings-bom'],
  },
  {
    what: 'ProFTPD: loopback is announced',
    ...proftpd(
      'PassivePorts 40000 40100\nMasqueradeAddress localhost\n',
      'PassivePorts 40000 40100\nMasqueradeAddress ftp.example.org\n',
    ),
    faults: ['address-loopback'],
    fillings: { 'PUBLIC-ADDRESS': '203.0.113.5' },
  },
  {
    what: 'Pure-FTPd: a range with a hyphen on the command line',
    ...pureFtpd('pure-ftpd -p 40000-40100\n', 'pure-ftpd -p 40000:40100\n'),
    faults: ['range-unreadable'],
  },
  {
    what: 'Pure-FTPd: a range with a colon in the file',
    ...pureFtpd('PassivePortRange 40000:40100\n', 'PassivePortRange 40000 40100\n'),
    faults: ['range-unreadable'],
  },
  {
    what: 'Pure-FTPd: PasivePortRange',
    ...pureFtpd('PasivePortRange 40000 40100\n', 'PassivePortRange 40000 40100\n'),
    faults: ['setting-misspelt'],
  },
  {
    what: 'Pure-FTPd: loopback is announced',
    ...pureFtpd('-p 40000:40100 -P 127.0.1.1\n', '-p 40000:40100 -P 203.0.113.5\n'),
    faults: ['address-loopback'],
    fillings: { 'PUBLIC-ADDRESS': '203.0.113.5' },
  },
  {
    what: 'a part of the range is led on: nftables',
    broken: {
      nftables: forwarding('21, 40000-40050'),
      sysctl: ipForward,
      vsftpd: `${range}pasv_address=203.0.113.5\n`,
    },
    faults: ['passive-range-not-forwarded'],
    twin: {
      nftables: forwarding('21, 40000-40100'),
      sysctl: ipForward,
      vsftpd: `${range}pasv_address=203.0.113.5\n`,
    },
  },
  {
    what: 'a part of the range is led on to another host: nftables',
    broken: {
      nftables: forwarding('21, 40000-40100', 'tcp dport 40000-40050 dnat ip to 192.168.1.6'),
      sysctl: ipForward,
      vsftpd: `${range}pasv_address=203.0.113.5\n`,
    },
    faults: ['passive-range-not-forwarded'],
    twin: {
      nftables: forwarding('21, 40000-40100', 'tcp dport 80 dnat ip to 192.168.1.6'),
      sysctl: ipForward,
      vsftpd: `${range}pasv_address=203.0.113.5\n`,
    },
  },
  {
    what: 'a part of the range is open, and no helper for the rest',
    broken: { nftables: accepting('21, 40000-40050'), vsftpd: range },
    faults: ['related-without-helper'],
    twin: { nftables: accepting('21, 40000-40100'), vsftpd: range },
  },
  {
    what: 'rules for active mode alone, in both directions',
    broken: { iptables: bothWays('20'), vsftpd: range },
    faults: ['established-dropped', 'passive-range-closed'],
    twin: { iptables: bothWays('40000:40100'), vsftpd: range },
  },
  {
    what: 'a part of the range in a variable',
    broken: { nftables: variable('21, 40000-40050'), vsftpd: range },
    faults: ['related-without-helper'],
    twin: { nftables: variable('21, 40000-40100'), vsftpd: range },
  },
  {
    what: 'rules for every interface, which block a part of the range',
    broken: { nftables: interfaces('21, 40000-40050'), vsftpd: range },
    faults: ['passive-range-closed'],
    twin: { nftables: interfaces('21, 40000-40100'), vsftpd: range },
  },
  {
    what: 'a limit by -m recent before the rules, which open a part of the range',
    broken: { iptables: recent('21,40000:40050'), vsftpd: range },
    faults: ['related-without-helper'],
    twin: { iptables: recent('21,40000:40100'), vsftpd: range },
  },
  {
    what: 'rules by lines "add rule", with their chain and without settings of a server',
    broken: { nftables: report('d10-add-rule.nft') },
    faults: ['no-data-port-open'],
    unseen: ['no-server-found'],
    twin: {
      nftables: `${report('d10-add-rule.nft')}add rule inet filter input tcp dport 40000-40100 accept\n`,
      vsftpd: range,
    },
  },
  {
    what: 'rules by lines "add rule", for a chain that no line makes',
    broken: {
      nftables: report('d10-add-rule.nft').replace(/^add (?:table|chain) .*\n/gm, ''),
      vsftpd: range,
    },
    faults: [],
    unseen: ['chain-not-shown'],
    twin: {
      nftables: `${report('d10-add-rule.nft')}add rule inet filter input tcp dport 40000-40100 accept\n`,
      vsftpd: range,
    },
  },
  ...brokenSets,
];

export const setupSources: (texts: Texts) => HostSources = sourcesOf;
