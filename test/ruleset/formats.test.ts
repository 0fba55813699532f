import assert from 'node:assert/strict';
import { test } from 'node:test';
import { filesOf, formatNames, reasonAgainst, type FormatName } from '../../src/ruleset/formats.ts';
import { planOf } from '../../src/ruleset/make-plan.ts';
import { RulesetError } from '../../src/ruleset/plan.ts';
import { address } from '../support/relay/hosts.ts';
import { helper, inFront, intercept, local, network, range, textOf } from '../support/ruleset.ts';

test('every rule of every format stands under a comment that says what it lets through', () => {
  for (const name of ['nftables', 'iptables', 'redhat', 'ufw', 'pf'] as const) {
    const lines = textOf(name).split('\n');
    const accepting = lines.filter((line) =>
      /^\s*(-A.*-j ACCEPT|.*dport.* accept|pass in proto tcp)/.test(line),
    );
    assert.ok(accepting.length >= 3, name);
    for (const line of accepting.filter((each) => /5[01]\d\d\d/.test(each))) {
      const before = lines[lines.indexOf(line) - 1] ?? '';
      assert.match(before, /^\s*# (active|passive) mode, data: /, `${name}: ${line}`);
    }
  }
});

test('the ports of active mode are open to the server alone', () => {
  assert.match(textOf('nftables'), /^ +ip saddr 10\.77\.0\.2 tcp dport 51000-51999 accept$/m);
  assert.match(
    textOf('iptables'),
    /^-A INPUT -s 10\.77\.0\.2 -p tcp -m tcp --dport 51000:51999 .* -j ACCEPT$/m,
  );
  assert.match(textOf('pf'), /^pass in proto tcp from 10\.77\.0\.2 to \(self\) port 51000:51999 /m);
  const six =
    textOf('iptables')
      .split('==> ')
      .find((file) => file.startsWith('etc/iptables/rules.v6')) ?? '';
  assert.doesNotMatch(six, /5100/);
});

test('a server on this host needs no port for active mode: that comes by lo', () => {
  assert.doesNotMatch(textOf('nftables', local), /51000/);
  assert.match(textOf('nftables', local), /iif lo accept/);
});

test('the kernel plane opens no port but 21, and forwards what has the mark', () => {
  const rules = textOf('nftables', { deployment: 'gateway', plane: 'kernel', kernelMark: 0xbeef });
  assert.deepEqual(
    [...rules.matchAll(/tcp dport (\S+)/g)].map(([, port]) => port),
    ['21', '21', '21'],
  );
  assert.match(rules, /chain forward \{[^]*ct mark 0xbeef accept/);
});

test('addresses that clients connect to are named, each in its family', () => {
  const listen = [
    { address: address('203.0.113.1'), port: 21 },
    { address: address('2001:db8::1'), port: 2121 },
  ];
  const rules = textOf('nftables', { listen });
  assert.match(rules, /^ +ip daddr 203\.0\.113\.1 tcp dport 21 accept$/m);
  assert.match(rules, /^ +ip6 daddr 2001:db8::1 tcp dport 2121 accept$/m);
  assert.doesNotMatch(rules, /daddr 203\.0\.113\.1 tcp dport 2121|daddr 2001:db8::1 tcp dport 21 /);
  const [four = '', six = ''] = textOf('iptables', { listen }).split('==> etc/iptables/rules.v6');
  assert.match(four, /-d 203\.0\.113\.1 -p tcp -m tcp --dport 21 /);
  assert.doesNotMatch(four, /2001:db8/);
  assert.match(six, /-d 2001:db8::1 -p tcp -m tcp --dport 2121 /);
});

test('the helper is attached by a rule, and what it expects is let in and no more', () => {
  for (const name of ['nftables', 'iptables', 'redhat'] as const) {
    const rules = textOf(name, helper);
    assert.match(rules, /ct helper set "ftp"|-j CT --helper ftp/, name);
    assert.match(
      rules,
      /ct state related ct helper "ftp" tcp dport|RELATED -m helper --helper ftp -j ACCEPT/,
      name,
    );
    assert.doesNotMatch(rules, /established,related|ESTABLISHED,RELATED/, name);
  }
});

test('both modules stand in one line, in the order of loading', () => {
  const config =
    textOf('redhat', helper)
      .split('==> ')
      .find((file) => file.includes('iptables-config')) ?? '';
  assert.deepEqual(config.match(/^IPTABLES_MODULES=.*$/gm), [
    'IPTABLES_MODULES="nf_conntrack_ftp nf_nat_ftp"',
  ]);
  assert.match(textOf('modules', helper), /^nf_conntrack_ftp\nnf_nat_ftp$/m);
  assert.match(textOf('redhat'), /^IPTABLES_MODULES=""$/m);
});

test('what the old kernels of Red Hat lack is not used, and what they do otherwise is said', () => {
  const gateway = { ...helper, server: inFront.server };
  const files = textOf('redhat', gateway);
  assert.match(files, /^\*nat$/m);
  assert.doesNotMatch(/\*nat[^]*?COMMIT/.exec(files)?.[0] ?? '', /^:INPUT/m);
  assert.match(files, /target CT is there since Linux 2\.6\.34/);
  assert.match(files, /No anti-spoofing/);
  assert.match(files, /ip_list_tot/);
  assert.match(files, /^==> etc\/sysconfig\/ip6tables-config\n[^=]*^IP6TABLES_MODULES="nf_conntrack_ftp"$/m);
  assert.match(textOf('redhat'), /^IP6TABLES_MODULES=""$/m);
  assert.match(files, /\/etc\/sysctl\.conf/);
  const ports = [{ address: undefined, port: 2121 }];
  assert.match(textOf('redhat', { ...gateway, listen: ports }), /nf_conntrack_ftp ports=2121/);
});

test('the limit of the match recent is the one that is asked for, in whole seconds and 20 packets at most', () => {
  for (const [sessionRate, seconds, hits] of [
    [1, 60, 1],
    [60, 20, 20],
    [900, 1, 15],
    [1200, 1, 20],
  ] as const) {
    assert.match(
      textOf('redhat', { sessionRate }),
      new RegExp(`-m recent --name ftp --rcheck --seconds ${seconds} --hitcount ${hits} -j DROP`),
    );
  }
  assert.throws(() => textOf('redhat', { sessionRate: 1201 }), {
    name: 'RulesetError',
    message:
      'redhat: session-rate 1201; allowed: 1 to 1200, because the match "recent" remembers 20 packets of an address',
  });
});

test('ports and networks that overlap are merged for nft, which refuses a set of them', () => {
  const openPorts = [range('20-30'), range('22'), range('30-40'), range('41'), range('80')];
  assert.match(textOf('nftables', { openPorts }), /tcp dport \{ 20-41, 80 \} accept/);
  const clientNetworks = ['10.77.0.0/24', '10.0.0.0/8', '10.77.0.9', 'fd77::/64', 'fd77::/64', '10.0.0.0/8'];
  const rules = textOf('nftables', { ...intercept, clientNetworks: clientNetworks.map(network) });
  assert.match(rules, /^ +ip saddr 10\.0\.0\.0\/8 tcp dport 21 dnat ip to 10\.77\.0\.1:2121$/m);
  assert.match(rules, /^ +ip6 saddr fd77::\/64 tcp dport 21 dnat ip6 to \[fd77::1\]:2121$/m);
});

test('firewalld says of its limit that it is one for all, and of the helper that it has none', () => {
  assert.match(
    textOf('firewalld'),
    /<!-- This limit is one for all addresses together, and lets 5 sessions in at once\. -->/,
  );
  assert.match(textOf('firewalld', helper), /<!-- Sessions have no limit: /);
  assert.doesNotMatch(textOf('firewalld', helper), /<limit/);
});

test('proftpd keeps the rights that the port below its control port takes, where that is a privileged one', () => {
  assert.match(textOf('proftpd'), /^# active mode, from port 20: .*\nRootRevoke off$/m);
  assert.match(textOf('proftpd', local), /^# active mode comes from port 2120: /m);
  assert.doesNotMatch(textOf('proftpd', local), /RootRevoke/);
});

test('many ports are split where multiport is full', () => {
  const openPorts = Array.from({ length: 9 }, (_, index) => range(`${100 + 2 * index}-${101 + 2 * index}`));
  const lists = [...textOf('iptables', { openPorts }).matchAll(/multiport --dports (\S+)/g)].map(
    ([, ports]) => ports,
  );
  assert.deepEqual(lists.slice(0, 2), [
    '100:101,102:103,104:105,106:107,108:109,110:111,112:113',
    '114:115,116:117',
  ]);
});

test('pf.conf has the form of pf.conf(5): nothing but known words, in its order', () => {
  for (const changes of [{}, local, { deployment: 'gateway' } as const]) {
    const lines = textOf('pf', changes)
      .split('\n')
      .filter((line) => line !== '' && !/^(#|==>)/.test(line));
    const option = /^set (block-policy drop|skip on lo)$/;
    const filter = new RegExp(
      '^(block in all|block in quick from urpf-failed|pass in inet proto icmp|pass in inet6 proto ipv6-icmp|' +
        'pass in quick inet6 proto ipv6-icmp icmp6-type \\{ \\w+(, \\w+)* \\}|' +
        'pass in inet6 proto udp from fe80::/10 port 547 to any port 546|' +
        'pass out keep state|pass in proto tcp from (any|\\S+|\\{ [^{}]+ \\}) to (\\(self\\)|\\S+|\\{ [^{}]+ \\}) port ' +
        '(\\d+(:\\d+)?|\\{ [^{}]+ \\}) flags S/SA keep state( \\(max-src-conn-rate \\d+/\\d+\\))?)$',
    );
    for (const line of lines) assert.ok(option.test(line) || filter.test(line), line);
    const kinds = lines.map((line) => (option.test(line) ? 'option' : 'filter'));
    assert.deepEqual(kinds, [...kinds].sort().reverse());
  }
});

test('pf lets neighbours ask from :: before it drops what would not be answered', () => {
  const lines = textOf('pf').split('\n');
  const asked = lines.findIndex((line) => /^pass in quick inet6 .*neighbrsol/.test(line));
  assert.ok(asked !== -1 && asked < lines.indexOf('block in quick from urpf-failed'));
});

test('what IPv6 needs of DHCP is let in by every format, from neighbours alone', () => {
  const input = { nftables: 'accept', iptables: '-j ACCEPT', redhat: '-j ACCEPT', pf: 'pass in' } as const;
  for (const [name, word] of Object.entries(input)) {
    const line = textOf(name as FormatName)
      .split('\n')
      .filter((each) => /port 546/.test(each));
    assert.equal(line.length, 1, name);
    assert.ok(line[0]?.includes(word) && line[0].includes('fe80::/10') && /port 547/.test(line[0]), line[0]);
  }
  assert.match(textOf('firewalld'), /<service name="dhcpv6-client"\/>/);
});

test('the settings of the servers say the same ports and addresses as the rules', () => {
  assert.match(textOf('vsftpd', local), /^listen_address=127\.0\.0\.1\nlisten_port=2121$/m);
  assert.match(textOf('vsftpd', local), /^pasv_min_port=52000\npasv_max_port=52999$/m);
  assert.match(
    textOf('proftpd', local),
    /^DefaultAddress 127\.0\.0\.1$[^]*^Port 2121$[^]*^PassivePorts 52000 52999$/m,
  );
  assert.match(
    textOf('pure-ftpd', local),
    /conf\/Bind\n127\.0\.0\.1,2121\n[^]*conf\/PassivePortRange\n52000 52999\n/,
  );
  const six = { server: { address: address('::1'), port: 2121 } };
  assert.match(textOf('vsftpd', six), /^listen=NO\nlisten_ipv6=YES\nlisten_address6=::1$/m);
  assert.doesNotMatch(textOf('vsftpd', { keepClientAddress: true, deployment: 'gateway' }), /max_per_ip/);
});

test('what a format cannot say it refuses, with what is allowed', () => {
  for (const [name, changes, words] of [
    [
      'pf',
      { ...intercept },
      'pf: not for the deployment gateway-intercept; allowed: in-front, gateway, server-alone',
    ],
    [
      'redhat',
      { plane: 'kernel', deployment: 'gateway' },
      /^redhat: not for the kernel plane.*--plane relay$/,
    ],
    ['firewalld', { deployment: 'kernel-helper' }, /^firewalld: not for kernel-helper with a server behind/],
    [
      'firewalld',
      { ...helper, listen: [{ address: undefined, port: 2121 }] },
      /^firewalld: kernel-helper works on port 21 only/,
    ],
    [
      'firewalld',
      { deployment: 'gateway', plane: 'kernel', keepClientAddress: true },
      /^firewalld: not for the kernel plane with keep-client-address/,
    ],
    ['pf', { deployment: 'gateway', keepClientAddress: true }, /^pf: keep-client-address needs nftables/],
  ] as const) {
    const plan = planOf({ ...inFront, ...changes });
    assert.throws(() => filesOf(plan, name), { name: 'RulesetError', message: words });
  }
  assert.throws(() => planOf({ ...inFront, server: undefined }), RulesetError);
  assert.throws(() => planOf({ ...inFront, ...intercept, clientNetworks: [] }), RulesetError);
  assert.throws(
    () => planOf({ ...inFront, server: { address: address('fe80::2%eth0'), port: 21 } }),
    RulesetError,
  );
});

test('there is a format that has a file for each deployment', () => {
  for (const changes of [{}, local, helper, intercept, { deployment: 'gateway', plane: 'kernel' } as const]) {
    const plan = planOf({ ...inFront, ...changes });
    const possible = formatNames.filter((name) => reasonAgainst(plan, name) === undefined);
    assert.ok(possible.includes('nftables') && possible.includes('iptables'));
    for (const name of possible) {
      for (const { path, text } of filesOf(plan, name)) {
        assert.match(path, /^(etc\/|ftp-ufw\.sh$)/);
        assert.match(text, /\n$/);
      }
    }
  }
});
