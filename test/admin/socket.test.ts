/** The path of the admin socket: who has it, and who gets it next. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, lstatSync, readdirSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { listenOnSocket, SocketError, type OwnSocket } from '../../src/admin/socket.ts';
import { temporaryFolder } from '../support/log/logging-process.ts';

const group = 'a group that is not there';

async function start(t: TestContext, path: string): Promise<{ server: Server; own: OwnSocket }> {
  const server = createServer();
  t.after(() => {
    server.close();
  });
  return { server, own: await listenOnSocket(server, { path, group }) };
}

/** A socket as a process leaves it that was killed. */
function leaveDead(path: string): void {
  const script = `require('node:net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`;
  spawnSync(process.execPath, ['-e', script]);
  assert.ok(lstatSync(path).isSocket());
}

const isLive = (path: string): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(path, () => {
      socket.destroy();
      resolve(true);
    }).on('error', () => {
      resolve(false);
    });
  });

test('gives its path up for a successor, and removes what it has moved aside', async (t) => {
  const path = join(temporaryFolder(t), 'admin.sock');
  const { server, own } = await start(t, path);
  own.retire();
  assert.deepEqual([existsSync(path), await isLive(`${path}.${process.pid}`)], [false, true]);
  const next = await start(t, path);
  server.close();
  own.remove();
  assert.deepEqual([await isLive(path), existsSync(`${path}.${process.pid}`)], [true, false]);
  next.own.remove();
  assert.equal(existsSync(path), false);
});

test('leaves a path alone that somebody else has taken over', async (t) => {
  const path = join(temporaryFolder(t), 'admin.sock');
  const { own } = await start(t, path);
  writeFileSync(`${path}.new`, '');
  spawnSync('mv', [`${path}.new`, path]);
  own.retire();
  own.remove();
  assert.ok(lstatSync(path).isFile());
});

test('of many starts at once on what a dead process has left, one has the path and the others are told', async (t) => {
  for (let round = 0; round < 5; round++) {
    const folder = temporaryFolder(t);
    const path = join(folder, 'admin.sock');
    leaveDead(path);
    const starts = await Promise.allSettled(Array.from({ length: 4 }, () => start(t, path)));
    const failures = starts.flatMap((each) => (each.status === 'rejected' ? [each.reason as Error] : []));
    assert.equal(failures.length, 3);
    for (const error of failures) {
      assert.ok(error instanceof SocketError, String(error));
      assert.equal(
        error.message,
        `admin: another process listens on ${path}; allowed: a path of this one's own, or off`,
      );
    }
    assert.ok(await isLive(path));
    assert.deepEqual(readdirSync(folder), ['admin.sock']);
  }
});

test('names a folder that cannot be made, and a path that is none', async (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, 'file'), '');
  await assert.rejects(
    start(t, join(folder, 'file', 'admin.sock')),
    /^Error: admin: .*file cannot be made: /,
  );
  await assert.rejects(
    start(t, join(folder, 'file')),
    /is there and is no socket; allowed: a path that is free/,
  );
  chmodSync(folder, 0o755);
});
