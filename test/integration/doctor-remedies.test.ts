/** The lines that the doctor prints for a server seen from outside, written into real servers and firewalls. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Finding, RemedyTarget } from '../../src/doctor/finding.ts';
import type { MessageId } from '../../src/doctor/messages/message.ts';
import { outsideRemedies, unlisted } from '../support/doctor/outside-remedies.ts';
import { addresses, createNetwork, type Host, type Network } from '../support/lab/network.ts';
import { mustRun } from '../support/lab/process.ts';
import { requirements, skipOrFail } from '../support/lab/provision.ts';
import { startRelay } from '../support/lab/relay.ts';
import { startServer, type ServerName } from '../support/lab/servers.ts';
import type { ServerTls } from '../support/lab/server-tls.ts';
import { emittedFile } from '../support/project.ts';

const missing = await requirements();
const { public: outside, server: inside, inside: other } = addresses[4];

let network: Network;
let identity: ServerTls['identity'];
let fingerprint: string;

before(async () => {
  if (missing.length > 0) return;
  network = await createNetwork({ forwarding: true });
  const file = (name: string): string => join(network.folder, name);
  identity = { cert: file('certificate.pem'), key: file('key.pem'), both: file('both.pem') };
  const { cert, key, both } = identity;
  const subject = ['-subj', '/CN=ftp.example', '-days', '2', '-nodes', '-newkey', 'rsa:2048'];
  await mustRun(['openssl', 'req', '-x509', ...subject, '-keyout', key, '-out', cert]);
  const printed = await mustRun(['openssl', 'x509', '-noout', '-fingerprint', '-sha256', '-in', cert]);
  fingerprint = printed.trim().replace(/^.*=/, '');
  writeFileSync(both, readFileSync(key, 'utf8') + readFileSync(cert, 'utf8'));
});

after(() => (missing.length > 0 ? undefined : network.dispose()));

type Config = Readonly<Record<'vsftpd' | 'proftpd' | 'pure-ftpd', readonly string[]>>;
const targetOf = { vsftpd: 'vsftpd.conf', proftpd: 'proftpd.conf', 'pure-ftpd': 'pure-ftpd' } as const;
type Program = keyof typeof targetOf;
const programs = Object.keys(targetOf) as Program[];

/** What is between the client and the server, and the server itself. */
interface World {
  readonly server?: ServerName;
  readonly extra?: readonly string[];
  readonly passivePorts?: readonly [number, number];
  readonly tls?: Omit<ServerTls, 'identity'>;
  /** Pure-FTPd reads a file, in place of flags. */
  readonly hasFile?: true;
  /** 21 unless told: the port of its settings, and where it listens by what is written into them. */
  readonly port?: number;
  readonly listensOn?: number;
  /** Flags of Pure-FTPd that it is started without. */
  readonly lacks?: readonly string[];
  /** Rules of TCP wrappers. */
  readonly hostsAllow?: string;
  readonly many?: true;
  readonly mtu?: number;
  /** Commands on hosts. */
  readonly commands?: readonly (readonly [Host, string])[];
  /** Values of /proc/sys/net/netfilter on the gateway. */
  readonly sysctls?: Readonly<Record<string, number>>;
  /** Pinhole's flags where it runs on the gateway. */
  readonly relay?: readonly string[];
  readonly to?: string;
  readonly idle?: number;
}

interface Case extends World {
  readonly what: string;
  readonly id: MessageId;
  /** Which remedies are applied. */
  readonly targets: readonly RemedyTarget[];
  /** Where lines of a firewall belong. */
  readonly host?: Host;
  /** Which of the lines: those for the helper, or the others. */
  readonly helper?: true;
  /** What is done beside: what the text of the finding asks for, and no line can say. */
  readonly beside?: World;
  /** The lines with what stands for something in them, or with shorter times. */
  readonly filled?: (line: string) => string;
}

const nft = (rules: string): string => `nft -f - <<'END'\ntable inet filter {\n${rules}\n}\nEND`;
/** A firewall that lets in these ports, and handles the rest in its last words. */
const inputs = (ports: string, rest: string) =>
  ({
    nftables:
      nft(`chain input { type filter hook input priority filter; policy accept; ct state established accept
      meta l4proto icmp accept; ${ports === '' ? '' : `tcp dport { ${ports} } accept;`} ${rest}
      }`),
    iptables: [
      'iptables -A INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT',
      'iptables -A INPUT -p icmp -j ACCEPT',
      ...(ports === ''
        ? []
        : [`iptables -A INPUT -p tcp -m multiport --dports ${ports.replaceAll('-', ':')} -j ACCEPT`]),
      {
        drop: 'iptables -A INPUT -p tcp -j DROP',
        'reject with icmp type admin-prohibited':
          'iptables -A INPUT -p tcp -j REJECT --reject-with icmp-admin-prohibited',
        'meta l4proto tcp reject with tcp reset':
          'iptables -A INPUT -p tcp -j REJECT --reject-with tcp-reset',
      }[rest] ?? '',
    ].join('\n'),
  }) as const;
/** A router: established ones and those of the client pass. */
const forwards = {
  nftables:
    nft(`chain forward { type filter hook forward priority filter; policy drop; ct state established accept
    iif public0 accept
    }`),
  iptables:
    'iptables -P FORWARD DROP\niptables -A FORWARD -m conntrack --ctstate ESTABLISHED -j ACCEPT\niptables -A FORWARD -i public0 -j ACCEPT',
} as const;
const firewalls = ['nftables', 'iptables'] as const;
const nat = (chains: string): string => `nft -f - <<'END'\ntable ip lab {\n${chains}\n}\nEND`;
const masquerade = nat('chain leave { type nat hook postrouting priority srcnat; oif inside0 masquerade; }');
const lead = (to: string, ports: string): string =>
  nat(
    `chain lead { type nat hook prerouting priority dstnat; ip daddr ${to} tcp dport { ${ports} } dnat to ${inside}; }`,
  );
const sees = nat(
  `chain leave { type nat hook postrouting priority srcnat; oif inside0 tcp dport 30000-30099 snat to ${other}; }`,
);

const helpedNat = `nft -f - <<'END'
table inet lab {
  ct helper ftp { type "ftp" protocol tcp; l3proto ip; }
  chain watch { type filter hook prerouting priority mangle; tcp dport 21 ct helper set "ftp"; }
  chain lead { type nat hook prerouting priority dstnat; ip daddr ${outside} tcp dport 21 dnat ip to ${inside}; }
  chain forward { type filter hook forward priority filter; policy drop; ct state established,related accept; tcp dport 21 accept; }
  chain leave { type nat hook postrouting priority srcnat; }
}
END`;

const address = (of: string): Config => ({
  vsftpd: [`pasv_address=${of}`],
  proftpd: [`MasqueradeAddress ${of}`],
  'pure-ftpd': ['-P', of],
});
/** As servers give their ports: ProFTPD takes others where its range has none left, Pure-FTPd admits half as many sessions. */
const fewOf = { vsftpd: 'passive-range-few', 'pure-ftpd': 'passive-range-few-sessions' } as const;
const rests = {
  'data-port-filtered': 'drop',
  'data-port-rejected': 'reject with icmp type admin-prohibited',
  'data-port-closed': 'meta l4proto tcp reject with tcp reset',
} as const;
const others = {
  'control-silent': rests['data-port-filtered'],
  'control-unreachable': rests['data-port-rejected'],
  'control-refused': rests['data-port-closed'],
} as const;
const certificate = (line: string): string =>
  line
    .replace('CERTIFICATE.pem', identity.cert)
    .replace('KEY.pem', identity.key)
    .replace('FINGERPRINT', fingerprint);

const silentResolver = nat(
  'chain early { type filter hook prerouting priority 0; meta l4proto { tcp, udp } th dport 53 drop; }',
);
/** The programs, and Pure-FTPd once more with a file. */
const programsAndFile = [
  ...programs.map((server) => ({ server })),
  { server: 'pure-ftpd', hasFile: true },
] as const;
const programOf = ({ server, hasFile }: { server: Program; hasFile?: true }): string =>
  `${server}${hasFile ? ', with a file' : ''}`;

const cases: readonly Case[] = [
  ...programsAndFile.map((each): Case => ({
    what: `${programOf(each)} at another port`,
    id: 'control-refused',
    ...each,
    port: 2121,
    targets: [targetOf[each.server]],
    beside: { listensOn: 21 },
  })),
  ...firewalls.flatMap((firewall): Case[] => [
    ...(Object.entries(others) as [MessageId, string][]).map(([id, rest]): Case => ({
      what: `the control port, by ${firewall}`,
      id,
      commands: [['server', inputs('30000-30099', rest)[firewall]]],
      targets: [firewall],
      host: 'server',
    })),
    ...(Object.entries(rests) as [MessageId, string][]).flatMap(([id, rest]): Case[] => [
      ...(id === 'data-port-closed' ? programsAndFile : programs.map((server) => ({ server }))).map(
        (each): Case => ({
          what: `the range of ${programOf(each)}, in ${firewall}`,
          id,
          ...each,
          commands: [['server', inputs('21', rest)[firewall]]],
          targets: [targetOf[each.server], firewall],
          host: 'server',
        }),
      ),
      ...(id === 'data-port-closed'
        ? []
        : [
            {
              what: `the kernel's helper, in ${firewall}`,
              id,
              commands: [['server', inputs('21', rest)[firewall]]] as const,
              targets: [firewall, 'shell'] as const,
              host: 'server' as const,
              helper: true as const,
            },
          ]),
    ]),
    {
      what: `segments, in ${firewall}`,
      id: 'data-unfinished',
      many: true,
      mtu: 1300,
      commands: [
        [
          'gateway',
          nat('chain output { type filter hook output priority 0; icmp type destination-unreachable drop; }'),
        ],
        [
          'gateway',
          forwards[firewall].replaceAll(' DROP', ' ACCEPT').replace('policy drop', 'policy accept'),
        ],
      ],
      targets: [firewall],
      host: 'gateway',
    },
    ...(['active-not-rewritten', 'active-sees-other'] as const).map((id): Case => ({
      what: `the kernel's helper on the client's NAT, in ${firewall}`,
      id,
      server: id === 'active-sees-other' ? 'pure-ftpd' : 'vsftpd',
      commands: [
        ['gateway', masquerade],
        ['gateway', forwards[firewall]],
      ],
      targets: [firewall, 'shell'],
      host: 'gateway',
      helper: true,
    })),
    {
      what: `the kernel's helper on a router, in ${firewall}`,
      id: 'active-silent',
      commands: [['gateway', forwards[firewall]]],
      targets: [firewall, 'shell'],
      host: 'gateway',
      helper: true,
    },
    {
      what: `the kernel's helper on a router that rejects, in ${firewall}`,
      id: 'active-blocked',
      commands: [
        ['gateway', forwards[firewall]],
        [
          'gateway',
          firewall === 'nftables'
            ? 'nft add rule inet filter forward reject with icmp type admin-prohibited'
            : 'iptables -A FORWARD -j REJECT --reject-with icmp-admin-prohibited',
        ],
      ],
      targets: [firewall, 'shell'],
      host: 'gateway',
      helper: true,
    },
    {
      what: `Pinhole's ports, in ${firewall}`,
      id: 'pinhole-passive-closed',
      relay: [],
      to: outside,
      commands: [['gateway', inputs('21,51000-51999', 'drop')[firewall]]],
      targets: [firewall],
      host: 'gateway',
    },
  ]),
  ...(['vsftpd', 'proftpd'] as const).map((server): Case => ({
    what: `${server} behind a firewall that accepts port 20`,
    id: 'active-silent',
    server,
    ...(server === 'vsftpd' && { extra: ['connect_from_port_20=NO'] }),
    commands: [
      ['gateway', forwards.nftables],
      ['gateway', 'nft add rule inet filter forward tcp sport 20 accept'],
    ],
    targets: [targetOf[server]],
  })),
  ...(['vsftpd', 'proftpd'] as const).map((server): Case => ({
    what: server,
    id: 'active-source-port',
    server,
    ...(server === 'vsftpd' && { extra: ['connect_from_port_20=NO'] }),
    targets: [targetOf[server]],
  })),
  {
    what: 'Pinhole',
    id: 'active-source-port',
    relay: ['--data-source-port', '0'],
    to: outside,
    targets: ['pinhole'],
    beside: { relay: [] },
  },
  { what: 'vsftpd', id: 'data-refused', commands: [['gateway', sees]], targets: ['vsftpd.conf'] },
  ...([{}, { hasFile: true }] as const).map((each): Case => ({
    what: `Pure-FTPd${'hasFile' in each ? ', with a file' : ''}`,
    id: 'data-ignored',
    server: 'pure-ftpd',
    ...each,
    commands: [['gateway', sees]],
    targets: ['pure-ftpd'],
  })),
  ...(
    [
      // It looks up names for rules of TCP wrappers alone.
      { server: 'vsftpd', extra: ['tcp_wrappers=YES'], hostsAllow: 'vsftpd: .example' },
      { server: 'proftpd', extra: ['UseReverseDNS on'] },
      { server: 'pure-ftpd', hasFile: true, extra: ['DontResolve no'] },
      { server: 'pure-ftpd', lacks: ['--dontresolve'] },
    ] as const
  ).map((each): Case => ({
    what: `${programOf(each)}, whose resolver does not answer`,
    id: 'greeting-missing',
    ...each,
    commands: [['gateway', silentResolver]],
    targets: [targetOf[each.server]],
  })),
  {
    what: 'Pinhole in front, to which alone clients connect',
    id: 'data-port-closed',
    to: outside,
    extra: [`pasv_address=${outside}`],
    commands: [['gateway', lead(outside, '21')]],
    targets: ['pinhole'],
    beside: { commands: [], relay: [] },
  },
  ...(['tls-blinds-address', 'tls-blinds-port'] as const).map((id): Case => ({
    what: "Pinhole instead of the kernel's helper",
    id,
    to: outside,
    tls: { requires: 'nothing' },
    commands: [['gateway', helpedNat]],
    targets: ['pinhole'],
    filled: (line) => (line.startsWith('--tls ') ? certificate(line) : '# '),
    beside: { commands: [], relay: [] },
  })),
  ...(['idle-silent', 'idle-closed'] as const).flatMap((id): Case[] =>
    (['vsftpd', 'proftpd'] as const).map((server) => ({
      what: `${server} behind what forgets`,
      id,
      server,
      idle: 5000,
      sysctls: { nf_conntrack_tcp_loose: 0, nf_conntrack_tcp_timeout_established: 2 },
      commands: [
        [
          'gateway',
          nat(
            `chain forward { type filter hook forward priority 0; ct state invalid ${id === 'idle-silent' ? 'drop' : 'reject with tcp reset'}; }`,
          ),
        ],
      ],
      targets: server === 'vsftpd' ? ['shell'] : ['shell', 'proftpd.conf'],
      host: 'server',
      // A second instead of a minute, between two packets too.
      filled: (line) => line.replace('=60', '=1 net.ipv4.tcp_keepalive_intvl=1'),
    })),
  ),
  { what: 'vsftpd', id: 'active-refused', extra: ['port_enable=NO'], targets: ['vsftpd.conf'] },
  { what: 'vsftpd', id: 'passive-refused', extra: ['pasv_enable=NO'], targets: ['vsftpd.conf'] },
  {
    what: 'Pure-FTPd, with a file',
    id: 'passive-refused',
    server: 'pure-ftpd',
    hasFile: true,
    extra: ['NATmode yes'],
    targets: ['pure-ftpd'],
  },
  ...programsAndFile.map((each): Case => ({
    what: programOf(each),
    id: 'announced-private',
    ...each,
    to: outside,
    commands: [['gateway', lead(outside, '21, 30000-30099')]],
    targets: [targetOf[each.server]],
  })),
  ...programs.flatMap((server): Case[] => [
    {
      what: server,
      id: 'announced-unroutable',
      server,
      extra: address('127.0.0.1')[server],
      targets: [targetOf[server]],
    },
    {
      what: server,
      id: 'announced-other',
      server,
      extra: address('10.9.9.9')[server],
      targets: [targetOf[server]],
    },
    {
      what: server,
      id: 'announced-other-works',
      server,
      to: other,
      commands: [['gateway', lead(other, '21, 30000-30099')]],
      targets: [targetOf[server]],
    },
  ]),
  ...(['vsftpd', 'pure-ftpd'] as const).map((server): Case => ({
    what: server,
    id: fewOf[server],
    server,
    passivePorts: [30_000, 30_005],
    targets: [targetOf[server]],
  })),
  { what: 'vsftpd', id: 'passive-range-exhausted', passivePorts: [30_000, 30_000], targets: ['vsftpd.conf'] },
  {
    what: 'Pinhole in front, which announces its own address',
    id: 'announced-private',
    to: outside,
    commands: [['gateway', lead(outside, '21')]],
    targets: ['pinhole'],
    beside: { commands: [], relay: [] },
  },
  {
    what: 'Pinhole',
    id: 'pinhole-announces-other',
    to: outside,
    relay: ['--public-address', '127.0.0.1'],
    targets: ['pinhole'],
    beside: { relay: [] },
  },
  ...(['vsftpd', 'proftpd'] as const).map((server): Case => ({
    what: server,
    id: 'tls-reuse-demanded',
    server,
    tls: { requires: 'nothing', requireReuse: true },
    targets: [targetOf[server]],
  })),
  {
    what: 'Pinhole',
    id: 'tls-none-at-pinhole',
    to: outside,
    relay: [],
    targets: ['pinhole'],
    filled: certificate,
  },
  {
    what: 'Pinhole',
    id: 'tls-passes-pinhole',
    to: outside,
    relay: ['--tls', 'pass'],
    tls: { requires: 'nothing' },
    targets: ['pinhole'],
    filled: certificate,
    beside: { relay: [] },
  },
  {
    what: 'Pinhole',
    id: 'pinhole-refuses-tls',
    to: outside,
    relay: [],
    tls: { requires: 'everything' },
    targets: ['pinhole'],
    filled: certificate,
  },
  {
    what: 'vsftpd',
    id: 'idle-timeout',
    idle: 4000,
    extra: ['idle_session_timeout=1'],
    targets: ['vsftpd.conf'],
  },
  {
    what: 'ProFTPD',
    id: 'idle-timeout',
    server: 'proftpd',
    idle: 4000,
    extra: ['TimeoutIdle 1'],
    targets: ['proftpd.conf'],
  },
];

const looksOnly = 'it changes nothing';
/** Remedies that no case applies, and why. */
const notApplied: Readonly<Record<string, string>> = {
  'control-refused shell': looksOnly,
  'greeting-refused-by-pinhole shell': looksOnly,
  'pinhole-active-failed shell': looksOnly,
  'pinhole-passive-closed shell': looksOnly,
  'idle-timeout pure-ftpd': 'its shortest limit is a minute: doctor-idle.test has it',
};

const range = [...Object.values(targetOf), ...firewalls, 'pinhole'] as const;
const firewallLines = (id: MessageId): string[] => firewalls.map((target) => `${id} ${target}`);
/** Remedies whose lines are those of another finding. */
const sameLines: Readonly<Record<string, string>> = Object.fromEntries([
  ...Object.values(targetOf).map((target) => [`greeting-slow ${target}`, `greeting-missing ${target}`]),
  ...(['announced-unroutable', 'announced-other', 'announced-other-works', 'tls-blinds-port'] as const).map(
    (id) => [
      `${id} pinhole`,
      id === 'tls-blinds-port' ? 'tls-blinds-address pinhole' : 'announced-private pinhole',
    ],
  ),
  ...(['data-port-filtered', 'data-port-rejected'] as const).map((id) => [
    `${id} pinhole`,
    'data-port-closed pinhole',
  ]),
  ...(
    [
      'helper-knows-only-pasv',
      'helper-knows-only-epsv',
      'passive-range-small',
      'passive-range-exhausted',
      'passive-range-few',
      'passive-range-few-sessions',
      'passive-range-refused',
    ] as const
  ).flatMap((id) => range.map((target) => [`${id} ${target}`, `data-port-closed ${target}`])),
  ...(['tls-blinds-address', 'tls-blinds-port'] as const).flatMap((id) =>
    Object.values(targetOf).map((target) => [`${id} ${target}`, `announced-private ${target}`]),
  ),
  ...firewallLines('tls-blinds-port').map((each) => [
    each,
    each.replace('tls-blinds-port', 'data-port-closed'),
  ]),
  ...['vsftpd.conf', 'proftpd.conf'].map((target) => [`active-blocked ${target}`, `active-silent ${target}`]),
]) as Record<string, string>;

const applied = new Set<string>();

describe('a remedy makes its finding go away, and brings no fault', { concurrency: 1 }, () => {
  for (const each of cases) {
    test(`${each.id}: ${each.what}`, async (t) => {
      if (skipOrFail(t, missing)) return;
      const found = await examine(each);
      const finding = found.find(({ id }) => id === each.id);
      assert.ok(finding, JSON.stringify(found, undefined, 1));
      const remedied = await examine(withRemedies(each, finding));
      const bad = remedied.filter(({ id, level }) => id === finding.id || level === 'fault');
      assert.deepEqual(bad, [], JSON.stringify(remedied, undefined, 1));
      for (const target of each.targets) applied.add(`${each.id} ${target}`);
    });
  }

  test('every remedy is applied, or it is said why not', (t) => {
    if (skipOrFail(t, missing)) return;
    const all = Object.entries(outsideRemedies).flatMap(([id, targets]) =>
      targets.map((target) => `${id} ${target}`),
    );
    const isKnown = (each: string): boolean => applied.has(each) || each in notApplied;
    assert.deepEqual(
      all.filter((each) => !isKnown(each) && !isKnown(sameLines[each] ?? '')),
      [],
    );
  });
});

function withRemedies(each: Case, { remedies }: Finding): World {
  const filled = each.filled ?? ((line: string) => line);
  const chosen = remedies.filter(({ target, lines }) => {
    if (!each.targets.includes(target)) return false;
    const isHelper = lines.some((line) => /ct helper|CT --helper|modprobe/.test(line));
    return isHelper === (each.helper === true);
  });
  assert.ok(chosen.length > 0, JSON.stringify(remedies));
  const world: World = { ...each, ...each.beside };
  let { extra = [], relay } = world;
  const commands = [...(world.commands ?? [])];
  for (const { target, lines } of chosen) {
    const wanted = lines.map(filled).filter((line) => !line.startsWith('#'));
    switch (target) {
      case 'vsftpd.conf':
      case 'proftpd.conf': {
        const keys = new Set(wanted.map(keyOf));
        extra = [...extra.filter((line) => !keys.has(keyOf(line))), ...wanted];
        break;
      }
      case 'pure-ftpd':
        if (world.hasFile) {
          const named = wanted.filter((line) => !line.startsWith('-'));
          const keys = new Set(named.map(keyOf));
          extra = [...extra.filter((line) => !keys.has(keyOf(line))), ...named];
        } else extra = wanted.filter((line) => line.startsWith('-')).flatMap((line) => line.split(' '));
        break;
      case 'pinhole':
        relay = [...(relay ?? []), ...wanted.flatMap((line) => line.split(' '))];
        break;
      default: {
        const text = wanted.join('\n');
        const script = lines.includes('# for nft -f -') ? `nft -f - <<'END'\n${text}\nEND` : text;
        // The modules of the lab's host are loaded.
        if (!text.startsWith('modprobe')) commands.push([each.host ?? 'server', script]);
      }
    }
  }
  return { ...world, extra, commands, ...(relay && { relay }) };
}

function keyOf(line: string): string {
  return line.split(/[= ]/)[0] ?? '';
}

async function examine(world: World): Promise<Finding[]> {
  const { passivePorts, extra = [], commands = [], relay: flags, sysctls = {} } = world;
  const { hasFile, port, listensOn, lacks, hostsAllow } = world;
  const server = await startServer(network, world.server ?? 'vsftpd', {
    extra,
    ...(hasFile && { hasFile }),
    ...(port !== undefined && { port }),
    ...(listensOn !== undefined && { listensOn }),
    ...(lacks && { lacks }),
    ...(hostsAllow !== undefined && { hostsAllow }),
    ...(passivePorts && { passivePorts }),
    ...(world.tls && { tls: { ...world.tls, identity } }),
  });
  server.put('file', 'content');
  if (world.many) for (let index = 0; index < 400; index++) server.put(`a-longer-name-${index}`, '');
  const link = (mtu: number): Promise<string> =>
    network.must('gateway', ['ip', 'link', 'set', 'public0', 'mtu', String(mtu)]);
  const relay = flags && (await startRelay(network, { flags }));
  try {
    if (world.mtu !== undefined) await link(world.mtu);
    for (const [host, script] of commands) await network.must(host, ['sh', '-ec', script]);
    for (const [name, value] of Object.entries(sysctls))
      await network.must('gateway', ['sh', '-ec', `echo ${value} > /proc/sys/net/netfilter/${name}`]);
    const script = emittedFile('test/support/doctor/examine.ts');
    const to = [world.to ?? server.address, '21', server.user, server.password];
    const times = ['1000', String(world.idle ?? 0)];
    const stdout = await network.must('client', [process.execPath, script, ...to, ...times], {
      timeout: 90_000,
    });
    const findings = JSON.parse(stdout) as Finding[];
    assert.deepEqual(unlisted(findings), []);
    return findings;
  } finally {
    if (world.mtu !== undefined) await link(1500);
    for (const host of ['server', 'gateway', 'client'] as const) {
      const clear =
        'nft flush ruleset; for t in filter raw mangle; do iptables -t $t -F; done; iptables -P FORWARD ACCEPT; ip route flush cache';
      await network.exec(host, ['sh', '-c', clear]);
    }
    await network.exec('gateway', ['conntrack', '-F']);
    await network.exec('server', ['conntrack', '-F']);
    for (const name of Object.keys(sysctls)) {
      const usual = name.endsWith('loose') ? 1 : 432_000;
      await network.must('gateway', ['sh', '-ec', `echo ${usual} > /proc/sys/net/netfilter/${name}`]);
    }
    await network.exec('server', [
      ...['sysctl', '-qw', 'net.ipv4.tcp_keepalive_time=7200', 'net.ipv4.tcp_keepalive_intvl=75'],
    ]);
    await relay?.stop();
    await server.stop();
  }
}
