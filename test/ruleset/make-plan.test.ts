import assert from 'node:assert/strict';
import { test } from 'node:test';
import { filesOf } from '../../src/ruleset/formats.ts';
import { planOf } from '../../src/ruleset/make-plan.ts';
import type { RulesetOptions } from '../../src/ruleset/plan.ts';
import { address } from '../support/relay/hosts.ts';
import { helper, inFront, intercept, local, network, range, textOf } from '../support/ruleset.ts';

const port21 = [{ address: undefined, port: 21 }];
const six = { address: address('fd77::2'), port: 21 };
const at = (where: string, port: number): RulesetOptions['listen'][number] => ({
  address: address(where),
  port,
});

const helperInFront = { deployment: 'kernel-helper' } as const;

function refused(changes: Partial<RulesetOptions>, message: RegExp): void {
  assert.throws(() => planOf({ ...inFront, ...changes }), { name: 'RulesetError', message });
}

/** The file of iptables for a family. */
function iptables(changes: Partial<RulesetOptions>, family: 4 | 6): string {
  return filesOf(planOf({ ...inFront, ...changes }), 'iptables')[family === 4 ? 0 : 1]?.text ?? '';
}

test("kernel-helper without an address watches what is for this host, in the server's family", () => {
  const nft = textOf('nftables', helperInFront);
  const local4 = /^ +meta nfproto ipv4 fib daddr type local tcp dport 21 (.*)$/gm;
  assert.deepEqual(
    [...nft.matchAll(local4)].map(([, verdict]) => verdict),
    ['ct helper set "ftp"', 'dnat ip to 10.77.0.2:21'],
  );
  assert.equal([...nft.matchAll(/ct helper set|dnat/g)].length, 2);
  assert.match(
    iptables(helperInFront, 4),
    /^-A PREROUTING -m addrtype --dst-type LOCAL -p tcp -m tcp --dport 21 -j CT --helper ftp$/m,
  );
  assert.doesNotMatch(iptables(helperInFront, 6), /CT --helper|DNAT/);
  const inSix = { ...helperInFront, server: six };
  assert.match(iptables(inSix, 6), /--dst-type LOCAL .*CT --helper ftp\n/);
  assert.doesNotMatch(iptables(inSix, 4), /CT --helper|DNAT/);
});

test('kernel-helper on the server watches what is for the server, not what it may forward', () => {
  assert.match(textOf('nftables', helper), /^ +fib daddr type local tcp dport 21 ct helper set "ftp"$/m);
  for (const family of [4, 6] as const) {
    assert.match(iptables(helper, family), /--dst-type LOCAL -p tcp -m tcp --dport 21 -j CT --helper ftp$/m);
  }
});

test('0.0.0.0 is any IPv4 address of this host, and opens nothing over IPv6', () => {
  const listen = [at('0.0.0.0', 21)];
  assert.match(textOf('nftables', { listen }), /^ +meta nfproto ipv4 tcp dport 21 accept$/m);
  assert.doesNotMatch(iptables({ listen }, 6), /--dport 21 /);
  assert.match(iptables({ listen }, 4), /^-A INPUT -p tcp -m tcp --dport 21 /m);
});

test('kernel-helper leads each control port at its own addresses alone', () => {
  const listen = [at('203.0.113.1', 21), at('203.0.113.2', 2121)];
  for (const changes of [
    { ...helperInFront, listen },
    { ...helper, listen },
  ]) {
    const rules = textOf('nftables', changes);
    assert.match(rules, /ip daddr 203\.0\.113\.1 tcp dport 21 ct helper set/);
    assert.match(rules, /ip daddr 203\.0\.113\.2 tcp dport 2121 ct helper set/);
    assert.doesNotMatch(rules, /203\.0\.113\.1 tcp dport 2121|203\.0\.113\.2 tcp dport 21 |tcp dport \{/);
  }
});

test('kernel-helper refuses a server that nothing can be led to', () => {
  refused(
    { ...helperInFront, listen: [at('203.0.113.1', 21)], server: six },
    /^listen: 203\.0\.113\.1 is not an IPv6 address, as the server \[fd77::2\]:21 has.*allowed: IPv6 addresses$/,
  );
  refused(
    { ...helperInFront, ...local },
    /^server: 127\.0\.0\.1:2121 is on this host.*without --server where the server is on this host$/,
  );
  refused({ ...helperInFront, listen: [at('10.77.0.2', 2121)] }, /^server: 10\.77\.0\.2:21 is on this host/);
  refused(
    { ...helper, listen: [at('127.0.0.1', 21)] },
    /^listen: only loopback addresses.*allowed: --listen/,
  );
});

test('forwarding is switched on for the families in use, for IPv6 with a word on accept_ra', () => {
  const kernel = { plane: 'kernel', deployment: 'gateway' } as const;
  const [four, both] = [
    /^net\.ipv4\.ip_forward = 1$/m,
    /^net\.ipv6\.conf\.all\.forwarding = 1\n# [^]*accept_ra = 2$/m,
  ];
  for (const changes of [helperInFront, kernel]) {
    assert.match(textOf('sysctl', changes), four);
    assert.doesNotMatch(textOf('sysctl', changes), /ipv6/);
    assert.match(textOf('sysctl', { ...changes, server: six }), both);
    assert.doesNotMatch(textOf('sysctl', { ...changes, server: six }), /ip_forward/);
  }
  const kernelIntercept = textOf('sysctl', { ...intercept, plane: 'kernel' });
  assert.match(kernelIntercept, four);
  assert.match(kernelIntercept, both);
  assert.doesNotMatch(textOf('sysctl', helper), /forward/);
});

test('what is intercepted is led to the address that Pinhole listens on, in its family', () => {
  const rules = textOf('nftables', intercept);
  assert.match(rules, /^ +ip saddr 10\.77\.0\.0\/24 tcp dport 21 dnat ip to 10\.77\.0\.1:2121$/m);
  assert.match(rules, /^ +ip6 saddr fd77::\/64 tcp dport 21 dnat ip6 to \[fd77::1\]:2121$/m);
  assert.match(rules, /^ +ip saddr 10\.77\.0\.0\/24 ip daddr 10\.77\.0\.1 tcp dport 2121 accept$/m);
  assert.doesNotMatch(rules, /redirect to/);
  assert.match(
    iptables({ ...intercept, interceptNetworks: [network('192.0.2.0/24'), network('::/0')] }, 4),
    /^-A PREROUTING -s 10\.77\.0\.0\/24 -d 192\.0\.2\.0\/24 -p tcp -m tcp --dport 21 -j DNAT --to-destination 10\.77\.0\.1:2121$/m,
  );
});

test('what is intercepted is redirected where Pinhole listens on every address', () => {
  const rules = textOf('nftables', { ...intercept, listen: [{ address: undefined, port: 2121 }] });
  assert.match(rules, /^ +ip saddr 10\.77\.0\.0\/24 tcp dport 21 redirect to :2121$/m);
  assert.match(rules, /^ +ip6 saddr fd77::\/64 tcp dport 21 redirect to :2121$/m);
  const mixed = { ...intercept, listen: [at('10.77.0.1', 21), at('::', 2121)] };
  assert.match(textOf('nftables', mixed), /^ +ip saddr \S+ tcp dport 21 dnat ip to 10\.77\.0\.1:21$/m);
  assert.match(textOf('nftables', mixed), /^ +ip6 saddr \S+ tcp dport 21 redirect to :2121$/m);
});

test('of several listeners the one in the network of the clients takes what is intercepted', () => {
  const listen = [at('203.0.113.1', 21), at('10.77.0.1', 2121)];
  const clientNetworks = [network('10.77.0.0/24')];
  const rules = textOf('nftables', { ...intercept, listen, clientNetworks });
  assert.match(rules, /dnat ip to 10\.77\.0\.1:2121$/m);
  assert.doesNotMatch(rules, /203\.0\.113\.1/);
});

test('a client network for whose family nothing listens is refused', () => {
  for (const listen of [[at('10.77.0.1', 21)], [at('10.77.0.1', 21), at('::1', 21)]]) {
    refused(
      { ...intercept, listen },
      /^client-networks: fd77::\/64, and no IPv6 listener is reachable .*allowed: /,
    );
  }
  refused(
    { ...intercept, listen: port21, interceptNetworks: [network('192.0.2.0/24')] },
    /^client-networks: fd77::\/64, and intercept-networks contain no IPv6 network/,
  );
});

test('where the server sends to the client itself no port is open for active mode', () => {
  const kept = { keepClientAddress: true } as const;
  for (const changes of [{ ...kept, deployment: 'gateway' } as const, { ...kept, ...intercept }]) {
    assert.doesNotMatch(textOf('nftables', changes), /51000/);
    assert.match(textOf('nftables', changes), /ct mark 0x2121 accept/);
  }
  assert.match(textOf('nftables', intercept), /dport 51000-51999 accept/);
});

test('a listener that other hosts do not reach opens nothing', () => {
  const listen = [at('127.0.0.1', 21), at('203.0.113.1', 2121), at('::1', 21)];
  const rules = textOf('nftables', { listen });
  assert.match(rules, /ip daddr 203\.0\.113\.1 tcp dport 2121 accept/);
  assert.doesNotMatch(rules, /127\.0\.0\.1|::1|tcp dport 21 /);
  assert.doesNotMatch(textOf('nftables', { listen: [at('127.0.0.1', 21)] }), /dport (21|50000)/);
});

test('the passive ports of a server on this host are open at its listen addresses alone', () => {
  const rules = textOf('nftables', { ...helper, listen: [at('203.0.113.1', 21)] });
  assert.match(
    rules,
    /^ +ip daddr 203\.0\.113\.1 ct state related ct helper "ftp" tcp dport 50000-50999 accept$/m,
  );
});

test('a server on this host gets passive ports that Pinhole does not use', () => {
  assert.match(textOf('vsftpd', local), /^pasv_min_port=52000\npasv_max_port=52999$/m);
  const named = { server: { address: address('10.77.0.1'), port: 2121 }, listen: [at('10.77.0.1', 21)] };
  for (const changes of [local, named]) {
    assert.match(textOf('proftpd', changes), /^PassivePorts 52000 52999$/m);
    const high = { ...changes, activePorts: range('65000-65535') };
    assert.match(textOf('pure-ftpd', high), /PassivePortRange\n49000 49999\n/);
  }
  assert.match(textOf('vsftpd'), /^pasv_min_port=50000\npasv_max_port=50999$/m);
  const plan = planOf({ ...inFront, ...local, passivePorts: range('1024-60000') });
  assert.throws(() => filesOf(plan, 'vsftpd'), {
    name: 'RulesetError',
    message:
      /^passive-ports: 1024-60000 leaves no 58977 free ports .* for a server on this host.*allowed: fewer ports$/,
  });
});

test('the modules are those of what is used, on the relay plane too', () => {
  const kept = textOf('modules', { deployment: 'gateway', keepClientAddress: true });
  assert.match(kept, /^# What --keep-client-address uses; .*\nnf_tables\nnft_ct\nnft_nat\n\n?==>/m);
  assert.match(textOf('modules', intercept), /^# What --intercept uses; .*\nnf_tables\n/m);
  assert.match(
    textOf('modules', { ...intercept, plane: 'kernel' }),
    /^# What --plane kernel uses; [^=]*\nnf_conntrack_netlink$/m,
  );
  assert.match(textOf('modules'), /^# Pinhole needs no module\.$/m);
});

test('the settings of a server say who rewrites the address in its 227', () => {
  assert.match(
    textOf('vsftpd'),
    /^# the 227 has the address of the server, and Pinhole rewrites it: no pasv_address$/m,
  );
  assert.match(
    textOf('proftpd', helperInFront),
    /and the kernel's helper rewrites it: no MasqueradeAddress$/m,
  );
  assert.match(
    textOf('vsftpd', helper),
    /^# the 227 has the address that the client connected to, .*: no pasv_address$/m,
  );
});
