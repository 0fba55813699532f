/** A client that asks for one port after the other, or for the same again: it has one at a time, and keeps none from others. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { replies } from '../../src/helper/replies.ts';
import { hosts, passivePorts } from '../support/relay/hosts.ts';
import { exchange, Lab } from '../support/relay/lab.ts';
import { relayPlaneOnly } from '../support/relay/plane.ts';

test('PASV behind PASV has its port, where the range has one alone', async (t) => {
  const lab = await Lab.start(t, { 'passive-ports': passivePorts(1) });
  const pair = await lab.login();
  const first = await lab.passive(pair);
  const second = await lab.passive(pair);
  assert.deepEqual(second.at, first.at);
  const data = await lab.dial(second.at);
  (await second.behind.next()).send('of the second');
  await data.expect('of the second');
  assert.equal(first.behind.count, 0);
});

test('a hundred PASV of one session leave one pinhole, and another client has its own at the same ports', async (t) => {
  const lab = await Lab.start(t, { 'passive-ports': passivePorts(2) });
  const greedy = await lab.login();
  for (let n = 0; n < 100; n++) await lab.passive(greedy);
  assert.equal(lab.eventsOf('pinhole-opened').length, 100);
  assert.equal(lab.eventsOf('pinhole-closed', { reason: 'replaced' }).length, 99);
  const other = await lab.login(hosts.other);
  const { at, behind } = await lab.passive(other);
  const data = await lab.dial(at, hosts.other);
  (await behind.next()).send('of the other');
  await data.expect('of the other');
});

test('who has taken all ports of the range for its address is told so, and others are served', async (t) => {
  const lab = await Lab.start(t, { 'passive-ports': passivePorts(2) });
  for (let n = 0; n < 2; n++) await lab.passive(await lab.login());
  const third = await lab.login();
  third.client.send('PASV\r\n');
  await third.server.expect('PASV\r\n');
  third.server.send(`227 Passive (${hosts.server.replaceAll('.', ',')},200,13)\r\n`);
  await third.client.expect(`${replies.noFreePort}\r\n`);
  await exchange(third, 'NOOP', '200 Here.');
  const { at, behind } = await lab.passive(await lab.login(hosts.other));
  const data = await lab.dial(at, hosts.other);
  (await behind.next()).send('of the other');
  await data.expect('of the other');
});

const ofThisProcess = relayPlaneOnly('Stopping Pinhole cuts no data connection');

test(
  'data connections that serve no transfer do not add up: a new announcement resets the one before',
  ofThisProcess,
  async (t) => {
    const lab = await Lab.start(t);
    const pair = await lab.login();
    const channels = [];
    for (let n = 0; n < 20; n++) channels.push(await lab.passiveChannel(pair));
    for (const { client, server } of channels.slice(0, -1)) {
      await client.wasReset();
      await server.wasReset();
    }
    const last = channels.at(-1) ?? assert.fail();
    last.server.send('the last one');
    await last.client.expect('the last one');
  },
);
