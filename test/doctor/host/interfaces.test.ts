/** Rules for interfaces: known where every interface has the same answer, and not known elsewhere. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { examineHost } from '../../../src/doctor/host.ts';
import { readInterfaces } from '../../../src/doctor/host/own-addresses.ts';
import { sourcesOf } from '../host-sets.ts';

const vsftpd = 'listen=YES\npasv_min_port=40000\npasv_max_port=40100\n';
const nft = (...rules: readonly string[]): string => `table inet filter {
  chain wan { tcp dport { 21, 40000-40100 } accept
  }
  chain input {
    type filter hook input priority filter; policy drop;
    ct state established accept
    iif lo accept
    ${rules.join('\n    ')}
  }
}
`;
const ipt = (...rules: readonly string[]): string =>
  `*filter\n:INPUT DROP [0:0]\n${rules.map((rule) => `-A INPUT ${rule}\n`).join('')}COMMIT\n`;
const addresses = (...names: readonly string[]): string =>
  [
    '1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 qdisc noqueue state UNKNOWN\n    inet 127.0.0.1/8 scope host lo',
    ...names.map(
      (name, index) =>
        `${index + 2}: ${name}: <BROADCAST,UP> mtu 1500 qdisc noqueue state UP\n    inet 203.0.113.${index + 1}/24 scope global`,
    ),
    '',
  ].join('\n');
const ports = 'tcp dport { 21, 40000-40100 }';
const match = '-p tcp -m multiport --dports 21,40000:40100 -j';

for (const [what, texts, ids] of [
  [
    'one in two rules',
    { nftables: nft(`iifname "eth0" ${ports} accept`, `iifname != "eth0" ${ports} accept`) },
    [],
  ],
  [
    'a jump for some',
    { nftables: nft('iifname { "eth0", "eth1" } jump wan', `iifname != { "eth0", "eth1" } ${ports} accept`) },
    [],
  ],
  ['by their beginning', { iptables: ipt(`-i eth+ ${match} ACCEPT`, `! -i eth+ ${match} ACCEPT`) }, []],
  [
    'blocked for each',
    {
      nftables: nft(
        'iifname "eth0" tcp dport 40000-40100 drop',
        'iifname != "eth0" tcp dport 40000-40100 drop',
        'accept',
      ),
    },
    ['passive-range-closed'],
  ],
  [
    'open for one alone',
    { nftables: nft(`iifname "eth0" ${ports} accept`) },
    ['ports-not-known', 'ports-not-known'],
  ],
  [
    'open for two, and not for others',
    { nftables: nft(`iifname "eth0" ${ports} accept`, `iifname "eth1" ${ports} accept`) },
    ['ports-not-known', 'ports-not-known'],
  ],
  [
    'the one of the host',
    { nftables: nft(`iifname "eth0" ${ports} accept`), addresses: addresses('eth0') },
    [],
  ],
  [
    'one of two of the host',
    { nftables: nft(`iifname "eth0" ${ports} accept`), addresses: addresses('eth0', 'eth1') },
    ['ports-not-known', 'ports-not-known'],
  ],
  [
    'none of the host',
    { iptables: ipt(`-i eth1 ${match} ACCEPT`), addresses: addresses('eth0') },
    ['control-port-closed', 'passive-range-closed'],
  ],
  [
    'by number, which says nothing',
    { nftables: nft(`iif 2 ${ports} accept`), addresses: addresses('eth0') },
    ['ports-not-known', 'ports-not-known'],
  ],
] as const) {
  test(`asks a rule for each interface: ${what}`, () => {
    const found = examineHost(sourcesOf({ vsftpd, ...texts }));
    assert.deepEqual(
      found.filter(({ level }) => level === 'fault' || level === 'unseen').map(({ id }) => id),
      ids,
    );
  });
}

test('reads the interfaces by which other hosts come', () => {
  const text = `1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 qdisc noqueue state UNKNOWN
2: eth0@if7: <BROADCAST,MULTICAST,UP> mtu 1500 qdisc noqueue state UP
3: eth1: <BROADCAST,MULTICAST,UP> mtu 1500 qdisc noqueue master br0 state UP
4: br0: <BROADCAST,MULTICAST,UP> mtu 1500 qdisc noqueue state UP
5: docker0: <NO-CARRIER,BROADCAST,MULTICAST,UP> mtu 1500 qdisc noqueue state DOWN
7: veth1@if6: <BROADCAST,MULTICAST,UP> mtu 1500 qdisc noqueue master docker0 state UP
`;
  assert.deepEqual(readInterfaces(text), ['eth0', 'br0']);
  assert.equal(readInterfaces('eth0: flags=4163<UP>  mtu 1500\n'), undefined);
});
