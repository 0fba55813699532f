/** Where the admin interface is served: its socket, and over TCP. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, statSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { runProgram } from '../support/relay/program.ts';
import { ask, AdminStand, folderFor } from './stand.ts';

test('the socket is for this user and a group alone, and goes with the process', async (t) => {
  const stand = new AdminStand(t);
  await stand.program.relay();
  assert.equal((statSync(stand.path).mode & 0o777).toString(8), '660');
  stand.program.signal('SIGTERM');
  await stand.program.finished();
  assert.equal(existsSync(stand.path), false);
});

test('takes over what a dead process has left', async (t) => {
  const dead = new AdminStand(t);
  await dead.program.relay();
  dead.program.signal('SIGKILL');
  await dead.program.finished();
  assert.equal(existsSync(dead.path), true);
  const next = new AdminStand(t, [], dead.path);
  await next.program.relay();
  assert.equal((await ask(dead.path, '/healthz')).status, 200);
});

test('does not start where a live process has the path that was named, or something else is there', async (t) => {
  const live = new AdminStand(t);
  await live.program.relay();
  const flags = ['run', '--listen', '127.0.0.1:0', '--admin'];
  const second = await runProgram(t, [...flags, live.path]);
  assert.equal(second.code, 1);
  assert.equal(
    second.stderr,
    `pinhole: admin: another process listens on ${live.path}; allowed: a path of this one's own, or off\n`,
  );
  assert.equal((await ask(live.path, '/healthz')).status, 200);
  const file = join(folderFor(t), 'file');
  writeFileSync(file, 'kept');
  const onFile = await runProgram(t, [...flags, file]);
  assert.equal(
    onFile.stderr,
    `pinhole: admin: ${file} is there and is no socket; allowed: a path that is free\n`,
  );
  const long = await runProgram(t, [...flags, `/tmp/${'x'.repeat(120)}`]);
  assert.match(long.stderr, /is longer than 107 bytes/);
});

test('over TCP everything can be read, and nothing changed', async (t) => {
  const port = await freePort();
  const stand = new AdminStand(t, ['--admin-listen', `127.0.0.1:${port}`]);
  await stand.program.relay();
  assert.equal((await ask(port, '/v1/status')).status, 200);
  assert.match((await ask(port, '/metrics')).body, /^pinhole_sessions 0$/m);
  const { status, body } = await ask(port, '/v1/drain', { method: 'POST', headers: { 'x-pinhole': '1' } });
  assert.equal(status, 403);
  assert.match(body, /over the unix socket alone/);
  const rebound = await ask(port, '/v1/status', { headers: { host: 'evil.example' } });
  assert.equal(rebound.status, 421);
});

test('names the port that another process has', async (t) => {
  const other = createServer().listen(0, '127.0.0.1');
  t.after(() => other.close());
  await new Promise((resolve) => other.once('listening', resolve));
  const { port } = other.address() as { readonly port: number };
  const at = `127.0.0.1:${port}`;
  const { code, stderr } = await runProgram(t, ['run', '--listen', '127.0.0.1:0', '--admin-listen', at]);
  assert.equal(code, 1);
  assert.equal(
    stderr,
    `pinhole: admin-listen ${at}: another process is using this port; allowed: a port that is free\n`,
  );
});

test('ends requests that are no HTTP, too long, or never end, and serves on', async (t) => {
  const stand = new AdminStand(t);
  await stand.program.relay();
  const answerTo = (bytes: string): Promise<string> =>
    new Promise((resolve, reject) => {
      let text = '';
      const socket = connect(stand.path, () => socket.write(bytes));
      socket.setEncoding('latin1').on('data', (chunk: string) => (text += chunk));
      socket.on('end', () => {
        resolve(text);
      });
      socket.on('error', reject);
    });
  assert.match(await answerTo('USER anna\r\n\r\n'), /^HTTP\/1\.1 400 /);
  assert.match(await answerTo(`GET / HTTP/1.1\r\nx: ${'x'.repeat(9000)}\r\n\r\n`), /^HTTP\/1\.1 431 /);
  assert.match(await answerTo('GET / HTTP/1.1\r\n'), /^HTTP\/1\.1 408 /);
  assert.equal((await ask(stand.path, '/healthz')).status, 200);
});

test('answers no name that a page of another site may have, over the socket neither', async (t) => {
  const stand = new AdminStand(t);
  await stand.program.relay();
  const headers = { host: 'evil.example:2180', origin: 'http://evil.example:2180', 'x-pinhole': '1' };
  const rebound = await ask(stand.path, '/v1/log-level', {
    method: 'POST',
    headers,
    body: '{"level":"debug"}',
  });
  assert.equal(rebound.status, 421);
  const forwarded = { host: '127.0.0.1:2180', origin: 'http://127.0.0.1:2180' };
  assert.equal((await ask(stand.path, '/v1/status', { headers: forwarded })).status, 200);
});

test('keeps no place for who was refused and does not close', async (t) => {
  const stand = new AdminStand(t);
  await stand.program.relay();
  await Promise.all(
    Array.from({ length: 64 }, async () => {
      // The other side's FIN does not close this one.
      const socket = connect({ path: stand.path, allowHalfOpen: true });
      t.after(() => socket.destroy());
      socket.on('error', () => undefined).write('what is no HTTP\r\n\r\n');
      await once(socket.resume(), 'end');
    }),
  );
  const limit = performance.now() + 10_000;
  const answers = (): Promise<boolean> =>
    ask(stand.path, '/healthz').then(
      ({ status }) => status === 200,
      () => false,
    );
  while (!(await answers())) {
    assert.ok(performance.now() < limit, 'no place is free');
    await delay(50);
  }
});

test('readers over TCP, and those behind each other on one connection, keep nobody from the socket', async (t) => {
  const port = await freePort();
  const stand = new AdminStand(t, ['--admin-listen', `127.0.0.1:${port}`]);
  await stand.program.relay();
  const get = 'GET /v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n';
  const read = async (
    to: { readonly port: number } | { readonly path: string },
    times: number,
  ): Promise<void> => {
    const socket = connect(to);
    t.after(() => socket.destroy());
    socket.write(get.repeat(times));
    await once(socket, 'data');
  };
  for (let n = 0; n < 16; n++) await read({ port }, 1);
  assert.equal((await ask(port, '/v1/events')).status, 503);
  await read({ path: stand.path }, 20);
  for (let n = 1; n < 16; n++) await read({ path: stand.path }, 1);
  assert.equal((await ask(stand.path, '/v1/events')).status, 503);
});

/** One that nobody listens on at this moment. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as { readonly port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

test('a draining process leaves its socket and admin-listen to a successor, and answers beside it', async (t) => {
  const port = await freePort();
  const flags = ['--admin-listen', `127.0.0.1:${port}`, '--drain-timeout', '60s'];
  const old = new AdminStand(t, flags);
  const control = await old.login();
  old.program.signal('SIGTERM');
  const { pid } = await old.program.logged('draining');
  const next = new AdminStand(t, flags, old.path);
  await next.program.relay();
  const statusAt = async (where: string | number): Promise<{ draining: boolean; sessions: number }> =>
    JSON.parse((await ask(where, '/v1/status')).body) as { draining: boolean; sessions: number };
  assert.deepEqual([(await statusAt(old.path)).draining, (await statusAt(port)).draining], [false, false]);
  const { draining, sessions } = await statusAt(`${old.path}.${String(pid)}`);
  assert.deepEqual([draining, sessions], [true, 1]);
  // An explicit end does not wait for drain-timeout.
  await control.ask('NOOP', 200);
  await ask(`${old.path}.${String(pid)}`, '/v1/drain', {
    ...{ method: 'POST', headers: { 'x-pinhole': '1' } },
    body: JSON.stringify({ grace: 0 }),
  });
  await old.program.finished();
});
