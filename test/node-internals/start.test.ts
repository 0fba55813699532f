/** The program on a Node without one of the parts. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hosts } from '../support/relay/hosts.ts';
import { Program, runProgram } from '../support/relay/program.ts';

/** Has the handles of connections no such property any more. */
function without(property: string): Readonly<Record<string, string>> {
  const code = `
    import { Socket } from 'node:net';
    const socket = new Socket();
    socket.connect({ host: '127.0.0.1', port: 9 });
    const shared = Object.getPrototypeOf(socket._handle);
    socket.destroy();
    Object.defineProperty(shared, '${property}', { value: undefined });
  `;
  return { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(code)}` };
}

const flags = ['--server', `${hosts.server}:21`, '--listen', `${hosts.relay}:0`];

test('does not start without a part that nothing takes the place of, and --check says so', async (t) => {
  for (const more of [[], ['--check']]) {
    const { code, stdout, stderr } = await runProgram(t, ['run', ...flags, ...more], without('fd'));
    assert.deepEqual([code, stdout], [1, '']);
    assert.match(
      stderr,
      /^pinhole: Node v[\d.]+ has no socket\._handle\.fd as Node 20, 22 and 24 have it: [^\n]+\n$/,
    );
  }
});

test('warns once, at start and not at a reload, of a part that something takes the place of', async (t) => {
  const env = without('writeQueueSize');
  const { code, stdout } = await runProgram(t, ['run', ...flags, '--check=config'], env);
  assert.equal(code, 0);
  assert.match(stdout, /^The configuration is valid\.\nNode v[\d.]+ has no socket\._handle\.bytesWritten /);
  const program = new Program(t, ['run', ...flags], env);
  await program.logged('listening');
  program.signal('SIGHUP');
  await program.logged('listening', 2);
  program.signal('SIGTERM');
  const { stdout: log } = await program.finished();
  assert.equal(log.match(/"level":"warn"[^\n]* has no socket\._handle\.bytesWritten /g)?.length, 1);
});
