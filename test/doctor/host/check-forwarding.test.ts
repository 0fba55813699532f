/** The command that leads the passive range on fits the rules that are there. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { examineHost } from '../../../src/doctor/host.ts';
import { sourcesOf } from '../host-sets.ts';

const vsftpd = 'pasv_min_port=40000\npasv_max_port=40100\npasv_address=203.0.113.5\n';
const nft = (family: string, rules: string): string =>
  `table ${family} nat {
  chain lead {
    type nat hook prerouting priority dstnat;
    ${rules}
  }
}
`;

function commandsFor(texts: Parameters<typeof sourcesOf>[0]): readonly string[] {
  const found = examineHost(sourcesOf({ vsftpd, sysctl: 'net.ipv4.ip_forward = 1\n', ...texts }));
  return found
    .filter(({ id }) => id === 'passive-range-not-forwarded')
    .flatMap(({ remedies }) => remedies.flatMap(({ lines }) => lines));
}

for (const [what, family, rules, command] of [
  [
    'a table of IPv4',
    'ip',
    'tcp dport { 21, 40000-40050 } dnat to 192.168.1.5',
    'nft insert rule ip nat lead tcp dport 40000-40100 dnat to 192.168.1.5',
  ],
  [
    'a table of both families',
    'inet',
    'tcp dport { 21, 40000-40050 } dnat ip to 192.168.1.5',
    'nft insert rule inet nat lead tcp dport 40000-40100 dnat ip to 192.168.1.5',
  ],
  [
    'a rule for an interface and an address',
    'ip',
    'iifname "eth0" ip daddr 203.0.113.5 tcp dport { 21, 40000-40050 } dnat to 192.168.1.5',
    'nft insert rule ip nat lead iifname eth0 ip daddr 203.0.113.5 tcp dport 40000-40100 dnat to 192.168.1.5',
  ],
  [
    'a rule for several interfaces',
    'ip',
    'iifname { "eth0", "eth1" } tcp dport { 21, 40000-40050 } dnat to 192.168.1.5',
    'nft insert rule ip nat lead iifname { eth0 , eth1 } tcp dport 40000-40100 dnat to 192.168.1.5',
  ],
  [
    'behind rules that lead the range elsewhere',
    'ip',
    'tcp dport 40000-40100 dnat to 192.168.1.6\n    tcp dport 21 dnat to 192.168.1.5',
    'nft insert rule ip nat lead tcp dport 40000-40100 dnat to 192.168.1.5',
  ],
] as const) {
  test(`prints a command for the chain that is there: ${what}`, () => {
    assert.deepEqual(commandsFor({ nftables: nft(family, rules) }), [command]);
  });
}

test('keeps the interface and the address of a rule of iptables', () => {
  const rule = '-A PREROUTING -i eth0 -d 203.0.113.5/32 -p tcp -m tcp --dport 21 -j DNAT --to-destination';
  assert.deepEqual(
    commandsFor({
      iptables: `*nat\n${rule} 192.168.1.5\n-A PREROUTING -p tcp --dport 40000:40050 -j DNAT --to-destination 192.168.1.5\nCOMMIT\n`,
    }),
    [
      'iptables -t nat -I PREROUTING -i eth0 -d 203.0.113.5/32 -p tcp --dport 40000:40100 -j DNAT --to-destination 192.168.1.5',
    ],
  );
});

test('prints none where the whole range is led on', () => {
  const nftables = nft('ip', 'tcp dport { 21, 40000-40100 } dnat to 192.168.1.5');
  assert.deepEqual(commandsFor({ nftables }), []);
});
