import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { firstActivePort, hostPort, hosts } from '../support/relay/hosts.ts';
import { announcedIn, Lab } from '../support/relay/lab.ts';
import { onRelayPlane, relayPlaneOnly } from '../support/relay/plane.ts';
import { turns } from '../support/relay/within.ts';

/** Whether this process may bind port 20. */
async function mayBindPort20(): Promise<boolean> {
  const server = createServer();
  server.listen(20, hosts.other);
  try {
    await once(server, 'listening');
    return true;
  } catch {
    return false;
  } finally {
    server.close();
  }
}

test('dials the client from port 20, or from any port where that is not allowed', async (t) => {
  const allowed = await mayBindPort20();
  const lab = await Lab.start(t, { 'data-source-port': '20' });
  const { client, server } = await lab.activeChannel(await lab.login());
  assert.equal(client.remote.address, hosts.relay);
  if (allowed) assert.equal(client.remote.port, 20);
  else assert.notEqual(client.remote.port, 20);
  server.end('active');
  assert.equal(await client.rest(), 'active');
});

test('dials several clients from one port at once', async (t) => {
  const port = firstActivePort + 90;
  const lab = await Lab.start(t, { 'data-source-port': String(port) });
  const first = await lab.activeChannel(await lab.login());
  const second = await lab.activeChannel(await lab.login());
  const third = await lab.activeChannel(await lab.login(hosts.other));
  for (const { client, server } of [first, second, third]) {
    assert.deepEqual(client.remote, { address: hosts.relay, port });
    server.end('active');
    assert.equal(await client.rest(), 'active');
  }
});

test(
  'dials from any port where the one that is asked for is taken',
  relayPlaneOnly('Ports of other processes are not seen'),
  async (t) => {
    const port = firstActivePort + 91;
    const lab = await Lab.start(t, { 'data-source-port': String(port) });
    await lab.listen(hosts.relay, port);
    const { client, server } = await lab.activeChannel(await lab.login());
    assert.notEqual(client.remote.port, port);
    server.end('active');
    assert.equal(await client.rest(), 'active');
  },
);

test('dials from any port where that tuple is still in TIME_WAIT', async (t) => {
  const port = firstActivePort + 92;
  const lab = await Lab.start(t, { 'data-source-port': String(port) });
  const pair = await lab.login();
  const listener = await lab.listen(hosts.client);
  const froms = [];
  for (const round of ['first', 'second']) {
    pair.client.send(`PORT ${hostPort(listener.endpoint)}\r\n`);
    const told = announcedIn(await pair.server.line());
    pair.server.send('200 PORT ok.\r\n');
    await pair.client.expect('200 PORT ok.\r\n');
    const server = await lab.dial(told, hosts.server);
    const client = await listener.next();
    // The relay says FIN to the client first: TIME_WAIT is the relay's.
    server.end(round);
    assert.equal(await client.rest(), round);
    client.end();
    await server.finished();
    froms.push(client.remote);
    await lab.event('transfer-ended', { cause: 'complete' }, froms.length);
  }
  assert.deepEqual(froms[0], { address: hosts.relay, port });
  assert.equal(froms[1]?.address, hosts.relay);
});

test('a server that dials before it has said 200 gets through, and the client is not dialled before', async (t) => {
  const lab = await Lab.start(t);
  const { client, server } = await lab.login();
  const listener = await lab.listen(hosts.client);
  client.send(`PORT ${hostPort(listener.endpoint)}\r\n`);
  const told = announcedIn(await server.line());
  const data = await lab.dial(told, hosts.server);
  data.end('early');
  await turns(20);
  if (onRelayPlane('A server may connect before it replies')) assert.equal(listener.count, 0);

  server.send('200 PORT ok.\r\n');
  await client.expect('200 PORT ok.\r\n');
  assert.equal(await (await listener.next()).rest(), 'early');
});

test(
  'a server that dials before it refuses the PORT is reset, and the client is never dialled',
  relayPlaneOnly('A server may connect before it replies'),
  async (t) => {
    const lab = await Lab.start(t);
    const { client, server } = await lab.login();
    const listener = await lab.listen(hosts.client);
    client.send(`PORT ${hostPort(listener.endpoint)}\r\n`);
    const told = announcedIn(await server.line());
    const data = await lab.dial(told, hosts.server);
    await turns(20);
    server.send('500 No.\r\n');
    await client.expect('500 No.\r\n');
    await data.wasReset();
    await lab.event('pinhole-closed', { reason: 'refused-by-server' });
    assert.equal(listener.count, 0);
  },
);

test('an active pinhole can be taken as soon as the client sees the 200', async (t) => {
  const lab = await Lab.start(t);
  const { client, server } = await lab.login();
  const listener = await lab.listen(hosts.client);
  client.send(`PORT ${hostPort(listener.endpoint)}\r\n`);
  const told = announcedIn(await server.line());
  // The server may dial right behind its reply.
  server.send('200 PORT ok.\r\n150 Here it comes.\r\n');
  await client.expect('200 PORT ok.\r\n');
  const data = await lab.dial(told, hosts.server);
  data.end('at once');
  assert.equal(await (await listener.next()).rest(), 'at once');
});

test('only the server takes an active pinhole, and once', async (t) => {
  const lab = await Lab.start(t);
  const { told, listener } = await lab.active(await lab.login());
  for (const stranger of [hosts.stranger, hosts.client, hosts.relay]) {
    await lab.isTurnedAway(told, stranger);
  }
  if (onRelayPlane('Strangers are not logged')) {
    assert.equal(lab.eventsOf('pinhole-refused', { reason: 'stranger' }).length, 3);
  }
  assert.equal(listener.count, 0);
  const data = await lab.dial(told, hosts.server);
  await assert.rejects(lab.dial(told, hosts.server), { code: 'ECONNREFUSED' });
  data.end('once');
  assert.equal(await (await listener.next()).rest(), 'once');
  assert.equal(listener.count, 1);
});

test('an active pinhole that the server does not answer goes with its session', async (t) => {
  const lab = await Lab.start(t);
  const { client, server } = await lab.login();
  client.send(`PORT ${hostPort({ address: hosts.client, port: 51213 })}\r\n`);
  const told = announcedIn(await server.line());
  client.reset();
  await server.wasReset();
  await lab.event('pinhole-closed', { mode: 'active', reason: 'session-closed' });
  await lab.isClosed(told, hosts.server);
});

test('takes the port number of the client if it is in the range and free', async (t) => {
  const lab = await Lab.start(t);
  const { client, server } = await lab.login();
  const port = firstActivePort + 42;
  client.send(`PORT ${hostPort({ address: hosts.client, port })}\r\n`);
  assert.equal(announcedIn(await server.line()).port, port);
});

test('turns the server away when the client does not listen', async (t) => {
  const lab = await Lab.start(t);
  const pair = await lab.login();
  const { told, listener } = await lab.active(pair);
  listener.close();
  await lab.isTurnedAway(told, hosts.server);
  const { error } = await lab.event('transfer-ended', { cause: 'client-unreachable' });
  if (onRelayPlane('The log has less about a transfer')) assert.match(error ?? '', /ECONNREFUSED/);
});
