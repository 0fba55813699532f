/** What an administrator's mistake must not open: the server in memory to the world, and a debugger to this host. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { connect } from 'node:net';
import { once } from 'node:events';
import { temporaryFolder } from '../support/log/logging-process.ts';
import { hosts } from '../support/relay/hosts.ts';
import { Program, runProgram } from '../support/relay/program.ts';
import { AttackedRelay } from './attacked-relay.ts';

for (const listen of ['[21]', '["0.0.0.0:2121"]', '["[::]:2121"]', '["127.0.0.1:2121", "192.0.2.1:2121"]']) {
  test(`serves nothing of its own to the world where a file says listen = ${listen} and no server`, async (t) => {
    const file = join(temporaryFolder(t), 'pinhole.toml');
    writeFileSync(file, `listen = ${listen}\n`);
    for (const check of [[], ['--check']]) {
      const { code, stderr, stdout } = await runProgram(t, ['run', '--config', file, ...check]);
      assert.equal(code, 2, stdout + stderr);
      assert.match(stderr, /^pinhole: .*server.*\n$/);
    }
  });
}

test('a reload that takes the server away changes nothing', async (t) => {
  const file = join(temporaryFolder(t), 'pinhole.toml');
  writeFileSync(file, `server = "${hosts.server}:2121"\nlisten = ["${hosts.relay}:0"]\n`);
  const program = new Program(t, ['run', '--config', file, '--log-format', 'json']);
  await program.logged('listening');
  writeFileSync(file, `listen = ["0.0.0.0:0"]\n`);
  program.signal('SIGHUP');
  await program.logged('reload failed');
});

for (const signal of ['SIGUSR1', 'SIGUSR2'] as const) {
  test(`${signal} neither opens a debugger nor ends it`, async (t) => {
    const relay = await AttackedRelay.start(t);
    relay.signal(signal);
    await relay.serves();
    assert.doesNotMatch(relay.log, /[Dd]ebugger/);
    const probe = connect(9229, '127.0.0.1');
    const [error] = (await once(probe, 'error')) as [NodeJS.ErrnoException];
    assert.equal(error.code, 'ECONNREFUSED');
  });
}
