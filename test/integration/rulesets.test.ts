/**
 * What `pinhole rules` prints, loaded into the real tools: with nothing else loaded a client gets through in each mode,
 * and a scan of all ports from outside is answered at those that the deployment needs, and dropped at all others.
 */
import assert from 'node:assert/strict';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import { makeCertificates, type Certificates, type Identity } from '../support/lab/certificates.ts';
import { runClient, type ClientTls, type Mode } from '../support/lab/clients.ts';
import {
  addresses,
  createNetwork,
  type Addresses,
  type Family,
  type Host,
  type Network,
} from '../support/lab/network.ts';
import { ControlConnection } from '../support/lab/control-connection.ts';
import { checkFirewalld, prepareUfw } from '../support/lab/firewalls.ts';
import { mustRun } from '../support/lab/process.ts';
import { debianPython, requirements, skipOrFail } from '../support/lab/provision.ts';
import { cli, startRelay, withPort, type LabRelay } from '../support/lab/relay.ts';
import type { TlsKind } from '../support/lab/server-tls.ts';
import { startServer, type LabServer } from '../support/lab/servers.ts';
import { root } from '../support/project.ts';
import { references } from '../support/reference-rules.ts';

const missing = await requirements();
const reference = join(root, 'rules');
const script = (name: string): string => join(root, `test/support/lab/${name}.py`);

interface Deployed {
  readonly name: string;
  /** Of `pinhole rules`, and of `pinhole run` where that runs. */
  readonly flags: (home: Addresses) => readonly string[];
  /** Flags of `pinhole rules` alone. */
  readonly rules?: (home: Addresses) => readonly string[];
  /** Whether Pinhole runs; else the kernel's helper does it. */
  readonly pinhole: boolean;
  /** Where the rules are loaded: `gateway` unless told. */
  readonly at?: 'server';
  readonly serverOn?: 'gateway';
  /** What the client dials, if not the gateway's public address. */
  readonly dials?: 'server';
  /** Transfers are over TLS of these kinds, or without for `undefined`; without alone unless told. */
  readonly tls?: {
    readonly ca: string;
    readonly kinds: readonly (TlsKind | undefined)[];
    /** There: the server is set as is printed for it, and has this certificate. */
    readonly ofServer?: Identity;
  };
  readonly forwards: boolean;
  /** What answers a scan from outside. */
  readonly answered: string;
  /** What answers a scan from the server, at the address that it sees sessions come from; not looked at unless told. */
  readonly answeredInside?: string;
}

const listening = (home: Addresses): string[] => ['--listen', withPort(home.public, 21)];
const inFrontOf = (home: Addresses): string[] => [...listening(home), '--server', withPort(home.server, 21)];
const kernel = ['--plane', 'kernel'];

const deployed: readonly Deployed[] = [
  {
    name: 'in front of a server',
    flags: inFrontOf,
    pinhole: true,
    forwards: false,
    answered: '21,50000-50999',
    answeredInside: '51000-51999',
  },
  {
    name: 'in front of a server on the same host',
    flags: (home) => [...listening(home), '--server', withPort(home.inside, 2121)],
    pinhole: true,
    serverOn: 'gateway',
    forwards: false,
    answered: '21,50000-50999',
  },
  {
    name: 'on the gateway',
    flags: inFrontOf,
    rules: () => ['--deployment', 'gateway'],
    pinhole: true,
    forwards: true,
    answered: '21,50000-50999',
  },
  {
    name: 'on the gateway, kernel plane',
    flags: (home) => [...inFrontOf(home), ...kernel],
    pinhole: true,
    forwards: true,
    answered: '21',
    answeredInside: '',
  },
  {
    name: 'on the gateway, kernel plane that keeps the client address',
    flags: (home) => [...inFrontOf(home), ...kernel, '--keep-client-address'],
    pinhole: true,
    forwards: true,
    answered: '21',
  },
  {
    name: 'on the gateway, relay plane that keeps the client address',
    flags: (home) => [...inFrontOf(home), '--keep-client-address'],
    pinhole: true,
    forwards: true,
    answered: '21,50000-50999',
    answeredInside: '',
  },
  {
    name: 'intercepting on the gateway',
    // Not where clients come in by: `redirect` would not get there.
    flags: (home) => ['--listen', withPort(home.inside, 21), '--intercept'],
    rules: (home) => ['--client-networks', home.client],
    pinhole: true,
    dials: 'server',
    forwards: true,
    answered: '51000-51999',
  },
  {
    name: 'intercepting on the gateway, kernel plane',
    flags: (home) => [...listening(home), '--intercept', ...kernel],
    rules: (home) => ['--client-networks', home.client],
    pinhole: true,
    dials: 'server',
    forwards: true,
    answered: '',
  },
  {
    name: "the kernel's helper on the gateway",
    flags: inFrontOf,
    rules: () => ['--deployment', 'kernel-helper'],
    pinhole: false,
    forwards: true,
    answered: '21',
  },
  {
    name: "the kernel's helper on the gateway, at every address",
    flags: (home) => ['--server', withPort(home.server, 21)],
    rules: () => ['--deployment', 'kernel-helper'],
    pinhole: false,
    forwards: true,
    answered: '21',
  },
  {
    name: "the kernel's helper on the server itself",
    flags: () => [],
    rules: () => ['--deployment', 'kernel-helper', '--passive-ports', '30000-30099'],
    pinhole: false,
    at: 'server',
    dials: 'server',
    forwards: true,
    answered: '21',
  },
  {
    name: 'an FTP server alone',
    flags: () => [],
    rules: () => ['--deployment', 'server-alone', '--passive-ports', '30000-30099'],
    pinhole: false,
    at: 'server',
    dials: 'server',
    forwards: true,
    answered: '21,30000-30099',
  },
];

interface Tool {
  readonly name: string;
  readonly format: string;
  /** Checks and loads what is in the folder, twice: it replaces itself. Other files are for `scratch`. */
  readonly load: (folder: string, scratch: string) => string;
  readonly unload: (scratch: string) => string;
  readonly modes: Readonly<Record<Family, readonly Mode[]>>;
  /** Of `pinhole rules`. */
  readonly words?: readonly string[];
  /** Says nothing of the kernel plane. */
  readonly relayOnly?: true;
  /** These deployments are enough. */
  readonly only?: readonly string[];
  /** It starts hundreds of programs: IPv4 is enough, and each deployment is in a new network. */
  readonly isSlow?: true;
}

const oldModes: readonly Mode[] = ['passive', 'active'];
const extendedModes: readonly Mode[] = ['extended-passive', 'extended-active'];

/** What shows a format's words; nftables, whose plan is everybody's, goes through all. */
const typical = [
  'in front of a server',
  'on the gateway, kernel plane',
  "the kernel's helper on the gateway",
  'an FTP server alone',
];

/** What leaves iptables as it is at first. */
function flushing(back: 'nft' | 'legacy'): string {
  const words = [
    ...['filter', 'raw', 'nat'].flatMap((table) => [`-t ${table} -F`, `-t ${table} -X`]),
    ...['INPUT', 'FORWARD'].map((chain) => `-P ${chain} ACCEPT`),
  ];
  return ['iptables', 'ip6tables']
    .flatMap((program) => words.map((each) => `${program}-${back} ${each}`))
    .join('\n');
}

function restoring(
  back: 'nft' | 'legacy',
  format: string,
  files: readonly [four: string, six: string],
): Tool {
  const each = (file4: string, file6: string, flag: string): string =>
    `iptables-${back}-restore ${flag} < ${file4}\nip6tables-${back}-restore ${flag} < ${file6}\n`;
  return {
    // The same text as with nft, or the same rules in other files.
    ...(back === 'legacy' && { only: typical }),
    name: format === 'redhat' ? `service iptables (${back})` : `iptables (${back})`,
    format,
    load: (folder) => {
      const [four, six] = files.map((file) => join(folder, file)) as [string, string];
      return each(four, six, '--test') + each(four, six, '') + each(four, six, '');
    },
    unload: () => flushing(back),
    modes: { 4: oldModes, 6: extendedModes },
    ...(format === 'redhat' && { relayOnly: true }),
  };
}

/** The families in which a tool's rules for a deployment are loaded. */
function familiesOf(tool: Tool, { name }: Deployed): readonly Family[] {
  if (tool.isSlow) return [4];
  return tool.format === 'nftables' || typical.includes(name) ? [4, 6] : [4];
}

const tools: readonly Tool[] = [
  {
    name: 'nftables',
    format: 'nftables',
    load: (folder) => {
      const file = join(folder, 'etc/nftables.d/ftp.nft');
      return `nft -c -f ${file}\nnft -f ${file}\nnft -f ${file}`;
    },
    unload: () => 'nft delete table inet ftp_rules',
    modes: { 4: [...oldModes, ...extendedModes], 6: extendedModes },
  },
  restoring('nft', 'iptables', ['etc/iptables/rules.v4', 'etc/iptables/rules.v6']),
  restoring('legacy', 'iptables', ['etc/iptables/rules.v4', 'etc/iptables/rules.v6']),
  restoring('legacy', 'redhat', ['etc/sysconfig/iptables', 'etc/sysconfig/ip6tables']),
  {
    name: 'ufw',
    format: 'ufw',
    load: (folder, scratch) => {
      const { root, command } = prepareUfw(scratch);
      const install = `UFW_ROOT=${root} UFW=${command} sh ${join(folder, 'ftp-ufw.sh')}`;
      return `${install}\n${command} --force enable\n${install}`;
    },
    unload: (scratch) => `${join(scratch, 'ufw/ufw')} disable`,
    modes: { 4: oldModes, 6: [] },
    only: typical,
    isSlow: true,
  },
];

/** A firewall that lets nothing in but answers. */
const closedNft = `table inet filter {
  chain input {
    type filter hook input priority filter; policy drop;
    ct state established accept
    iif lo accept
    meta l4proto { icmp, ipv6-icmp } accept
  }
  chain forward {
    type filter hook forward priority filter; policy drop;
    ct state established accept
  }
}
`;

const closedIptables = ['iptables-nft', 'ip6tables-nft'].flatMap((program) => [
  ...['INPUT', 'FORWARD'].flatMap((chain) => [
    `${program} -P ${chain} DROP`,
    `${program} -A ${chain} -m conntrack --ctstate ESTABLISHED -j ACCEPT`,
    `${program} -A ${chain} -p ${program.startsWith('ip6') ? 'ipv6-icmp' : 'icmp'} -j ACCEPT`,
  ]),
  `${program} -A INPUT -i lo -j ACCEPT`,
]);

/** They add to a firewall that is there. */
const adding: readonly Tool[] = [
  {
    name: 'nft insert',
    format: 'nftables',
    words: ['--add'],
    load: (folder) => `nft -f - <<'END'\n${closedNft}END\nsh ${join(folder, 'add-ftp.sh')}`,
    unload: () => 'nft delete table inet filter\nnft delete table inet ftp_added 2> /dev/null || true',
    modes: { 4: [...oldModes, ...extendedModes], 6: extendedModes },
  },
  {
    name: 'iptables -I',
    format: 'iptables',
    words: ['--add'],
    load: (folder) => `${closedIptables.join('\n')}\nsh ${join(folder, 'add-ftp.sh')}`,
    unload: () => flushing('nft'),
    modes: { 4: oldModes, 6: extendedModes },
    only: typical,
  },
];

describe('the commands that add', { concurrency: 2 }, () => {
  for (const tool of adding) {
    describe(`to a closed firewall, ${tool.name}`, { concurrency: 1 }, () => {
      let network: Network;
      before(async () => {
        if (missing.length === 0) network = await createNetwork({ forwarding: true });
      });
      after(() => (missing.length > 0 ? undefined : network.dispose()));
      for (const deployment of deployed.filter(({ name }) => tool.only?.includes(name) ?? true)) {
        for (const family of typical.includes(deployment.name) ? ([4, 6] as const) : ([4] as const)) {
          test(`${deployment.name}, over IPv${family}: transfers pass, and nothing else`, async (t) => {
            if (skipOrFail(t, missing)) return;
            await proven(network, tool, deployment, family);
          });
        }
      }
    });
  }
});

describe('the rules', { concurrency: 2 }, () => {
  for (const tool of tools) {
    // Inside, tests share a network: one at a time.
    describe(`of ${tool.name}`, { concurrency: 1 }, () => {
      let network: Network;
      before(async () => {
        if (missing.length === 0) network = await createNetwork({ forwarding: true });
      });
      after(() => (missing.length > 0 ? undefined : network.dispose()));
      for (const deployment of deployed) {
        if (tool.relayOnly && deployment.name.includes('kernel plane')) continue;
        if (tool.only && !tool.only.includes(deployment.name)) continue;
        for (const family of familiesOf(tool, deployment)) {
          test(`${deployment.name}, over IPv${family}: transfers pass, and nothing else`, async (t) => {
            if (skipOrFail(t, missing)) return;
            const place = tool.isSlow ? await createNetwork() : network;
            try {
              await proven(place, tool, deployment, family);
            } finally {
              if (tool.isSlow) await place.dispose();
            }
          });
        }
      }
    });
  }
});

describe('the rules of the kernel plane with TLS', { concurrency: 1 }, () => {
  const nftables = tools.find(({ name }) => name === 'nftables') ?? assert.fail();
  let network: Network;
  let certificates: Certificates;
  before(async () => {
    if (missing.length > 0) return;
    network = await createNetwork({ forwarding: true });
    certificates = await makeCertificates(network.folder);
  });
  after(() => (missing.length > 0 ? undefined : network.dispose()));

  const onKernelPlane = (home: Addresses): string[] => [...inFrontOf(home), ...kernel];
  const terminate = (): string[] => {
    const { cert, key } = certificates.server;
    return ['--tls', 'terminate', '--tls-cert', cert, '--tls-key', key];
  };
  // Who knows both TLS and active mode is lftp, which sends EPRT over IPv6 only.
  const bothModes = { 4: [...oldModes, 'extended-passive'], 6: extendedModes } as const;

  for (const family of [4, 6] as const) {
    test(`let protected transfers pass that end at Pinhole, over IPv${family}, and nothing else`, async (t) => {
      if (skipOrFail(t, missing)) return;
      const deployment: Deployed = {
        name: 'TLS of clients',
        flags: (home) => [
          ...[...onKernelPlane(home), ...terminate(), '--listen-tls', withPort(home.public, 990)],
        ],
        pinhole: true,
        tls: { ca: certificates.ca, kinds: [undefined, 'explicit', 'implicit'] },
        forwards: true,
        answered: '21,990,50000-50999',
        answeredInside: '51000-51999',
      };
      await proven(network, { ...nftables, modes: bothModes }, deployment, family);
    });

    test(`let them pass to a server with the settings that are printed, over IPv${family}`, async (t) => {
      if (skipOrFail(t, missing)) return;
      const trust = ['--server-tls', 'same', '--server-tls-ca', certificates.ca];
      const deployment: Deployed = {
        name: 'TLS of both sides',
        flags: (home) => [...onKernelPlane(home), ...terminate(), ...trust],
        pinhole: true,
        tls: { ca: certificates.ca, kinds: [undefined, 'explicit'], ofServer: certificates.server },
        forwards: true,
        answered: '21,50000-50999',
        answeredInside: '51000-51999',
      };
      await proven(network, { ...nftables, modes: bothModes }, deployment, family);
    });

    test(`let them pass to a server alone with the settings that are printed, over IPv${family}`, async (t) => {
      if (skipOrFail(t, missing)) return;
      const deployment: Deployed = {
        name: 'TLS of a server alone',
        flags: () => [],
        rules: () => [
          ...['--deployment', 'server-alone', '--passive-ports', '30200-30299', '--server-tls', 'explicit'],
        ],
        pinhole: false,
        at: 'server',
        dials: 'server',
        tls: { ca: certificates.ca, kinds: [undefined, 'explicit'], ofServer: certificates.server },
        forwards: true,
        answered: '21,30200-30299',
      };
      await proven(network, { ...nftables, modes: bothModes }, deployment, family);
    });

    test(`let them pass that Pinhole passes to such a server, over IPv${family}`, async (t) => {
      if (skipOrFail(t, missing)) return;
      const deployment: Deployed = {
        name: 'passed TLS',
        flags: (home) => [...onKernelPlane(home), '--tls', 'pass'],
        pinhole: true,
        tls: { ca: certificates.ca, kinds: ['explicit'], ofServer: certificates.server },
        forwards: true,
        // Those of passive-ports are open, and one listens there for clients with a session alone.
        answered: '21,50000-50999',
        answeredInside: '',
      };
      const passive = { 4: ['passive', 'extended-passive'], 6: ['extended-passive'] } as const;
      await proven(network, { ...nftables, modes: passive }, deployment, family);
    });
  }
});

for (const name of ['vsftpd', 'proftpd', 'pure-ftpd'] as const) {
  test(`${name} starts with the settings that are printed, and announces ports of their range`, async (t) => {
    if (skipOrFail(t, missing)) return;
    const network = await createNetwork({ forwarding: true });
    try {
      const words = ['--deployment', 'kernel-helper', '--passive-ports', '40000-40009', '--for', name];
      const printed = await mustRun([process.execPath, cli, 'rules', ...words]);
      // The lab starts this one with flags in the place of files.
      const extra =
        name === 'pure-ftpd'
          ? ['--passiveportrange', (printed.trim().split('\n').at(-1) ?? '').replace(' ', ':')]
          : printed.split('\n');
      const server = await startServer(network, name, { extra });
      server.put('file', 'whatever');
      for (let tries = 0; tries < 5; tries++) {
        const control = await ControlConnection.login(network, server, { address: server.address });
        const port = await control.passive();
        assert.ok(port >= 40_000 && port <= 40_009, `${port}`);
        await control.quit();
      }
      const { ok, output } = await transfer(network, server, server.address, 'active');
      assert.ok(ok, output);
    } finally {
      await network.dispose();
    }
  });
}

for (const { name, flags } of references) {
  const file = join(reference, name, 'firewalld/etc/firewalld');
  if (!existsSync(file)) continue;
  test(`firewalld finds no fault in rules/${name}`, async (t) => {
    if (skipOrFail(t, missing)) return;
    const folder = mkdtempSync(join(tmpdir(), 'pinhole-firewalld-'));
    try {
      cpSync(file, folder, { recursive: true });
      const { code, stdout, stderr } = await checkFirewalld(folder);
      assert.equal(code, 0, stdout + stderr);
      const zone = await checkFirewalld(folder, ['--zone=ftp-rules', '--list-all']);
      assert.match(zone.stdout, /^ {2}target: DROP$/m, flags);
      assert.match(zone.stdout, /port="21" protocol="tcp" accept/);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
}

for (const { name } of references) {
  const files = ['sysctl', 'redhat', 'firewalld'].flatMap((format) => {
    const file = join(reference, name, format, 'etc/sysctl.d/90-ftp.conf');
    return existsSync(file) ? [file] : [];
  });
  test(`sysctl takes every setting of rules/${name}`, async (t) => {
    if (skipOrFail(t, missing)) return;
    const network = await createNetwork();
    try {
      assert.ok(files.length > 0);
      for (const file of files) {
        // -e, as sysctl of procps 4.0 takes a key that the kernel lacks for an error even where it begins with a -.
        await network.must('gateway', ['sysctl', '-e', '-p', file]);
        for (const [, key = '', value] of readFileSync(file, 'utf8').matchAll(/^([a-z].*) = (\d+)$/gm)) {
          assert.equal((await network.must('gateway', ['sysctl', '-n', key])).trim(), value, key);
        }
      }
    } finally {
      await network.dispose();
    }
  });
}

test('an address that makes too many sessions is held back, and no other is', async (t) => {
  if (skipOrFail(t, missing)) return;
  const network = await createNetwork();
  try {
    const home = addresses[4];
    const flags = ['rules', '--for', 'nftables', '--server', home.server, '--session-rate', '20'];
    await network.must('gateway', ['nft', '-f', '-'], {
      input: await mustRun([process.execPath, cli, ...flags]),
    });
    // Nobody listens: what is let in is refused.
    const attempts = (host: 'client' | 'stranger'): Promise<string> =>
      network.must(host, [debianPython, script('many-sessions'), home[host], home.public]);
    assert.equal(await attempts('client'), '20 refused, 10 without answer\n');
    assert.equal(await attempts('stranger'), '20 refused, 10 without answer\n');
  } finally {
    await network.dispose();
  }
});

for (const tool of tools.filter(({ isSlow }) => !isSlow)) {
  test(`${tool.name} lets the answers of DHCPv6 in, and nothing else to that port`, async (t) => {
    if (skipOrFail(t, missing)) return;
    const network = await createNetwork();
    try {
      const words = ['--for', tool.format, '--out', network.folder, '--server', addresses[6].server];
      await mustRun([process.execPath, cli, 'rules', ...words]);
      await network.must('gateway', ['sh', '-ec', tool.load(network.folder, network.folder)]);
      const receiver = network.spawn('gateway', [debianPython, script('dhcpv6'), 'receive']);
      await receiver.waitForOutput(/ready/);
      const shown = await network.must('gateway', [
        'ip',
        '-6',
        '-o',
        'addr',
        'show',
        'public0',
        'scope',
        'link',
      ]);
      const target = `${/fe80\S+(?=\/)/.exec(shown)?.[0] ?? assert.fail(shown)}%eth0`;
      // The first that gets through is what it prints.
      for (const [data, port] of [
        ['dropped', '548'],
        ['answer', '547'],
      ] as const) {
        await network.must('client', [debianPython, script('dhcpv6'), data, port, target]);
      }
      await receiver.waitForOutput(/ready\nanswer\n/);
    } finally {
      await network.dispose();
    }
  });
}

test('a source that belongs to another interface is dropped', async (t) => {
  if (skipOrFail(t, missing)) return;
  const network = await createNetwork();
  try {
    const home = addresses[4];
    const flags = ['rules', '--for', 'nftables', '--server', home.server];
    await network.must('gateway', ['nft', '-f', '-'], {
      input: await mustRun([process.execPath, cli, ...flags]),
    });
    const dropped = async (): Promise<string | undefined> =>
      /oif (?:0|missing) counter packets (\d+)/.exec(
        await network.must('gateway', ['nft', 'list', 'table', 'inet', 'ftp_rules']),
      )?.[1];
    assert.equal(await dropped(), '0');
    const sends = (from: string): Promise<string> =>
      network.must('stranger', [debianPython, script('spoof'), from, home.stranger, home.public]);
    await sends(home.stranger);
    assert.equal(await dropped(), '0');
    await sends('10.77.0.99');
    assert.equal(await dropped(), '1');
  } finally {
    await network.dispose();
  }
});

async function proven(network: Network, tool: Tool, deployment: Deployed, family: Family): Promise<void> {
  const {
    flags,
    rules = () => [],
    at = 'gateway',
    serverOn = 'server',
    answered,
    answeredInside,
  } = deployment;
  const home = addresses[family];
  const folder = mkdtempSync(join(network.folder, 'rules-'));
  const scratch = mkdtempSync(join(network.folder, 'scratch-'));
  const besides = ['--open-ports', 'none'];
  const words = [
    '--for',
    tool.format,
    '--out',
    folder,
    ...besides,
    ...(tool.words ?? []),
    ...flags(home),
    ...rules(home),
  ];
  await mustRun([process.execPath, cli, 'rules', ...words]);
  await network.setForwarding(deployment.forwards);
  const port = serverOn === 'gateway' ? 2121 : 21;
  const identity = deployment.tls?.ofServer;
  const extra = identity ? await printedSettings([...flags(home), ...rules(home)], identity) : [];
  const server = await startServer(network, 'vsftpd', { family, host: serverOn, port, extra });
  let relay: LabRelay | undefined;
  try {
    server.put('file', 'whatever');
    await network.must(at, ['sh', '-ec', tool.load(folder, scratch)], { timeout: 180_000 });
    try {
      if (deployment.pinhole) relay = await runAs(network, family, deployment);
      const address = deployment.dials === 'server' ? home.server : home.public;
      const { ca = '', kinds = [undefined] } = deployment.tls ?? {};
      for (const mode of tool.modes[family]) {
        for (const kind of kinds) {
          const secured = kind && ({ ca, kind, data: 'protected' } as const);
          const { ok, output } = await transfer(network, server, address, mode, secured);
          assert.ok(ok, `${kind ?? 'no TLS'}, ${mode}: ${output}\n${relay?.output() ?? ''}`);
        }
      }
      const scanned = at === 'server' ? home.server : home.public;
      assert.equal(await scan(network, 'stranger', scanned, home.stranger), answered);
      if (answeredInside !== undefined) {
        assert.equal(await scan(network, 'server', home.inside, home.server), answeredInside);
      }
    } finally {
      await relay?.stop();
      await network.must(at, ['sh', '-ec', tool.unload(scratch)], { timeout: 180_000 });
    }
  } finally {
    await server.stop();
  }
}

/** Lines of vsftpd.conf. */
async function printedSettings(words: readonly string[], { cert, key }: Identity): Promise<string[]> {
  const printed = await mustRun([process.execPath, cli, 'rules', '--for', 'vsftpd', ...words]);
  return [...printed.split('\n'), `rsa_cert_file=${cert}`, `rsa_private_key_file=${key}`];
}

function runAs(network: Network, family: Family, { flags }: Deployed): Promise<LabRelay> {
  const given = flags(addresses[family]);
  const value = (flag: string): string | undefined => given[given.indexOf(flag) + 1];
  const server = given.includes('--server') ? value('--server') : null;
  const listen = value('--listen');
  const others = given.filter(
    (word, index) => !['--server', '--listen'].some((flag) => word === flag || given[index - 1] === flag),
  );
  return startRelay(network, {
    family,
    ...(server !== undefined && { server }),
    ...(listen !== undefined && { listen }),
    flags: others,
  });
}

function transfer(
  network: Network,
  { user, password }: LabServer,
  address: string,
  mode: Mode,
  tls?: ClientTls,
): Promise<{ ok: boolean; output: string }> {
  const local = join(network.folder, 'local');
  // curl never begins TLS on an active data channel.
  return runClient(network, tls ? 'lftp' : 'curl', {
    address,
    ...(tls && { tls }),
    ...(tls?.kind === 'implicit' && { port: 990 }),
    user,
    password,
    mode,
    operation: 'download',
    remote: 'file',
    local,
  });
}

/** The ports of the address that answer, as the host sees it. */
async function scan(network: Network, host: Host, address: string, from: string): Promise<string> {
  return (
    await network.must(host, [debianPython, script('syn-scan'), address, from], { timeout: 60_000 })
  ).trim();
}
