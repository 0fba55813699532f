import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { replies } from '../../src/helper/replies.ts';
import { formatEndpoint } from '../../src/net/endpoint.ts';
import { temporaryFolder } from '../support/log/logging-process.ts';
import { startScriptedServer } from '../support/doctor/scripted-server.ts';
import { runCommandLine } from '../support/relay/command-line.ts';
import { hostPort, hosts, passivePorts } from '../support/relay/hosts.ts';
import { announcedIn, exchange, type ControlPair } from '../support/relay/lab.ts';
import { PeerListener } from '../support/relay/peer-listener.ts';
import { dial, type Peer } from '../support/relay/peer.ts';
import { Program, runProgram } from '../support/relay/program.ts';

/** Loaded into a program: throws where nobody catches it. */
const thrower = `process.on('SIGWINCH', () => { throw new Error('thrown by a test'); });`;

const closing = `${replies.shutdown}\r\n`;

/** The server's control port, and the flags of a relay in front of it. */
async function server(t: TestContext): Promise<{ control: PeerListener; flags: string[] }> {
  const control = await PeerListener.at(hosts.server);
  t.after(() => {
    control.destroy();
  });
  const flags = ['--server', formatEndpoint(control.endpoint), '--listen', `${hosts.relay}:0`];
  return { control, flags: [...flags, '--passive-ports', passivePorts(), '--log-format', 'json'] };
}

async function connect(t: TestContext, to: Parameters<typeof dial>[0]): Promise<Peer> {
  const peer = await dial(to, hosts.client);
  t.after(() => {
    peer.socket.destroy();
  });
  return peer;
}

async function login(t: TestContext, program: Program, control: PeerListener): Promise<ControlPair> {
  const client = await connect(t, await program.relay());
  const pair = { client, server: await control.next() };
  client.send('USER anne\r\n');
  await pair.server.expect('USER anne\r\n');
  pair.server.send('220 Ready.\r\n230 Welcome.\r\n');
  await client.expect('220 Ready.\r\n230 Welcome.\r\n');
  return pair;
}

/** Opens a data channel through PASV, with a RETR under way. */
async function transfer(t: TestContext, pair: ControlPair): Promise<ControlPair> {
  const behind = await PeerListener.at(hosts.server);
  t.after(() => {
    behind.destroy();
  });
  pair.client.send('PASV\r\nRETR file\r\n');
  await pair.server.expect('PASV\r\nRETR file\r\n');
  pair.server.send(`227 Entering Passive Mode (${hostPort(behind.endpoint)}).\r\n150 Here it comes.\r\n`);
  const at = announcedIn(await pair.client.line());
  await pair.client.expect('150 Here it comes.\r\n');
  const client = await connect(t, at);
  return { client, server: await behind.next() };
}

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  test(`${signal} lets a transfer finish within the grace, and then ends with exit code 0`, async (t) => {
    const { control, flags } = await server(t);
    const program = new Program(t, ['run', ...flags, '--grace', '60s']);
    const idle = await login(t, program, control);
    const pair = await login(t, program, control);
    const data = await transfer(t, pair);
    program.signal(signal);
    await idle.client.expect(closing);
    await assert.rejects(connect(t, await program.relay()), { code: 'ECONNREFUSED' });
    data.server.end('the whole file');
    assert.equal(await data.client.rest(), 'the whole file');
    data.client.end();
    await data.server.finished();
    pair.server.send('226 Done.\r\n');
    await pair.client.expect(`226 Done.\r\n${closing}`);
    await pair.client.finished();
    for (const { client, server: inside } of [idle, pair])
      await Promise.all([client.close(), inside.close()]);
    const { code, signal: by } = await program.finished();
    assert.deepEqual([code, by], [0, null]);
    const { counters } = await program.logged('stopped');
    assert.equal((counters as Record<string, number>)['transfer-ended complete download relay'], 1);
  });
}

test('SIGTERM cuts a transfer when the grace is over: 421, RST, exit code 0', async (t) => {
  const { control, flags } = await server(t);
  const program = new Program(t, ['run', ...flags, '--grace', '200ms']);
  const pair = await login(t, program, control);
  const data = await transfer(t, pair);
  program.signal('SIGTERM');
  await pair.client.expect(closing);
  await pair.client.finished();
  await Promise.all([pair.client.close(), pair.server.close()]);
  await data.client.wasReset();
  await data.server.wasReset();
  assert.equal((await program.finished()).code, 0);
});

test('two SIGINT of one Ctrl-C, from the terminal and from npm, are one: a transfer finishes', async (t) => {
  const { control, flags } = await server(t);
  const program = new Program(t, ['run', ...flags, '--grace', '60s']);
  const data = await transfer(t, await login(t, program, control));
  program.signal('SIGINT');
  program.signal('SIGINT');
  await program.logged('stopping');
  data.server.end('the whole file');
  assert.equal(await data.client.rest(), 'the whole file');
});

test('SIGTERM cuts a transfer when the grace is over, though its client leaves the control channel open', async (t) => {
  const { control, flags } = await server(t);
  const program = new Program(t, ['run', ...flags, '--grace', '200ms']);
  const pair = await login(t, program, control);
  const data = await transfer(t, pair);
  program.signal('SIGTERM');
  await data.client.wasReset();
  // The relay gives up such a client a while later: that had not come yet.
  assert.equal(pair.client.socket.closed, false);
});

/** A relay with a transfer that SIGTERM would wait for, told a second time. */
async function toldTwice(
  t: TestContext,
  ...more: string[]
): Promise<{ program: Program; pair: ControlPair; data: Awaited<ReturnType<typeof transfer>> }> {
  const { control, flags } = await server(t);
  const program = new Program(t, ['run', ...flags, '--grace', '60s', ...more]);
  const pair = await login(t, program, control);
  const data = await transfer(t, pair);
  program.signal('SIGTERM');
  await program.logged('stopping');
  program.signal('SIGTERM');
  assert.equal((await program.finished()).code, 1);
  return { program, pair, data };
}

test('a second SIGTERM ends it at once, with exit code 1', async (t) => {
  const { program, pair, data } = await toldTwice(t);
  await program.logged('stopped immediately');
  await pair.client.rest();
  data.client.reset();
});

test('a second SIGTERM cuts a transfer, and both logs say so', async (t) => {
  const file = join(temporaryFolder(t), 'xferlog');
  const { program, data } = await toldTwice(t, '--transfer-log', file);
  assert.equal((await program.logged('transfer'))['cause'], 'shutdown');
  assert.match(readFileSync(file, 'utf8'), /^.* o r \S+ ftp 0 \* i\n$/);
  data.client.reset();
});

test('the first SIGTERM after a drain with a long grace ends within the usual one', async (t) => {
  const { control, flags } = await server(t);
  const admin = join(temporaryFolder(t), 'admin.sock');
  const program = new Program(t, ['run', ...flags, '--grace', '200ms', '--admin', admin]);
  const pair = await login(t, program, control);
  const data = await transfer(t, pair);
  await runProgram(t, ['drain', '--grace', '1h', '--admin', admin]);
  await program.logged('stopping');
  program.signal('SIGTERM');
  await data.client.wasReset();
  await Promise.all([pair.client.close(), pair.server.close()]);
  assert.equal((await program.finished()).code, 0);
});

test('a second SIGTERM resets a transfer: what the client has is not the complete file', async (t) => {
  const { control, flags } = await server(t);
  const program = new Program(t, ['run', ...flags, '--grace', '60s']);
  const data = await transfer(t, await login(t, program, control));
  data.server.send('half of');
  await data.client.expect('half of');
  program.signal('SIGTERM');
  await program.logged('stopping');
  program.signal('SIGTERM');
  await data.client.wasReset();
  await data.server.wasReset();
});

test('an error of its own resets a transfer on both sides, is logged, and ends it with exit code 1', async (t) => {
  const { control, flags } = await server(t);
  const throws = `data:text/javascript,${encodeURIComponent(thrower)}`;
  const program = new Program(t, ['run', ...flags], { NODE_OPTIONS: `--import ${throws}` });
  const data = await transfer(t, await login(t, program, control));
  data.server.send('half of');
  await data.client.expect('half of');
  program.signal('SIGWINCH');
  await data.client.wasReset();
  await data.server.wasReset();
  const { level, error } = await program.logged('stopped by an internal error');
  assert.deepEqual([level, error], ['fatal', 'thrown by a test']);
  assert.equal((await program.finished()).code, 1);
});

test('SIGKILL resets a transfer on both sides, but for a side that has been told its end', async (t) => {
  const { control, flags } = await server(t);
  const program = new Program(t, ['run', ...flags]);
  const cut = await transfer(t, await login(t, program, control));
  cut.server.send('half of');
  await cut.client.expect('half of');
  const whole = await transfer(t, await login(t, program, control));
  whole.server.end('the whole file');
  await whole.client.expect('the whole file');
  await whole.client.finished();
  program.signal('SIGKILL');
  await cut.client.wasReset();
  await cut.server.wasReset();
  // The client had its end, and has not said its own: nothing takes that back.
  assert.equal(await whole.client.rest(), '');
});

for (const signal of ['SIGUSR1', 'SIGUSR2'] as const) {
  test(`${signal} ends nothing and opens no debugger, and the log says what would be meant`, async (t) => {
    const { control, flags } = await server(t);
    const program = new Program(t, ['run', ...flags]);
    const pair = await login(t, program, control);
    program.signal(signal);
    const line = await program.logged(
      'signal ignored: SIGTERM stops after the grace period, SIGHUP reloads the configuration',
    );
    assert.deepEqual([line['level'], line['signal']], ['warn', signal]);
    await exchange(pair, 'NOOP', '200 Fine.');
    assert.equal(program.stderr, '');
  });
}

for (const [what, lines, why] of [
  [
    'only a listener for everybody',
    'listen = [2121]\n',
    /listen is 2121 .*the in-memory server would be open to other hosts/,
  ],
  ['a listener on all of IPv4', 'listen = ["0.0.0.0:2121"]\n', /listen is 0\.0\.0\.0:2121/],
  [
    'one listener of several that is no loopback',
    'listen = ["127.0.0.1:2121", "192.0.2.1:21"]\n',
    /192\.0\.2\.1:21/,
  ],
  ['an empty server', 'server = ""\nlisten = [21]\n', /^pinhole: server: /],
  [
    'settings of a server',
    'listen = ["127.0.0.1:2121"]\nserver-tls = "explicit"\n',
    /server-tls is set from/,
  ],
] as const) {
  test(`a file that names no server and has ${what} is refused, also by --check`, async (t) => {
    const directory = mkdtempSync(join(tmpdir(), 'pinhole-'));
    t.after(() => {
      rmSync(directory, { recursive: true });
    });
    const file = join(directory, 'pinhole.toml');
    writeFileSync(file, lines);
    for (const more of [[], ['--check'], ['--check=config']]) {
      const { code, stderr, stdout } = await runCommandLine(['run', '--config', file, ...more]);
      assert.equal(code, 2, stderr);
      assert.match(stderr, why);
      assert.equal(stdout, '');
    }
  });
}

test('a reload that loses its server is refused, and the sessions are led where they were', async (t) => {
  const { control } = await server(t);
  const directory = mkdtempSync(join(tmpdir(), 'pinhole-'));
  t.after(() => {
    rmSync(directory, { recursive: true });
  });
  const file = join(directory, 'pinhole.toml');
  const listen = `listen = ["${hosts.relay}:0"]\npassive-ports = "${passivePorts()}"\n`;
  writeFileSync(file, `server = "${formatEndpoint(control.endpoint)}"\n${listen}`);
  const program = new Program(t, ['run', '--config', file]);
  await program.relay();
  writeFileSync(file, listen);
  program.signal('SIGHUP');
  const { error } = await program.logged('reload failed');
  assert.match(String(error), /server: no longer named/);
  await login(t, program, control);
});

test('SIGHUP reads the file again for new sessions, and live ones keep theirs', async (t) => {
  const { control, flags } = await server(t);
  const directory = mkdtempSync(join(tmpdir(), 'pinhole-test-'));
  t.after(() => {
    rmSync(directory, { recursive: true });
  });
  const file = join(directory, 'pinhole.toml');
  writeFileSync(file, 'public-address = "192.0.2.1"\n');
  const program = new Program(t, ['run', ...flags, '--config', file]);
  const told = async (pair: ControlPair): Promise<string> => {
    pair.client.send('PASV\r\n');
    await pair.server.expect('PASV\r\n');
    pair.server.send(`227 (${hosts.server.replaceAll('.', ',')},200,13)\r\n`);
    return announcedIn(await pair.client.line()).address;
  };
  const old = await login(t, program, control);
  assert.equal(await told(old), '192.0.2.1');

  writeFileSync(file, 'public-address = "192.0.2.2"\n');
  program.signal('SIGHUP');
  await program.logged('listening', 2);
  assert.equal(await told(old), '192.0.2.1');
  assert.equal(await told(await login(t, program, control)), '192.0.2.2');

  // A file with a mistake is told of, and changes nothing.
  writeFileSync(file, 'public-address = "192.0.2.3"\nmax-sessions = "many"\n');
  program.signal('SIGHUP');
  const { error, level } = await program.logged('reload failed');
  assert.equal(level, 'error');
  assert.match(String(error), /max-sessions: "many" \(from .*pinhole\.toml: max-sessions\) is not allowed/);
  assert.equal(await told(await login(t, program, control)), '192.0.2.2');
  await exchange(old, 'NOOP', '200 Here.');
});

test('without a server it stands one up, says what to paste, and that works', async (t) => {
  const program = new Program(t, ['run', '--listen', `${hosts.relay}:0`, '--log-format', 'json']);
  const relay = await program.relay();
  const client = await connect(t, relay);
  for (const [command, code] of [
    ['', '220'],
    ['USER anonymous', '331'],
    ['PASS me@', '230'],
    ['PASV', '227'],
  ] as const) {
    if (command !== '') client.send(`${command}\r\n`);
    const line = await client.line();
    assert.equal(line.slice(0, 4), `${code} `);
    if (code !== '227') continue;
    const data = await connect(t, announcedIn(line));
    client.send('RETR welcome.txt\r\n');
    assert.match(await data.rest(), /^Welcome\./);
    data.end();
  }
  assert.ok(program.stderr.includes(`curl ftp://${formatEndpoint(relay)}/\n`));
  assert.match(program.stderr, /npm start -- --server 192\.168\.1\.10 --listen 21/);
  await client.close();
  program.signal('SIGTERM');
  assert.equal((await program.finished()).code, 0);
});

test('--check=config says that the configuration is valid, tries no server, and exits', async (t) => {
  const { control, flags } = await server(t);
  for (const named of [['--server', 'ftp.example'], flags]) {
    const { code, stdout } = await runProgram(t, ['run', '--check=config', ...named]);
    assert.deepEqual([code, stdout], [0, 'The configuration is valid.\n']);
  }
  assert.equal(control.count, 0);
});

test('--check says what the server answers, and exits with 0', async (t) => {
  const port = await startScriptedServer(t);
  const args = ['run', '--check', '--server', `127.0.0.1:${port}`];
  const { code, stdout, stderr } = await runProgram(t, args);
  const lines = ['The configuration is valid.', `The server 127.0.0.1 port ${port} answers 220 Ready.`, ''];
  assert.deepEqual([code, stdout, stderr], [0, lines.join('\n'), '']);
});

for (const [what, greeting, line] of [
  [
    'refuses',
    '421 Too many users.',
    /^pinhole: server: [^\n]* refuses the session: 421 Too many users\.; read its log\n$/,
  ],
  ['says nothing', undefined, /^pinhole: server: [^\n]* sent no greeting within 0\.3 s: [^\n]*\n$/],
] as const) {
  test(`--check of a server that ${what} is one line on standard error and exit code 1`, async (t) => {
    const port = await startScriptedServer(t, { '': greeting });
    const args = ['run', '--check', '--server', `127.0.0.1:${port}`, '--connect-timeout', '300ms'];
    const { code, stderr } = await runProgram(t, args);
    assert.equal(code, 1);
    assert.match(stderr, line);
  });
}

test('--check of a server that is not there is one line on standard error and exit code 1', async () => {
  const { code, stderr } = await runCommandLine(['run', '--check', '--server', '127.0.0.1:1']);
  assert.equal(code, 1);
  assert.match(
    stderr,
    /^pinhole: server: 127\.0\.0\.1 port 1 refuses the connection \(ECONNREFUSED\): [^\n]+\n$/,
  );
});

test('--check without a server says so, and exits with 0', async () => {
  const { code, stdout } = await runCommandLine(['run', '--check']);
  assert.equal(code, 0);
  assert.match(stdout, /^The configuration is valid\.\nNo server is named, and none was tried: [^\n]+\n$/);
});

test('--check takes only what it knows', async () => {
  for (const given of ['--check=foo', '--check=true']) {
    const { code, stdout, stderr } = await runCommandLine(['run', given, '--server', '127.0.0.1:1']);
    assert.deepEqual([code, stdout], [2, '']);
    assert.match(stderr, /^pinhole: flag --check: "\w+" is not allowed; allowed: server, config\n$/);
  }
});

test('--print-config prints each value and where it came from', async () => {
  const args = ['run', '--print-config', '--server', '192.168.1.10'];
  const { code, stdout } = await runCommandLine(args, { PINHOLE_MAX_SESSIONS: '7' });
  assert.equal(code, 0);
  assert.match(stdout, /^server = "192\.168\.1\.10:21" {2}# flag --server$/m);
  assert.match(stdout, /^max-sessions = 7 {2}# environment PINHOLE_MAX_SESSIONS$/m);
  assert.match(stdout, /^passive-ports = "50000-50999" {2}# default$/m);
});

test('starts nothing with a switch that is neither true nor false', async () => {
  const { code, stdout, stderr } = await runCommandLine(['run', '--print-config=maybe']);
  assert.deepEqual([code, stdout], [2, '']);
  assert.match(stderr, /^pinhole: flag --print-config: "maybe" is not allowed; allowed: true, false/);
});

test('without a terminal the log is JSON, a line an event', async (t) => {
  const { flags } = await server(t);
  const program = new Program(t, ['run', ...flags.slice(0, -2)]);
  const { level, plane } = await program.logged('listening');
  assert.deepEqual([level, plane], ['info', 'relay']);
  program.signal('SIGTERM');
  const { stdout } = await program.finished();
  for (const line of stdout.trimEnd().split('\n')) assert.doesNotThrow(() => JSON.parse(line) as unknown);
});

test('--check=config --plane kernel says what this host lacks for it, or that it lacks nothing', async (t) => {
  const server = ['--server', 'ftp.example', '--plane', 'kernel'];
  const { code, stdout, stderr } = await runProgram(t, ['run', '--check=config', ...server]);
  if (code === 0) assert.match(stdout, /^The configuration is valid\.\n/);
  else assert.match(stderr, /^pinhole: (?:the kernel plane needs |nftables: )[^\n]+\n$/);
});
