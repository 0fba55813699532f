import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { examineHost } from '../../../src/doctor/host.ts';
import type { HostSources } from '../../../src/doctor/host-sources.ts';
import { isCovered, readPorts } from '../../../src/doctor/host/ports.ts';
import { readIptables } from '../../../src/doctor/host/iptables.ts';
import { readListening } from '../../../src/doctor/host/listening.ts';
import { readModules } from '../../../src/doctor/host/modules.ts';
import { readModulesLines } from '../../../src/doctor/host/iptables-config.ts';
import { readNftables } from '../../../src/doctor/host/nftables.ts';
import type { Firewall } from '../../../src/doctor/host/firewall.ts';
import { openRemedy } from '../../../src/doctor/host/remedies.ts';
import { opennessFor } from '../../../src/doctor/host/openness.ts';
import { readProftpd } from '../../../src/doctor/host/proftpd-settings.ts';
import { readPureFtpd } from '../../../src/doctor/host/pure-ftpd-settings.ts';
import { readSysctls } from '../../../src/doctor/host/sysctl.ts';
import { readVsftpd } from '../../../src/doctor/host/vsftpd-settings.ts';
import { healthySets, sourcesOf } from '../host-sets.ts';

const names = [
  'vsftpd',
  'proftpd',
  'pureFtpd',
  'iptables',
  'savedIptables',
  'ip6tables',
  'nftables',
  'iptablesConfig',
  'modules',
  'sysctl',
  'listening',
  'addresses',
  'pinhole',
] as const satisfies (keyof HostSources)[];

/** Pieces of all the files that there are, in any order. */
const pieces = [
  ...new Set(
    Object.values(healthySets).flatMap((texts) =>
      Object.values(texts).flatMap((text) => text.split(/(?<=\s)|(?<=[{};,])/)),
    ),
  ),
  '"',
  '\\\n',
  '! ',
  '-j ',
  '-g INPUT\n',
  'jump input\n',
];

test('examines any text without an error', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.array(fc.constantFrom(...pieces), { maxLength: 60 }).map((list) => list.join('')),
  );
  fc.assert(
    fc.property(fc.array(text, { minLength: names.length, maxLength: names.length }), (texts) => {
      examineHost(sourcesOf(Object.fromEntries(names.map((name, index) => [name, texts[index]]))));
    }),
    { numRuns: 300 },
  );
});

const size = 40_000;

for (const [name, unit] of [
  ['blocks in blocks', 'table a {\n'],
  ['quotation marks', '"'],
  ['escaped quotation marks', '"\\" '],
  ['braces', 'chain c { { '],
  ['spaces', ' \t'],
  ['equals signs', 'pasv_min_port ='],
  ['rules', '-A INPUT -p tcp --dport 1 -j X\n'],
  ['chains that lead to chains', '-A X -j X\n-A INPUT -j X\n'],
  ['words', 'a'],
] as const) {
  test(`reads many ${name} in a time that grows with their number`, () => {
    const text = unit.repeat(size / unit.length);
    const before = performance.now();
    examineHost(sourcesOf(Object.fromEntries(names.map((source) => [source, text]))));
    assert.ok(performance.now() - before < 2000);
  });
}

test('reads ports as firewalls write them', () => {
  assert.deepEqual(readPorts('21'), { first: 21, last: 21 });
  assert.deepEqual(readPorts('ftp-data'), { first: 20, last: 20 });
  assert.deepEqual(readPorts('1024:'), { first: 1024, last: 65535 });
  assert.deepEqual(readPorts(':1023'), { first: 1, last: 1023 });
  assert.deepEqual(readPorts('ftp-ssh'), { first: 21, last: 22 });
  for (const wrong of ['', 'nobody', '9-8', '70000', '1-2-3', '@set'])
    assert.equal(readPorts(wrong), undefined, wrong);
  assert.equal(
    isCovered({ first: 5, last: 9 }, [
      { first: 8, last: 9 },
      { first: 1, last: 7 },
    ]),
    true,
  );
  assert.equal(
    isCovered({ first: 5, last: 9 }, [
      { first: 1, last: 6 },
      { first: 8, last: 9 },
    ]),
    false,
  );
});

test('reads vsftpd.conf: the last line of a key, octal numbers, yes in any case', () => {
  const read = readVsftpd(
    'f',
    'pasv_min_port=1\npasv_min_port=050000\npasv_max_port=0\nconnect_from_port_20=yes\nlisten_port=2121\npasv_enable=No\n',
  );
  assert.deepEqual(read.passiveFrom, { value: 0o50000, line: 2 });
  assert.equal(read.passiveTo, undefined);
  assert.equal(read.controlPort, 2121);
  assert.equal(read.activePort, 20);
  assert.equal(read.isPassive, false);
  assert.equal(readVsftpd('f', 'port_enable=NO\nconnect_from_port_20=YES\n').activePort, undefined);
  assert.equal(readVsftpd('f', 'connect_from_port_20=YES\nftp_data_port=2020\n').activePort, 2020);
});

test('reads proftpd.conf: its main server, directives in any case', () => {
  const read = readProftpd(
    'f',
    '<Global>\n  passiveports 50000 50099\n</Global>\n<VirtualHost x>\n Port 2121\n</VirtualHost>\nMasqueradeAddress "ftp.example.org"\nDefaultAddress 10.0.0.1\n',
  );
  assert.deepEqual(read.passiveTo, { value: 50099, line: 2 });
  assert.equal(read.controlPort, 21);
  assert.deepEqual(read.address, { value: 'ftp.example.org', line: 7 });
  assert.equal(read.listenAddress, '10.0.0.1');
});

for (const [name, text] of [
  [
    'its file',
    'PassivePortRange 50000 50099\nForcePassiveIP 192.0.2.1\nBind 10.0.0.1,2121\nTLS 1\nNATmode yes\n',
  ],
  [
    "Debian's folder as lines",
    'Bind 10.0.0.1,2121\nForcePassiveIP 192.0.2.1\nNATmode yes\nPassivePortRange 50000 50099\nTLS 1\n',
  ],
  ['short options', 'pure-ftpd -p 50000:50099 -P192.0.2.1 -S 10.0.0.1,2121 -Y 1 -N\n'],
  ['options in one word', 'pure-ftpd -AENp 50000:50099 -BP192.0.2.1 -S 10.0.0.1,2121 -HY1\n'],
  [
    'long options',
    '--passiveportrange=50000:50099 --forcepassiveip 192.0.2.1 --bind=10.0.0.1,2121 --tls=1 --natmode\n',
  ],
] as const) {
  test(`reads the settings of Pure-FTPd from ${name}`, () => {
    const { passiveFrom, passiveTo, address, controlPort, listenAddress, tls, isPassive } = readPureFtpd(
      'f',
      text,
    );
    assert.deepEqual([passiveFrom?.value, passiveTo?.value], [50000, 50099]);
    assert.equal(address?.value, '192.0.2.1');
    assert.deepEqual([listenAddress, controlPort], ['10.0.0.1', 2121]);
    assert.equal(tls?.value, 'TLS 1');
    assert.equal(isPassive, false);
  });
}

test('reads lines of modules: in either quotation, and what one takes up of the line before', () => {
  const lines = readModulesLines(
    'IPTABLES_MODULES="a b"\nexport IPTABLES_MODULES=\'c\'\n#IPTABLES_MODULES="d"\nIPTABLES_MODULES="$IPTABLES_MODULES e"\nIPTABLES_MODULES_UNLOAD="yes"\nIPTABLES_MODULES="${IPTABLES_MODULES} f"\nIPTABLES_MODULES+=" g"\nIPTABLES_MODULES=\'$IPTABLES_MODULES h\'\n',
  );
  assert.deepEqual(
    lines.map(({ written, line }) => [line, ...written]),
    [
      [1, 'a', 'b'],
      [2, 'c'],
      [4, 'c', 'e'],
      [6, 'c', 'e', 'f'],
      [7, 'c', 'e', 'f', 'g'],
      [8, 'h'],
    ],
  );
});

test('reads modules by old and new names', () => {
  assert.deepEqual(
    [...readModules('Module Size\nip_nat_ftp 1 0\nkernel/net/netfilter/nf-conntrack-ftp.ko\n')],
    ['nf_nat_ftp', 'nf_conntrack_ftp'],
  );
});

test('reads sysctls', () => {
  assert.deepEqual(
    [...readSysctls('net/ipv4/ip_forward=1\n# x = y\n-a = b\nodd\n')],
    [
      ['net.ipv4.ip_forward', { value: '1', line: 1 }],
      ['a', { value: 'b', line: 3 }],
    ],
  );
});

test('reads listening ports as ss and as netstat prints them', () => {
  const ss = readListening(
    'LISTEN 0 5 127.0.0.1%lo:21 0.0.0.0:* users:(("vsftpd",pid=1,fd=3)) uid:33 ino:5\nESTAB 0 0 1.2.3.4:21 1.2.3.4:5\nLISTEN 0 5 [::1]:22 [::]:*\n',
  );
  assert.deepEqual(ss, [
    { line: 1, port: 21, isLoopback: true, program: 'vsftpd', pid: 1, user: 33 },
    { line: 3, port: 22, isLoopback: true, program: undefined, user: undefined },
  ]);
  assert.deepEqual(readListening('tcp6 0 0 :::21 :::* LISTEN 7/vsftpd\n'), [
    { line: 1, port: 21, isLoopback: false, program: 'vsftpd', user: undefined },
  ]);
});

function inputOf(lines: string, port = 21): string {
  return opennessFor(readIptables('f', `*filter\n:INPUT DROP\n${lines}\n`, 4), {
    hook: 'input',
    port,
    state: 'new',
  });
}

for (const [rule, openness] of [
  ['-A INPUT -p tcp --dport 21 -j ACCEPT', 'open'],
  ['-A INPUT -p tcp --dport ! 22 -j ACCEPT', 'open'],
  ['-A INPUT -p tcp ! --dport 21 -j ACCEPT', 'closed'],
  ['-A INPUT -p udp --dport 21 -j ACCEPT', 'closed'],
  ['-A INPUT -s 0.0.0.0/0 -p 6 --dport 20:22 -j ACCEPT', 'open'],
  ['-A INPUT -s 10.0.0.0/8 -p tcp --dport 21 -j ACCEPT', 'unknown'],
  ['-A INPUT ! -i lo -p tcp --dport 21 -j ACCEPT', 'open'],
  ['-A INPUT -p tcp --tcp-flags SYN,ACK SYN --sport 1024:65535 -j ACCEPT', 'open'],
  ['-A INPUT -p tcp --tcp-flags ALL NONE -j ACCEPT', 'closed'],
  ['-A INPUT -p tcp --syn --sport 2000:3000 -j ACCEPT', 'unknown'],
  ['-A INPUT -m mark --mark 1 -j ACCEPT', 'unknown'],
  ['-A INPUT -m connmark --mark 1 -j ACCEPT', 'closed'],
  ['-A INPUT -m helper --helper ftp -j ACCEPT', 'closed'],
  ['-A INPUT -p tcp --dport what -j ACCEPT', 'unknown'],
  ['-A INPUT -j elsewhere', 'unknown'],
  ['-A INPUT -j a\n-A a -j b\n-A b -j a', 'unknown'],
  ['-A INPUT -g a\n-A a -p udp -j ACCEPT\n-A INPUT -j ACCEPT', 'closed'],
  ['-A INPUT -j LOG --log-prefix "-j ACCEPT"\n-A INPUT -p tcp -j REJECT\n-I INPUT 1 -j ACCEPT', 'open'],
  ['iptables -A INPUT -p tcp --dport 21 -j ACCEPT', 'open'],
  ['iptables -P INPUT ACCEPT', 'open'],
  ['iptables -t nat -A INPUT -j ACCEPT', 'closed'],
  ['-A INPUT -j NFQUEUE --queue-num 1', 'unknown'],
] as const) {
  test(`iptables: ${rule.replaceAll('\n', '; ')} is ${openness}`, () => {
    assert.equal(inputOf(rule), openness);
  });
}

function nft(rules: string, more = ''): Firewall {
  return readNftables(
    'f',
    `table inet t { ${more}\nchain a { accept }\nchain i { type filter hook input priority 0; policy drop; ${rules}\n} }`,
  );
}

for (const [rule, openness] of [
  ['tcp dport 21 accept', 'open'],
  ['tcp dport != 21 accept', 'closed'],
  ['tcp dport { 20-22, 80 } counter packets 1 bytes 2 log prefix "drop" accept comment "drop"', 'open'],
  ['meta l4proto tcp th dport 21 accept', 'open'],
  ['meta l4proto { udp } accept', 'closed'],
  ['meta nfproto ipv6 accept', 'closed'],
  ['ip protocol tcp accept', 'open'],
  ['ip6 nexthdr tcp accept', 'closed'],
  ['ip saddr 10.0.0.0/8 accept', 'unknown'],
  ['ip daddr 10.0.0.1 accept', 'unknown'],
  ['iifname "eth0" accept', 'unknown'],
  ['meta iifname lo accept', 'closed'],
  ['tcp dport vmap { 21 : jump a, 22: drop }', 'open'],
  ['tcp dport vmap @m', 'unknown'],
  ['ct state new,untracked accept', 'open'],
  ['ct state vmap { new : continue, established : accept }', 'closed'],
  ['ct mark 0x1 accept', 'closed'],
  ['ct mark set 0x1 accept', 'open'],
  ['ct helper "ftp" accept', 'closed'],
  ['ct count over 5 drop; accept', 'unknown'],
  ['tcp flags & (fin | syn) == syn accept', 'unknown'],
  ['limit rate 5/second accept', 'unknown'],
  ['fib daddr type local accept', 'unknown'],
  ['goto a', 'open'],
  ['jump nowhere', 'unknown'],
  ['queue', 'unknown'],
  ['xt target TARPIT', 'unknown'],
  ['xt match "geoip" accept', 'unknown'],
  ['xt target CT; accept', 'open'],
  ['udp dport 53 accept', 'closed'],
  ['tcp dport 21 # xt_comment accept', 'unknown'],
  ['tcp dport 21 accept # handle 5', 'open'],
  ['tcp dport 21 \\\n accept', 'open'],
] as const) {
  test(`nftables: ${JSON.stringify(rule)} is ${openness}`, () => {
    assert.equal(opennessFor(nft(rule), { hook: 'input', port: 21, state: 'new' }), openness);
  });
}

test('nftables: a set of addresses is not taken for one of ports', () => {
  const set = 'set s { type ipv4_addr; elements = { 10.0.0.1, 10.0.0.2 } }';
  assert.equal(
    opennessFor(nft('tcp dport @s accept', set), { hook: 'input', port: 21, state: 'new' }),
    'unknown',
  );
});

test('opens ports that are led on by the commands of firewalld and ufw', () => {
  const linesFor = (firewall: Firewall): readonly string[] =>
    openRemedy(firewall, 'forward', { first: 50000, last: 50099 }).lines;
  const firewalld = readNftables('f', 'table inet firewalld {\n}\n');
  assert.ok(
    linesFor(firewalld).includes('firewall-cmd --permanent --policy=ftp-forward --add-port=50000-50099/tcp'),
  );
  const ufw = readIptables('f', '*filter\n:ufw-user-input - [0:0]\nCOMMIT\n', 4);
  assert.deepEqual(linesFor(ufw), ['ufw route allow proto tcp to any port 50000:50099']);
});

test('of a script with the rules of both families, each firewall has its own', () => {
  const text =
    'iptables -P INPUT DROP\nsudo iptables -A INPUT -p tcp --dport 21 -j ACCEPT\n/sbin/ip6tables -A INPUT -j DROP\n-A INPUT -j LOG\n';
  const rulesOf = (family: 4 | 6): (string | undefined)[] =>
    (readIptables('f', text, family).tables[0]?.chains.get('INPUT')?.rules ?? []).map(({ words }) =>
      words.join(' '),
    );
  assert.deepEqual(rulesOf(4), ['-p tcp --dport 21 -j ACCEPT', '-j LOG']);
  assert.deepEqual(rulesOf(6), ['-j DROP', '-j LOG']);
});
