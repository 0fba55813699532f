/**
 * What `pinhole rules` prints, loaded into the real tools: with nothing else loaded a client gets through in each mode,
 * and a scan of all ports from outside is answered at those that the deployment needs, and dropped at all others.
 */
import assert from 'node:assert/strict';
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import { runClient, type Mode } from '../helpers/lab/clients.ts';
import {
  addresses,
  createNetwork,
  type Addresses,
  type Family,
  type Host,
  type Network,
} from '../helpers/lab/network.ts';
import { mustRun } from '../helpers/lab/process.ts';
import { requirements, skipOrFail } from '../helpers/lab/provision.ts';
import { cli, startRelay, type LabRelay } from '../helpers/lab/relay.ts';
import { startServer, type LabServer } from '../helpers/lab/servers.ts';

const missing = await requirements();
const scanner = join(import.meta.dirname, '../helpers/lab/syn-scan.py');

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
  readonly forwards: boolean;
  /** What answers a scan from outside. */
  readonly answered: string;
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
  },
  {
    name: 'intercepting on the gateway',
    flags: (home) => [...listening(home), '--intercept'],
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
    name: "the kernel's helper on the server itself",
    flags: () => [],
    rules: () => ['--deployment', 'kernel-helper', '--passive-ports', '30000-30099'],
    pinhole: false,
    at: 'server',
    dials: 'server',
    forwards: true,
    answered: '21',
  },
];

interface Tool {
  readonly name: string;
  readonly format: string;
  /** Checks and loads what is in the folder, twice: it replaces itself. */
  readonly load: (folder: string) => string;
  readonly unload: string;
  readonly modes: Readonly<Record<Family, readonly Mode[]>>;
  /** Says nothing of the kernel plane. */
  readonly relayOnly?: true;
}

const oldModes: readonly Mode[] = ['passive', 'active'];
const extendedModes: readonly Mode[] = ['extended-passive', 'extended-active'];

function restoring(
  back: 'nft' | 'legacy',
  format: string,
  files: readonly [four: string, six: string],
): Tool {
  const each = (file4: string, file6: string, flag: string): string =>
    `iptables-${back}-restore ${flag} < ${file4}\nip6tables-${back}-restore ${flag} < ${file6}\n`;
  return {
    name: format === 'redhat' ? `service iptables (${back})` : `iptables (${back})`,
    format,
    load: (folder) => {
      const [four, six] = files.map((file) => join(folder, file)) as [string, string];
      return each(four, six, '--test') + each(four, six, '') + each(four, six, '');
    },
    unload: ['iptables', 'ip6tables']
      .flatMap((program) =>
        [
          ...['filter', 'raw', 'nat'].flatMap((table) => [`-t ${table} -F`, `-t ${table} -X`]),
          ...['INPUT', 'FORWARD'].map((chain) => `-P ${chain} ACCEPT`),
        ].map((words) => `${program}-${back} ${words}`),
      )
      .join('\n'),
    modes: { 4: oldModes, 6: extendedModes },
    ...(format === 'redhat' && { relayOnly: true }),
  };
}

const tools: readonly Tool[] = [
  {
    name: 'nftables',
    format: 'nftables',
    load: (folder) => {
      const file = join(folder, 'etc/nftables.d/ftp.nft');
      return `nft -c -f ${file}\nnft -f ${file}\nnft -f ${file}`;
    },
    unload: 'nft delete table inet ftp_rules',
    modes: { 4: [...oldModes, ...extendedModes], 6: extendedModes },
  },
  restoring('nft', 'iptables', ['etc/iptables/rules.v4', 'etc/iptables/rules.v6']),
  restoring('legacy', 'iptables', ['etc/iptables/rules.v4', 'etc/iptables/rules.v6']),
  restoring('legacy', 'redhat', ['etc/sysconfig/iptables', 'etc/sysconfig/ip6tables']),
];

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
        for (const family of [4, 6] as const) {
          test(`${deployment.name}, over IPv${family}: transfers pass, and nothing else`, async (t) => {
            if (skipOrFail(t, missing)) return;
            await proven(network, tool, deployment, family);
          });
        }
      }
    });
  }
});

async function proven(network: Network, tool: Tool, deployment: Deployed, family: Family): Promise<void> {
  const { flags, rules = () => [], at = 'gateway', serverOn = 'server', answered } = deployment;
  const home = addresses[family];
  const folder = mkdtempSync(join(network.folder, 'rules-'));
  const words = ['--for', tool.format, '--out', folder, ...flags(home), ...rules(home)];
  await mustRun([process.execPath, cli, 'rules', ...words]);
  await network.setForwarding(deployment.forwards);
  const port = serverOn === 'gateway' ? 2121 : 21;
  const server = await startServer(network, 'vsftpd', { family, host: serverOn, port });
  let relay: LabRelay | undefined;
  try {
    server.put('file', 'whatever');
    await network.must(at, ['sh', '-ec', tool.load(folder)]);
    try {
      if (deployment.pinhole) relay = await runAs(network, family, deployment);
      const address = deployment.dials === 'server' ? home.server : home.public;
      for (const mode of tool.modes[family]) {
        const { ok, output } = await transfer(network, server, address, mode);
        assert.ok(ok, `${mode}: ${output}\n${relay?.output() ?? ''}`);
      }
      const scanned = at === 'server' ? home.server : home.public;
      assert.equal(await scan(network, 'stranger', scanned, home.stranger), answered);
    } finally {
      await relay?.stop();
      await network.must(at, ['sh', '-ec', tool.unload]);
    }
  } finally {
    await server.stop();
  }
}

function runAs(network: Network, family: Family, { flags }: Deployed): Promise<LabRelay> {
  const given = flags(addresses[family]);
  const value = (flag: string): string | undefined => given[given.indexOf(flag) + 1];
  const server = given.includes('--server') ? value('--server') : null;
  const others = given.filter(
    (word, index) => !['--server', '--listen'].some((flag) => word === flag || given[index - 1] === flag),
  );
  return startRelay(network, { family, ...(server !== undefined && { server }), flags: others });
}

function transfer(
  network: Network,
  { user, password }: LabServer,
  address: string,
  mode: Mode,
): Promise<{ ok: boolean; output: string }> {
  const local = join(network.folder, 'local');
  return runClient(network, 'curl', {
    address,
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
  return (await network.must(host, ['python3', scanner, address, from], { timeout: 60_000 })).trim();
}

function withPort(address: string, port: number): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}
