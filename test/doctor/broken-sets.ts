/** Healthy sets of hosts, each with one thing broken, for faults that nobody's report has. docs/doctor.md counts them too. */
import {
  changed,
  ends,
  gateway,
  helped,
  kernelPlane,
  leaves,
  passes,
  relay,
  server,
  type ReportedSetup,
} from './host-sets.ts';
import type { Texts } from '../support/doctor/mended.ts';

const range = 'pasv_min_port=40000\npasv_max_port=40100\n';
const closing = (rules: string): string =>
  `*filter\n:INPUT DROP [0:0]\n:FORWARD DROP [0:0]\n:OUTPUT ACCEPT [0:0]\n-A INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT\n${rules}COMMIT\n`;
const opening = (ports: string): string => `-A INPUT -p tcp -m multiport --dports ${ports} -j ACCEPT\n`;
const iptables = closing(opening('21,40000:40100'));
const nft = (rules: string): string => `table inet own {
  chain arriving {
    type filter hook input priority filter; policy drop;
    ct state established accept
${rules}  }
}
`;
const nftables = nft('    tcp dport { 21, 40000-40100 } accept\n');

/** A set, and how one of its texts differs in the broken one. */
function pair<T extends Texts>(
  set: T,
  name: keyof T & keyof Texts,
  ...changes: readonly (readonly [string, string])[]
): Pick<ReportedSetup, 'broken' | 'twin'> {
  return { broken: { ...set, [name]: changed(set[name] ?? '', ...changes) }, twin: set };
}

/** The set with a line more, and without it. */
function more<T extends Texts>(
  set: T,
  name: keyof T & keyof Texts,
  line: string,
): Pick<ReportedSetup, 'broken' | 'twin'> {
  return { broken: { ...set, [name]: `${set[name] ?? ''}${line}` }, twin: set };
}

const ofVsftpd = { vsftpd: `listen=YES\nconnect_from_port_20=YES\n${range}`, iptables };
const ofProftpd = { proftpd: 'ServerName "x"\nPort 21\nPassivePorts 40000 40100\n', nftables };
const ofPureFtpd = { pureFtpd: '-p 40000:40100\n', nftables };
const ofPureFtpdFile = { pureFtpd: 'PassivePortRange 40000 40100\n', nftables };

const servers: readonly ReportedSetup[] = [
  {
    what: 'vsftpd: the ends of the range are exchanged',
    ...pair(ofVsftpd, 'vsftpd', ['=40000', '=?'], ['=40100', '=40000'], ['=?', '=40100']),
    faults: ['passive-range-inverted'],
  },
  {
    what: 'ProFTPD: the ends of the range are exchanged',
    ...pair(ofProftpd, 'proftpd', ['40000 40100', '40100 40000']),
    faults: ['passive-range-inverted'],
  },
  {
    what: 'Pure-FTPd: the ends of the range are exchanged on the command line',
    ...pair(ofPureFtpd, 'pureFtpd', ['40000:40100', '40100:40000']),
    faults: ['passive-range-inverted'],
  },
  {
    what: 'Pure-FTPd: the ends of the range are exchanged in the file',
    ...pair(ofPureFtpdFile, 'pureFtpd', ['40000 40100', '40100 40000']),
    faults: ['passive-range-inverted'],
  },
  {
    what: 'Pure-FTPd: loopback is announced in the file',
    ...more(ofPureFtpdFile, 'pureFtpd', 'ForcePassiveIP 127.0.0.1\n'),
    faults: ['address-loopback'],
    fillings: { 'PUBLIC-ADDRESS': '203.0.113.5' },
  },
  {
    what: 'vsftpd: no passive range, and the firewall has one',
    ...pair(ofVsftpd, 'vsftpd', [range, '']),
    faults: ['passive-range-missing'],
  },
  {
    what: 'vsftpd: no passive range, and every high port is open',
    broken: { vsftpd: 'listen=YES\n', iptables: closing(opening('21,1024:65535')) },
    twin: ofVsftpd,
    faults: ['passive-range-missing'],
    next: ['firewall-opens-too-much'],
  },
  {
    what: 'ProFTPD: no passive range, and the firewall has one',
    ...pair(ofProftpd, 'proftpd', ['PassivePorts 40000 40100\n', '']),
    faults: ['passive-range-missing'],
  },
  {
    what: 'Pure-FTPd: no passive range on the command line',
    ...pair(ofPureFtpd, 'pureFtpd', ['-p 40000:40100', '-E']),
    faults: ['passive-range-missing'],
  },
  {
    what: 'vsftpd: no passive range, and RELATED without a helper',
    broken: {
      vsftpd: 'listen=YES\n',
      iptables: changed(closing(opening('21')), ['--ctstate ESTABLISHED', '--ctstate RELATED,ESTABLISHED']),
    },
    twin: ofVsftpd,
    faults: ['related-without-helper'],
  },
  {
    what: 'vsftpd: it runs as who started it, and connects from port 20',
    ...more(ofVsftpd, 'vsftpd', 'run_as_launching_user=YES\n'),
    faults: ['port-20-unprivileged'],
  },
  {
    what: 'ProFTPD: it gives up root, and connects from port 20',
    ...more(ofProftpd, 'proftpd', 'RootRevoke on\n'),
    faults: ['port-20-unprivileged'],
  },
  {
    what: 'vsftpd: another user than root runs it, and it connects from port 20',
    ...pair({ ...ofVsftpd, listening: server.listening }, 'listening', [' ino:1', ' uid:1000 ino:1']),
    faults: ['port-20-not-root'],
  },
  {
    what: 'vsftpd: a blank before the sign',
    ...pair(ofVsftpd, 'vsftpd', ['pasv_min_port=', 'pasv_min_port =']),
    faults: ['vsftpd-spaces'],
  },
  {
    what: 'vsftpd: a blank behind YES',
    ...pair(ofVsftpd, 'vsftpd', ['listen=YES', 'listen=YES ']),
    faults: ['vsftpd-spaces'],
  },
  {
    what: 'vsftpd: lines that end as in Windows',
    ...pair(ofVsftpd, 'vsftpd', ['\n', '\r\n']),
    faults: ['vsftpd-line-ends'],
  },
  {
    what: 'vsftpd: a name is announced, and not looked up',
    broken: { ...ofVsftpd, vsftpd: `${ofVsftpd.vsftpd}pasv_address=ftp.example.org\n` },
    twin: { ...ofVsftpd, vsftpd: `${ofVsftpd.vsftpd}pasv_address=ftp.example.org\npasv_addr_resolve=YES\n` },
    faults: ['address-not-resolved'],
  },
  {
    what: 'ProFTPD: TLS, and only the helper opens its data connections',
    broken: {
      proftpd: '<IfModule mod_tls.c>\nTLSEngine on\n</IfModule>\nPassivePorts 40000 40100\n',
      nftables: helped.nftables,
      modules: helped.modules,
    },
    twin: {
      proftpd: '<IfModule mod_tls.c>\nTLSEngine on\n</IfModule>\nPassivePorts 40000 40100\n',
      nftables: changed(helped.nftables, ['443 }', '443, 40000-40100 }']),
      modules: helped.modules,
    },
    faults: ['helper-sees-no-tls'],
  },
];

const firewalls: readonly ReportedSetup[] = [
  {
    what: 'the control port is closed: iptables',
    ...pair(ofVsftpd, 'iptables', ['21,', '80,']),
    faults: ['control-port-closed'],
  },
  {
    what: 'the control port is closed: nftables',
    ...pair(ofProftpd, 'nftables', ['21,', '80,']),
    faults: ['control-port-closed'],
  },
  {
    what: 'half of the range is closed: nftables',
    ...pair(ofProftpd, 'nftables', ['40000-40100', '40000-40050']),
    faults: ['passive-range-closed'],
  },
  {
    what: 'RELATED is accepted, and no rule attaches the helper: nftables',
    ...pair(
      { ...ofProftpd, nftables: changed(nftables, ['established', 'established,related']) },
      'nftables',
      [', 40000-40100', ''],
    ),
    faults: ['related-without-helper'],
  },
  {
    what: 'more is open than the range: iptables',
    ...pair(ofVsftpd, 'iptables', ['40000:40100', '40000:65535']),
    faults: ['firewall-opens-too-much'],
  },
  {
    what: 'more is open than the range: nftables',
    ...pair(ofProftpd, 'nftables', ['40000-40100', '1024-65535']),
    faults: ['firewall-opens-too-much'],
  },
  {
    what: 'all ports but one are open',
    broken: { vsftpd: range, iptables: closing('-A INPUT -p tcp -m tcp ! --dport 5432 -j ACCEPT\n') },
    twin: { vsftpd: range, iptables },
    faults: ['firewall-opens-too-much'],
  },
  {
    what: '--sport 21 for --dport 21',
    ...more(ofVsftpd, 'iptables', ''),
    broken: {
      ...ofVsftpd,
      iptables: changed(iptables, ['COMMIT', '-A INPUT -p tcp -m tcp --sport 21 -j ACCEPT\nCOMMIT']),
    },
    faults: ['source-port-for-destination'],
  },
  {
    what: 'sport 21 for dport 21',
    broken: {
      ...ofProftpd,
      nftables: nft('    tcp dport { 21, 40000-40100 } accept\n    tcp sport 21 ct state new accept\n'),
    },
    twin: ofProftpd,
    faults: ['source-port-for-destination'],
  },
  {
    what: 'a rule ends with -j',
    broken: {
      ...ofVsftpd,
      iptables: changed(iptables, ['COMMIT', '-A INPUT -p tcp -m tcp --dport 80 -j\nCOMMIT']),
    },
    twin: ofVsftpd,
    faults: ['rule-without-target'],
  },
  {
    what: 'a rule of the file for the next start ends with -j',
    broken: {
      ...ofVsftpd,
      savedIptables: changed(iptables, ['COMMIT', '-A INPUT -p tcp -m tcp --dport 80 -j\nCOMMIT']),
    },
    twin: { ...ofVsftpd, savedIptables: iptables },
    faults: ['rule-without-target'],
  },
  {
    what: 'half of the range is closed for IPv6',
    ...pair({ ...ofVsftpd, ip6tables: iptables }, 'ip6tables', ['40000:40100', '40000:40050']),
    faults: ['passive-range-closed'],
  },
  {
    what: 'more is open than the range for IPv6',
    ...pair({ ...ofVsftpd, ip6tables: iptables }, 'ip6tables', ['40000:40100', '40000:65535']),
    faults: ['firewall-opens-too-much'],
  },
  {
    what: 'half of the range is closed in the older form of iptables',
    ...pair({ ...ofVsftpd, legacyIptables: iptables }, 'legacyIptables', ['40000:40100', '40000:40050']),
    faults: ['passive-range-closed'],
  },
  {
    what: 'a chain of a file is made by no line',
    broken: {
      ...ofVsftpd,
      iptables: changed(iptables, ['-A INPUT -p tcp', '-A INPUT -j ftp\n-A ftp -p tcp']),
    },
    twin: {
      ...ofVsftpd,
      iptables: changed(
        iptables,
        ['-A INPUT -p tcp', '-A INPUT -j ftp\n-A ftp -p tcp'],
        [':OUTPUT', ':ftp - [0:0]\n:OUTPUT'],
      ),
    },
    faults: ['chain-not-declared'],
  },
  {
    what: 'a chain of a script is made by no line',
    broken: {
      vsftpd: range,
      iptables:
        'iptables -P INPUT DROP\niptables -A INPUT -j ftp\niptables -A ftp -p tcp -m multiport --dports 21,40000:40100 -j ACCEPT\niptables -A INPUT -m state --state ESTABLISHED -j ACCEPT\n',
    },
    twin: {
      vsftpd: range,
      iptables:
        'iptables -N ftp\niptables -P INPUT DROP\niptables -A INPUT -j ftp\niptables -A ftp -p tcp -m multiport --dports 21,40000:40100 -j ACCEPT\niptables -A INPUT -m state --state ESTABLISHED -j ACCEPT\n',
    },
    faults: ['chain-not-declared'],
  },
  {
    what: 'rules alone that accept RELATED, and attach no helper',
    broken: {
      iptables: changed(closing(opening('21')), ['--ctstate ESTABLISHED', '--ctstate RELATED,ESTABLISHED']),
    },
    twin: ofVsftpd,
    faults: ['related-without-helper'],
    unseen: ['no-server-found'],
  },
  {
    what: 'the kernel forwards nothing',
    ...pair(gateway, 'sysctl', ['= 1', '= 0']),
    faults: ['ip-forward-off'],
  },
  {
    what: 'the control port is led on, and the forward chain drops it: iptables',
    ...pair(gateway, 'iptables', ['--ctstate DNAT', '--ctstate NEW -p tcp --dport 50000:50099']),
    faults: ['forward-drops'],
  },
  {
    what: 'a server that is led to announces no other address',
    ...pair(gateway, 'pureFtpd', ['ForcePassiveIP 203.0.113.5\n', '']),
    faults: ['address-missing'],
  },
  {
    what: 'a server that is led to announces its own address',
    ...pair(gateway, 'pureFtpd', ['203.0.113.5', '192.168.1.10']),
    faults: ['address-private'],
  },
  {
    what: 'a server that is led to announces its own address, from a rule that names none',
    ...pair(
      {
        ...gateway,
        pureFtpd: '-p 50000:50099 -P 203.0.113.5\n',
        iptables: changed(gateway.iptables, ['-d 203.0.113.5/32 ', '']),
      },
      'pureFtpd',
      ['203.0.113.5', '192.168.1.10'],
    ),
    faults: ['address-private'],
    fillings: { 'PUBLIC-ADDRESS': '203.0.113.5' },
  },
  {
    what: 'the range is led on in part: nftables',
    ...pair(
      {
        nftables:
          'table ip nat {\n  chain prerouting {\n    type nat hook prerouting priority dstnat; policy accept;\n    tcp dport { 21, 40000-40100 } dnat to 192.168.1.5\n  }\n}\n',
        sysctl: gateway.sysctl,
        vsftpd: `${range}pasv_address=203.0.113.5\n`,
      },
      'nftables',
      ['-40100', '-40050'],
    ),
    faults: ['passive-range-not-forwarded'],
  },
  {
    what: 'the range is led on to another host: nftables, table inet',
    ...pair(
      {
        nftables:
          'table inet nat {\n  chain leading {\n    type nat hook prerouting priority dstnat; policy accept;\n    tcp dport 21 dnat ip to 192.168.1.5\n    tcp dport 40000-40100 dnat ip to 192.168.1.5\n  }\n}\n',
        sysctl: gateway.sysctl,
        vsftpd: `${range}pasv_address=203.0.113.5\n`,
      },
      'nftables',
      ['40100 dnat ip to 192.168.1.5', '40100 dnat ip to 192.168.1.6'],
    ),
    faults: ['passive-range-not-forwarded'],
  },
  {
    what: 'the module of the helper is not loaded',
    ...pair({ ...helped, proftpd: ofProftpd.proftpd }, 'modules', ['nf_conntrack_ftp', 'nf_conntrack_sip']),
    faults: ['helper-module-missing'],
  },
  {
    what: 'the module of the helper behind a translation is not loaded',
    ...pair(
      {
        iptables: `*raw\n-A PREROUTING -p tcp -m tcp --dport 21 -j CT --helper ftp\nCOMMIT\n${gateway.iptables}`,
        sysctl: gateway.sysctl,
        modules: 'nf_conntrack_ftp 1 0\nnf_nat_ftp 1 0\n',
      },
      'modules',
      ['nf_nat_ftp', 'nf_nat_sip'],
    ),
    faults: ['helper-module-missing'],
  },
  {
    what: 'two lines of modules, of which the last one wins',
    broken: {
      ...ofVsftpd,
      iptablesConfig: 'IPTABLES_MODULES="ip_conntrack_ftp"\nIPTABLES_MODULES="ip_nat_ftp"\n',
    },
    twin: { ...ofVsftpd, iptablesConfig: 'IPTABLES_MODULES="ip_conntrack_ftp ip_nat_ftp"\n' },
    faults: ['modules-line-overridden'],
  },
  {
    what: 'the module for translations stands first',
    ...pair(
      { ...ofVsftpd, iptablesConfig: "IPTABLES_MODULES='ip_conntrack_ftp ip_nat_ftp'\n" },
      'iptablesConfig',
      ['ip_conntrack_ftp ip_nat_ftp', 'ip_nat_ftp ip_conntrack_ftp'],
    ),
    faults: ['nat-module-first'],
  },
];

const passed = {
  ...passes,
  iptables: closing(opening('21,50000:50999,51000:51999')),
};
const left = { ...leaves, iptables: passed.iptables };

const ofPinhole: readonly ReportedSetup[] = [
  {
    what: 'Pinhole: the control port is closed',
    ...pair(relay, 'nftables', ['ftp, ', '']),
    faults: ['control-port-closed'],
  },
  {
    what: 'Pinhole: its passive ports are closed',
    ...pair(relay, 'nftables', ['50000-50999', '50000-50500']),
    faults: ['passive-range-closed'],
  },
  {
    what: 'Pinhole: its ports for the server are closed, nftables',
    ...pair(relay, 'nftables', ['51000-51999', '52000-52999']),
    faults: ['active-range-closed'],
  },
  {
    what: 'Pinhole: its ports for the server are closed, iptables',
    ...pair(ends, 'iptables', ['51000:51999', '51000:51009']),
    faults: ['active-range-closed'],
  },
  {
    what: 'Pinhole: the kernel forwards nothing',
    ...pair(kernelPlane, 'sysctl', ['= 1', '= 0']),
    faults: ['ip-forward-off'],
  },
  {
    what: 'Pinhole: the forward chain drops its mark, iptables',
    ...pair(kernelPlane, 'iptables', ['0x2121', '0x1']),
    faults: ['forward-drops-pinhole'],
  },
  {
    what: 'Pinhole: the forward chain drops its mark, nftables',
    ...pair(
      {
        pinhole: kernelPlane.pinhole,
        sysctl: kernelPlane.sysctl,
        nftables: `${nft('    tcp dport 21 accept\n')}table inet on {\n  chain passing {\n    type filter hook forward priority filter; policy drop;\n    ct state established accept\n    ct mark 0x2121 accept\n  }\n}\n`,
      },
      'nftables',
      ['0x2121', '0x1'],
    ),
    faults: ['forward-drops-pinhole'],
  },
  {
    what: 'Pinhole: the helper is attached to its port, iptables',
    broken: {
      ...kernelPlane,
      iptables: `*raw\n-A PREROUTING -p tcp -m tcp --dport 21 -j CT --helper ftp\nCOMMIT\n${kernelPlane.iptables}`,
    },
    twin: kernelPlane,
    faults: ['helper-and-pinhole'],
  },
  {
    what: 'Pinhole: the helper is attached to its port, nftables',
    broken: {
      ...relay,
      nftables: `${relay.nftables}table ip raw {\n  ct helper ftp {\n    type "ftp" protocol tcp\n  }\n  chain pre {\n    type filter hook prerouting priority mangle; policy accept;\n    tcp dport 21 ct helper set "ftp"\n  }\n}\n`,
    },
    twin: relay,
    faults: ['helper-and-pinhole'],
  },
  {
    what: 'Pinhole: the kernel attaches the helper by itself',
    ...pair(relay, 'sysctl', ['nf_conntrack_helper = 0', 'nf_conntrack_helper = 1']),
    faults: ['helper-and-pinhole'],
  },
  {
    what: 'Pinhole: TLS is passed on, and the server has another range',
    ...pair(passed, 'vsftpd', ['50999', '50998']),
    faults: ['tls-pass-other-range'],
  },
  {
    what: 'Pinhole: TLS is passed on, and the server has no range',
    ...pair(passed, 'vsftpd', ['pasv_min_port=50000\npasv_max_port=50999\n', '']),
    faults: ['tls-pass-other-range'],
  },
  {
    what: 'Pinhole: TLS is passed on, and the server announces its own address',
    ...pair(passed, 'vsftpd', ['pasv_address=203.0.113.5\n', '']),
    faults: ['tls-pass-address-missing'],
  },
  {
    what: 'Pinhole: TLS is passed on, the server announces its own address, and no other is known',
    ...pair({ ...passed, pinhole: changed(passed.pinhole, ['203.0.113.5:21', '0.0.0.0:21']) }, 'vsftpd', [
      'pasv_address=203.0.113.5\n',
      '',
    ]),
    faults: ['tls-pass-address-missing'],
    fillings: { 'PUBLIC-ADDRESS': '203.0.113.5' },
  },
  {
    what: 'Pinhole: TLS is passed on, and the server announces a private address',
    ...pair(passed, 'vsftpd', ['=203.0.113.5', '=10.77.0.2']),
    faults: ['tls-pass-address-private'],
  },
  {
    what: 'Pinhole: TLS of data is left to the server, and vsftpd demands its session',
    ...pair(left, 'vsftpd', ['reuse=NO', 'reuse=YES']),
    faults: ['tls-data-demands-reuse'],
  },
  {
    what: 'Pinhole: TLS of data is left to the server, and ProFTPD demands its session',
    ...pair(
      {
        pinhole: leaves.pinhole,
        iptables: left.iptables,
        proftpd: 'TLSEngine on\nTLSOptions NoSessionReuseRequired\n',
      },
      'proftpd',
      ['NoSessionReuseRequired', 'AllowClientRenegotiations'],
    ),
    faults: ['tls-data-demands-reuse'],
  },
];

export const brokenSets: readonly ReportedSetup[] = [...servers, ...firewalls, ...ofPinhole];

const open = '*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\nCOMMIT\n';
const elsewhere = { 'PUBLIC-ADDRESS': '203.0.113.5' };
const inside = changed(server.addresses, ['203.0.113.5', '192.168.1.5']);
const noted = (
  what: string,
  id: string,
  broken: Texts,
  more: Partial<ReportedSetup> = {},
): ReportedSetup => ({ what, broken, twin: broken, faults: [], notes: [id], ...more });

/** Sets in which something is worth knowing, or not known, for which lines are printed too. */
export const notedSets: readonly ReportedSetup[] = [
  noted('vsftpd: passive mode is turned off', 'passive-disabled', {
    ...ofVsftpd,
    vsftpd: `${ofVsftpd.vsftpd}pasv_enable=NO\n`,
  }),
  noted('Pure-FTPd: passive mode is turned off in the file', 'passive-disabled', {
    ...ofPureFtpdFile,
    pureFtpd: `${ofPureFtpdFile.pureFtpd}NATmode yes\n`,
  }),
  noted('no passive range, and everything is open', 'passive-range-missing', {
    vsftpd: 'listen=YES\n',
    iptables: open,
  }),
  noted('everything is open: iptables', 'firewall-lets-all-in', { vsftpd: range, iptables: open }),
  noted('everything is open: nftables', 'firewall-lets-all-in', {
    vsftpd: range,
    nftables: 'table inet own {\n}\n',
  }),
  noted('more is open than the range, on one interface: iptables', 'firewall-opens-too-much', {
    vsftpd: range,
    iptables: closing(`${opening('21')}-A INPUT -i eth0 -p tcp -m tcp --dport 1024:65535 -j ACCEPT\n`),
  }),
  noted('more is open than the range, on one interface: nftables', 'firewall-opens-too-much', {
    vsftpd: range,
    nftables: nft('    tcp dport 21 accept\n    iifname "eth0" tcp dport 1024-65535 accept\n'),
  }),
  noted('the forward chain is closed: iptables', 'forward-closed', {
    ...ofVsftpd,
    sysctl: kernelPlane.sysctl,
  }),
  noted('the forward chain is closed: nftables', 'forward-closed', {
    proftpd: ofProftpd.proftpd,
    nftables: `${nftables}table inet on {\n  chain passing {\n    type filter hook forward priority filter; policy drop;\n  }\n}\n`,
    sysctl: kernelPlane.sysctl,
  }),
  noted('no rule attaches the helper that is loaded: iptables', 'helper-unused', {
    ...ofVsftpd,
    modules: helped.modules,
  }),
  noted('no rule attaches the helper that is loaded: nftables', 'helper-unused', {
    ...ofProftpd,
    modules: helped.modules,
  }),
  noted('the kernel attaches the helper by itself', 'helper-by-sysctl', {
    ...ofVsftpd,
    sysctl: 'net.netfilter.nf_conntrack_helper = 1\n',
    modules: helped.modules,
  }),
  noted('the control port is closed for IPv6', 'control-port-closed-ipv6', {
    ...ofVsftpd,
    ip6tables: '*filter\n:INPUT DROP [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\nCOMMIT\n',
  }),
  noted(
    'vsftpd: a private address is announced',
    'address-private-announced',
    { ...ofVsftpd, vsftpd: `${ofVsftpd.vsftpd}pasv_address=192.168.1.10\n` },
    { unseen: ['address-private-announced'], fillings: elsewhere },
  ),
  noted(
    'ProFTPD: a host with a private address announces no other',
    'address-may-be-missing',
    { ...ofProftpd, addresses: inside },
    { unseen: ['address-may-be-missing'], fillings: elsewhere },
  ),
  noted(
    'Pure-FTPd: a host with a private address announces no other, on its command line',
    'address-may-be-missing',
    { ...ofPureFtpd, addresses: inside },
    { unseen: ['address-may-be-missing'], fillings: elsewhere },
  ),
];
