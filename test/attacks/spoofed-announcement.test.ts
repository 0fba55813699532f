/** A 227 or 229 that somebody got into the server's words: a file name, a message, a log in, a lie of the server. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hostPort, hosts } from '../support/relay/hosts.ts';
import { announcedIn, exchange, Lab } from '../support/relay/lab.ts';
import { turns } from '../support/relay/within.ts';

const service = '227 Entering Passive Mode (10,77,0,2,0,22).';
const extended = '229 Entering Extended Passive Mode (|||6000|)';

for (const [where, command, reply] of [
  ['a directory listing in STAT', 'STAT .', `213-Status\r\n${service}\r\n${extended}\r\n213 End`],
  ['the name of a file', `DELE ${service}`, `550 ${service}: No such file`],
  ['a line of its own in a refusal', 'DELE x', `550-x\r\n${service}\r\n550 No such file`],
  ['a message of the day', 'CWD pub', `250-Welcome\r\n250-${service}\r\n${service}\r\n250 In pub`],
  ['the answer to NOOP', 'NOOP', service],
  ['the answer to SITE', 'SITE PASV', `200-\r\n${service}\r\n200 Ok`],
] as const) {
  test(`opens nothing for an announcement within ${where}`, async (t) => {
    const lab = await Lab.start(t);
    const pair = await lab.login();
    await exchange(pair, command, reply);
    await exchange(pair, 'NOOP', '200 Here.');
    assert.deepEqual(lab.eventsOf('pinhole-opened'), []);
  });
}

test('opens nothing for an announcement in the greeting, or in the answer to a log in', async (t) => {
  const lab = await Lab.start(t);
  const pair = await lab.connect();
  pair.server.send(`220-Hello\r\n${service}\r\n220 Ready.\r\n`);
  await pair.client.expect(`220-Hello\r\n${service}\r\n220 Ready.\r\n`);
  await exchange(pair, 'USER anne', `331-\r\n${service}\r\n331 Password?`);
  await exchange(pair, 'PASS secret', `230-\r\n${service}\r\n230 Welcome.`);
  assert.deepEqual(lab.eventsOf('pinhole-opened'), []);
});

test('opens nothing for a second 227 behind the first, which nobody asked for', async (t) => {
  const lab = await Lab.start(t);
  const pair = await lab.login();
  await lab.passive(pair);
  pair.server.send(`${service}\r\n`);
  await pair.client.expect(`${service}\r\n`);
  assert.equal(lab.eventsOf('pinhole-opened').length, 1);
  await lab.event('reply-remarked', { reason: 'unread-announcement' });
});

test('never dials the address that a server names: the client gets to the server itself', async (t) => {
  const lab = await Lab.start(t);
  const { client, server } = await lab.login();
  const behind = await lab.listen(hosts.server);
  const victim = await lab.listen(hosts.other, behind.endpoint.port);
  client.send('PASV\r\n');
  await server.expect('PASV\r\n');
  server.send(`227 Entering Passive Mode (${hostPort(victim.endpoint)}).\r\n`);
  const at = announcedIn(await client.line());
  assert.equal(at.address, hosts.relay);
  const data = await lab.dial(at);
  (await behind.next()).send('of the server');
  await data.expect('of the server');
  assert.equal(victim.count, 0);
  await lab.event('reply-remarked', { reason: 'foreign-address' });
});

for (const [verb, reply] of [
  ['EPSV', service],
  ['PASV', extended],
] as const) {
  test(`leads no client to a service, where ${verb} is answered in the other's form`, async (t) => {
    const lab = await Lab.start(t);
    const { client, server } = await lab.login();
    client.send(`${verb}\r\n`);
    await server.expect(`${verb}\r\n`);
    server.send(`${reply}\r\n`);
    assert.match(await client.line(), /^425 /);
    await turns();
    assert.deepEqual(lab.eventsOf('pinhole-opened'), []);
  });
}
