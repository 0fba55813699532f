/** `tls pass`: behind AUTH nobody sees whether a client logs in. What it may have without is nothing, and not for long. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { firstPassivePort, hosts, passivePorts } from '../support/relay/hosts.ts';
import { exchange, Lab, type ControlPair } from '../support/relay/lab.ts';
import { greet } from '../support/relay/tls-lab.ts';

const pass = { tls: 'pass', 'passive-ports': passivePorts(3) };
const at = { address: hosts.relay, port: firstPassivePort };
/** A record of application data with one byte in it. */
const record = '\x17\x03\x03\x00\x01x';

async function opaque(lab: Lab): Promise<ControlPair> {
  const pair = await greet(lab);
  await exchange(pair, 'AUTH TLS', '234 Go on.');
  await lab.event('session-opaque');
  return pair;
}

for (const [what, said] of [
  ['nothing', ''],
  ['a handshake without an end', '\x16\x03\x01\x02\x00'],
  ['two records', record + record],
  ['FTP in clear', 'USER anne\r\nPASS x\r\nPASV\r\n'],
] as const) {
  test(`leads nobody to the server's ports whose client has said ${what} behind AUTH`, async (t) => {
    const lab = await Lab.start(t, pass);
    const behind = await lab.listen(hosts.server, firstPassivePort);
    const { client, server } = await opaque(lab);
    client.send(said);
    await server.expect(said);
    await lab.isTurnedAway(at, hosts.client);
    await lab.isTurnedAway(at, hosts.stranger);
    assert.equal(behind.count, 0);
    assert.deepEqual(lab.eventsOf('session-logged-in'), []);
  });
}

test('leads nobody to them whose client has made up records that the server has answered with an alert', async (t) => {
  const lab = await Lab.start(t, pass);
  const behind = await lab.listen(hosts.server, firstPassivePort);
  const { client, server } = await opaque(lab);
  client.send(record.repeat(10));
  await server.expect(record.repeat(10));
  server.send('\x15\x03\x03\x00\x02\x02\x0a');
  await client.expect('\x15\x03\x03\x00\x02\x02\x0a');
  await lab.isTurnedAway(at, hosts.client);
  assert.equal(behind.count, 0);
});

test('leads the client alone where both have said what a log in takes, and a stranger never', async (t) => {
  const lab = await Lab.start(t, pass);
  const behind = await lab.listen(hosts.server, firstPassivePort);
  const { client, server } = await opaque(lab);
  client.send(record.repeat(3));
  await server.expect(record.repeat(3));
  server.send(record.repeat(2));
  await client.expect(record.repeat(2));
  await lab.event('session-logged-in');
  await lab.isTurnedAway(at, hosts.stranger);
  const data = await lab.dial(at, hosts.client);
  (await behind.next()).send('a file');
  await data.expect('a file');
});

for (const [limit, said, reason] of [
  ['tls-handshake-timeout', '', 'tls-failed'],
  ['login-timeout', `\x16\x03\x01\x00\x02ab\x14\x03\x03\x00\x01\x01${record}`, 'login-timeout'],
] as const) {
  test(`ends a session that says AUTH and too little behind it, after ${limit}`, async (t) => {
    const lab = await Lab.start(t, { ...pass, [limit]: '300ms' });
    const { client } = await opaque(lab);
    client.send(said);
    await client.failure();
    await lab.event('session-closed', { reason });
  });
}
