import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { AdminStand, folderFor } from '../../admin/stand.ts';
import { emittedFile } from '../../support/project.ts';
import { runCommandLine, type CommandLineAnswer } from '../../support/relay/command-line.ts';
import { Program } from '../../support/relay/program.ts';
import { noTerminal, onTerminal } from '../../support/relay/terminal.ts';

function ask(stand: AdminStand, ...words: string[]): Promise<CommandLineAnswer> {
  return runCommandLine([...words, '--admin', stand.path]);
}

async function startStand(t: TestContext, ...flags: string[]): Promise<AdminStand> {
  const stand = new AdminStand(t, flags);
  await stand.program.relay();
  return stand;
}

test('an empty list says so on standard error, with exit code 0', async (t) => {
  const stand = await startStand(t);
  assert.deepEqual(await ask(stand, 'list'), { code: 0, stdout: '', stderr: 'pinhole: no sessions\n' });
  assert.deepEqual(await ask(stand, 'list', 'data'), {
    ...{ code: 0, stdout: '', stderr: 'pinhole: no data connections\n' },
  });
  const { code, stdout, stderr } = await ask(stand, 'list', 'expect');
  assert.deepEqual([code, stdout], [0, '']);
  assert.match(stderr, /^pinhole v\S+ \(pinhole\): 0 expectations have been shown\.\n$/);
});

test('lists sessions, data connections and expectations, and the same as JSON', async (t) => {
  const stand = await startStand(t);
  await stand.stalled(await stand.login());
  const port = await stand.announced(await stand.login());
  const sessions = await ask(stand, 'list');
  assert.match(
    sessions.stdout,
    /^ID {2}CLIENT +USER +SERVER +COMMAND +PATH +BYTES +RATE +AGE +PLANE\n 1 {2}127\.0\.0\.1:\d+ +demo +127\.0\.0\.2:\d+ +RETR +\/pub\/zeros\.bin +\S+ \S*B +\S+ \S*B\/s +\d+ s +relay\n 2 /,
  );
  const data = await ask(stand, 'list', 'data');
  assert.match(
    data.stdout,
    /^SESSION {2}CLIENT .*\n +1 {2}127\.0\.0\.1 +demo +RETR +\/pub\/zeros\.bin .* \d+ % .* passive +relay\n$/,
  );
  const expect = await ask(stand, 'list', 'expect');
  assert.match(
    expect.stdout,
    new RegExp(`^29\\d proto=6 src=127\\.0\\.0\\.1 .* dport=${port} .* helper=ftp\\n$`),
  );
  assert.match(expect.stderr, /: 1 expectations have been shown\.\n$/);
  const json = JSON.parse((await ask(stand, 'list', 'data', '--json')).stdout) as {
    data: { path: string }[];
  };
  assert.deepEqual(
    json.data.map(({ path }) => path),
    ['/pub/zeros.bin'],
  );
});

test('a name with escape sequences comes to no terminal', async (t) => {
  const stand = await startStand(t);
  const control = await stand.login();
  await control.ask('USER \x1b[31m\u009b2Jred', 331);
  for (const words of [['list'], ['list', '--json']]) {
    const { stdout } = await ask(stand, ...words);
    assert.match(stdout, /red/);
    assert.doesNotMatch(stdout, /[\x00-\x09\x0b-\x1f\x7f-\x9f]/);
  }
});

test('a table fits the terminal', { skip: noTerminal }, async (t) => {
  const stand = await startStand(t);
  await stand.stalled(await stand.login());
  for (const columns of [100, 60, 40]) {
    const { text, code } = await onTerminal(['list', '--admin', stand.path], [columns, 24]);
    assert.equal(code, 0);
    const lines = text.split('\r\n').slice(0, -1);
    assert.equal(lines.length, 2);
    for (const line of lines) assert.ok(line.length <= columns, line);
  }
});

test('says that its output cannot be written', async (t) => {
  const stand = await startStand(t);
  for (const words of ['status', 'list --json', 'reload']) {
    const command = `exec "$0" "$@" > /dev/full`;
    const argv = [process.execPath, emittedFile('src/cli.ts'), ...words.split(' '), '--admin', stand.path];
    const { status, stderr } = spawnSync('sh', ['-c', command, ...argv], { encoding: 'utf8' });
    assert.equal(status, 1, words);
    assert.match(stderr, /^pinhole: the output cannot be written: .*ENOSPC.*\n$/m);
  }
});

test('closes sessions, and names those that are not there', async (t) => {
  const stand = await startStand(t);
  await stand.stalled(await stand.login());
  await stand.login();
  assert.deepEqual(await ask(stand, 'close', '1', '2', '9'), {
    code: 1,
    stdout: 'closed session 1\nclosed session 2\n',
    stderr: 'pinhole: there is no session 9\n',
  });
  assert.deepEqual(await ask(stand, 'close', 'all'), {
    ...{ code: 2, stdout: '' },
    stderr: 'pinhole: SESSION: "all" is not allowed; allowed: the number of a session (npx pinhole list)\n',
  });
});

test('prints and changes the log level', async (t) => {
  const stand = await startStand(t);
  assert.equal((await ask(stand, 'log-level')).stdout, 'info\n');
  assert.equal((await ask(stand, 'log-level', 'debug')).stdout, 'debug (was info)\n');
  assert.equal((await ask(stand, 'log-level')).stdout, 'debug\n');
  const { code, stderr } = await ask(stand, 'log-level', 'loud');
  assert.equal(code, 2);
  assert.match(stderr, /^pinhole: LEVEL: "loud" is not allowed; allowed: trace, debug, /);
});

test('shows what drains beside its successor, and ends sessions of both without confusion', async (t) => {
  const old = await startStand(t, '--drain-timeout', '60s');
  await old.stalled(await old.login());
  await old.login();
  old.program.signal('SIGTERM');
  const pid = String((await old.program.logged('draining'))['pid']);
  // A socket of a process that was killed.
  writeFileSync(`${old.path}.999999`, '');
  const next = new AdminStand(t, [], old.path);
  await next.program.relay();
  await next.login();

  const sessions = await ask(next, 'list');
  const first = (line: string): string => line.trim().split(/ +/)[0] ?? '';
  assert.deepEqual(sessions.stdout.trim().split('\n').map(first), ['ID', '1', `${pid}:1`, `${pid}:2`]);
  const data = await ask(next, 'list', 'data');
  assert.deepEqual(data.stdout.trim().split('\n').map(first), ['SESSION', `${pid}:1`]);
  const json = JSON.parse((await ask(next, 'list', '--json')).stdout) as {
    sessions: { id: number; pid: number; draining: boolean }[];
  };
  assert.deepEqual(
    json.sessions.map(({ id, draining }) => `${id} ${String(draining)}`),
    ['1 false', '1 true', '2 true'],
  );
  assert.deepEqual(new Set(json.sessions.map((each) => each.pid)).size, 2);

  const status = await ask(next, 'status');
  assert.equal(status.code, 0);
  assert.match(
    status.stdout,
    new RegExp(`^serving .* 1 session, .*\nprocess ${pid}: draining for .* 2 sessions, 1 data`),
  );
  const whole = JSON.parse((await ask(next, 'status', '--json')).stdout) as {
    drainingProcesses: { pid: number }[];
  };
  assert.deepEqual(
    whole.drainingProcesses.map((each) => String(each.pid)),
    [pid],
  );

  assert.deepEqual(await ask(next, 'close', '1', `${pid}:1`, '2'), {
    code: 1,
    stdout: `closed session 1\nclosed session ${pid}:1\n`,
    stderr: 'pinhole: there is no session 2\n',
  });
  const { code, stdout } = await ask(next, 'drain', '--grace', '0', '--pid', pid);
  assert.deepEqual([code, /^draining: 1 session left/.test(stdout)], [0, true]);
  await old.program.finished();
  assert.doesNotMatch((await ask(next, 'status')).stdout, /process/);
});

test('status and list show what drains where nobody serves any more', async (t) => {
  const stand = await startStand(t, '--drain-timeout', '60s');
  const control = await stand.login();
  stand.program.signal('SIGTERM');
  await stand.program.logged('draining');
  const status = await ask(stand, 'status');
  assert.equal(status.code, 3);
  assert.match(status.stdout, /^process \d+: draining for /);
  assert.match((await ask(stand, 'list')).stdout, /\n *\d+:1 /);
  await control.ask('QUIT', 221);
});

test('drains, which status tells by its exit code, and the relay ends', async (t) => {
  const stand = await startStand(t);
  const control = await stand.login();
  const data = await stand.stalled(control);
  const before = await ask(stand, 'status');
  assert.equal(before.code, 0);
  assert.match(
    before.stdout,
    /^serving at 127\.0\.0\.1:\d+ for 127\.0\.0\.2:\d+: 1 session, 1 data connection, passive ports 0 % used, up \d+ s\n$/,
  );
  assert.equal((await ask(stand, 'drain', '--grace', 'soon')).code, 2);
  const { code, stdout } = await ask(stand, 'drain', '--grace', '5m');
  assert.equal(code, 0);
  assert.match(stdout, /^draining: 1 session left; /);
  const after = await ask(stand, 'status');
  assert.equal(after.code, 3);
  assert.match(after.stdout, /^draining for /);
  data.destroy();
  assert.equal((await stand.program.finished()).code, 0);
  const gone = await ask(stand, 'status');
  assert.equal(gone.code, 1);
  assert.match(gone.stderr, /^pinhole: no running Pinhole answers: [^\n]+ is not there [^\n]+\n$/);
});

test('reload says that nothing has changed', async (t) => {
  const stand = await startStand(t);
  assert.deepEqual(await ask(stand, 'reload'), { code: 0, stdout: 'nothing has changed\n', stderr: '' });
});

test('reload prints what has changed, and why a configuration cannot be used', async (t) => {
  const file = join(folderFor(t), 'pinhole.toml');
  writeFileSync(file, 'idle-timeout = 300\n');
  const stand = await startStand(t, '--config', file);
  writeFileSync(file, 'idle-timeout = 600\nmax-refusals = 9\n');
  const { code, stdout } = await ask(stand, 'reload');
  assert.equal(code, 0);
  assert.deepEqual(stdout.split('\n').sort(), ['', 'idle-timeout: 300 -> 600', 'max-refusals: 100 -> 9']);
  writeFileSync(file, 'idle-timeout = "soon"\n');
  const refused = await ask(stand, 'reload');
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /^pinhole: idle-timeout: "soon" \(from [^\n]+\) is not allowed; [^\n]+\n$/);
});

test('events are printed as they happen, expectations in the form of conntrack, and the end of the relay is said', async (t) => {
  const stand = await startStand(t);
  const control = await stand.login();
  const texts = new Program(t, ['events', '--admin', stand.path]);
  const json = new Program(t, ['events', '--json', '--client', '127.0.0.1', '--admin', stand.path]);
  const other = new Program(t, ['events', '--session', '9', '--admin', stand.path]);
  // Until all of them listen.
  for (const [program, text] of [
    [texts, 'AUTH'],
    [json, 'AUTH'],
  ] as const) {
    while (!program.stdout.includes(text)) await control.ask('AUTH TLS', 534);
  }
  const port = await stand.announced(control);
  await texts.printed(` dport=${port} `);
  await control.ask('QUIT', 221);
  await texts.printed('session closed: quit');
  stand.program.signal('SIGTERM');
  const { code, stdout, stderr } = await texts.finished();
  assert.deepEqual([code, stderr], [1, 'pinhole: the relay has ended\n']);
  assert.match(stdout, /^\d\d:\d\d:\d\d 1 127\.0\.0\.1 demo refused: tls-refused: AUTH TLS \(534 [^\n]+\)$/m);
  assert.match(
    stdout,
    new RegExp(`^    \\[NEW\\] 300 proto=6 src=127\\.0\\.0\\.1 .* dport=${port} .* helper=ftp$`, 'm'),
  );
  assert.match(
    stdout,
    new RegExp(`^\\[DESTROY\\] \\d+ proto=6 .* dport=${port} .* dport=\\d+ class=0 helper=ftp$`, 'm'),
  );
  const told = await json.finished();
  const types = told.stdout
    .trim()
    .split('\n')
    .map((line) => (JSON.parse(line) as { type: string }).type);
  assert.ok(types.includes('pinhole-opened') && types.includes('session-closed'), types.join());
  assert.equal((await other.finished()).stdout, '');
});

test('Ctrl-C ends events with exit code 0', { skip: noTerminal }, async (t) => {
  const stand = await startStand(t);
  const control = await stand.login();
  const asking = setInterval(() => void control.ask('AUTH TLS', 534).catch(() => undefined), 200);
  t.after(() => {
    clearInterval(asking);
  });
  const { code, left } = await onTerminal(['events', '--admin', stand.path], [80, 24], [['refused', '\x03']]);
  assert.deepEqual([code, left], [0, []]);
});
