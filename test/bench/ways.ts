import { existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { messageOf } from '../../src/net/error.ts';
import { makeCertificates, type Certificates } from '../support/lab/certificates.ts';
import { addresses, createNetwork, type Network } from '../support/lab/network.ts';
import type { PathName } from '../support/lab/path.ts';
import { benchRequirements, requirements, unpackedServer } from '../support/lab/provision.ts';
import { cli } from '../support/lab/relay.ts';
import { startServer, type LabServer } from '../support/lab/servers.ts';

/**
 * The ways from the client to the server that are compared: all on one gateway at the same time, each at a port of its
 * own, so that the two of a pair meet the same hosts.
 */
const ports = {
  relay: 21,
  haproxy: 2121,
  kernel: 2122,
  helper: 2123,
  mod_proxy: 2124,
  'ftp-proxy': 2125,
  kept: 2126,
  'relay-tls': 2127,
  'mod_proxy-tls': 2128,
  'relay-before': 2129,
  'kernel-before': 2130,
  'relay-admin': 2131,
  'one-worker': 2132,
  'two-workers': 2133,
  'one-worker-light': 2134,
  'two-workers-light': 2135,
} as const;

/** `direct`: the gateway as a router. */
export type WayName = keyof typeof ports | 'direct';

export const labels: Readonly<Record<WayName, string>> = {
  relay: 'relay plane',
  kernel: 'kernel plane',
  kept: 'kernel plane that keeps the client address',
  helper: "kernel's helper",
  haproxy: 'HAProxy',
  mod_proxy: 'mod_proxy',
  'ftp-proxy': 'ftp-proxy',
  'relay-tls': 'relay plane with TLS',
  'mod_proxy-tls': 'mod_proxy with TLS',
  'relay-before': 'relay plane before',
  'kernel-before': 'kernel plane before',
  'relay-admin': 'relay plane with its admin interface',
  'one-worker': '1 worker',
  'two-workers': '2 workers',
  'one-worker-light': '1 worker, RSA 4096, clients and a server that do little',
  'two-workers-light': '2 workers',
  direct: 'direct',
};

/** What the gateway offers for data connections; the kernel's helper and HAProxy keep the server's own port numbers. */
const passivePorts = {
  server: [30_000, 30_999],
  relay: [40_000, 42_499],
  'relay-tls': [42_500, 44_999],
  mod_proxy: [45_000, 47_499],
  'mod_proxy-tls': [47_500, 49_999],
  kernel: [50_000, 54_999],
  kept: [55_000, 59_999],
  'relay-before': [20_000, 22_499],
  'kernel-before': [22_500, 27_499],
  'relay-admin': [27_500, 29_999],
  'one-worker': [60_000, 61_999],
  'two-workers': [62_000, 63_999],
  'one-worker-light': [64_000, 64_099],
  'two-workers-light': [64_100, 64_199],
} as const;

export interface Lab {
  readonly network: Network;
  readonly server: LabServer;
  /** What TLS is made with, where it is. */
  readonly certificates: Certificates;
  /** Where the client connects for this way. @throws where it cannot be had, with the reason */
  portOf(name: WayName): number;
  dispose(): Promise<void>;
}

const starters: Readonly<Record<Exclude<WayName, 'direct'>, (network: Network) => Promise<void>>> = {
  relay: (network) => startPinhole(network, 'relay'),
  haproxy: startHaproxy,
  kernel: (network) => startPinhole(network, 'kernel'),
  kept: (network) => startPinhole(network, 'kept'),
  helper: startKernelHelper,
  mod_proxy: (network) => startModProxy(network, 'mod_proxy'),
  'ftp-proxy': startFtpProxy,
  'relay-tls': (network) => startPinhole(network, 'relay-tls'),
  'mod_proxy-tls': (network) => startModProxy(network, 'mod_proxy-tls'),
  'relay-before': (network) => startPinhole(network, 'relay-before', cliBefore()),
  'kernel-before': (network) => startPinhole(network, 'kernel-before', cliBefore()),
  'relay-admin': (network) => startPinhole(network, 'relay-admin'),
  'one-worker': (network) => startPinhole(network, 'one-worker'),
  'two-workers': (network) => startPinhole(network, 'two-workers'),
  'one-worker-light': (network) => startPinhole(network, 'one-worker-light'),
  'two-workers-light': (network) => startPinhole(network, 'two-workers-light'),
};

/** The hosts, vsftpd, and the ways that are asked for as far as they can be had; links are cables unless told. */
export async function createLab(
  names: readonly (keyof typeof ports)[],
  paths: readonly PathName[] = [],
): Promise<Lab> {
  const network = await createNetwork({ forwarding: true, paths });
  try {
    // As docs/kernel-plane.md has it. The kernel then counts for its own helper too.
    await network.must('gateway', ['sh', '-c', 'echo 1 > /proc/sys/net/netfilter/nf_conntrack_acct']);
    const server = await startServer(network, 'vsftpd', { passivePorts: passivePorts.server });
    const certificates = await makeCertificates(network.folder);
    const reasons = new Map<WayName, string>();
    for (const name of names) {
      await starters[name](network).catch((error: unknown) => reasons.set(name, messageOf(error)));
    }
    return {
      network,
      server,
      certificates,
      portOf: (name) => {
        const reason = reasons.get(name);
        if (reason !== undefined) throw new Error(reason);
        return name === 'direct' ? server.port : ports[name];
      },
      dispose: () => network.dispose(),
    };
  } catch (error) {
    await network.dispose();
    throw error;
  }
}

/** Why the bench cannot run at all, or undefined; lines of what it runs without are printed. */
export async function prepare(): Promise<string | undefined> {
  const lines = (await benchRequirements()).map(({ what, reason }) => `${what}: ${reason}`);
  if ((await requirements()).length > 0) return lines.join('; ');
  for (const line of lines) process.stdout.write(`left out, ${line}\n`);
  return undefined;
}

const { public: outside, server: inside } = addresses[4];

function rangeOf(name: keyof typeof passivePorts): string {
  return passivePorts[name].join('-');
}

/** `kept`: what the kernel's helper does, which leaves the client's address as it is. */
const flagsOf = {
  relay: ['--plane', 'relay'],
  kernel: ['--plane', 'kernel'],
  kept: ['--plane', 'kernel', '--keep-client-address', '--kernel-table', 'kept', '--kernel-mark', '0x2122'],
  'relay-tls': ['--plane', 'relay', '--tls', 'terminate'],
  'relay-before': ['--plane', 'relay'],
  'kernel-before': ['--plane', 'kernel', '--kernel-table', 'before', '--kernel-mark', '0x2130'],
  'relay-admin': ['--plane', 'relay'],
  'one-worker': ['--tls', 'terminate'],
  'two-workers': ['--tls', 'terminate', '--workers', '2'],
  'one-worker-light': ['--tls', 'terminate'],
  'two-workers-light': ['--tls', 'terminate', '--workers', '2'],
} as const;

/** Another build of the program, which this one is compared with. @throws where none is named */
export function cliBefore(): string {
  const folder = process.env['BENCH_BEFORE'];
  if (folder === undefined)
    throw new Error('BENCH_BEFORE names no build (a folder with cli.js) to compare with');
  return join(folder, 'cli.js');
}

/** What `createLab` has made. */
function identityIn(network: Network): { cert: string; key: string } {
  const folder = join(network.folder, 'certificates');
  return { cert: join(folder, 'server.pem'), key: join(folder, 'server.key') };
}

/** Ways whose processes are asked. */
const asked: ReadonlySet<WayName> = new Set<WayName>([
  ...(['relay-admin', 'one-worker', 'two-workers', 'one-worker-light', 'two-workers-light'] as const),
]);

/** Where a way has its admin interface. */
export function adminSocketOf({ folder }: Network, way: WayName = 'relay-admin'): string {
  return join(folder, `${way}.sock`);
}

/** Where the server for the ways that are light listens. */
export const lightPort = 2121;

/** A key whose handshake takes the relay much longer than anybody else. */
async function heavyIdentity(network: Network): Promise<{ cert: string; key: string }> {
  const [cert, key] = [join(network.folder, 'heavy.pem'), join(network.folder, 'heavy.key')];
  if (!existsSync(cert)) {
    const name = ['-subj', '/CN=heavy', '-days', '30'];
    await network.must('gateway', [
      ...['openssl', 'req', '-x509', '-newkey', 'rsa:4096', '-nodes', '-keyout', key, '-out', cert, ...name],
    ]);
  }
  return { cert, key };
}

/** It logs into a file, as the others do: whoever read its output would take time of the same processors. */
async function startPinhole(
  network: Network,
  plane: keyof typeof flagsOf,
  program: string = cli,
): Promise<void> {
  const isLight = plane.endsWith('-light');
  const { cert, key } = isLight ? await heavyIdentity(network) : identityIn(network);
  const isTls = flagsOf[plane].some((flag) => flag === 'terminate');
  const tls = isTls ? ['--tls-cert', cert, '--tls-key', key] : [];
  const server = `${inside}:${isLight ? lightPort : 21}`;
  const listen = ['--server', server, '--listen', `${outside}:${ports[plane]}`];
  const flags = [...flagsOf[plane], ...tls, ...listen];
  const place = asked.has(plane) ? adminSocketOf(network, plane) : 'off';
  const admin = program === cli ? ['--admin', place] : [];
  const argv = [process.execPath, program, 'run', ...flags, ...admin, '--passive-ports', rangeOf(plane)];
  const log = join(network.folder, `${plane}.log`);
  const pinhole = network.spawn('gateway', [
    'sh',
    '-c',
    'log=$1; shift; exec "$@" >"$log"',
    'sh',
    log,
    ...argv,
  ]);
  await pinhole.waitForPort(ports[plane]);
}

/** nf_conntrack_ftp and nf_nat_ftp, for the connections to one port alone. */
async function startKernelHelper(network: Network): Promise<void> {
  const control = `ip daddr ${outside} tcp dport ${ports.helper}`;
  await network.must('gateway', ['nft', '-f', '-'], {
    input: `table ip helper {
  ct helper ftp { type "ftp" protocol tcp; }
  chain watch { type filter hook prerouting priority mangle; ${control} ct helper set "ftp"; }
  chain lead { type nat hook prerouting priority dstnat; ${control} dnat to ${inside}:21; }
}
`,
  });
}

/** HAProxy knows nothing of FTP: it maps the server's passive ports one to one. */
async function startHaproxy(network: Network): Promise<void> {
  const file = join(network.folder, 'haproxy.cfg');
  writeFileSync(
    file,
    `global
  maxconn 1000
defaults
  mode tcp
  timeout connect 5s
  timeout client 1h
  timeout server 1h
listen control
  bind ${outside}:${ports.haproxy}
  server ftp ${inside}:21
listen data
  bind ${outside}:${rangeOf('server')}
  server ftp ${inside}
`,
  );
  const haproxy = network.spawn('gateway', [unpackedServer('haproxy').program, '-db', '-f', file]);
  await haproxy.waitForPort(ports.haproxy);
}

/** In reverse mode; with TLS of clients, which mod_proxy leaves to mod_tls, or without. */
async function startModProxy(network: Network, name: 'mod_proxy' | 'mod_proxy-tls'): Promise<void> {
  const { cert, key } = identityIn(network);
  const tls =
    name === 'mod_proxy'
      ? ''
      : `TLSEngine on
TLSECCertificateFile ${cert}
TLSECCertificateKeyFile ${key}
TLSProtocol TLSv1.2 TLSv1.3
TLSOptions NoSessionReuseRequired
`;
  const folder = join(network.folder, name);
  mkdirSync(folder);
  const file = (name: string): string => join(folder, name);
  const [first, last] = passivePorts[name];
  // One folder is searched for modules.
  for (const name of ['proftpd-mod-crypto', 'proftpd-mod-proxy'] as const) {
    const { program } = unpackedServer(name);
    symlinkSync(program, file(basename(program)));
  }
  writeFileSync(
    file('proftpd.conf'),
    `ModulePath ${folder}
LoadModule mod_tls.c
LoadModule mod_proxy.c
ServerName "bench"
ServerType standalone
DefaultServer on
DefaultAddress ${outside}
UseIPv6 off
Port ${ports[name]}
SocketBindTight on
PassivePorts ${first} ${last}
User nobody
Group nogroup
UseReverseDNS off
WtmpLog off
<IfModule mod_ctrls.c>
  ControlsEngine off
</IfModule>
<IfModule mod_delay.c>
  DelayEngine off
</IfModule>
ScoreboardFile ${file('scoreboard')}
PidFile ${file('pid')}
SystemLog ${file('log')}
TransferLog none
ProxyEngine on
ProxyRole reverse
ProxyTables ${file('tables')}
ProxyReverseServers ftp://${inside}:21
${tls}`,
  );
  mkdirSync(file('tables'));
  const argv = [unpackedServer('proftpd-core').program, '--nodaemon', '--config', file('proftpd.conf')];
  await network.spawn('gateway', argv).waitForPort(ports[name]);
}

/** The system chooses its ports: in a range it now and then finds none for one of several sessions at once. */
async function startFtpProxy(network: Network): Promise<void> {
  const file = join(network.folder, 'ftp-proxy.conf');
  writeFileSync(
    file,
    `[-Global-]
ServerType standalone
Listen ${outside}
Port ${ports['ftp-proxy']}
DestinationAddress ${inside}
DestinationPort 21
DestinationTransferMode passive
ForkLimit 10000
MaxClients 512
LogLevel WRN
LogDestination ${join(network.folder, 'ftp-proxy.log')}
PidFile ${join(network.folder, 'ftp-proxy.pid')}
`,
  );
  const argv = [unpackedServer('ftp-proxy').program, '-d', '-n', '-f', file];
  await network.spawn('gateway', argv).waitForPort(ports['ftp-proxy']);
}
