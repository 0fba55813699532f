import assert from 'node:assert/strict';
import { test } from 'node:test';
import { replies } from '../../../src/helper/replies.ts';
import { formatEndpoint } from '../../../src/net/endpoint.ts';
import { hosts } from '../../support/relay/hosts.ts';
import { exchange, Lab } from '../../support/relay/lab.ts';
import { neverAccepting } from '../../support/relay/never-accepting.ts';
import { turns } from '../../support/relay/within.ts';

const gone = `${replies.serverClosed}\r\n`;
const unreachable = `${replies.serverUnreachable}\r\n`;

test('answers 421 at once when the server is down, and says why in the log', async (t) => {
  const lab = await Lab.start(t);
  lab.server.close();
  const client = await lab.dial(lab.relay);
  await client.expect(unreachable);
  await client.finished();
  await client.close();
  const { error } = await lab.event('session-refused', { reason: 'server-unreachable' });
  assert.match(error ?? '', /ECONNREFUSED/);
  assert.match(lab.log, /"level":"warn".*"reason":"server-unreachable".*"msg":"session refused"/);
});

test('answers 421 after connect-timeout when the server never accepts', async (t) => {
  const server = await neverAccepting(t, hosts.other);
  const lab = await Lab.start(t, { server: formatEndpoint(server), 'connect-timeout': '100ms' });
  // What the system accepts for the server, before its queue is full.
  const queued = [await lab.dial(server), await lab.dial(server)];
  const client = await lab.dial(lab.relay);
  await client.expect(unreachable);
  await client.finished();
  const { error } = await lab.event('session-refused', { reason: 'server-unreachable' });
  assert.match(error ?? '', /no answer .* in 0\.1 s/);
  assert.equal(queued.length, 2);
});

test('says 421 to a client whose server goes without a word, with no command outstanding', async (t) => {
  const lab = await Lab.start(t);
  const { client, server } = await lab.login();
  server.end();
  await client.expect(gone);
  await client.finished();
  await server.finished();
  await Promise.all([client.close(), server.close()]);
  await lab.event('session-closed', { reason: 'server-closed' });
});

test('says 421 to a client whose server goes with a command outstanding', async (t) => {
  const lab = await Lab.start(t);
  const { client, server } = await lab.login();
  client.send('LIST\r\n');
  await server.expect('LIST\r\n');
  server.send('150 Here ');
  server.end();
  // A line without its end gets one: a client must not read the two as one reply.
  await client.expect(`150 Here \r\n${gone}`);
  await client.finished();
  await Promise.all([client.close(), server.close()]);
  await lab.event('session-closed', { reason: 'server-closed' });
});

test('ends an overlong line of the server, of which pieces have passed, before it says 421', async (t) => {
  const lab = await Lab.start(t);
  const { client, server } = await lab.login();
  const piece = `200 ${'x'.repeat(9000)}`;
  client.send('NOOP\r\n');
  await server.expect('NOOP\r\n');
  server.send(piece);
  await client.expect(piece);
  server.reset();
  await client.expect(`\r\n${gone}`);
  await client.finished();
});

test('says 421 to a client whose server resets the control connection', async (t) => {
  const lab = await Lab.start(t);
  const { client, server } = await lab.login();
  client.send('LIST\r\n');
  await server.expect('LIST\r\n');
  server.reset();
  await client.expect(gone);
  await client.finished();
  await client.close();
  const { error } = await lab.event('session-closed', { reason: 'server-reset' });
  assert.match(error ?? '', /ECONNRESET/);
});

test('says nothing of its own when the server said 421 and closed', async (t) => {
  const lab = await Lab.start(t);
  const { client, server } = await lab.login();
  server.send('421 Idle for too long.\r\n');
  server.end();
  await client.expect('421 Idle for too long.\r\n');
  await client.finished();
});

test('passes a reply on that came before the RST of the server', async (t) => {
  const lab = await Lab.start(t);
  const { client, server } = await lab.login();
  server.send('421 Out of memory.\r\n');
  await client.expect('421 Out of memory.\r\n');
  server.reset();
  await client.rest();
});

test('tells each login of a session, and who it is', async (t) => {
  const lab = await Lab.start(t);
  const pair = await lab.connect();
  pair.server.send('220 Ready.\r\n');
  await pair.client.expect('220 Ready.\r\n');
  await exchange(pair, 'USER anne', '331 Password?');
  await exchange(pair, 'PASS x', '530 No.');
  assert.deepEqual(lab.eventsOf('session-logged-in'), []);
  for (let n = 0; n < 2; n++) {
    await exchange(pair, 'USER anne', '331 Password?');
    await exchange(pair, 'PASS secret', '230 Welcome.');
    await exchange(pair, 'REIN', '220 Ready.');
  }
  assert.equal(lab.eventsOf('session-logged-in').length, 2);
  assert.deepEqual(
    lab.eventsOf('session-user').map(({ user }) => user),
    ['anne'],
  );
});

test('resets the server when the client resets its control connection', async (t) => {
  const lab = await Lab.start(t);
  const { client, server } = await lab.login();
  client.reset();
  await server.wasReset();
  await lab.event('session-closed', { reason: 'client-reset' });
});

test('passes the FIN of a client on, and the replies that come after it', async (t) => {
  const lab = await Lab.start(t);
  const { client, server } = await lab.login();
  client.end('NOOP\r\nQUIT\r\n');
  assert.equal(await server.rest(), 'NOOP\r\nQUIT\r\n');
  server.end('200 Here.\r\n221 Bye.\r\n');
  assert.equal(await client.rest(), '200 Here.\r\n221 Bye.\r\n');
  await lab.event('session-closed', { reason: 'quit' });
});

for (const how of ['ends', 'resets'] as const) {
  test(`a client that ${how} its connection first behind its QUIT and 221 has quit`, async (t) => {
    const lab = await Lab.start(t);
    const pair = await lab.login();
    await exchange(pair, 'QUIT', '221 Bye.');
    if (how === 'ends') pair.client.end();
    else pair.client.reset();
    await pair.server.close();
    const { error } = await lab.event('session-closed', { reason: 'quit' });
    assert.equal(error, undefined);
  });
}

test('throws a command without its end away, as a server does', async (t) => {
  const lab = await Lab.start(t);
  const { client, server } = await lab.login();
  client.end('NOOP\r\nDELE file');
  assert.equal(await server.rest(), 'NOOP\r\n');
});

test('a session ends with QUIT, 221 and the FIN of the server', async (t) => {
  const lab = await Lab.start(t);
  const pair = await lab.login();
  await exchange(pair, 'QUIT', '221 Bye.');
  pair.server.end();
  await pair.client.finished();
  await pair.server.finished();
  await pair.client.close();
  const { seconds } = await lab.event('session-closed', { reason: 'quit' });
  assert.ok(seconds >= 0);
  assert.match(lab.log, /"reason":"quit".*"msg":"session closed"/);
});

test('refuses a session over max-sessions with 421, and takes the next when one has ended', async (t) => {
  const lab = await Lab.start(t, { 'max-sessions': '2' });
  const first = await lab.login();
  await lab.login(hosts.other);
  const third = await lab.dial(lab.relay, hosts.stranger);
  await third.expect(`${replies.tooManySessions}\r\n`);
  await third.finished();
  await lab.event('session-refused', { reason: 'too-many-sessions' });
  assert.equal(lab.server.count, 2);
  first.client.reset();
  await lab.event('session-closed');
  await lab.login(hosts.stranger);
});

test('refuses a session over max-sessions-per-client with 421, and not other clients', async (t) => {
  const lab = await Lab.start(t, { 'max-sessions-per-client': '2' });
  const first = await lab.login();
  await lab.login();
  const third = await lab.dial(lab.relay);
  await third.expect(`${replies.tooManySessionsOfClient}\r\n`);
  await third.finished();
  await lab.event('session-refused', { reason: 'too-many-sessions-of-client' });
  await lab.login(hosts.other);
  first.client.reset();
  await lab.event('session-closed');
  await lab.login();
});

test('a client that the server can not be dialled for does not count against the caps', async (t) => {
  const lab = await Lab.start(t, { 'max-sessions': '1', 'max-sessions-per-client': '1' });
  lab.server.close();
  for (let n = 1; n <= 3; n++) {
    const client = await lab.dial(lab.relay);
    await client.expect(unreachable);
    await lab.event('session-refused', { reason: 'server-unreachable' }, n);
  }
});

test('ends a session that has not logged in after login-timeout', async (t) => {
  const lab = await Lab.start(t, { 'login-timeout': '100ms' });
  const pair = await lab.connect();
  pair.server.send('220 Ready.\r\n');
  await pair.client.expect('220 Ready.\r\n');
  await exchange(pair, 'USER anne', '331 Password?');
  await pair.client.expect(`${replies.loginTimeout}\r\n`);
  await pair.client.finished();
  await pair.server.finished();
  await Promise.all([pair.client.close(), pair.server.close()]);
  await lab.event('session-closed', { reason: 'login-timeout' });
});

test('login-timeout ends no session that has logged in', async (t) => {
  const lab = await Lab.start(t, { 'login-timeout': '100ms' });
  const first = await lab.login();
  // Its timeout comes later than that of the first would.
  const second = await lab.connect();
  second.server.send('220 Ready.\r\n');
  await second.client.expect(`220 Ready.\r\n${replies.loginTimeout}\r\n`);
  await exchange(first, 'NOOP', '200 Here.');
});

test('ends a silent session after idle-timeout', async (t) => {
  const lab = await Lab.start(t, { 'idle-timeout': '100ms' });
  const { client, server } = await lab.login();
  await client.expect(`${replies.idleTimeout}\r\n`);
  await client.finished();
  await server.finished();
  await Promise.all([client.close(), server.close()]);
  await lab.event('session-closed', { reason: 'idle-timeout' });
});

test('an open data channel suspends idle-timeout', async (t) => {
  const lab = await Lab.start(t, { 'idle-timeout': '200ms' });
  const pair = await lab.login();
  const data = await lab.passiveChannel(pair);
  await exchange(pair, 'RETR file', '150 Here it comes.');
  // A session that began later is idle for longer than the timeout of the first.
  const idle = await lab.login(hosts.other);
  await idle.client.expect(`${replies.idleTimeout}\r\n`);
  data.server.end('file');
  assert.equal(await data.client.rest(), 'file');
  data.client.end();
  await exchange(pair, 'NOOP', '200 Here.');
  await pair.client.expect(`${replies.idleTimeout}\r\n`);
});

test('a slow client holds back its own server, and loses no reply', async (t) => {
  const lab = await Lab.start(t);
  const { client, server } = await lab.login();
  client.send('STAT\r\n');
  await server.expect('STAT\r\n');
  client.stopReading();
  const line = ` ${'x'.repeat(1000)}\r\n`;
  const expected = `211-Status\r\n${line.repeat(20_000)}211 End\r\n`;
  server.send(expected);
  await turns(100);
  client.socket.resume();
  assert.ok((await client.bytes(expected.length)) === expected);
});

test('tells each log in that the server refuses, for whoever watches the log', async (t) => {
  const lab = await Lab.start(t);
  const pair = await lab.connect();
  pair.server.send('220 Ready.\r\n');
  await pair.client.expect('220 Ready.\r\n');
  await exchange(pair, 'USER anna', '331 Password?');
  await exchange(pair, 'PASS wrong', '530 Login incorrect.');
  const { client } = await lab.event('login-failed', { code: 530 });
  assert.deepEqual(client, pair.client.local);
  assert.match(lab.log, /"level":"warn".*"code":530,"msg":"login failed"/);
});

test('adds no 421 where the server has said why it closes', async (t) => {
  const lab = await Lab.start(t);
  const pair = await lab.connect();
  pair.server.send('220 Ready.\r\n');
  await pair.client.expect('220 Ready.\r\n');
  await exchange(pair, 'USER anna', '331 Password?');
  await exchange(pair, 'PASS wrong', '530 Too many tries.');
  pair.server.end();
  await pair.client.finished();
  pair.client.end();
  await lab.event('session-closed', { reason: 'server-closed' });
});

test('tells the whole path of a transfer, with the size that was said, when it begins', async (t) => {
  const lab = await Lab.start(t);
  const pair = await lab.login();
  await exchange(pair, 'PWD', '257 "/home/anne" is it.');
  await exchange(pair, 'CWD in', '250 OK.');
  await exchange(pair, 'SIZE a b', '213 77');
  pair.client.send('CWD deeper\r\nRETR a b\r\n');
  await pair.server.expect('CWD deeper\r\nRETR a b\r\n');
  pair.server.send('550 No.\r\n150 Opening.\r\n');
  await pair.client.expect('550 No.\r\n150 Opening.\r\n');
  const [begun] = lab.eventsOf('transfer-begun');
  const command = { verb: 'RETR', path: '/home/anne/in/a b', isRelative: false };
  assert.deepEqual(begun, { type: 'transfer-begun', session: 1, command, size: 77 });
});

test('tells of a transfer that it is of text', async (t) => {
  const lab = await Lab.start(t);
  const pair = await lab.login();
  await exchange(pair, 'TYPE A', '200 OK.');
  await exchange(pair, 'RETR a', '150 Opening.');
  const [begun] = lab.eventsOf('transfer-begun');
  assert.deepEqual(begun?.command, { verb: 'RETR', path: 'a', isRelative: true, isText: true });
});
