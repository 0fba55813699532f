import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect, createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { Worker } from 'node:worker_threads';
import { findServiceManager } from '../../src/daemon/service-manager.ts';
import { loadLibc } from '../../src/linux/libc.ts';
import { descriptorOf } from '../../src/node-internals/descriptor.ts';
import { turns } from '../support/relay/within.ts';

const unix = 1;
const datagrams = 2 | 0o4000;

/** A socket of datagrams, as a service manager has it. */
async function managerSocket(
  t: TestContext,
): Promise<{ path: string; fd: number; receive: () => string | undefined }> {
  const folder = mkdtempSync(join(tmpdir(), 'pinhole-notify-'));
  t.after(() => {
    rmSync(folder, { recursive: true });
  });
  const path = join(folder, 'notify');
  const { socket, bind, recv, close } = await loadLibc('the test', ['socket', 'bind', 'recv', 'close']);
  const fd = socket(unix, datagrams, 0);
  t.after(() => {
    close(fd);
  });
  const address = Buffer.concat([Buffer.from([unix, 0]), Buffer.from(`${path}\0`)]);
  assert.equal(bind(fd, address, address.length), 0);
  return {
    ...{ path, fd },
    receive: () => {
      const buffer = Buffer.alloc(4096);
      const length = recv(fd, buffer, buffer.length, 0);
      return length < 0 ? undefined : buffer.subarray(0, length).toString();
    },
  };
}

function none(message: string): void {
  assert.fail(message);
}

test('tells the service manager that it serves, reloads and stops, with a status line', async (t) => {
  const { path, receive } = await managerSocket(t);
  const manager = await findServiceManager({ NOTIFY_SOCKET: path }, () => '3 sessions', none);
  manager.ready();
  assert.equal(receive(), 'READY=1\nSTATUS=3 sessions');
  manager.reloading();
  assert.match(receive() ?? '', /^RELOADING=1\nMONOTONIC_USEC=\d+$/);
  manager.stopping(45_000);
  assert.match(receive() ?? '', /^STOPPING=1\nSTATUS=stopping[^\n]*\nEXTEND_TIMEOUT_USEC=45000000$/);
  manager.close();
});

test('has a socket kept, and forgotten', async (t) => {
  const { path, receive } = await managerSocket(t);
  const manager = await findServiceManager({ NOTIFY_SOCKET: path }, () => '', none);
  manager.keep('listen-21-0.0.0.0', 0);
  assert.equal(receive(), 'FDSTORE=1\nFDNAME=listen-21-0.0.0.0');
  manager.forget('listen-21-0.0.0.0', -1);
  assert.equal(receive(), 'FDSTOREREMOVE=1\nFDNAME=listen-21-0.0.0.0');
  manager.close();
});

test('has nobody wait at a socket that is forgotten and that another process still has', async (t) => {
  const { path } = await managerSocket(t);
  const manager = await findServiceManager({ NOTIFY_SOCKET: path }, () => '', none);
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const { dup, close } = await loadLibc('the test', ['dup', 'close']);
  const fd = descriptorOf(server) ?? assert.fail('no descriptor');
  const kept = dup(fd);
  t.after(() => {
    close(kept);
  });
  manager.forget(`listen-${port}-127.0.0.1`, fd);
  server.close();
  await assert.rejects(once(connect(port, '127.0.0.1'), 'connect'), { code: 'ECONNREFUSED' });
  // And what is kept is in nobody's way.
  const next = createServer().listen(port, '127.0.0.1');
  await once(next, 'listening');
  next.close();
  manager.close();
});

test('tells all where the service manager has no room for it at once, and waits no second time in vain', async (t) => {
  const { path, fd, receive } = await managerSocket(t);
  const manager = await findServiceManager({ NOTIFY_SOCKET: path }, () => '', none);
  const most = Number(readFileSync('/proc/sys/net/unix/max_dgram_qlen', 'latin1')) + 4;
  const reader = new Worker(lateReader, {
    eval: true,
    workerData: { fd, libc: new URL('../../src/linux/libc.js', import.meta.url).href },
  });
  await once(reader, 'message');
  for (let n = 0; n < most; n++) manager.keep(`listen-${n}`, 0);
  manager.ready();
  assert.deepEqual(await once(reader, 'message'), [most]);
  await reader.terminate();
  const begun = performance.now();
  for (let n = 0; n < most + 2; n++) manager.forget(`listen-${n}`, -1);
  assert.ok(performance.now() - begun < 1900);
  while (receive() !== undefined);
  manager.ready();
  assert.equal(receive(), 'READY=1\nSTATUS=');
  manager.close();
});

/** Reads with a delay: how many datagrams there were before READY=1. */
const lateReader = `
  const { parentPort, workerData } = require('node:worker_threads');
  void import(workerData.libc).then(async ({ loadLibc }) => {
    const { recv } = await loadLibc('the test', ['recv']);
    const buffer = Buffer.alloc(4096);
    const pause = () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);
    parentPort.postMessage('begun');
    pause();
    for (let count = 0; ; count++) {
      let length;
      while ((length = recv(workerData.fd, buffer, buffer.length, 0)) < 0) pause();
      if (buffer.toString('latin1', 0, length).startsWith('READY=1')) return parentPort.postMessage(count);
    }
  });`;

test('tells nothing after its end, when its descriptor may be that of a connection', async (t) => {
  const { path } = await managerSocket(t);
  const another = await managerSocket(t);
  const manager = await findServiceManager({ NOTIFY_SOCKET: path }, () => '', none);
  manager.close();
  // It has the lowest number that is free: that of the first.
  const other = await findServiceManager({ NOTIFY_SOCKET: another.path }, () => '', none);
  manager.reloading();
  manager.keep('listen-21-0.0.0.0', 0);
  manager.forget('listen-21-0.0.0.0', -1);
  manager.ready();
  manager.close();
  assert.equal(another.receive(), undefined);
  other.ready();
  assert.equal(another.receive(), 'READY=1\nSTATUS=');
  other.close();
});

test('tells a status line again when it has changed', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const { path, receive } = await managerSocket(t);
  let sessions = 1;
  const manager = await findServiceManager({ NOTIFY_SOCKET: path }, () => `${sessions} sessions`, none);
  manager.ready();
  receive();
  t.mock.timers.tick(5000);
  assert.equal(receive(), undefined);
  sessions = 2;
  t.mock.timers.tick(5000);
  assert.equal(receive(), 'STATUS=2 sessions');
  manager.close();
});

test('feeds a watchdog that is for this process, and no other', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const { path, receive } = await managerSocket(t);
  const env = { NOTIFY_SOCKET: path, WATCHDOG_USEC: '2000000' };
  const manager = await findServiceManager({ ...env, WATCHDOG_PID: String(process.pid) }, () => '', none);
  t.mock.timers.tick(1000);
  assert.equal(receive(), 'WATCHDOG=1');
  manager.close();
  const other = await findServiceManager({ ...env, WATCHDOG_PID: '1' }, () => '', none);
  t.mock.timers.tick(1000);
  assert.equal(receive(), undefined);
  other.close();
});

test('tells nobody where there is no service manager, and says so where it cannot be told', async () => {
  const nobody = await findServiceManager({}, () => '', none);
  nobody.ready();
  nobody.reloading();
  nobody.stopping(1000);
  nobody.close();
  const warnings: string[] = [];
  const warn = (message: string): void => void warnings.push(message);
  await findServiceManager({ NOTIFY_SOCKET: '/nowhere/notify' }, () => '', warn);
  await findServiceManager({ NOTIFY_SOCKET: 'relative' }, () => '', warn);
  assert.match(warnings[0] ?? '', /cannot be told at \/nowhere\/notify: ENOENT/);
  assert.match(warnings[1] ?? '', /allowed are paths and abstract names/);
  await turns(1);
});
