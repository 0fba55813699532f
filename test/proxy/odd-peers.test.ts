/** Peers that do something odd, through the whole relay: what test/proxy/session/server-replies.test.ts reads without it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { replies } from '../../src/helper/replies.ts';
import type { Endpoint } from '../../src/net/endpoint.ts';
import { fillIn, heard, readDialogues } from '../data/dialogues.ts';
import { hostPort, hosts } from '../support/relay/hosts.ts';
import { exchange, Lab, type ControlPair } from '../support/relay/lab.ts';
import { turns } from '../support/relay/within.ts';
import { auth, terminating } from '../support/relay/tls-lab.ts';

const inside: Endpoint = { address: hosts.server, port: 51213 };

for (const { name, from, steps, opens, unread } of readDialogues()) {
  test(`relays ${name}`, async (t) => {
    const lab = await Lab.start(t);
    const { client, server } = from === 'greeting' ? await lab.connect() : await lab.login();
    let announced = inside;
    for (const step of steps) {
      const [who, text, hears] = step;
      if (who === 'server') {
        server.send(fillIn(text, { inside, announced }, 'inside'));
        if (/\{AT\}|\{PORT\}/.test(text + (hears ?? ''))) {
          const { at } = await lab.event('pinhole-opened', {}, lab.eventsOf('pinhole-opened').length + 1);
          announced = at;
        }
      } else {
        client.send(text);
        if (who === 'client') await server.expect(text);
      }
      await client.expect(heard(step, { inside, announced }));
    }
    await turns();
    assert.equal(client.unread, '');
    assert.equal(lab.eventsOf('pinhole-opened').length, opens);
    assert.equal(lab.eventsOf('reply-remarked', { reason: 'unread-announcement' }).length, unread);
    const logged = lab.log.match(/"level":"warn".*"reason":"unread-announcement"/g) ?? [];
    assert.equal(logged.length, unread, lab.log);
  });
}

/** What an STOR gets of glftpd whose directory is on a list. */
const excluded =
  '553-\r\n553- Directory excluded (precheck).\r\n150 Opening BINARY mode data connection for x.\r\n';

async function misled({ client, server }: ControlPair): Promise<void> {
  client.send('STOR x\r\n');
  await server.expect('STOR x\r\n');
  server.send(excluded);
  await client.expect(excluded);
  server.send('226 Transfer complete.\r\n');
  await client.expect('226 Transfer complete.\r\n');
}

test('a data channel comes of the PASV behind a refusal that did not end', async (t) => {
  const lab = await Lab.start(t);
  const pair = await lab.login();
  await misled(pair);
  const data = await lab.passiveChannel(pair);
  data.server.end('through');
  assert.equal(await data.client.rest(), 'through');
});

test('a data channel comes of the PORT behind a refusal that ended under another code', async (t) => {
  const lab = await Lab.start(t);
  const pair = await lab.login();
  await exchange(pair, 'DELE x', '553-\r\n553- No.\r\n500 That was it.');
  const data = await lab.activeChannel(pair);
  data.server.end('through');
  assert.equal(await data.client.rest(), 'through');
});

test('a QUIT behind a refusal that ended under another code is a goodbye', async (t) => {
  const lab = await Lab.start(t);
  const pair = await lab.login();
  await exchange(pair, 'DELE x', '553-\r\n500 That was it.');
  await exchange(pair, 'QUIT', '221 Goodbye.');
  pair.server.end();
  await pair.client.finished();
  pair.client.end();
  await lab.event('session-closed', { reason: 'quit' });
});

test('a data channel comes of a PORT with blanks around its numbers', async (t) => {
  const lab = await Lab.start(t);
  const pair = await lab.login();
  const listener = await lab.listen(pair.client.local.address);
  pair.client.send(`PORT \t${hostPort(listener.endpoint)} \r\n`);
  const { at } = await lab.event('pinhole-opened');
  await pair.server.expect(`PORT \t${hostPort(at)} \r\n`);
  pair.server.send('200 PORT command successful.\r\n');
  await pair.client.expect('200 PORT command successful.\r\n');
  const inner = await lab.dial(at, pair.server.local.address);
  const outer = await listener.next();
  inner.end('through');
  assert.equal(await outer.rest(), 'through');
});

for (const form of ['(||| @ |)', '(|!|@|)', '(||@|)']) {
  test(`a data channel comes of a 229 in the form ${form}`, async (t) => {
    const lab = await Lab.start(t);
    const { client, server } = await lab.login();
    const behind = await lab.listen(hosts.server);
    client.send('EPSV\r\n');
    await server.expect('EPSV\r\n');
    server.send(`229 Entering Extended Passive Mode ${form.replace('@', String(behind.endpoint.port))}\r\n`);
    const { at } = await lab.event('pinhole-opened', { mode: 'passive', command: 'EPSV' });
    await client.expect(`229 Entering Extended Passive Mode (|||${at.port}|)\r\n`);
    const data = await lab.dial(at);
    (await behind.next()).end('through');
    assert.equal(await data.rest(), 'through');
  });
}

/** A session whose greeting is the log in. */
async function greetedIn(lab: Lab): Promise<ControlPair> {
  const pair = await lab.connect();
  pair.server.send('230 No log in needed.\r\n');
  await pair.client.expect('230 No log in needed.\r\n');
  return pair;
}

test('a client that the greeting logs in has its data channels, and no login timeout', async (t) => {
  const lab = await Lab.start(t, { 'login-timeout': '1' });
  const pair = await greetedIn(lab);
  const { client } = await lab.passiveChannel(pair);
  client.end();
  await new Promise((resolve) => setTimeout(resolve, 1200));
  const active = await lab.activeChannel(pair);
  active.server.end('through');
  assert.equal(await active.client.rest(), 'through');
  assert.deepEqual(lab.eventsOf('session-closed'), []);
});

test('a client that the greeting logs in is served nothing before the TLS that is required', async (t) => {
  const lab = await Lab.start(t, { ...terminating(t), 'require-tls': 'true' });
  const pair = await greetedIn(lab);
  for (const command of ['PASV', 'RETR x', 'LIST', 'USER anne']) {
    pair.client.send(`${command}\r\n`);
    await pair.client.expect(`${replies.loginRequiresTls}\r\n`);
  }
  assert.equal(pair.server.unread, '');
  const secured = await auth(pair);
  secured.client.send('PASV\r\n');
  await secured.server.expect('PASV\r\n');
});

test('a client that asks for another mechanism than TLS, where there is none, hears that and no more', async (t) => {
  const lab = await Lab.start(t);
  const pair = await lab.login();
  for (const command of ['AUTH GSSAPI', 'AUTH KERBEROS_V4', 'AUTH']) {
    pair.client.send(`${command}\r\n`);
    await pair.client.expect(`${replies.unknownMechanism}\r\n`);
  }
  assert.equal(lab.eventsOf('command-refused', { reason: 'tls-not-understood' }).length, 3);
  await exchange(pair, 'NOOP', '200 Here.');
});
