/**
 * Three hosts (and a stranger) in network namespaces, as a client meets an internal FTP server:
 *
 *     client   198.51.100.10  2001:db8:51::10 ─┐ public link        inside link
 *                                              ├── gateway ── server 10.77.0.2  fd77::2
 *     stranger 198.51.100.66  2001:db8:51::66 ─┘   198.51.100.1, 2001:db8:51::1 | 10.77.0.1, fd77::1
 *
 * Everything lives in namespaces named after this process; nothing touches an interface or address of the host.
 *
 * The cable between the client and the public link, and the inside link, can each be a path (path.ts) that is slow,
 * lossy, narrow or dead. Names and addresses are the same.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, chmodSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { startPath } from './path.ts';
import type { Interface, Path, PathName, PathSettings } from './path.ts';
import { mustRun, runProcess, startProcess } from './process.ts';
import type { Finished, LabProcess, SpawnOptions } from './process.ts';

/** The namespaces; `link` holds only the bridge that client, stranger and gateway hang on. */
export type Host = 'client' | 'stranger' | 'gateway' | 'server' | 'link';
export type Family = 4 | 6;

export interface Addresses {
  client: string;
  stranger: string;
  /** The gateway's public side. */
  public: string;
  /** The gateway's inside. */
  inside: string;
  server: string;
}

export const addresses: Readonly<Record<Family, Addresses>> = {
  4: {
    client: '198.51.100.10',
    stranger: '198.51.100.66',
    public: '198.51.100.1',
    inside: '10.77.0.1',
    server: '10.77.0.2',
  },
  6: {
    client: '2001:db8:51::10',
    stranger: '2001:db8:51::66',
    public: '2001:db8:51::1',
    inside: 'fd77::1',
    server: 'fd77::2',
  },
};

/** The interface that a host's traffic passes. */
export const interfaces: Readonly<Record<'client' | 'stranger' | 'public' | 'inside' | 'server', string>> = {
  client: 'eth0',
  stranger: 'eth0',
  public: 'public0',
  inside: 'inside0',
  server: 'eth0',
};

export interface Network {
  /** Temporary, world-searchable, removed by `dispose`. */
  folder: string;
  /** The name that `ip netns` knows the host by. */
  namespace(host: Host): string;
  /** Runs a program in the host to its end; `timeout` in ms (30 s), past which it is killed and this throws. */
  exec(host: Host, argv: readonly string[], options?: SpawnOptions & { timeout?: number }): Promise<Finished>;
  /** As `exec`, and a non-zero exit code throws with the output. Returns standard output. */
  must(host: Host, argv: readonly string[], options?: SpawnOptions & { timeout?: number }): Promise<string>;
  /** Starts a program in the host; `dispose` ends it if `stop` did not. */
  spawn(host: Host, argv: readonly string[], options?: SpawnOptions): LabProcess;
  /** Lets the gateway forward packets as a plain router, or stops that. Off at first: only a relay connects. */
  setForwarding(on: boolean): Promise<void>;
  /**
   * What the path is like from now on, in place of all that was set before. `public` is between client and gateway, and
   * `inside` between gateway and server. Throws where the network was made without that path.
   */
  setPath(which: PathName, settings: PathSettings): Promise<void>;
  /** Kills every process in the namespaces, deletes them and the folder, and waits until that is so. */
  dispose(): Promise<void>;
}

const hosts: readonly Host[] = ['client', 'stranger', 'gateway', 'server', 'link'];
const pathNames: readonly PathName[] = ['public', 'inside'];
const prefix = 'pinhole-';
let count = 0;

export interface NetworkOptions {
  /** As `setForwarding`. */
  forwarding?: boolean;
  /** Which links are paths for `setPath`, perfect at first. None unless told: a cable takes less of the processors. */
  paths?: readonly PathName[];
}

/** Makes the network. Needs root and `ip`; throws when a step fails, after undoing the earlier ones. */
export async function createNetwork(options: NetworkOptions = {}): Promise<Network> {
  sweep();
  const id = `${prefix}${process.pid}-${++count}`;
  const namespace = (host: Host): string => `${id}-${host}`;
  const folder = mkdtempSync(join(tmpdir(), `${id}-`));
  // Servers drop to the test user's rights and must still reach their files.
  chmodSync(folder, 0o755);
  const started: LabProcess[] = [];
  let paths: ReadonlyMap<PathName, Path> = new Map();

  const clear = (): void => {
    removeNamespaces(hosts.map(namespace));
    rmSync(folder, { recursive: true, force: true });
  };
  const forget = onExit(clear);

  const network: Network = {
    folder,
    namespace,
    exec: (host, argv, execOptions) => runProcess(inside(namespace(host), argv), execOptions),
    must: (host, argv, execOptions) => mustRun(inside(namespace(host), argv), execOptions),
    spawn: (host, argv, spawnOptions) => {
      const child = startProcess(inside(namespace(host), argv), spawnOptions);
      started.push(child);
      return child;
    },
    setForwarding: async (on) => {
      await setSysctl(namespace('gateway'), {
        'net/ipv4/ip_forward': on ? 1 : 0,
        'net/ipv6/conf/all/forwarding': on ? 1 : 0,
      });
    },
    setPath: async (which, settings) => {
      const path = paths.get(which);
      if (path === undefined) throw new Error(`no path '${which}': createNetwork({ paths: ['${which}'] })`);
      await path.set(settings);
    },
    dispose: async () => {
      clear();
      forget();
      const all = Promise.allSettled(started.map((child) => child.exited));
      if ((await Promise.race([all, delay(5_000, 'late', { ref: false })])) === 'late') {
        throw new Error(`a process in ${id} did not end within 5 s of SIGKILL`);
      }
    },
  };

  try {
    paths = await build(network, options.paths ?? []);
    if (options.forwarding === true) await network.setForwarding(true);
    return network;
  } catch (error) {
    await network.dispose();
    throw error;
  }
}

/** The lab's namespaces that exist now and belong to this process. */
export function ownNamespaces(): string[] {
  return listNamespaces().filter((name) => name.startsWith(`${prefix}${process.pid}-`));
}

/** Why no network namespace can be made here, or undefined where one can. */
export function namespaceTrouble(): string | undefined {
  const name = `${prefix}${process.pid}-0-probe`;
  try {
    for (const args of [
      ['netns', 'add', name],
      ['netns', 'exec', name, 'ip', '-6', 'addr', 'add', 'fd77::1/64', 'dev', 'lo'],
    ]) {
      const { status, stderr, error } = spawnSync('ip', args, { encoding: 'utf8', timeout: 10_000 });
      if (error !== undefined) return `ip ${args.join(' ')}: ${error.message}`;
      if (status !== 0) return `ip ${args.join(' ')}: ${stderr.trim()}`;
    }
    return undefined;
  } finally {
    removeNamespaces([name]);
  }
}

async function build(network: Network, wanted: readonly PathName[]): Promise<ReadonlyMap<PathName, Path>> {
  const [client, stranger, gateway, server, link] = hosts.map((host) => network.namespace(host)) as [
    string,
    string,
    string,
    string,
    string,
  ];
  const cable = (one: Interface, other: Interface): string =>
    `link add ${one.device} netns ${one.namespace} type veth peer name ${other.device} netns ${other.namespace}`;
  const at = (namespace: string, device: string): Interface => ({ namespace, device });
  const publicEnd = at(gateway, interfaces.public);
  const ends: Record<PathName, readonly [Interface, Interface]> = {
    public: [at(client, interfaces.client), at(link, 'client')],
    inside: [at(gateway, interfaces.inside), at(server, interfaces.server)],
  };
  /** The bridge has no MTU of its own that matters: what the gateway sends has to fit the path behind it. */
  const beyond: Record<PathName, readonly Interface[]> = { public: [publicEnd], inside: [] };

  await batch(
    [],
    [client, stranger, gateway, server, link].map((name) => `netns add ${name}`),
  );
  await Promise.all(
    [client, stranger, gateway, server].map((name) =>
      // Duplicate address detection would keep every IPv6 address unusable for a second.
      setSysctl(name, { 'net/ipv6/conf/all/accept_dad': 0, 'net/ipv6/conf/default/accept_dad': 0 }),
    ),
  );
  await batch(
    [],
    [
      cable(at(stranger, interfaces.stranger), at(link, 'stranger')),
      cable(publicEnd, at(link, 'gateway')),
      ...pathNames.filter((which) => !wanted.includes(which)).map((which) => cable(...ends[which])),
    ],
  );
  const paths = new Map<PathName, Path>();
  for (const which of wanted) {
    const spawn = (argv: readonly string[]): LabProcess => network.spawn('link', argv, { interactive: true });
    paths.set(which, await startPath(spawn, ends[which], beyond[which]));
  }
  await batch(
    ['-n', link],
    [
      // Without a querier a snooping bridge may drop the multicasts of neighbour discovery.
      'link add br0 type bridge mcast_snooping 0',
      ...['client', 'stranger', 'gateway'].flatMap((port) => [
        `link set ${port} master br0`,
        `link set ${port} up`,
      ]),
      'link set br0 up',
    ],
  );

  const up = (device: string, address: string, address6: string): string[] => [
    `link set ${device} up`,
    `addr add ${address}/24 dev ${device}`,
    `addr add ${address6}/64 dev ${device} nodad`,
  ];
  const [four, six] = [addresses[4], addresses[6]];
  const defaults = (...gateways: string[]): string[] => gateways.map((via) => `route add default via ${via}`);

  await batch(
    ['-n', gateway],
    [
      'link set lo up',
      ...up(interfaces.public, four.public, six.public),
      ...up(interfaces.inside, four.inside, six.inside),
    ],
  );
  await batch(
    ['-n', client],
    [
      'link set lo up',
      ...up(interfaces.client, four.client, six.client),
      ...defaults(four.public, six.public),
    ],
  );
  await batch(
    ['-n', stranger],
    [
      'link set lo up',
      ...up(interfaces.stranger, four.stranger, six.stranger),
      ...defaults(four.public, six.public),
    ],
  );
  await batch(
    ['-n', server],
    [
      'link set lo up',
      ...up(interfaces.server, four.server, six.server),
      ...defaults(four.inside, six.inside),
    ],
  );
  return paths;
}

async function batch(options: readonly string[], lines: readonly string[]): Promise<void> {
  await mustRun(['ip', ...options, '-batch', '-'], { input: `${lines.join('\n')}\n`, timeout: 10_000 });
}

/** /proc/sys/net belongs to the namespace of the process that opens it, so the writer has to be in there. */
async function setSysctl(name: string, values: Record<string, number>): Promise<void> {
  const script = Object.entries(values).map(([key, value]) => `echo ${value} > /proc/sys/${key}`);
  await mustRun(inside(name, ['sh', '-ec', script.join('\n')]), { timeout: 10_000 });
}

function inside(name: string, argv: readonly string[]): string[] {
  return ['ip', 'netns', 'exec', name, ...argv];
}

function listNamespaces(): string[] {
  return existsSync('/run/netns') ? readdirSync('/run/netns') : [];
}

/** Synchronous, so that it works in an exit handler too. Everything in our own namespaces is ours to end. */
function removeNamespaces(names: readonly string[]): void {
  const present = new Set(listNamespaces());
  for (const name of names.filter((each) => present.has(each))) {
    // Twice: what was forking during the first look is seen at the second.
    for (let round = 0; round < 2; round++) {
      const { stdout } = spawnSync('ip', ['netns', 'pids', name], { encoding: 'utf8', timeout: 10_000 });
      for (const pid of stdout
        .split('\n')
        .map(Number)
        .filter((each) => each > 1)) {
        try {
          process.kill(pid, 'SIGKILL');
        } catch {
          // It ended by itself.
        }
      }
    }
    spawnSync('ip', ['netns', 'del', name], { timeout: 10_000 });
  }
}

/** Removes what a run that was killed with SIGKILL left: namespaces named after a process that is no more. */
function sweep(): void {
  const stale = listNamespaces().filter((name) => {
    const pid = /^pinhole-(\d+)-\d+-/.exec(name)?.[1];
    return pid !== undefined && !isAlive(Number(pid));
  });
  removeNamespaces(stale);
  for (const name of readdirSync(tmpdir())) {
    const pid = /^pinhole-(\d+)-\d+-\w{6}$/.exec(name)?.[1];
    if (pid !== undefined && !isAlive(Number(pid)))
      rmSync(join(tmpdir(), name), { recursive: true, force: true });
  }
}

/** Whether the process runs; one that nobody has waited for yet does not. */
export function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'latin1'));
  } catch {
    return false;
  }
}

/** Calls `clear` when the process exits or is told to; returns what takes that back. */
function onExit(clear: () => void): () => void {
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  const forget = (): void => {
    process.off('exit', clear);
    for (const signal of signals) process.off(signal, end);
  };
  const end = (signal: NodeJS.Signals): void => {
    clear();
    forget();
    // With our listener gone the signal does what it would have done.
    process.kill(process.pid, signal);
  };
  process.on('exit', clear);
  for (const signal of signals) process.on(signal, end);
  return forget;
}
