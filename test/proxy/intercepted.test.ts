/** Sessions to servers that clients mean; the kernel's word for where that is comes from the test. */
import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { test, type TestContext } from 'node:test';
import type { Event } from '../../src/events.ts';
import { parseCidr } from '../../src/net/cidr.ts';
import { dial as connect } from '../../src/net/dial.ts';
import { unlimited } from '../../src/net/descriptors.ts';
import type { Endpoint } from '../../src/net/endpoint.ts';
import { parsePortRange } from '../../src/net/port-range.ts';
import type { Borrower, Plane, RangePlane } from '../../src/plane/plane.ts';
import { createRelayPlane } from '../../src/plane/relay.ts';
import { Sessions, type SessionsSettings } from '../../src/proxy/sessions.ts';
import { policyWith } from '../data/sessions.ts';
import { address, hosts } from '../support/relay/hosts.ts';
import { PeerListener } from '../support/relay/peer-listener.ts';
import { dial, type Peer } from '../support/relay/peer.ts';

const range = parsePortRange('50000-50999') ?? assert.fail('a range');
const everywhere = parseCidr('0.0.0.0/0') ?? assert.fail('a network');

interface Stand {
  readonly relay: Endpoint;
  readonly meant: PeerListener;
  readonly events: Event[];
  readonly requests: Parameters<Plane['open']>[0][];
  client(): Promise<Peer>;
}

/**
 * @param original where the kernel says that clients were going
 * @param isNamed whether the configuration names the server
 */
async function start(
  t: TestContext,
  original: (meant: Endpoint, arrived: Endpoint) => Endpoint,
  changes: Partial<SessionsSettings> = {},
  borrower?: Borrower,
  isNamed = false,
): Promise<Stand> {
  const events: Event[] = [];
  const observe = (event: Event): void => void events.push(event);
  const relayPlane = createRelayPlane({ observe, connectTimeout: 5000, dataIdleTimeout: 60_000 });
  const requests: Stand['requests'] = [];
  const plane: RangePlane = {
    channels: 0,
    progress: () => [],
    openRange: (request) => relayPlane.openRange(request),
    open: (request) => {
      requests.push(request);
      // Nothing is rewritten here: what is borrowed is listened for on this host.
      const own = { ...request.own, far: request.from.address };
      return relayPlane.open({ ...request, address: own.near, own, ports: range });
    },
    close: (grace) => relayPlane.close(grace),
  };
  const meant = await PeerListener.at(hosts.server);
  const settings: SessionsSettings = {
    policy: policyWith({ denyPorts: [], publicAddress: () => address('192.0.2.99') }),
    tls: { forClients: undefined, forServer: undefined },
    tlsTimeout: 5000,
    upstream: isNamed ? { host: hosts.server, port: meant.endpoint.port } : undefined,
    keepClientAddress: false,
    intercepted: [everywhere],
    insideAddress: () => undefined,
    passivePorts: range,
    activePorts: range,
    dataSourcePort: 0,
    expectTimeout: 60_000,
    connectTimeout: 5000,
    keepalive: 0,
    loginTimeout: 60_000,
    idleTimeout: 60_000,
    maxSessions: 10,
    maxSessionsPerClient: 10,
    ipv6ClientPrefix: 64,
    maxRefusals: 0,
    ...changes,
  };
  const listener = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (socket) => {
    sessions.accept(socket, false);
  });
  listener.listen(0, hosts.relay);
  await once(listener, 'listening');
  const { port } = listener.address() as { port: number };
  const relay = { address: hosts.relay, port };
  const isOwn = (endpoint: Endpoint): boolean => endpoint.port === port;
  const sessions = new Sessions(
    settings,
    {
      plane,
      borrower,
      originalDestination: (_socket, arrived) => original(meant.endpoint, { address: arrived, port }),
      isOwn,
      isOwnAddress: (each) => each === hosts.relay,
      descriptors: unlimited,
    },
    observe,
  );
  const clients: Peer[] = [];
  t.after(async () => {
    for (const { socket } of clients) socket.destroy();
    meant.destroy();
    listener.close();
    const closed = Promise.all([sessions.close(), plane.close(0)]);
    sessions.shutDown();
    await closed;
  });
  return {
    relay,
    meant,
    events,
    requests,
    client: async () => {
      const peer = await dial(relay, hosts.client);
      clients.push(peer);
      return peer;
    },
  };
}

async function logIn(client: Peer, server: Peer): Promise<void> {
  for (const [command, reply] of [
    [undefined, '220 Ready.'],
    ['USER anne', '331 Password?'],
    ['PASS secret', '230 Welcome.'],
  ]) {
    if (command !== undefined) {
      client.send(`${command}\r\n`);
      await server.expect(`${command}\r\n`);
    }
    server.send(`${reply ?? ''}\r\n`);
    await client.expect(`${reply ?? ''}\r\n`);
  }
}

test('leads to the server that was meant, and tells the client the address of that one', async (t) => {
  const stand = await start(t, (meant) => meant);
  const client = await stand.client();
  const server = await stand.meant.next();
  await logIn(client, server);
  client.send('PASV\r\n');
  await server.expect('PASV\r\n');
  server.send(`227 Entering Passive Mode (10,0,0,1,200,13).\r\n`);
  const line = await client.line();
  assert.ok(line.includes(`(${hosts.server.replaceAll('.', ',')},`), line);
  const [request] = stand.requests;
  assert.equal(request?.address, hosts.server);
  assert.deepEqual(request.own, { near: hosts.relay, far: server.remote.address });
  assert.equal(request.preferredPort, 200 * 256 + 13);
  assert.deepEqual(request.ports, { first: 1024, last: 65_535 });
});

test('lets the server be seen to connect from its own port', async (t) => {
  const stand = await start(t, (meant) => meant, { dataSourcePort: 20 });
  const client = await stand.client();
  const server = await stand.meant.next();
  await logIn(client, server);
  client.send(`PORT ${hosts.client.replaceAll('.', ',')},195,80\r\n`);
  await server.line();
  assert.deepEqual(stand.requests[0]?.from, { address: hosts.server, port: 0 });
});

for (const [what, original, changes, reason] of [
  ['the relay itself', (_meant: Endpoint, arrived: Endpoint) => arrived, {}, 'loop'],
  [
    'a server in none of the networks',
    (meant: Endpoint) => meant,
    { intercepted: [] },
    'destination-not-allowed',
  ],
] as const) {
  test(`refuses who meant ${what}`, async (t) => {
    const stand = await start(t, original, changes);
    const client = await stand.client();
    assert.match(
      await client.rest(),
      /^421 Service not available: (the destination is the relay itself|this server is not allowed)/,
    );
    assert.ok(stand.events.some((event) => event.type === 'session-refused' && event.reason === reason));
    assert.equal(stand.meant.count, 0);
  });
}

test('a kept address is that of the client, for the server and for what the plane is asked', async (t) => {
  const asked: Endpoint[] = [];
  const borrower: Borrower = {
    dial: (to, as, timeout) => {
      asked.push(as);
      return connect(to, timeout);
    },
  };
  const stand = await start(t, (meant) => meant, { keepClientAddress: true }, borrower);
  const client = await stand.client();
  const server = await stand.meant.next();
  assert.deepEqual(asked, [client.local]);
  await logIn(client, server);
  const command = `PORT ${hosts.client.replaceAll('.', ',')},195,80\r\n`;
  client.send(command);
  await server.line();
  const [request] = stand.requests;
  assert.equal(request?.address, hosts.client);
  assert.equal(request.preferredPort, 195 * 256 + 80);
});

test('takes no client for a connection of its own that has the same address and port, to another host', async (t) => {
  const borrower: Borrower = { dial: (to, as, timeout) => connect(to, timeout, [as]) };
  const stand = await start(t, (_meant, arrived) => arrived, { keepClientAddress: true }, borrower, true);
  const client = await stand.client();
  const server = await stand.meant.next();
  assert.deepEqual(server.remote, client.local);
  server.send('220 Ready.\r\n');
  await client.expect('220 Ready.\r\n');
});
