/** What others make the log say: passwords that a server repeats, and characters that make a terminal do something. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exchange, Lab, type ControlPair } from '../support/relay/lab.ts';
import { auth, greet, terminating } from '../support/relay/tls-lab.ts';

const password = 'hunter2-Tr0ub4dor';

/** The client's password comes before this server says a word. */
async function loggedIn(lab: Lab): Promise<ControlPair> {
  const pair = await lab.connect();
  const { client, server } = pair;
  server.send('220 Ready.\r\n');
  await client.expect('220 Ready.\r\n');
  await exchange(pair, 'USER anne', '331 Password?');
  client.send(`PASS ${password}\r\n`);
  await server.expect(`PASS ${password}\r\n`);
  return pair;
}

for (const [where, reply] of [
  ['the refusal of it', `530 ${password} is wrong.`],
  ['the welcome', `230-Welcome\r\n230-your password is "${password}"\r\n230 Done.`],
  ['a line of no code', `230-\r\n${password}\r\n230 Done.`],
] as const) {
  test(`no password is in the log at trace level where the server repeats it in ${where}`, async (t) => {
    const lab = await Lab.start(t);
    const { client, server } = await loggedIn(lab);
    server.send(`${reply}\r\n`);
    await client.expect(`${reply}\r\n`);
    assert.ok(!lab.log.includes(password), lab.log);
  });
}

test('nor where it repeats it later: in the answer to another command, during a transfer, of its own accord', async (t) => {
  const lab = await Lab.start(t);
  const pair = await loggedIn(lab);
  const { client, server } = pair;
  const says = async (text: string): Promise<void> => {
    server.send(text);
    await client.expect(text);
  };
  await says('230 Welcome.\r\n');
  await exchange(pair, 'NOOP', `200 ${password}`);
  await exchange(pair, 'RETR y', `550 ${password}: no such file`);
  const data = await lab.passiveChannel(pair);
  client.send('RETR x\r\n');
  await server.expect('RETR x\r\n');
  await says(`150 For ${password}.\r\n`);
  data.server.end('x');
  await data.client.rest();
  data.client.end();
  await lab.event('transfer-ended');
  await says(`226 For ${password}.\r\n`);
  await says(`421 Too long, ${password}.\r\n`);
  server.end();
  await client.rest();
  client.end();
  await lab.event('session-closed');
  assert.ok(!lab.log.includes(password), lab.log);
});

test('nor where the greeting comes behind it', async (t) => {
  const lab = await Lab.start(t);
  const { client, server } = await lab.connect();
  client.send(`USER anne\r\nPASS ${password}\r\n`);
  await server.expect(`USER anne\r\nPASS ${password}\r\n`);
  const greeting = `220-Ready\r\n220 for ${password}\r\n`;
  server.send(greeting);
  await client.expect(greeting);
  assert.ok(!lab.log.includes(password), lab.log);
});

test('nor that of an earlier log in, and not the account', async (t) => {
  const lab = await Lab.start(t);
  const pair = await loggedIn(lab);
  pair.server.send('332 Account?\r\n');
  await pair.client.expect('332 Account?\r\n');
  await exchange(pair, 'ACCT Konto-4711', '230 Welcome, Konto-4711.');
  await exchange(pair, 'USER bert', '331 Password?');
  await exchange(pair, 'PASS another-0ne', `530 Not another-0ne, and not ${password} of Konto-4711.`);
  for (const secret of [password, 'another-0ne', 'Konto-4711']) assert.ok(!lab.log.includes(secret), secret);
});

test('nor behind five commands of SITE, and nothing of a very long one', async (t) => {
  const lab = await Lab.start(t);
  const pair = await loggedIn(lab);
  pair.server.send('230 Welcome.\r\n');
  await pair.client.expect('230 Welcome.\r\n');
  for (let n = 0; n < 5; n++) await exchange(pair, `SITE WHO ${n}`, '200 Done.');
  await exchange(pair, 'STAT', `211 ${password}`);
  const long = `${'x'.repeat(600)}${password}2`;
  await exchange(pair, `PASS ${long}`, `530 ${long} is wrong.`);
  assert.ok(!lab.log.includes(password), lab.log);
});

/** ESC, CSI as one byte, what ends a title, newlines, and U+202E RIGHT-TO-LEFT OVERRIDE in UTF-8. */
const marks = '\x1b[2J\x9b31m\x1b]0;owned\x07\x85 \xe2\x80\xaegnp.exe \xe2\x81\xa6 \xef\xbb\xbf';
/** What no line of a log may hold but for its end. */
const harmful = /[\0-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u200e\u200f\u061c]/;

test("no control character or mark of direction gets into the log by file names, commands or the server's words", async (t) => {
  const lab = await Lab.start(t);
  const pair = await lab.login();
  await exchange(pair, `DELE ${marks}`, `550 ${marks}: no such file`);
  await exchange(pair, `X${marks}`, `500-${marks}\r\n500 ${marks}`);
  pair.client.send(`PORT ${marks}\r\n`);
  assert.match(await pair.client.line(), /^501 /);
  const data = await lab.passiveChannel(pair);
  pair.client.send(`RETR ${marks}\r\n`);
  await pair.server.expect(`RETR ${marks}\r\n`);
  pair.server.send(`150 ${marks}\r\n`);
  await pair.client.expect(`150 ${marks}\r\n`);
  data.server.end('x');
  await data.client.rest();
  data.client.end();
  await lab.event('transfer-ended');
  assert.match(lab.log, /gnp\.exe/);
  assert.doesNotMatch(lab.log, harmful);
});

test('nor by the name that a TLS client asks for', async (t) => {
  const lab = await Lab.start(t, { ...terminating(t), 'tls-strict-sni': 'true' });
  const pair = await greet(lab);
  await assert.rejects(auth(pair, { servername: 'x\x1b[2J\x07\u202eexample' }));
  pair.server.end();
  await lab.event('session-closed', { reason: 'tls-failed' });
  assert.doesNotMatch(lab.log, harmful);
});
