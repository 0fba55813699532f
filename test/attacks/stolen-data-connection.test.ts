/** Others than who is expected at a pinhole, and who is expected once too often or too late. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { firstPassivePort, hosts, passivePorts } from '../support/relay/hosts.ts';
import { Lab } from '../support/relay/lab.ts';
import { plane } from '../support/relay/plane.ts';

test('a stranger gets nothing of a download, sends nothing into an upload, and costs the client nothing', async (t) => {
  const lab = await Lab.start(t);
  const pair = await lab.login();
  const { at, behind } = await lab.passive(pair);
  for (const thief of [hosts.stranger, hosts.other, hosts.server]) await lab.isTurnedAway(at, thief);
  assert.equal(behind.count, 0);
  const data = await lab.dial(at);
  const server = await behind.next();
  server.end('the file');
  assert.equal(await data.rest(), 'the file');
  if (plane === 'relay') assert.equal(lab.eventsOf('pinhole-refused', { reason: 'stranger' }).length, 3);
});

test('a stranger is not connected to the client in the place of the server', async (t) => {
  const lab = await Lab.start(t);
  const { told, listener } = await lab.active(await lab.login());
  for (const thief of [hosts.stranger, hosts.other, hosts.client]) await lab.isTurnedAway(told, thief);
  assert.equal(listener.count, 0);
  const server = await lab.dial(told, hosts.server);
  (await listener.next()).end('the file');
  assert.equal(await server.rest(), 'the file');
});

test('a pinhole is used once: a second connection of the same client is turned away, also after the first', async (t) => {
  const lab = await Lab.start(t);
  const pair = await lab.login();
  const { at, behind } = await lab.passive(pair);
  const data = await lab.dial(at);
  const server = await behind.next();
  await lab.isClosed(at, hosts.client);
  server.end('the file');
  assert.equal(await data.rest(), 'the file');
  data.end();
  await lab.event('transfer-ended');
  await lab.isClosed(at, hosts.client);
  assert.equal(behind.count, 1);
});

test('a pinhole that was announced too long ago leads nowhere', async (t) => {
  const lab = await Lab.start(t, { 'expect-timeout': '100ms' });
  const { at, behind } = await lab.passive(await lab.login());
  await lab.event('pinhole-closed', { reason: 'expired' });
  await lab.isClosed(at, hosts.client);
  assert.equal(behind.count, 0);
});

test('a pinhole whose session has ended leads nowhere', async (t) => {
  const lab = await Lab.start(t);
  const pair = await lab.login();
  const { at, behind } = await lab.passive(pair);
  pair.client.reset();
  await lab.event('pinhole-closed', { reason: 'session-closed' });
  await lab.isClosed(at, hosts.client);
  assert.equal(behind.count, 0);
});

test('a scan of all passive ports finds none that leads anywhere, while three clients wait', async (t) => {
  const lab = await Lab.start(t, { 'passive-ports': passivePorts(20) });
  const pinholes = [];
  for (let n = 0; n < 3; n++) pinholes.push(await lab.passive(await lab.login()));
  for (let port = firstPassivePort; port < firstPassivePort + 20; port++) {
    const scan = await lab.dial({ address: hosts.relay, port }, hosts.stranger).catch(() => undefined);
    if (scan) assert.equal(await scan.wasReset(), '');
  }
  for (const { at, behind } of pinholes) {
    assert.equal(behind.count, 0);
    const data = await lab.dial(at);
    (await behind.next()).send('still there');
    await data.expect('still there');
  }
});
