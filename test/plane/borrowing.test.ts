/** Borrowed addresses without a kernel that rewrites; test/integration/borrowed-addresses.test.ts has the real one. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { Address } from '../../src/net/address.ts';
import type { Endpoint } from '../../src/net/endpoint.ts';
import { NftError } from '../../src/linux/nftables/error.ts';
import { toText } from '../../src/linux/nftables/text.ts';
import { Borrowing } from '../../src/plane/borrowing.ts';
import { KernelTable } from '../../src/plane/kernel-table.ts';
import type { PinholeRequest } from '../../src/plane/plane.ts';
import { createRelayPlane } from '../../src/plane/relay.ts';
import { FakeNft } from '../support/fake-nft.ts';
import { address, hosts } from '../support/relay/hosts.ts';
import { neverAccepting } from '../support/relay/never-accepting.ts';
import { PeerListener } from '../support/relay/peer-listener.ts';
import { dial } from '../support/relay/peer.ts';
import { turns } from '../support/relay/within.ts';

const client: Address = address('198.51.100.10');
/** Below those that the system gives out (ip_local_port_range), so that no other test has it. */
const wanted = 22_000 + (process.pid % 10_000);
const far: Address = address('203.0.113.5');

interface Stand {
  readonly nft: FakeNft;
  readonly borrowing: Borrowing;
  readonly server: PeerListener;
  readonly to: { readonly host: string; readonly port: number };
}

async function start(t: TestContext): Promise<Stand> {
  const nft = new FakeNft();
  const table = new KernelTable({ table: 'pinhole', mark: 0x2121 }, nft, () => undefined);
  const server = await PeerListener.at(hosts.server);
  t.after(() => {
    server.destroy();
    nft.failure = () => undefined;
    table.close();
  });
  const { address: host, port } = server.endpoint;
  return { nft, borrowing: new Borrowing(table), server, to: { host, port } };
}

/** Every loan that was ever given. */
function loans({ nft }: Stand): string[] {
  return nft.transactions
    .flat()
    .filter((each) => each.kind === 'add-element' && each.set === 'borrowed4' && each.timeout !== 1000)
    .map((each) => toText([each]).trimEnd());
}

test('names the source before it connects, and takes that back when it has', async (t) => {
  const stand = await start(t);
  const as = { address: client, port: wanted };
  const socket = await stand.borrowing.dial(stand.to, as, 5000, hosts.relay).connected;
  t.after(() => socket.destroy());
  const { remote } = await stand.server.next();
  assert.deepEqual(remote, { address: hosts.relay, port: as.port });
  const [loan = ''] = loans(stand);
  const key = `${hosts.relay} . ${as.port} . ${stand.to.host} . ${stand.to.port}`;
  assert.ok(loan.includes(`{ ${key} timeout 60000ms : ${client} }`), loan);
  await turns();
  assert.deepEqual(stand.nft.elements('borrowed4'), []);
});

test('finds the address to connect from by itself, and any port where the wanted one is not free', async (t) => {
  const stand = await start(t);
  const taken = await PeerListener.at('127.0.0.1');
  t.after(() => {
    taken.destroy();
  });
  const as = { address: client, port: taken.endpoint.port };
  const dialling = stand.borrowing.dial(
    { ...stand.to, host: '127.0.0.1', port: taken.endpoint.port },
    as,
    5000,
  );
  const socket = await dialling.connected;
  t.after(() => socket.destroy());
  const { remote } = await taken.next();
  assert.equal(remote.address, '127.0.0.1');
  assert.notEqual(remote.port, as.port);
  // A random port may be somebody else's as well, and another one is tried then.
  const ports = loans(stand).map((loan) => Number(/\{ 127\.0\.0\.1 \. (\d+) \./.exec(loan)?.[1]));
  assert.equal(ports[0], as.port);
  assert.equal(ports.at(-1), remote.port);
  assert.equal(new Set(ports).size, ports.length);
});

test('two connections at once do not name one source twice', async (t) => {
  const stand = await start(t);
  const others = [client, address('198.51.100.11')].map((each) =>
    stand.borrowing.dial(stand.to, { address: each, port: wanted }, 5000, hosts.relay),
  );
  const sockets = await Promise.all(others.map(({ connected }) => connected));
  t.after(() => {
    for (const socket of sockets) socket.destroy();
  });
  assert.equal(new Set(sockets.map(({ localPort }) => localPort)).size, 2);
});

test('says which route is wrong where no answer comes back', async (t) => {
  const stand = await start(t);
  const silent = await neverAccepting(t, hosts.server);
  for (let n = 0; n < 2; n++) {
    const { socket } = await dial(silent, hosts.other);
    t.after(() => socket.destroy());
  }
  const to = { host: silent.address, port: silent.port };
  const dialling = stand.borrowing.dial(to, { address: client, port: 0 }, 100, hosts.relay);
  await assert.rejects(
    dialling.connected,
    /^NoAnswerError: no answer from .*default route must lead through this host/,
  );
  await turns();
  assert.deepEqual(stand.nft.elements('borrowed4'), []);
});

test('cannot stand in for an address of the other family', async (t) => {
  const { borrowing, to } = await start(t);
  const six = { address: address('2001:db8::10'), port: 0 };
  await assert.rejects(
    borrowing.dial(to, six, 1000).connected,
    /has no IPv6 address, so it cannot be reached/,
  );
});

test('where nftables refuses, nothing is connected', async (t) => {
  const stand = await start(t);
  stand.nft.failure = () => new NftError('full', 'nftables: a set is full');
  const dialling = stand.borrowing.dial(stand.to, { address: client, port: 0 }, 1000, hosts.relay);
  await assert.rejects(dialling.connected, /a set is full/);
  assert.equal(stand.server.count, 0);
});

test('tries the way back: fine, away, and given up', async (t) => {
  const stand = await start(t);
  assert.equal(await stand.borrowing.tryWayBack(stand.to, 2000).trouble, undefined);
  assert.ok(loans(stand).at(-1)?.endsWith(': 192.0.2.1 }'));
  stand.server.close();
  const away = await stand.borrowing.tryWayBack(stand.to, 2000).trouble;
  assert.match(away ?? '', /^keep-client-address could not be tested: connect ECONNREFUSED/);
  const trial = stand.borrowing.tryWayBack(stand.to, 2000);
  trial.abort();
  assert.equal(await trial.trouble, undefined);
});

test('a lead stands until it is taken back, and again in a table that is made again', async (t) => {
  const { nft, borrowing } = await start(t);
  const lead = {
    peer: hosts.server,
    at: { address: client, port: 50_000 },
    to: { address: hosts.relay, port: 40_001 },
  };
  const unlead = await borrowing.lead(lead, 60_000);
  const key = `${hosts.server} . ${client} . 50000`;
  assert.deepEqual(nft.elements('expect4'), [key]);
  assert.deepEqual(nft.elements('to4'), [`${key} : ${hosts.relay} . 40001`]);
  nft.sets = undefined;
  const other = await borrowing.lead({ ...lead, peer: hosts.other }, 60_000);
  assert.equal(nft.elements('expect4').length, 2);
  for (const end of [unlead, other, unlead]) end();
  await turns();
  assert.deepEqual(nft.elements('expect4'), []);
  nft.failure = () => new NftError('full', 'nftables: a set is full');
  await assert.rejects(borrowing.lead(lead, 60_000), /a set is full/);
});

/** A transfer through the relay plane whose peer means an address that is not this host's. */
function request(near: Address, to: Endpoint, changes: Partial<PinholeRequest> = {}): PinholeRequest {
  return {
    session: 1,
    mode: 'active',
    command: 'PORT',
    peer: hosts.server,
    alsoFrom: [],
    address: near,
    own: { near: hosts.relay, far: hosts.relay },
    ports: { first: 1, last: 65_535 },
    preferredPort: 50_000,
    to,
    from: { address: far, port: 0 },
    timeout: 60_000,
    owner: { channelOpened: () => undefined, channelClosed: () => undefined },
    ...changes,
  };
}

test('the relay plane is led to, and dials under the address that was asked for', async (t) => {
  const stand = await start(t);
  const options = { observe: () => undefined, connectTimeout: 5000, dataIdleTimeout: 60_000 };
  const plane = createRelayPlane({ ...options, borrowing: stand.borrowing });
  t.after(() => plane.close(0));
  const behind = await PeerListener.at(hosts.client);
  t.after(() => {
    behind.destroy();
  });
  const pinhole = await plane.open(request(client, behind.endpoint));
  assert.deepEqual(pinhole.at, { address: client, port: 50_000 });
  const [, listener] = /: (\S+ \. \d+)$/.exec(stand.nft.elements('to4')[0] ?? '') ?? [];
  const [host = '', port] = listener?.split(' . ') ?? [];
  await pinhole.arm();
  const peer = await dial({ address: address(host), port: Number(port) }, hosts.server);
  t.after(() => peer.socket.destroy());
  const arrived = await behind.next();
  peer.end('up');
  assert.equal(await arrived.rest(), 'up');
  assert.ok(loans(stand).some((line) => line.endsWith(`: ${far} }`)));
  await turns();
  assert.deepEqual(stand.nft.elements('to4'), []);
});

test('the relay plane gives back what it cannot lead to, and says so without nftables', async (t) => {
  const stand = await start(t);
  const options = { observe: () => undefined, connectTimeout: 5000, dataIdleTimeout: 60_000 };
  const plane = createRelayPlane({ ...options, borrowing: stand.borrowing });
  t.after(() => plane.close(0));
  const asked = request(client, stand.server.endpoint);
  stand.nft.failure = () => new NftError('full', 'nftables: a set is full');
  await assert.rejects(plane.open(asked), /a set is full/);
  stand.nft.failure = () => undefined;
  assert.equal((await plane.open(asked)).at.port, 50_000);
  await assert.rejects(
    createRelayPlane(options).open(asked),
    /connections from addresses of other hosts are not available/,
  );
});
