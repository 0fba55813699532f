/** Two processes with the kernel plane: one that drains, and its successor, which has the table. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test, type TestContext } from 'node:test';

import { ControlConnection } from '../support/lab/control-connection.ts';
import { addresses, createNetwork, type Network } from '../support/lab/network.ts';
import { requirements, skipOrFail } from '../support/lab/provision.ts';
import { startRelay, type LabRelay } from '../support/lab/relay.ts';
import { noElementIsLeft } from '../support/lab/table.ts';
import { startServer, type LabServer } from '../support/lab/servers.ts';

const missing = await requirements();
const content = randomBytes(3_000_000);

let network: Network;
let server: LabServer;

before(async () => {
  if (missing.length > 0) return;
  network = await createNetwork({ forwarding: true });
  server = await startServer(network, 'vsftpd', {});
  server.put('file', content);
});

after(() => (missing.length > 0 ? undefined : network.dispose()));

function start(flags: readonly string[] = []): Promise<LabRelay> {
  return startRelay(network, { flags: ['--plane', 'kernel', '--drain-timeout', '60s', ...flags] });
}

/** Has it drain: from then on a successor may start. */
async function drains(relay: LabRelay): Promise<void> {
  process.kill(relay.pid, 'SIGTERM');
  await relay.waitForLog(({ msg }) => msg === 'draining');
}

/** Its end by itself, when its last session is over. */
function ended(relay: LabRelay): ReturnType<LabRelay['stop']> {
  return relay.stop('SIGCONT');
}

async function hasTable(): Promise<boolean> {
  return (await network.must('gateway', ['nft', 'list', 'tables'])).includes('inet pinhole');
}

/** The ports at which clients are expected. */
async function expectedPorts(): Promise<number[]> {
  const text = await network.must('gateway', ['nft', 'list', 'set', 'inet', 'pinhole', 'expect4']);
  return [...text.matchAll(/ \. (\d+) timeout/g)].map(([, port]) => Number(port)).sort((a, b) => a - b);
}

async function login(t: TestContext): Promise<ControlConnection> {
  const session = await ControlConnection.login(network, server);
  t.after(() => session.end());
  return session;
}

/** Downloads the file by a pinhole that is open. */
async function download(session: ControlConnection, port: number): Promise<void> {
  const local = join(network.folder, `local-${port}`);
  session.send('RETR file');
  const script = `cat </dev/tcp/${addresses[4].public}/${port} >${local}`;
  const { code, stderr } = await network.exec('client', ['timeout', '10', 'bash', '-c', script]);
  assert.equal(code, 0, stderr);
  assert.ok(readFileSync(local).equals(content));
  rmSync(local);
}

test('a successor takes the table over, and each takes out its own elements alone', async (t) => {
  if (skipOrFail(t, missing)) return;
  const old = await start();
  t.after(() => old.stop('SIGKILL'));
  const a = await login(t);
  const first = await a.passive();
  await drains(old);
  const next = await start();
  t.after(() => next.stop('SIGKILL'));
  assert.deepEqual(await expectedPorts(), [first], 'a pending pinhole outlives the handover');
  await download(a, first);

  const b = await login(t);
  const forB = await b.extendedPassive();
  const second = await a.extendedPassive();
  assert.deepEqual(
    await expectedPorts(),
    [forB, second].sort((x, y) => x - y),
  );
  await download(a, second);
  a.send('EPSV');
  await a.quit();
  assert.equal((await ended(old)).code, 0);
  assert.deepEqual(await expectedPorts(), [forB], 'the end of the old process leaves the rest');
  await download(b, forB);
  await b.quit();
  assert.equal((await next.stop('SIGINT')).code, 0);
  assert.equal(await hasTable(), false, 'the last one removes it');
});

test('a port that the old process has is not given out again', async (t) => {
  if (skipOrFail(t, missing)) return;
  const one = ['--passive-ports', '50000-50000'];
  const old = await start(one);
  t.after(() => old.stop('SIGKILL'));
  const a = await login(t);
  const port = await a.passive();
  await drains(old);
  const next = await start(one);
  t.after(() => next.stop('SIGKILL'));
  const b = await login(t);
  b.send('PASV');
  await b.expect(/^425 /m);
  await download(a, port);
  await noElementIsLeft(network);
  assert.equal(await b.extendedPassive(), port);
  a.send('EPSV');
  await a.expect(/^425 /m);
  await download(b, port);
  await Promise.all([a.quit(), b.quit()]);
  await ended(old);
  await next.stop('SIGINT');
  assert.equal(await hasTable(), false);
});

test('a crash of either leaves what the other needs, and the next start what drains', async (t) => {
  if (skipOrFail(t, missing)) return;
  const oldest = await start();
  t.after(() => oldest.stop('SIGKILL'));
  const a = await login(t);
  const forA = await a.passive();
  await drains(oldest);
  const old = await start();
  const b = await login(t);
  const forB = await b.passive();
  await drains(old);
  const next = await start();
  const c = await login(t);
  const forC = await c.passive();
  await next.stop('SIGKILL');
  await old.stop('SIGKILL');
  const newest = await start();
  t.after(() => newest.stop('SIGKILL'));
  const d = await login(t);
  const forD = await d.passive();
  assert.deepEqual(
    await expectedPorts(),
    [forA, forB, forC, forD].sort((x, y) => x - y),
  );
  await download(a, forA);
  // The newer one stops first, and the one that drains is the last.
  await d.quit();
  assert.equal((await newest.stop('SIGINT')).code, 0);
  assert.deepEqual(
    await expectedPorts(),
    [forB, forC].sort((x, y) => x - y),
  );
  await download(a, await a.extendedPassive());
  await a.quit();
  await ended(oldest);
  assert.equal(await hasTable(), false);
});

test('a table that somebody deletes is made again by both, and neither loses what is pending', async (t) => {
  if (skipOrFail(t, missing)) return;
  const old = await start();
  t.after(() => old.stop('SIGKILL'));
  const a = await login(t);
  const forA = await a.passive();
  await drains(old);
  const next = await start();
  t.after(() => next.stop('SIGKILL'));
  const b = await login(t);
  const forB = await b.passive();
  await network.must('gateway', ['nft', 'delete', 'table', 'inet', 'pinhole']);
  // Each notices with its next pinhole.
  const secondForB = await b.extendedPassive();
  await a.extendedPassive();
  const ports = await expectedPorts();
  assert.ok(ports.includes(secondForB) && ports.length === 2, `${ports.join()} after ${forA}, ${forB}`);
  await download(b, secondForB);
  await Promise.all([a.quit(), b.quit()]);
  await ended(old);
  await next.stop('SIGINT');
  assert.equal(await hasTable(), false);
});
