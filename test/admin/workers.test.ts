import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { DataAnswer, SessionAnswer } from '../../src/admin/answers.ts';
import type { StatusAnswer } from '../../src/admin/status-answer.ts';
import { runProgram } from '../support/relay/program.ts';
import { isThere } from '../support/process-there.ts';
import { AdminStand, ask } from './stand.ts';

const flags = ['--workers', '2'];

async function allGone(pids: readonly number[]): Promise<void> {
  for (let n = 0; n < 500 && pids.some(isThere); n++) await delay(20);
  assert.deepEqual(pids.filter(isThere), []);
}

async function pidsOf(stand: AdminStand): Promise<number[]> {
  const { workers } = await stand.get<StatusAnswer>('/v1/status');
  return workers.map(({ pid }) => pid);
}

test('one admin interface has the sessions, data connections and bytes of all workers', async (t) => {
  const stand = new AdminStand(t, flags);
  const controls = [await stand.login(), await stand.login()];
  for (const control of controls) await stand.stalled(control);
  // A worker tells once a second how far its data connections are.
  let data: readonly DataAnswer[] = [];
  for (
    let n = 0;
    n < 200 && !(data.length === 2 && data.every(({ downloaded }) => Number(downloaded) > 0));
    n++
  ) {
    await delay(50);
    ({ data } = await stand.get<{ data: readonly DataAnswer[] }>('/v1/data'));
  }
  // What two workers tell comes in any order.
  const bySession = data.toSorted((one, other) => one.session - other.session);
  assert.deepEqual(
    bySession.map(({ session, command, downloaded }) => [session, command, Number(downloaded) > 0]),
    [
      [1, 'RETR', true],
      [2, 'RETR', true],
    ],
  );
  assert.equal(new Set(data.map(({ id }) => id)).size, 2);
  const { sessions } = await stand.get<{ sessions: readonly SessionAnswer[] }>('/v1/sessions');
  assert.deepEqual(
    sessions
      .toSorted((one, other) => one.id - other.id)
      .map(({ id, user, loggedIn }) => [id, user, loggedIn]),
    [
      [1, 'demo', true],
      [2, 'demo', true],
    ],
  );
  const { workers } = await stand.get<StatusAnswer>('/v1/status');
  assert.deepEqual(
    workers.map(({ worker, sessions: count, dataConnections }) => [worker, count, dataConnections]),
    [
      [0, 1, 1],
      [1, 1, 1],
    ],
  );
  const status = await runProgram(t, ['status', '--admin', stand.path]);
  const [, ...lines] = status.stdout.trimEnd().split('\n');
  assert.deepEqual(
    lines,
    workers.map(({ worker, pid }) => `  worker ${worker} (process ${pid}): 1 session, 1 data connection`),
  );
  const { body } = await ask(stand.path, '/metrics');
  assert.match(body, /^pinhole_worker_sessions\{worker="1"\} 1$/m);
  assert.match(body, /^pinhole_sessions 2$/m);
});

test('closes a session of whichever worker, with its transfer', async (t) => {
  const stand = new AdminStand(t, flags);
  const controls = [await stand.login(), await stand.login()];
  for (const [index, control] of controls.entries()) {
    const data = await stand.stalled(control);
    data.on('error', () => undefined);
    const closed = await stand.change(`/v1/sessions/${index + 1}/close`);
    assert.equal(closed.status, 200);
    assert.equal(await control.expect(421), '421 Closed by the administrator.');
  }
  assert.equal((await stand.change('/v1/sessions/1/close')).status, 404);
  assert.equal((await stand.change('/v1/sessions/9/close')).status, 404);
});

test('lines of the dialogue are told while somebody reads them, and logged where the level says so', async (t) => {
  const stand = new AdminStand(t, flags);
  const control = await stand.login();
  await control.ask('NOOP', 200);
  assert.doesNotMatch(stand.program.stdout, /"msg":"command"/);
  await stand.change('/v1/log-level', { level: 'trace' });
  // The workers hear of it in a moment.
  while (!stand.program.stdout.includes('"msg":"command"')) await control.ask('NOOP', 200);
  const line = await stand.program.logged('command');
  assert.equal(line['line'], 'NOOP');
});

test('a reload, and who asked for it, wait for a worker that hangs', async (t) => {
  const stand = new AdminStand(t, flags);
  await stand.program.logged('listening');
  const [hung = 0] = await pidsOf(stand);
  process.kill(hung, 'SIGSTOP');
  const { code, stdout } = await runProgram(t, ['reload', '--admin', stand.path]);
  assert.deepEqual([code, stdout], [0, 'nothing has changed\n']);
  await allGone([hung]);
});

test('a signal for the whole group ends it once, in order', async (t) => {
  const stand = new AdminStand(t, flags);
  const control = await stand.login();
  const pids = await pidsOf(stand);
  for (const pid of pids) {
    process.kill(pid, 'SIGTERM');
    process.kill(pid, 'SIGINT');
    process.kill(pid, 'SIGHUP');
  }
  await control.ask('NOOP', 200);
  stand.program.signal('SIGTERM');
  assert.match(await control.reply(), /^421 /);
  control.socket.destroy();
  const { code, stdout } = await stand.program.finished();
  assert.equal(code, 0);
  assert.doesNotMatch(stdout, /worker died/);
  await allGone(pids);
});

test('a second signal ends it at once, and no worker counts as dead', async (t) => {
  const stand = new AdminStand(t, [...flags, '--grace', '60']);
  const control = await stand.login();
  const data = await stand.stalled(control);
  data.on('error', () => undefined);
  const pids = await pidsOf(stand);
  stand.program.signal('SIGTERM');
  await stand.program.logged('stopping');
  stand.program.signal('SIGTERM');
  const { code, stdout } = await stand.program.finished();
  assert.equal(code, 1);
  assert.doesNotMatch(stdout, /worker died|worker-died/);
  assert.match(stdout, /"cause":"shutdown".*"msg":"transfer"/);
  await allGone(pids);
});

test('a worker that hangs is ended at the end, and the others end as they are told', async (t) => {
  const stand = new AdminStand(t, [...flags, '--grace', '1']);
  const control = await stand.login();
  const pids = await pidsOf(stand);
  process.kill(pids[0] ?? 0, 'SIGSTOP');
  stand.program.signal('SIGTERM');
  const { code, stdout } = await stand.program.finished();
  assert.equal(code, 0);
  const died = stdout.split('\n').filter((line) => line.includes('"msg":"worker died"'));
  assert.equal(died.length, 1);
  assert.match(
    died[0] ?? '',
    new RegExp(`"workerPid":${pids[0]},.*"error":"its data connections did not end"`),
  );
  control.socket.destroy();
  await allGone(pids);
});

test('a worker that hangs does not stay where a second signal ends all at once', async (t) => {
  const stand = new AdminStand(t, [...flags, '--grace', '60']);
  await stand.login();
  const pids = await pidsOf(stand);
  process.kill(pids[0] ?? 0, 'SIGSTOP');
  stand.program.signal('SIGTERM');
  await stand.program.logged('stopping');
  await delay(5500);
  stand.program.signal('SIGTERM');
  assert.equal((await stand.program.finished()).code, 1);
  await allGone(pids);
});

test('no worker outlives the first process, whatever ends that', async (t) => {
  const stand = new AdminStand(t, flags);
  const control = await stand.login();
  const data = await stand.stalled(control);
  let received = 0;
  data.on('error', () => undefined).on('data', (chunk) => (received += chunk.length));
  data.pause();
  const closed = new Promise((resolve) => data.once('close', resolve));
  const pids = await pidsOf(stand);
  assert.equal(pids.length, 2);
  stand.program.signal('SIGKILL');
  await allGone(pids);
  data.resume();
  await closed;
  // What is cut off looks whole to nobody.
  assert.ok(received < 1024 * 1024);
});

test('refuses workers together with tls pass, and says so', async (t) => {
  const flags = ['--server', '192.0.2.1', '--tls', 'pass', '--workers', 'auto'];
  const { code, stderr } = await runProgram(t, ['run', ...flags]);
  assert.equal(code, 2);
  assert.match(stderr, /^pinhole: workers: "?auto"? \(from flag --workers\) is not allowed \(tls is pass, /);
});
