/** Commands hidden in others, or cut so that a reader on the way does not see them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { replies } from '../../src/helper/replies.ts';
import { hostPort, hosts } from '../support/relay/hosts.ts';
import { announcedIn, exchange, Lab } from '../support/relay/lab.ts';
import { auth, greet, serveAuth, terminating, towardsServer } from '../support/relay/tls-lab.ts';

/** A third host's: the server must not hear it, however it was said. */
const bounce = `PORT ${hostPort({ address: hosts.other, port: 50_000 })}`;

for (const [how, line] of [
  ['a bare CR', `NOOP x\r${bounce}\r\n`],
  ['a NUL', `NOOP x\0${bounce}\r\n`],
  ['CR and NUL', `NOOP x\r\0${bounce}\r\n`],
  ['NUL at the front', `\0${bounce}\r\n`],
  ['IAC within the verb', `PO\xff\xf4RT${bounce.slice(4)}\r\n`],
  ['IAC IAC within the verb', `PO\xff\xffRT${bounce.slice(4)}\r\n`],
  ['IAC NOP at the front', `\xff\xf1${bounce}\r\n`],
  ['IAC IP IAC DM at the front', `\xff\xf4\xff\xf2${bounce}\r\n`],
  ['blanks and tabs at the front', ` \t ${bounce}\r\n`],
  ['small letters', `${bounce.toLowerCase()}\r\n`],
  ['LF alone', `${bounce}\n`],
  ['the end of an overlong line', `NOOP ${'x'.repeat(8192)}${bounce}\r\n`],
] as const) {
  test(`a PORT behind ${how} is not smuggled to the server`, async (t) => {
    const lab = await Lab.start(t);
    const pair = await lab.login();
    pair.client.send(line);
    assert.match(await pair.client.line(), /^50[01] /);
    await exchange(pair, 'NOOP', '200 Here.');
    assert.deepEqual(lab.eventsOf('pinhole-opened'), []);
  });
}

test('a PORT of a third host among twenty commands of one segment is refused in its turn', async (t) => {
  const lab = await Lab.start(t);
  const { client, server } = await lab.login();
  const noops = 'NOOP\r\n'.repeat(10);
  client.send(`${noops}${bounce}\r\n${noops}`);
  await server.expect(noops + noops);
  const answers = '200 Here.\r\n'.repeat(10);
  server.send(answers + answers);
  await client.expect(`${answers}${replies.notDialled('PORT')}\r\n${answers}`);
  assert.equal(server.unread, '');
});

test('a PORT is seen wherever it is cut into segments', async (t) => {
  const lab = await Lab.start(t);
  const pair = await lab.login();
  for (let at = 1; at < bounce.length + 2; at += 3) {
    await pair.client.sendApart(`${bounce}\r\n`.slice(0, at), `${bounce}\r\n`.slice(at));
    await pair.client.expect(`${replies.notDialled('PORT')}\r\n`);
    await exchange(pair, 'NOOP', '200 Here.');
  }
  await pair.client.sendByteByByte(`${bounce}\r\n`);
  await pair.client.expect(`${replies.notDialled('PORT')}\r\n`);
  const listener = await lab.listen(hosts.client);
  await pair.client.sendByteByByte(`PORT ${hostPort(listener.endpoint)}\r\n`);
  assert.equal(announcedIn(await pair.server.line()).address, pair.server.remote.address);
});

test('what came in clear behind AUTH is never taken for what was said in TLS (CVE-2011-1575)', async (t) => {
  const lab = await Lab.start(t, terminating(t));
  const { client, server } = await greet(lab);
  client.send('AUTH TLS\r\nUSER mallory\r\nPASS x\r\n');
  assert.equal(await client.rest(), `${replies.notPipelined}\r\n`);
  assert.equal(await server.rest(), '');
  client.end();
  server.end();
  await lab.event('session-closed', { reason: 'tls-pipelined' });
});

test('what came in clear behind the 234 of a server is never taken for what it said in TLS', async (t) => {
  const lab = await Lab.start(t, towardsServer(t, 'explicit'));
  const { client, server } = await lab.connect();
  server.send('220 Ready.\r\n');
  await server.expect('AUTH TLS\r\n');
  server.send('234 Go on.\r\n230 You are in.\r\n');
  assert.equal(await client.rest(), `${replies.serverTlsFailed}\r\n`);
  await lab.event('session-refused', { reason: 'server-tls-failed' });
});

test('a server that says it in time is spoken to in TLS', async (t) => {
  const lab = await Lab.start(t, { ...terminating(t), ...towardsServer(t, 'explicit') });
  const { client: raw, server: rawServer } = await lab.connect();
  const server = await serveAuth(rawServer);
  await raw.expect('220 Ready.\r\n');
  const { client } = await auth({ client: raw, server });
  await exchange({ client, server }, 'USER anne', '331 Password?');
});
