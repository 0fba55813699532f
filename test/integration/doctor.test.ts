/** The doctor in front of real servers, each broken in one way. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Finding } from '../../src/doctor/finding.ts';
import { languages, reportText } from '../../src/doctor/report.ts';
import { unlisted } from '../support/doctor/outside-remedies.ts';
import { withMounts } from '../support/lab/mounts.ts';
import { addresses, createNetwork, type Family, type Host, type Network } from '../support/lab/network.ts';
import { mustRun } from '../support/lab/process.ts';
import { requirements, skipOrFail } from '../support/lab/provision.ts';
import { startRelay } from '../support/lab/relay.ts';
import { serverNames, startServer, type ServerName } from '../support/lab/servers.ts';
import type { ServerTls } from '../support/lab/server-tls.ts';
import { emittedFile, root } from '../support/project.ts';

const missing = await requirements();
/** A root of the sources, for the program that runs in a namespace. */
const { public: outside, server: inside, stranger } = addresses[4];

let network: Network;
/** vsftpd's lines for TLS. */
let tls: string[];
/** The same for other servers. */
let identity: ServerTls['identity'];

before(async () => {
  if (missing.length > 0) return;
  network = await createNetwork({ forwarding: true });
  const [key, certificate] = ['key.pem', 'certificate.pem'].map((name) => join(network.folder, name));
  if (key === undefined || certificate === undefined) return;
  const subject = ['-subj', '/CN=ftp.example', '-days', '2', '-nodes', '-newkey', 'rsa:2048'];
  await mustRun(['openssl', 'req', '-x509', ...subject, '-keyout', key, '-out', certificate]);
  const both = join(network.folder, 'both.pem');
  writeFileSync(both, readFileSync(key, 'utf8') + readFileSync(certificate, 'utf8'));
  identity = { cert: certificate, key, both };
  tls = [
    'ssl_enable=YES',
    'force_local_logins_ssl=NO',
    'force_local_data_ssl=NO',
    'require_ssl_reuse=NO',
    `rsa_cert_file=${certificate}`,
    `rsa_private_key_file=${key}`,
  ];
});

after(() => (missing.length > 0 ? undefined : network.dispose()));

interface Setup {
  readonly what: string;
  /** vsftpd unless told. */
  readonly server?: ServerName;
  readonly family?: Family;
  /** Added to the server's configuration; a function, for what is made only before the tests. */
  readonly extra?: readonly string[] | (() => readonly string[]);
  readonly passivePorts?: readonly [number, number];
  /** The server's own control port; 21 unless told. */
  readonly port?: number;
  /** TLS of the server; its certificate and key are the lab's. */
  readonly tls?: Omit<ServerTls, 'identity'>;
  /** More files in the user's folder than fit one packet. */
  readonly many?: true;
  /** Of the gateway's public link; 1500 unless told. */
  readonly mtu?: number;
  /** Chains of a table that is loaded on these hosts. */
  readonly rules?: Partial<Record<Host, string>>;
  /** Values of /proc/sys on the gateway while it runs. */
  readonly sysctls?: Readonly<Record<string, number>>;
  /** What the client connects to; the server's own address unless told. */
  readonly to?: string;
  /** The client's /etc/hosts. */
  readonly hosts?: string;
  readonly idle?: number;
  readonly timeout?: number;
  /** The ids of all faults that are found. */
  readonly faults: readonly string[];
  /** Ids of some notes and of what is fine. */
  readonly also?: readonly string[];
  /** Ids that no finding has. */
  readonly none?: RegExp;
}

const chain = (hook: string, priority: string, rules: string): string =>
  `chain ${hook} { type filter hook ${hook} priority ${priority}; ${rules}; }`;

/** The gateway leads these ports to the server, and clients get to no address of the inside. */
const forward = (ports: string): string => `
  chain lead { type nat hook prerouting priority dstnat; ip daddr ${outside} tcp dport { ${ports} } dnat ip to ${inside}; }
  chain forward { type filter hook forward priority filter; iif public0 ct status dnat accept; iif public0 ct state new,invalid drop; }`;

/** The gateway leads the control port to the server; the kernel's helper opens the rest, as far as it can read. */
const helped = `
  ct helper ftp { type "ftp" protocol tcp; l3proto ip; }
  chain watch { type filter hook prerouting priority mangle; tcp dport 21 ct helper set "ftp"; }
  chain lead { type nat hook prerouting priority dstnat; ip daddr ${outside} tcp dport 21 dnat ip to ${inside}; }
  chain forward { type filter hook forward priority filter; policy drop; ct state established,related accept; tcp dport 21 accept; }
  chain leave { type nat hook postrouting priority srcnat; }`;

/** The client is behind the gateway's NAT. */
const masquerade = `chain leave { type nat hook postrouting priority srcnat; oif inside0 masquerade; }`;
const watched = `
  ct helper ftp { type "ftp" protocol tcp; l3proto ip; }
  chain watch { type filter hook prerouting priority mangle; tcp dport 21 ct helper set "ftp"; }
  ${masquerade}`;

/** The gateway does not say that a packet was too large. */
const lostIcmp = `chain output { type filter hook output priority 0; icmp type destination-unreachable drop; }`;

const setups: readonly Setup[] = [
  {
    what: "the server's firewall drops the control port",
    rules: { server: chain('input', '0', 'tcp dport 21 drop') },
    faults: ['control-silent'],
  },
  {
    what: "the server's firewall refuses the control port",
    rules: { server: chain('input', '0', 'tcp dport 21 reject with tcp reset') },
    faults: ['control-refused'],
  },
  {
    what: 'a firewall rejects the control port',
    rules: { gateway: chain('forward', '0', 'tcp dport 21 reject with icmp type admin-prohibited') },
    faults: ['control-unreachable'],
  },
  { what: 'the name is in no DNS', to: 'ftp.example', hosts: '', faults: ['name-unknown'] },
  {
    what: 'one of two addresses of the name is out of order',
    to: 'ftp.example',
    hosts: `${addresses[4].inside} ftp.example\n${inside} ftp.example\n`,
    faults: [],
    also: ['address-skipped', 'control-fine'],
  },
  {
    what: 'the name server does not answer the server',
    server: 'proftpd',
    extra: ['UseReverseDNS on'],
    rules: { gateway: chain('prerouting', '0', 'meta l4proto { tcp, udp } th dport 53 drop') },
    timeout: 60_000,
    faults: [],
    also: ['greeting-slow'],
  },
  {
    what: 'the server takes one session of an address',
    extra: ['max_per_ip=1'],
    faults: [],
    also: ['session-refused'],
  },
  {
    what: "the server's firewall drops the passive ports",
    rules: { server: chain('input', '0', 'tcp dport 30000-30099 drop') },
    faults: ['data-port-filtered', 'data-port-filtered'],
    also: ['active-fine'],
  },
  {
    what: 'a firewall rejects the passive ports',
    rules: { gateway: chain('forward', '0', 'tcp dport 30000-30099 reject with icmp type admin-prohibited') },
    faults: ['data-port-rejected', 'data-port-rejected'],
  },
  {
    what: 'a firewall refuses the passive ports',
    rules: { gateway: chain('forward', '0', 'tcp dport 30000-30099 reject with tcp reset') },
    faults: ['data-port-closed', 'data-port-closed'],
  },
  {
    what: 'a firewall lets through what an EPSV opened alone',
    rules: { gateway: readsOnly(229) },
    faults: ['data-port-filtered', 'helper-knows-only-epsv'],
  },
  {
    what: 'a firewall lets through what a PASV opened alone',
    rules: { gateway: readsOnly(227) },
    faults: ['data-port-filtered', 'helper-knows-only-pasv'],
  },
  {
    what: 'the control port alone is forwarded',
    extra: [`pasv_address=${outside}`],
    rules: { gateway: forward('21') },
    to: outside,
    faults: ['data-port-closed', 'data-port-closed'],
  },
  {
    what: 'all ports are forwarded, and the server announces its inside',
    rules: { gateway: forward('21, 30000-30099') },
    to: outside,
    faults: ['announced-private'],
    also: ['passive-fine'],
  },
  {
    what: 'the server announces another network',
    extra: ['pasv_address=10.0.0.5'],
    rules: { gateway: forward('21, 30000-30099') },
    to: outside,
    faults: ['announced-private'],
  },
  {
    what: 'the server announces another host',
    extra: [`pasv_address=${stranger}`],
    faults: ['announced-other'],
    also: ['passive-fine'],
  },
  {
    what: 'the server announces an address of its own that is not the one reached',
    rules: {
      gateway: `chain lead { type nat hook prerouting priority dstnat; ip daddr ${addresses[4].inside} tcp dport { 21, 30000-30099 } dnat ip to ${inside}; }`,
    },
    to: addresses[4].inside,
    faults: [],
    also: ['announced-other-works'],
  },
  {
    what: 'the server announces no address',
    extra: ['pasv_address=127.0.0.1'],
    faults: ['announced-unroutable'],
  },
  { what: 'passive mode is turned off', extra: ['cmds_denied=PASV'], faults: ['passive-refused'] },
  { what: 'EPSV is turned off', extra: ['cmds_denied=EPSV'], faults: [], also: ['extended-passive-refused'] },
  {
    what: 'EPSV is turned off over IPv6',
    extra: ['cmds_denied=EPSV'],
    family: 6,
    faults: ['extended-passive-refused-ipv6'],
  },
  { what: 'there is one passive port', passivePorts: [30_000, 30_000], faults: ['passive-range-exhausted'] },
  {
    what: 'there are four passive ports',
    passivePorts: [30_000, 30_003],
    faults: [],
    also: ['passive-range-few'],
  },
  {
    what: 'there are six passive ports',
    passivePorts: [30_000, 30_005],
    faults: [],
    also: ['passive-range-few'],
  },
  {
    what: 'there are six passive ports of Pure-FTPd',
    server: 'pure-ftpd',
    passivePorts: [30_000, 30_005],
    faults: [],
    also: ['passive-range-few-sessions'],
  },
  {
    what: 'there are twenty passive ports',
    passivePorts: [30_000, 30_019],
    faults: [],
    none: /^passive-range/,
  },
  {
    what: 'NLST is turned off',
    extra: ['cmds_denied=NLST'],
    faults: [],
    also: ['passive-fine', 'active-fine'],
    none: /^listing-refused$/,
  },
  { what: 'listings are turned off', extra: ['dirlist_enable=NO'], faults: [], also: ['listing-refused'] },
  { what: 'active mode is turned off', extra: ['port_enable=NO'], faults: ['active-refused'] },
  {
    what: 'EPRT is turned off',
    extra: ['cmds_denied=EPRT'],
    faults: [],
    also: ['active-extended-refused', 'active-fine'],
  },
  {
    what: 'the server does not connect from port 20',
    extra: ['connect_from_port_20=NO'],
    faults: [],
    also: ['active-source-port', 'active-fine'],
  },
  {
    what: "the client's firewall drops what the server opens",
    rules: { client: chain('input', '0', 'ct state new tcp flags & (syn | ack) == syn drop') },
    faults: ['active-silent'],
  },
  {
    what: "the client's firewall rejects what the server opens",
    rules: { client: chain('input', '0', 'tcp flags & (syn | ack) == syn reject with tcp reset') },
    faults: ['active-blocked'],
  },
  {
    what: 'active connections come from another address of the server',
    rules: {
      gateway: `${forward('21, 30000-30099')}
        chain leave { type nat hook postrouting priority srcnat; oif public0 ip saddr ${inside} tcp sport 20 snat ip to ${addresses[4].inside}; }`,
    },
    extra: [`pasv_address=${outside}`],
    to: outside,
    faults: [],
    also: ['active-source-address'],
  },
  {
    what: 'the client is behind a NAT without a helper',
    rules: { gateway: masquerade },
    faults: ['active-not-rewritten'],
    also: ['nat-on-the-way', 'passive-fine'],
  },
  {
    what: 'the client is behind a NAT without a helper, and Pure-FTPd says whom it sees',
    server: 'pure-ftpd',
    rules: { gateway: masquerade },
    faults: ['active-sees-other'],
    also: ['passive-fine'],
  },
  {
    what: 'the client is behind a NAT with a helper, in front of Pure-FTPd',
    server: 'pure-ftpd',
    rules: { gateway: watched },
    faults: [],
    also: ['passive-fine', 'active-fine'],
  },
  {
    what: 'the client is behind a NAT with a helper',
    rules: { gateway: watched },
    faults: [],
    also: ['nat-on-the-way', 'active-rewritten', 'active-fine', 'tls-none'],
  },
  {
    what: 'the server is behind a NAT with a helper',
    rules: { gateway: helped },
    to: outside,
    faults: [],
    also: ['passive-fine', 'active-fine'],
  },
  {
    what: 'a helper on the way is blind over TLS',
    extra: () => tls,
    rules: { gateway: helped },
    to: outside,
    faults: ['tls-blinds-address', 'tls-blinds-port'],
    also: ['passive-fine', 'active-fine', 'tls-certificate'],
  },
  {
    what: 'the server has TLS, and a certificate of its own',
    extra: () => tls,
    faults: [],
    also: ['tls-fine', 'tls-certificate'],
  },
  {
    what: 'the server demands TLS',
    extra: () => [...tls, 'force_local_logins_ssl=YES', 'force_local_data_ssl=YES'],
    faults: [],
    also: ['login-needs-tls', 'login-fine', 'passive-fine', 'active-fine', 'features-fine'],
  },
  {
    what: 'the server demands TLS, and only the control port is open',
    extra: () => [...tls, 'force_local_logins_ssl=YES', 'force_local_data_ssl=YES'],
    rules: { gateway: helped },
    to: outside,
    faults: ['announced-private', 'data-port-closed', 'data-port-closed', 'active-silent'],
    also: ['login-needs-tls'],
  },
  {
    what: 'the server takes no TLS without a certificate of the client',
    extra: () => [...tls, 'require_cert=YES'],
    faults: ['tls-handshake-failed'],
  },
  {
    what: 'data without TLS is refused',
    extra: () => [...tls, 'force_local_data_ssl=YES'],
    faults: [],
    also: ['data-needs-tls', 'tls-fine'],
  },
  ...(['vsftpd', 'proftpd'] as const).map((server): Setup => ({
    what: `${server} takes only data connections that resume the TLS session`,
    server,
    tls: { requires: 'everything', requireReuse: true },
    faults: [],
    also: ['login-needs-tls', 'passive-fine', 'tls-reuse-demanded', 'tls-certificate'],
  })),
  ...serverNames.map((server): Setup => ({
    what: `${server} demands TLS, and its listing is long`,
    server,
    tls: { requires: 'everything' },
    many: true,
    faults: [],
    also: ['passive-fine', 'active-fine', 'tls-certificate'],
    none: /^(?:large-not-seen|tls-reuse-demanded|listing-refused)$/,
  })),
  ...(['vsftpd', 'proftpd'] as const).flatMap((server): Setup[] => [
    {
      what: `${server} behind a narrow link, whose ICMP messages are lost, with a long listing`,
      server,
      many: true,
      mtu: 1300,
      rules: { gateway: lostIcmp },
      faults: ['data-unfinished', 'data-unfinished', 'active-unfinished', 'active-unfinished'],
    },
    {
      what: `${server} behind a narrow link, whose ICMP messages are lost, with a short listing`,
      server,
      mtu: 1300,
      rules: { gateway: lostIcmp },
      faults: [],
      also: ['large-not-seen', 'passive-fine'],
    },
    {
      what: `${server} behind a narrow link, whose ICMP messages arrive`,
      server,
      many: true,
      mtu: 1300,
      faults: [],
      also: ['passive-fine'],
      none: /^large-not-seen$/,
    },
  ]),
  { what: 'the control connection may be idle', idle: 2500, faults: [], also: ['idle-fine'] },
  {
    what: 'the server ends idle sessions',
    extra: ['idle_session_timeout=1'],
    idle: 4000,
    faults: ['idle-timeout'],
  },
  {
    what: 'a NAT forgets idle connections',
    rules: { gateway: chain('forward', '0', 'ct state invalid drop') },
    sysctls: { nf_conntrack_tcp_loose: 0, nf_conntrack_tcp_timeout_established: 1 },
    idle: 4000,
    faults: ['idle-silent'],
  },
  {
    what: 'a firewall refuses what has been idle',
    rules: { gateway: chain('forward', '0', 'ct state invalid reject with tcp reset') },
    sysctls: { nf_conntrack_tcp_loose: 0, nf_conntrack_tcp_timeout_established: 1 },
    idle: 4000,
    faults: ['idle-closed'],
  },
];

/** A helper that reads one reply alone, as far as a filter can be one: it drops what connects behind the other. */
function readsOnly(code: 227 | 229): string {
  const begins = (reply: number): string => `@ih,0,32 0x${Buffer.from(`${reply} `).toString('hex')}`;
  return `
  set told { type ipv4_addr; flags dynamic,timeout; timeout 1m; }
  chain forward {
    type filter hook forward priority filter;
    iif inside0 tcp sport 21 ${begins(227 + 229 - code)} add @told { ip daddr }
    iif inside0 tcp sport 21 ${begins(code)} delete @told { ip daddr }
    iif public0 tcp dport 30000-30099 tcp flags & (syn | ack) == syn ip saddr @told drop
  }`;
}

describe('a server that is broken in one way', { concurrency: 1 }, () => {
  for (const setup of setups) {
    test(setup.what, async (t) => {
      if (skipOrFail(t, missing)) return;
      const findings = await examine(setup);
      const of = (level: Finding['level']): string[] =>
        findings.filter((finding) => finding.level === level).map(({ id }) => id);
      assert.deepEqual(of('fault'), setup.faults, JSON.stringify(findings, undefined, 1));
      const rest = [...of('note'), ...of('unseen'), ...of('fine')];
      for (const id of setup.also ?? []) assert.ok(rest.includes(id), `${id}: ${rest.join(' ')}`);
      const { none } = setup;
      if (none)
        assert.deepEqual(
          rest.filter((id) => none.test(id)),
          [],
        );
    });
  }
});

describe('healthy servers have no fault', { concurrency: 1 }, () => {
  for (const server of serverNames) {
    for (const family of [4, 6] as const) {
      test(`${server} over IPv${family}`, async (t) => {
        if (skipOrFail(t, missing)) return;
        const findings = await examine({ what: '', server, family, faults: [] });
        assert.deepEqual(
          findings.filter(({ level }) => level === 'fault'),
          [],
        );
        const fine = findings.filter(({ level }) => level === 'fine').map(({ id }) => id);
        for (const id of ['login-fine', 'passive-fine', 'active-fine', 'features-fine'] as const) {
          assert.ok(fine.includes(id), id);
        }
      });
    }
  }

  for (const plane of ['relay', 'kernel']) {
    test(`vsftpd behind Pinhole's ${plane} plane`, async (t) => {
      if (skipOrFail(t, missing)) return;
      const relay = await startRelay(network, { flags: ['--plane', plane] });
      try {
        const findings = await examine({ what: '', to: outside, faults: [] });
        const bad = findings.filter(({ level, id }) => level === 'fault' || id.startsWith('passive-range-'));
        assert.deepEqual(bad, []);
        assert.ok(findings.some(({ id }) => id === 'pinhole-here'));
      } finally {
        await relay.stop();
      }
    });
  }
});

describe('behind Pinhole, with one thing broken', { concurrency: 1 }, () => {
  /** The passive ports, closed where the data connections of the plane pass. */
  const closed = {
    relay: chain('input', '0', 'iif public0 tcp dport 50000-50999 drop'),
    kernel: chain('forward', '0', 'iif public0 tcp dport 30000-30099 drop'),
  };
  const reads = (): string[] => ['certificate.pem', 'key.pem'].map((name) => join(network.folder, name));
  const ends = (): string[] => {
    const [certificate = '', key = ''] = reads();
    return ['--tls', 'terminate', '--tls-cert', certificate, '--tls-key', key];
  };
  const demands = [() => [...tls, 'force_local_logins_ssl=YES', 'force_local_data_ssl=YES']] as const;
  const cases: readonly {
    what: string;
    flags: () => readonly string[];
    extra?: () => readonly string[];
    gateway?: string;
    /** No server listens. */
    noServer?: true;
    faults: readonly string[];
    also: readonly string[];
  }[] = [
    ...(['relay', 'kernel'] as const).map((plane) => ({
      what: `the passive ports of the ${plane} plane are closed`,
      flags: () => ['--plane', plane],
      gateway: closed[plane],
      faults: ['pinhole-passive-closed', 'pinhole-passive-closed'],
      also: ['pinhole-here', 'active-fine', 'tls-none-at-pinhole'],
    })),
    {
      what: 'nothing, with TLS that ends at Pinhole',
      flags: ends,
      faults: [],
      also: ['pinhole-here', 'tls-fine', 'active-fine'],
    },
    {
      what: 'the passive ports, with TLS that ends at Pinhole and is demanded there',
      flags: () => [...ends(), '--require-tls'],
      gateway: closed.relay,
      faults: ['pinhole-passive-closed', 'pinhole-passive-closed'],
      also: ['pinhole-here', 'login-needs-tls'],
    },
    {
      what: 'TLS is passed on, and the server announces its inside',
      flags: () => ['--tls', 'pass'],
      extra: () => tls,
      faults: ['tls-passes-pinhole'],
      also: ['pinhole-here', 'passive-fine'],
    },
    {
      what: 'the server demands TLS, and Pinhole refuses it',
      flags: () => [],
      extra: demands[0],
      faults: ['pinhole-refuses-tls'],
      also: [],
    },
    {
      what: 'the server does not run',
      flags: () => [],
      noServer: true,
      faults: ['greeting-refused-by-pinhole'],
      also: [],
    },
  ];
  for (const { what, flags, extra, gateway, noServer, faults, also } of cases) {
    test(what, async (t) => {
      if (skipOrFail(t, missing)) return;
      const relay = await startRelay(network, { flags: flags() });
      try {
        const setup = {
          ...{ what, to: outside, faults, timeout: 500 },
          ...(extra && { extra }),
          ...(noServer && { port: 2121 }),
          ...(gateway !== undefined && { rules: { gateway } }),
        };
        const findings = await examine(setup);
        const of = (level: Finding['level']): string[] =>
          findings.filter((finding) => finding.level === level).map(({ id }) => id);
        assert.deepEqual(of('fault'), faults, JSON.stringify(findings, undefined, 1));
        const rest = [...of('note'), ...of('fine')];
        for (const id of also) assert.ok(rest.includes(id), `${id}: ${rest.join(' ')}`);
        assert.doesNotMatch(JSON.stringify(findings), /ct helper|CT --helper/);
      } finally {
        await relay.stop();
      }
    });
  }
});

test("the remedy for Pinhole's closed passive ports opens them", async (t) => {
  if (skipOrFail(t, missing)) return;
  const drops = `table inet filter {
    chain input {
      type filter hook input priority filter; policy drop;
      ct state established,related accept
      iif inside0 accept
      tcp dport 21 accept
    }
  }`;
  const relay = await startRelay(network);
  const faults = async (): Promise<Finding[]> => {
    const findings = await examine({ what: '', to: outside, timeout: 500, faults: [] });
    return findings.filter(({ level }) => level === 'fault');
  };
  try {
    await network.must('gateway', ['nft', '-f', '-'], { input: drops });
    const closed = await faults();
    assert.deepEqual(
      closed.map(({ id }) => id),
      ['pinhole-passive-closed', 'pinhole-passive-closed'],
    );
    const remedy = closed[0]?.remedies.find(({ target }) => target === 'nftables');
    assert.ok(remedy);
    for (const line of remedy.lines) await network.must('gateway', ['sh', '-c', line]);
    assert.deepEqual(await faults(), []);
  } finally {
    await network.exec('gateway', ['nft', 'delete', 'table', 'inet', 'filter']);
    await relay.stop();
  }
});

test('every message about a server from outside is brought about by a test', () => {
  const [, messages = ''] = readFileSync(join(root, 'src/doctor/messages/en.ts'), 'utf8').split(
    '--- a server,',
  );
  const ids = [...messages.matchAll(/^ {4}'([a-z0-9-]+)': \{/gm)].map(([, id = '']) => id);
  assert.ok(ids.length > 50);
  const tests = ['doctor/server.test.ts', 'integration/doctor.test.ts']
    .map((name) => readFileSync(join(root, 'test', name), 'utf8'))
    .join('\n');
  assert.deepEqual(
    ids.filter((id) => !tests.includes(`'${id}'`) && !tests.includes(`'${id}: `)),
    [],
  );
});

/** Sets everything up, examines the server from the client's host, and takes everything down. */
async function examine(setup: Setup): Promise<Finding[]> {
  const { family = 4, passivePorts, rules = {}, sysctls = {}, extra = [] } = setup;
  const server = await startServer(network, setup.server ?? 'vsftpd', {
    family,
    extra: typeof extra === 'function' ? extra() : extra,
    ...(passivePorts && { passivePorts }),
    ...(setup.port !== undefined && { port: setup.port }),
    ...(setup.tls && { tls: { ...setup.tls, identity } }),
  });
  server.put('file', 'content');
  if (setup.many) for (let index = 0; index < 400; index++) server.put(`a-longer-name-${index}`, '');
  const before = new Map<string, string>();
  const setMtu = (bytes: number): Promise<string> =>
    network.must('gateway', ['ip', 'link', 'set', 'public0', 'mtu', String(bytes)]);
  try {
    if (setup.mtu !== undefined) await setMtu(setup.mtu);
    for (const [host, chains] of Object.entries(rules) as [Host, string][]) {
      await network.must(host, ['nft', '-f', '-'], { input: `table inet broken {\n${chains}\n}\n` });
    }
    for (const [name, value] of Object.entries(sysctls))
      before.set(name, await setSysctl(name, String(value)));
    const to = setup.to ?? server.address;
    const times = [setup.timeout ?? 1500, setup.idle ?? 0].map(String);
    const script = emittedFile('test/support/doctor/examine.ts');
    const program = [process.execPath, script, to, '21', server.user, server.password, ...times];
    const { stdout, stderr } = await network.exec('client', withHosts(program, setup.hosts), {
      timeout: 90_000,
    });
    assert.equal(stderr, '');
    const findings = JSON.parse(stdout) as Finding[];
    assert.deepEqual(unlisted(findings), [], 'test/support/doctor/outside-remedies.ts');
    // Every finding has a message in every language that its values fill.
    for (const language of languages) reportText(findings, language);
    return findings;
  } finally {
    for (const host of Object.keys(rules) as Host[]) {
      await network.exec(host, ['nft', 'delete', 'table', 'inet', 'broken']);
    }
    if (setup.mtu !== undefined) {
      await setMtu(1500);
      await network.must('server', ['ip', 'route', 'flush', 'cache']);
    }
    for (const [name, value] of before) await setSysctl(name, value);
    await network.exec('gateway', ['conntrack', '-F']);
    await server.stop();
  }
}

/** Sets a value of the gateway's connection tracking, and returns what it was. */
async function setSysctl(name: string, value: string): Promise<string> {
  const path = `/proc/sys/net/netfilter/${name}`;
  const script = 'cat "$1" && echo "$2" > "$1"';
  return (await network.must('gateway', ['sh', '-ec', script, 'sh', path, value])).trim();
}

/** No name server answers in the lab: the client's names are those of this file alone. */
function withHosts(argv: readonly string[], hosts: string | undefined): string[] {
  if (hosts === undefined) return [...argv];
  const files = { '/etc/hosts': hosts, '/etc/nsswitch.conf': 'hosts: files\n' };
  const sources = Object.entries(files).map(([target, text]) => {
    const source = join(network.folder, target.replaceAll('/', '-'));
    writeFileSync(source, text);
    return [target, source] as const;
  });
  return withMounts(Object.fromEntries(sources.filter(([target]) => existsSync(target))), argv);
}
