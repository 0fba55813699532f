import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hosts } from '../support/relay/hosts.ts';
import { announcedIn, Lab, type ControlPair } from '../support/relay/lab.ts';

/** Goes through PASV, and returns the endpoint that the client is told. */
async function told({ client, server }: ControlPair): Promise<ReturnType<typeof announcedIn>> {
  client.send('PASV\r\n');
  await server.expect('PASV\r\n');
  server.send(`227 Entering Passive Mode (${hosts.server.replaceAll('.', ',')},200,13).\r\n`);
  return announcedIn(await client.line());
}

test('tells a client the address that it reached', async (t) => {
  const lab = await Lab.start(t);
  assert.equal((await told(await lab.login())).address, hosts.relay);
});

test('tells each client the address that it reached, of several', async (t) => {
  const lab = await Lab.start(t, { listen: `${hosts.relay}:0,${hosts.stranger}:0` });
  for (const relay of lab.daemon.endpoints) {
    const accepted = lab.server.next();
    const client = await lab.dial(relay);
    const server = await accepted;
    client.send('USER anne\r\n');
    await server.expect('USER anne\r\n');
    server.send('220 Ready.\r\n230 Welcome.\r\n');
    await client.expect('220 Ready.\r\n230 Welcome.\r\n');
    const at = await told({ client, server });
    assert.equal(at.address, relay.address);
    await lab.event('pinhole-opened', {}, lab.eventsOf('session-opened').length);
    assert.deepEqual(lab.eventsOf('pinhole-opened').at(-1)?.at, at);
  }
});

test('tells a client the public-address, and listens where the client reached it', async (t) => {
  const lab = await Lab.start(t, { 'public-address': '192.0.2.1' });
  const { at: announced, behind } = await lab.passive(await lab.login());
  assert.equal(announced.address, '192.0.2.1');
  const { at } = await lab.event('pinhole-opened');
  assert.deepEqual(at, { address: hosts.relay, port: announced.port });
  const data = await lab.dial(at);
  (await behind.next()).end('reached');
  assert.equal(await data.rest(), 'reached');
});

test('tells a client of local-networks the address that it reached, whatever public-address says', async (t) => {
  const lab = await Lab.start(t, {
    'public-address': '192.0.2.1',
    'local-networks': `10.0.0.0/8,${hosts.client}/32`,
  });
  assert.equal((await told(await lab.login(hosts.client))).address, hosts.relay);
  assert.equal((await told(await lab.login(hosts.other))).address, '192.0.2.1');
});

test('a 229 names no address, and takes none from public-address', async (t) => {
  const lab = await Lab.start(t, { 'public-address': '192.0.2.1' });
  const { at, behind } = await lab.passive(await lab.login(), 'EPSV');
  const data = await lab.dial(at);
  (await behind.next()).end('extended');
  assert.equal(await data.rest(), 'extended');
});
