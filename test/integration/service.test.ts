/** What a service manager gives and hears: sockets that it has bound, readiness, reloads, the watchdog, the end. */
import assert from 'node:assert/strict';
import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test, type TestContext } from 'node:test';
import { runProcess, startProcess, type LabProcess } from '../support/lab/process.ts';
import { requirements, skipOrFail } from '../support/lab/provision.ts';
import { cli } from '../support/lab/relay.ts';
import { sourceFolder } from '../support/project.ts';
import { ask } from '../admin/stand.ts';
import { plantFiles } from '../../src/demo/file-tree.ts';
import { startFtpServer } from '../../src/demo/ftp-server.ts';

const missing = await requirements();
const manager = join(sourceFolder(import.meta.dirname), '../support/lab/service-manager.py');
const folder = mkdtempSync(join(tmpdir(), 'pinhole-service-'));
after(() => {
  rmSync(folder, { recursive: true });
});

let port = 24_100;

interface Service {
  readonly process: LabProcess;
  readonly port: number;
  /** Waits for a datagram that has this. */
  readonly told: (pattern: RegExp) => Promise<RegExpExecArray>;
}

/** Pinhole in front of the server in memory, as a service. */
function startService(t: TestContext, given: readonly string[], flags: readonly string[] = []): Service {
  const run = [process.execPath, cli, 'run', '--log-format', 'json', ...flags];
  const started = startProcess(['python3', manager, ...given, '--', ...run]);
  t.after(() => started.stop());
  return { process: started, port, told: (pattern) => started.waitForOutput(pattern, 10_000) };
}

const off = ['--admin', 'off'];

test('says when it serves, what it does, that it reloads, and that it stops', async (t) => {
  if (skipOrFail(t, missing)) return;
  const file = join(folder, 'pinhole.toml');
  writeFileSync(file, 'max-sessions = 10\nlisten = ["127.0.0.1:0"]\n');
  const service = startService(t, [], [...off, '--config', file]);
  await service.told(/"READY=1\\nSTATUS=0 sessions, 0 transfers, range 0 % used"/);
  writeFileSync(file, 'max-sessions = 11\nlisten = ["127.0.0.1:0"]\n');
  process.kill(service.process.pid, 'SIGHUP');
  await service.told(/"RELOADING=1\\nMONOTONIC_USEC=\d+"\n"READY=1/);
  await service.told(/"changed":\["max-sessions: 10 -> 11"\]/);
  process.kill(service.process.pid, 'SIGTERM');
  await service.told(/"STOPPING=1/);
  assert.equal((await service.process.exited).code, 0);
});

test('feeds the watchdog at half of its time', async (t) => {
  if (skipOrFail(t, missing)) return;
  const service = startService(t, ['--watchdog', '200000'], [...off, '--listen', '127.0.0.1:0']);
  await service.told(/("WATCHDOG=1"\n(.*\n)*?){3}/);
});

test('serves on the sockets that it is given, and needs no listen for them', async (t) => {
  if (skipOrFail(t, missing)) return;
  port++;
  const admin = join(folder, `admin-${port}.sock`);
  const service = startService(
    t,
    ['--socket', `ftp=127.0.0.1:${port}`, '--socket', `admin=${admin}`],
    ['--listen', '127.0.0.1:1'],
  );
  await service.told(/READY=1/);
  const curl = startProcess(['curl', '-sS', `ftp://127.0.0.1:${port}/welcome.txt`]);
  await curl.waitForOutput(/Welcome\./);
  const { body } = await ask(admin, '/v1/status');
  assert.deepEqual((JSON.parse(body) as { listening: string[] }).listening, [`127.0.0.1:${port}`]);
});

for (const [what, given, words] of [
  [
    'a number of names that differs',
    ['--env', 'LISTEN_FDS=2'],
    /hands over 2 sockets with 1 names; allowed: FileDescriptorName=ftp, ftps or admin/,
  ],
  [
    'a name that is for nothing',
    ['--env', 'LISTEN_FDNAMES=http'],
    /the socket http of the service manager is for nothing/,
  ],
  [
    'implicit FTPS without a certificate',
    ['--env', 'LISTEN_FDNAMES=ftps'],
    /the socket ftps of the service manager needs tls terminate/,
  ],
] as const)
  test(`does not start with ${what}, and says why`, async (t) => {
    if (skipOrFail(t, missing)) return;
    port++;
    const service = startService(t, ['--socket', `ftp=127.0.0.1:${port}`, ...given], off);
    await service.told(words);
    assert.equal((await service.process.exited).code, 1);
  });

test('a second instance at the same port is told who has it, and changes nothing', async (t) => {
  if (skipOrFail(t, missing)) return;
  port++;
  const run = [process.execPath, cli, 'run', '--log-format', 'json', ...off, '--listen', `127.0.0.1:${port}`];
  const first = startProcess(run);
  t.after(() => first.stop());
  await first.waitForOutput(/"listening"/, 10_000);
  const { code, stderr } = await runProcess(run, { timeout: 10_000 });
  assert.equal(code, 1);
  const words = 'another process is using this port';
  assert.equal(stderr, `pinhole: listen 127.0.0.1:${port}: ${words}: node, process id ${first.pid}\n`);
  const curl = await runProcess(['curl', '-sS', `ftp://127.0.0.1:${port}/welcome.txt`]);
  assert.match(curl.stdout, /^Welcome\./);
});

/** Real transfers, one after the other, until it is told to stop: how many, and what went wrong. */
async function transferOn(url: string, isOver: () => boolean): Promise<{ count: number; faults: string[] }> {
  const faults: string[] = [];
  let count = 0;
  while (!isOver()) {
    const { code, stdout, stderr } = await runProcess(['curl', '-sS', '--max-time', '20', url], {
      timeout: 30_000,
    });
    count++;
    if (code !== 0 || !stdout.startsWith('Welcome.')) faults.push(`${code}: ${stderr.trim()}`);
  }
  return { count, faults };
}

for (const isOwn of [false, true]) {
  const whose = isOwn ? "Pinhole's own sockets" : 'sockets of the service manager';
  test(`eight restarts refuse no client and cut no transfer on ${whose}`, (t) => restartOn(t, isOwn));
}

async function restartOn(t: TestContext, isOwn: boolean): Promise<void> {
  if (skipOrFail(t, missing)) return;
  port++;
  const at = `127.0.0.1:${port}`;
  const server = await startFtpServer(
    '127.0.0.2',
    plantFiles({ '/welcome.txt': 'Welcome.\n'.repeat(100_000) }),
  );
  t.after(() => server.close());
  const service = startService(t, isOwn ? [] : ['--socket', `ftp=${at}`], [
    ...[...off, '--server', `${server.address}:${server.port}`, '--drain-timeout', '60s'],
    ...['--passive-ports', isOwn ? '24500-24699' : '24300-24499', ...(isOwn ? ['--listen', at] : [])],
  ]);
  await service.told(/READY=1/);
  let isOver = false;
  const clients = Array.from({ length: 6 }, () => transferOn(`ftp://${at}/welcome.txt`, () => isOver));
  for (let n = 2; n <= 9; n++) {
    process.kill(service.process.pid, 'SIGUSR1');
    await service.told(new RegExp(`("READY=1[^]*){${n}}`));
  }
  isOver = true;
  const results = await Promise.all(clients);
  assert.deepEqual(
    results.flatMap(({ faults }) => faults),
    [],
  );
  assert.ok(results.every(({ count }) => count > 2));
}

test('a stop has its own sockets forgotten at once, and workers have none of those that were handed over', async (t) => {
  if (skipOrFail(t, missing)) return;
  port += 2;
  const [given, own] = [`127.0.0.1:${port - 1}`, `127.0.0.1:${port}`];
  const at = ['--socket', `ftp=${given}`, '--socket', `ftp=${own}`];
  const first = startService(t, at, [...off, '--workers', '2']);
  const { input } = await first.told(/READY=1/);
  const listening = inodesListening(port - 1, port);
  assert.equal(listening.length, 2);
  for (const [, pid = ''] of input.matchAll(/"workerPid":(\d+),"msg":"worker started"/g))
    for (const inode of listening) assert.ok(!socketsOf(pid).includes(inode), `worker ${pid}`);
  await first.process.stop();
  const second = startService(t, [], [...off, '--listen', own]);
  await second.told(new RegExp(`"FDSTORE=1\\\\nFDNAME=listen-${port}-127.0.0.1"[^]*READY=1`));
  const [child = ''] = childrenOf(second.process.pid);
  process.kill(Number(child), 'SIGINT');
  await second.told(new RegExp(`"FDSTOREREMOVE=1\\\\nFDNAME=listen-${port}-127.0.0.1"`));
});

test('a reload has clients refused at a listener that it closes, though the launcher has that too', async (t) => {
  if (skipOrFail(t, missing)) return;
  port++;
  const file = join(folder, 'many.toml');
  const listenAt = (count: number): void => {
    const listen = Array.from({ length: count }, (_, n) => `"127.0.0.${n + 1}:${port}"`);
    writeFileSync(file, `drain-timeout = "20s"\nlisten = [${listen.join(', ')}]\n`);
  };
  // A shell closes descriptors with one digit: 3 to 9.
  listenAt(9);
  const launcher = join(sourceFolder(import.meta.dirname), '../../src/packaging/files/usr/lib/pinhole/start');
  const service = startService(t, ['--launcher', launcher], [...off, '--config', file]);
  await service.told(/READY=1/);
  process.kill(service.process.pid, 'SIGUSR1');
  await service.told(/(READY=1[^]*){2}/);
  const url = `ftp://127.0.0.9:${port}/welcome.txt`;
  const fetch = ['curl', '-sS', '--max-time', '5', url];
  assert.match((await runProcess(fetch)).stdout, /^Welcome\./);
  listenAt(8);
  process.kill(service.process.pid, 'SIGHUP');
  await service.told(/"msg":"reloaded"/);
  assert.equal((await runProcess(fetch)).code, 7, 'connection refused');
  listenAt(9);
  process.kill(service.process.pid, 'SIGHUP');
  await service.told(/("msg":"reloaded"[^]*){2}/);
  assert.match((await runProcess(fetch)).stdout, /^Welcome\./);
  for (const pid of childrenOf(service.process.pid)) process.kill(Number(pid), 'SIGINT');
  assert.equal((await service.process.exited).code, 0);
});

/** The inodes of the sockets that listen at these ports. */
function inodesListening(...ports: readonly number[]): string[] {
  const listen = '0A';
  return readFileSync('/proc/net/tcp', 'latin1')
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(
      ([, local = '', , state]) =>
        state === listen && ports.includes(parseInt(local.split(':')[1] ?? '', 16)),
    )
    .map((fields) => fields[9] ?? '');
}

/** The inodes of a process's sockets. */
function socketsOf(pid: string): string[] {
  return readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
    try {
      return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1] ?? [];
    } catch {
      return [];
    }
  });
}

function childrenOf(pid: number): string[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').trim().split(' ');
}

test('becomes another user after its start, with the one capability that it needs', async (t) => {
  if (skipOrFail(t, missing)) return;
  port++;
  const run = [process.execPath, cli, 'run', '--log-format', 'json', ...off, '--user', 'nobody'];
  const started = startProcess([...run, '--listen', `127.0.0.1:${port}`]);
  t.after(() => started.stop());
  await started.waitForOutput(/"listening"/, 10_000);
  const curl = await runProcess(['curl', '-sS', '--ftp-port', '-', `ftp://127.0.0.1:${port}/welcome.txt`]);
  assert.match(curl.stdout, /^Welcome\./);
  const status = readFileSync(`/proc/${started.pid}/status`, 'utf8');
  assert.match(status, /^Uid:\t65534\t65534\t65534\t65534$/m);
  // CAP_NET_BIND_SERVICE.
  for (const kind of ['Inh', 'Prm', 'Eff', 'Amb'])
    assert.match(status, new RegExp(`^Cap${kind}:\t0000000000000400$`, 'm'));
  assert.match(status, /^NoNewPrivs:\t1$/m);
  assert.equal((await started.stop()).code, 0);
});

test('workers become that user too, and one that is replaced serves with a key that only root may read', async (t) => {
  if (skipOrFail(t, missing)) return;
  port++;
  const folder = mkdtempSync(join(tmpdir(), 'pinhole-'));
  t.after(() => {
    rmSync(folder, { recursive: true });
  });
  const [certificate, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
  const made = await runProcess([
    ...['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'],
    ...['-subj', '/CN=localhost', '-keyout', key, '-out', certificate],
  ]);
  assert.equal(made.code, 0, made.stderr);
  chmodSync(key, 0o600);
  const run = [process.execPath, cli, 'run', '--log-format', 'json', ...off, '--user', 'nobody'];
  const tls = ['--tls', 'terminate', '--tls-cert', certificate, '--tls-key', key];
  const started = startProcess([...run, ...tls, '--workers', '2', '--listen', `127.0.0.1:${port}`]);
  t.after(() => started.stop());
  await started.waitForOutput(/"listening"/, 20_000);
  const fetch = ['curl', '-sS', '-k', '--ssl-reqd', `ftp://127.0.0.1:${port}/welcome.txt`];
  const workers = async (count: number): Promise<string[]> => {
    const { input } = await started.waitForOutput(new RegExp(`("worker started"[^]*){${count}}`), 20_000);
    return [...input.matchAll(/"workerPid":(\d+),"msg":"worker started"/g)].map(([, pid = '']) => pid);
  };
  for (let n = 0; n < 4; n++) assert.match((await runProcess(fetch)).stdout, /^Welcome\./);
  for (const pid of await workers(2)) process.kill(Number(pid), 'SIGKILL');
  const pids = await workers(4);
  for (let n = 0; n < 4; n++) assert.match((await runProcess(fetch)).stdout, /^Welcome\./);
  for (const pid of [started.pid, ...pids.slice(2)]) {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    assert.match(status, /^Uid:\t65534\t65534\t65534\t65534$/m);
    for (const kind of ['Inh', 'Prm', 'Eff', 'Amb'])
      assert.match(status, new RegExp(`^Cap${kind}:\t0000000000000400$`, 'm'));
  }
  assert.equal((await started.stop()).code, 0);
});

test('a start that fails at its user is no stop for the launcher', async (t) => {
  if (skipOrFail(t, missing)) return;
  port++;
  const launcher = join(sourceFolder(import.meta.dirname), '../../src/packaging/files/usr/lib/pinhole/start');
  const flags = ['--drain-timeout', '20s', '--listen', `127.0.0.1:${port}`, '--user', 'nosuch'];
  const service = startService(t, ['--launcher', launcher], [...off, ...flags]);
  assert.equal((await service.process.exited).code, 1);
  // By then the launcher would have ended, with 0.
  assert.doesNotMatch(service.process.stderr(), /"draining"/);
});

test('does not start as a user that is not there', async (t) => {
  if (skipOrFail(t, missing)) return;
  const run = [process.execPath, cli, 'run', ...off, '--listen', '127.0.0.1:0', '--user', 'nosuch'];
  const { code, stderr } = await runProcess(run);
  assert.equal(code, 1);
  assert.equal(stderr, 'pinhole: user: there is no user nosuch; allowed: a name of /etc/passwd\n');
});
