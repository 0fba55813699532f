/** Restarts of the relay under clients that transfer, on sockets that a service manager keeps. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { makeCertificates } from '../support/lab/certificates.ts';
import { addresses, createNetwork, type Network } from '../support/lab/network.ts';
import type { LabProcess } from '../support/lab/process.ts';
import { debianPython } from '../support/lab/provision.ts';
import { cli } from '../support/lab/relay.ts';
import { startServer, type LabServer } from '../support/lab/servers.ts';
import { root, sourceFolder } from '../support/project.ts';
import type { Plane } from './watched-relay.ts';

export interface RestartOptions {
  readonly plane: Plane;
  readonly isTls: boolean;
  /** How many processes serve the sessions; 1 unless told. */
  readonly workers?: number;
  /** Whether Pinhole binds the sockets, which the service manager keeps; else that binds them. */
  readonly isOwn?: boolean;
  readonly restarts: number;
  readonly clients: number;
  /** Seconds from the readiness of one process to its end. */
  readonly interval: number;
  readonly seed: string;
}

/** What came of it. */
export interface Restarted {
  readonly restarts: number;
  readonly sessions: number;
  readonly transfers: number;
  /** Transfers that took longer than two restarts are apart. */
  readonly slow: number;
  readonly refused: number;
  readonly cut: number;
  readonly wrong: number;
  /** The most processes that were there at once. */
  readonly processes: number;
  readonly seconds: number;
  /** The exit code of all of them: 0 unless one ended in another way. */
  readonly code: number | null;
  /** What went wrong, and how often; what nftables has at the end. */
  readonly failures: Readonly<Record<string, number>>;
}

const here = sourceFolder(import.meta.dirname);
const manager = join(here, '../support/lab/service-manager.py');
const launcher = join(root, 'src/packaging/files/usr/lib/pinhole/start');
const sizes = { 'file-1k': 1024, 'file-16k': 16_384, 'file-300k': 300_000, 'file-big': 2_000_000 } as const;

export async function restartUnderLoad(options: RestartOptions): Promise<Restarted> {
  const network = await createNetwork({ forwarding: true });
  const folder = mkdtempSync(join(tmpdir(), 'pinhole-restarts-'));
  try {
    const server = await startServer(network, 'vsftpd', { passivePorts: [30_000, 31_999] });
    for (const [name, size] of Object.entries(sizes)) server.put(name, contentOf(name, size));
    return await measure(network, server, folder, options);
  } finally {
    await network.dispose();
    rmSync(folder, { recursive: true });
  }
}

async function measure(
  network: Network,
  server: LabServer,
  folder: string,
  { plane, isTls, workers = 1, isOwn = false, restarts, clients: threads, interval, seed }: RestartOptions,
): Promise<Restarted> {
  const at = `${addresses[4].public}:21`;
  const tls = isTls ? (await makeCertificates(folder)).server : undefined;
  const service = network.spawn(
    'gateway',
    [
      ...['python3', manager, ...(isOwn ? [] : ['--socket', `ftp=${at}`]), '--launcher', launcher, '--'],
      ...[process.execPath, cli, 'run', '--server', `${addresses[4].server}:21`, '--plane', plane],
      ...['--admin', 'off', '--log-format', 'json', '--log-level', 'error', '--drain-timeout', '1h'],
      ...['--passive-ports', '50000-51999', '--active-ports', '52000-53999'],
      ...['--max-sessions-per-client', '10000', '--workers', String(workers)],
      ...(isOwn ? ['--listen', at] : []),
      ...(tls ? ['--tls', 'terminate', '--tls-cert', tls.cert, '--tls-key', tls.key] : []),
    ],
    { env: { TMPDIR: folder } },
  );
  const ready = async (nth: number): Promise<void> => {
    const end = performance.now() + 60_000;
    while (service.stdout().split('"READY=1').length <= nth) {
      if (performance.now() > end) throw new Error(`start ${nth} takes too long: ${service.stderr()}`);
      await delay(20);
    }
  };
  await ready(1);
  const { user, password } = server;
  const settings = {
    ...{ host: addresses[4].public, port: 21, user, password, root: server.root, threads },
    ...{ tls: isTls, pace: 3 * interval + 1, seed },
  };
  const clients = network.spawn(
    'client',
    [debianPython, '-Bu', join(here, 'restart-clients.py'), JSON.stringify(settings)],
    { interactive: true },
  );
  const begun = performance.now();
  await clients.waitForOutput(/"transfers"/, 30_000);
  let processes = 1;
  for (let n = 2; n <= restarts + 1; n++) {
    process.kill(service.pid, 'SIGUSR1');
    await ready(n);
    await delay(interval * 1000);
    processes = Math.max(processes, await processesOf(network));
  }
  clients.write('stop\n');
  await clients.exited;
  const seconds = (performance.now() - begun) / 1000;
  const failures = failuresOf(clients);
  process.kill(service.pid, 'SIGTERM');
  const { code } = await service.exited;
  const tables = await network.must('gateway', ['nft', 'list', 'tables']);
  if (tables.trim() !== '') failures['nftables has a table at the end'] = 1;
  if (code !== 0) failures[service.stderr().slice(-2000)] = 1;
  const { sessions = 0, transfers = 0, slow = 0, refused = 0, cut = 0, wrong = 0 } = countsOf(clients);
  const counts = { restarts, sessions, transfers, slow, refused, cut, wrong };
  return { ...counts, processes, seconds, code, failures };
}

/** Processes of Node in the gateway. */
async function processesOf(network: Network): Promise<number> {
  const pids = await network.must('gateway', ['ip', 'netns', 'pids', network.namespace('gateway')]);
  const argv = [
    'sh',
    '-c',
    'cat /proc/$0/comm "$@" 2>/dev/null; true',
    '1',
    ...pids
      .trim()
      .split('\n')
      .map((pid) => `/proc/${pid}/comm`),
  ];
  return (await network.must('gateway', argv)).split('\n').filter((name) => name === 'node').length;
}

/** The last complete line that the clients have printed. */
function countsOf(clients: LabProcess): Readonly<Partial<Record<string, number>>> {
  return JSON.parse(clients.stdout().split('\n').at(-2) ?? '{}') as Record<string, number>;
}

function failuresOf(clients: LabProcess): Record<string, number> {
  const { failures = {} } = countsOf(clients) as { failures?: Record<string, number> };
  const { code, stderr } = { code: 0, stderr: clients.stderr() };
  return code === 0 && stderr === '' ? { ...failures } : { ...failures, [stderr.slice(-1000)]: 1 };
}

/** Unlike at every place. */
function contentOf(name: string, size: number): string {
  const lines = Array.from({ length: Math.ceil(size / 16) }, (_, n) => `${name}-${n}`.padEnd(15, '.'));
  return lines.join('\n').slice(0, size);
}
