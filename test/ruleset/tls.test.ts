/** What TLS changes of the rules, and of the servers' settings. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { filesOf, formatNames, reasonAgainst, type FormatName } from '../../src/ruleset/formats.ts';
import { planOf } from '../../src/ruleset/make-plan.ts';
import type { RulesetOptions } from '../../src/ruleset/plan.ts';
import { address } from '../support/relay/hosts.ts';
import { helper, inFront, intercept, local, network, range, textOf, withTls } from '../support/ruleset.ts';

const at = (where: string, port: number): RulesetOptions['listen'][number] => ({
  address: address(where),
  port,
});
const gateway = { deployment: 'gateway', listen: [at('203.0.113.1', 21)] } as const;
const kernel = { ...gateway, plane: 'kernel' } as const;
const implicit = withTls({ mode: 'terminate', listen: [at('203.0.113.1', 990)] });
const ends = withTls({ mode: 'terminate' });
const passes = withTls({ mode: 'pass' });

/** The lines that open ports, with the comment above each. */
function opened(name: FormatName, changes: Partial<RulesetOptions>, ports: RegExp): string[] {
  const lines = textOf(name, changes).split('\n');
  return lines.flatMap((line, index) =>
    ports.test(line) && !/ drop$|-j DROP$/.test(line) ? [lines[index - 1] ?? '', line] : [],
  );
}

describe('listen-tls', () => {
  test('opens a control port with a comment and a limit of its own, in every format', () => {
    for (const name of ['nftables', 'iptables', 'redhat', 'ufw', 'pf', 'firewalld'] as const) {
      const changes = { ...gateway, ...implicit };
      assert.match(
        textOf(name, changes),
        /control channel of both modes, TLS from the first byte: client, .* port 990/,
        name,
      );
      const limits = textOf(name, changes)
        .split('\n')
        .filter((line) => /\b990\b.*(limit rate over|hashlimit-above|--rcheck|max-src-conn-rate)/.test(line));
      if (name !== 'firewalld') assert.equal(limits.length, 1, name);
    }
    assert.match(
      textOf('firewalld', { ...gateway, ...implicit }),
      /port="990" protocol="tcp"\/>\n *<accept>\n *<limit/,
    );
  });

  test('has the passive ports open at its addresses too, each once', () => {
    const [, ...rules] = opened('iptables', { ...gateway, ...implicit }, /50000:50999/);
    assert.equal(rules.length, 1);
    const elsewhere = withTls({ mode: 'terminate', listen: [at('203.0.113.2', 990)] });
    assert.match(
      textOf('nftables', { ...gateway, ...elsewhere }),
      /^ +ip daddr \{ 203\.0\.113\.1, 203\.0\.113\.2 \} tcp dport 50000-50999 accept$/m,
    );
  });

  test('takes what clients inside send to port 990 where sessions are intercepted', () => {
    const tls = withTls({ mode: 'terminate', listen: [at('10.77.0.1', 9990)], server: 'same' });
    const rules = textOf('nftables', { ...intercept, ...tls });
    assert.match(rules, /^ +ip saddr 10\.77\.0\.0\/24 tcp dport 990 dnat ip to 10\.77\.0\.1:9990$/m);
    assert.match(rules, /^ +ip saddr 10\.77\.0\.0\/24 ip daddr 10\.77\.0\.1 tcp dport 9990 accept$/m);
    assert.doesNotMatch(rules, /ip6 saddr \S+ tcp dport 990 /);
    assert.equal([...rules.matchAll(/dport 51000-51999 accept/g)].length, 2);
  });

  test('of port 0 is refused by its name', () => {
    const tls = withTls({ mode: 'terminate', listen: [at('203.0.113.1', 0)] });
    assert.throws(() => planOf({ ...inFront, ...tls }), {
      name: 'RulesetError',
      message: 'listen-tls: port 0 means any free port, and rules need port numbers; allowed: 1 to 65535',
    });
  });
});

describe('on the kernel plane', () => {
  test('the ports of both modes are open where TLS ends here, with the reason', () => {
    const serverAlone = withTls({ server: 'explicit', serverData: 'protected' });
    for (const tls of [ends, serverAlone]) {
      const rules = opened('nftables', { ...kernel, ...tls }, /5[01]000-5[01]999/);
      assert.deepEqual(
        rules.filter((_, index) => index % 2 === 1).map((line) => line.trim()),
        [
          'ip daddr 203.0.113.1 tcp dport 50000-50999 accept',
          'ip saddr 10.77.0.2 tcp dport 51000-51999 accept',
        ],
      );
      for (const comment of rules.filter((_, index) => index % 2 === 0)) {
        assert.match(
          comment,
          /^ +# (passive|active) mode, data: .*TLS ends here, which the kernel cannot do/,
        );
      }
    }
  });

  test('the passive ports alone are open where TLS is passed, with the reason', () => {
    const rules = opened('nftables', { ...kernel, ...passes }, /5[01]000-5[01]999/);
    assert.equal(rules.length, 2);
    assert.match(
      rules[0] ?? '',
      /passive mode, data: .*same port of the server.*nobody tells the kernel which port/,
    );
  });

  test('nothing is open where all data stays with the kernel', () => {
    const left = withTls({ mode: 'terminate', server: 'same', data: 'server' });
    const clear = withTls({ server: 'explicit', serverData: 'clear' });
    for (const tls of [left, clear]) {
      assert.doesNotMatch(textOf('nftables', { ...kernel, ...tls }), /5[01]000-5[01]999/);
    }
  });

  test("what ends here under another host's address comes in by its mark", () => {
    const mark = /^ +# data of both modes .*TLS ends here.*\n +ct mark 0x2121 accept$/m;
    const [input = ''] = textOf('nftables', { ...kernel, keepClientAddress: true, ...ends }).split(
      '  chain forward {',
    );
    assert.match(input, mark);
    assert.doesNotMatch(input, /51000/);
    const [caught = ''] = textOf('nftables', { ...intercept, plane: 'kernel', ...ends }).split(
      '  chain forward {',
    );
    assert.match(caught, mark);
    assert.match(caught, /dport 51000-51999 accept/);
  });

  test('the relay plane gives no reason', () => {
    for (const tls of [ends, passes]) {
      assert.doesNotMatch(textOf('nftables', { ...gateway, ...tls }), /the kernel/);
    }
  });
});

describe('kernel-helper', () => {
  test('says that it is blind behind AUTH TLS, in every format of a firewall', () => {
    for (const changes of [helper, { deployment: 'kernel-helper' } as const]) {
      for (const name of ['nftables', 'iptables', 'redhat', 'ufw'] as const) {
        assert.match(textOf(name, changes), /helper is blind behind AUTH TLS: .* --tls terminate/, name);
      }
    }
    assert.match(textOf('firewalld', helper), /helper is blind behind AUTH TLS/);
    assert.doesNotMatch(textOf('nftables'), /blind/);
  });

  test('is refused with TLS', () => {
    for (const tls of [ends, passes, withTls({ server: 'explicit' })]) {
      assert.throws(() => planOf({ ...inFront, ...helper, ...tls }), {
        name: 'RulesetError',
        message:
          /^deployment: kernel-helper, .* sees nothing after AUTH TLS.*allowed: a deployment with Pinhole, or/,
      });
    }
  });
});

describe('the settings of a server', () => {
  test('have the public address, the range of Pinhole and TLS where that is passed', () => {
    for (const [publicAddress, told] of [
      ['198.51.100.7', '198.51.100.7'],
      [undefined, '203.0.113.1'],
    ] as const) {
      const changes = { ...gateway, ...withTls({ mode: 'pass', publicAddress }) };
      for (const [name, lines] of [
        ['vsftpd', ['pasv_min_port=50000', 'pasv_max_port=50999', `pasv_address=${told}`, 'ssl_enable=YES']],
        ['proftpd', ['PassivePorts 50000 50999', `MasqueradeAddress ${told}`, 'TLSEngine on']],
        ['pure-ftpd', ['50000 50999', told, '1']],
      ] as const) {
        const text = textOf(name, changes).split('\n');
        for (const line of lines) assert.ok(text.includes(line), `${name}: ${line}\n${text.join('\n')}`);
      }
      assert.match(textOf('pure-ftpd', changes), /ForcePassiveIP\n[^]*conf\/TLS\n1\n/);
    }
  });

  test('have a name resolved that vsftpd announces', () => {
    const changes = { ...gateway, ...withTls({ mode: 'pass', publicAddress: 'ftp.example.org' }) };
    assert.match(textOf('vsftpd', changes), /^pasv_address=ftp\.example\.org\npasv_addr_resolve=YES$/m);
  });

  test('have the range of Pinhole on its own host too, where TLS is passed', () => {
    const changes = { ...gateway, ...local, ...passes };
    assert.match(textOf('vsftpd', changes), /^pasv_min_port=50000\npasv_max_port=50999$/m);
  });

  test('are refused where TLS is passed and they cannot be true', () => {
    const refused = (changes: Partial<RulesetOptions>, message: RegExp): void => {
      const plan = planOf({ ...inFront, ...changes });
      for (const name of ['vsftpd', 'proftpd', 'pure-ftpd'] as const) {
        assert.throws(() => filesOf(plan, name), { name: 'RulesetError', message });
      }
      assert.ok(formatNames.some((name) => reasonAgainst(plan, name) === undefined));
    };
    refused(passes, /^[a-z-]+: with tls pass it announces .* allowed: --public-address ADDRESS, or one/);
    const shared = { server: { address: address('203.0.113.1'), port: 2121 } };
    refused(
      { ...gateway, ...shared, ...passes },
      /the same passive ports as Pinhole.*allowed: another address of the server/,
    );
  });

  test('need no public address over IPv6, whose 229 has none', () => {
    const six = { server: { address: address('fd77::2'), port: 21 } };
    assert.doesNotMatch(textOf('vsftpd', { ...six, ...passes }), /^pasv_address/m);
  });

  test('switch TLS on for server-tls, and say that the data connection resumes the session', () => {
    for (const [tls, vsftpd, proftpd, pureFtpd] of [
      [
        withTls({ server: 'explicit' }),
        ['force_local_logins_ssl=YES', 'force_local_data_ssl=NO'],
        ['TLSRequired ctrl'],
        '2',
      ],
      [
        withTls({ server: 'explicit', serverData: 'protected' }),
        ['force_local_logins_ssl=YES', 'force_local_data_ssl=YES'],
        ['TLSRequired on'],
        '3',
      ],
      [
        withTls({ mode: 'terminate', server: 'same' }),
        ['force_local_logins_ssl=NO', 'force_local_data_ssl=NO'],
        ['TLSRequired off'],
        '1',
      ],
      [
        withTls({ mode: 'terminate', server: 'same', isRequired: true, isRequiredForData: true }),
        ['force_local_logins_ssl=YES', 'force_local_data_ssl=YES'],
        ['TLSRequired on'],
        '3',
      ],
    ] as const) {
      const changes = { ...gateway, ...tls };
      const conf = textOf('vsftpd', changes).split('\n');
      for (const line of ['ssl_enable=YES', 'require_ssl_reuse=YES', ...vsftpd])
        assert.ok(conf.includes(line), line);
      const pro = textOf('proftpd', changes).split('\n');
      for (const line of ['TLSEngine on', ...proftpd]) assert.ok(pro.includes(line), line);
      for (const name of ['vsftpd', 'proftpd'] as const) {
        assert.match(textOf(name, changes), /^# TLS with Pinhole, whose data connection resumes/m);
        assert.doesNotMatch(textOf(name, changes), /^(pasv_address|MasqueradeAddress)|implicit/im);
      }
      assert.match(textOf('pure-ftpd', changes), new RegExp(`conf/TLS\n${pureFtpd}\n`));
    }
    assert.doesNotMatch(textOf('vsftpd', { ...gateway, ...ends }), /ssl/);
  });

  test('have TLS from the first byte for server-tls implicit, which Pure-FTPd does not know', () => {
    const changes = { ...gateway, ...withTls({ server: 'implicit' }) };
    assert.match(textOf('vsftpd', changes), /^implicit_ssl=YES$/m);
    assert.match(textOf('proftpd', changes), /^TLSOptions UseImplicitSSL$/m);
    assert.throws(() => textOf('pure-ftpd', changes), {
      name: 'RulesetError',
      message: 'pure-ftpd: it does not support implicit TLS; allowed: server-tls off, explicit or same',
    });
  });

  test('demand no resumed session where TLS of data channels is left to the server', () => {
    const changes = { ...gateway, ...withTls({ mode: 'terminate', server: 'same', data: 'server' }) };
    assert.match(textOf('vsftpd', changes), /^require_ssl_reuse=NO$/m);
    assert.match(textOf('proftpd', changes), /^TLSOptions NoSessionReuseRequired$/m);
  });
});

test('every format that takes a deployment takes it with TLS', () => {
  const wide = { ...kernel, clientNetworks: [network('10.77.0.0/24')], openPorts: [range('22')] };
  for (const changes of [{}, gateway, wide, intercept]) {
    for (const name of formatNames) {
      const plain = reasonAgainst(planOf({ ...inFront, ...changes }), name);
      assert.equal(reasonAgainst(planOf({ ...inFront, ...changes, ...ends }), name), plain, name);
    }
  }
});
