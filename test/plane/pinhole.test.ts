import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test } from 'node:test';
import {
  activePorts,
  firstActivePort,
  firstPassivePort,
  hostPort,
  hosts,
  passivePorts,
} from '../support/relay/hosts.ts';
import { announcedIn, exchange, Lab } from '../support/relay/lab.ts';
import { onRelayPlane, relayPlaneOnly } from '../support/relay/plane.ts';
import { turns, within } from '../support/relay/within.ts';

test('turns a stranger away that connects first, logs it, and lets the right peer in after it', async (t) => {
  const lab = await Lab.start(t);
  const { at, behind } = await lab.passive(await lab.login());
  await lab.isTurnedAway(at, hosts.stranger);
  if (onRelayPlane('Strangers are not logged')) {
    const refused = await lab.event('pinhole-refused', { reason: 'stranger' });
    assert.deepEqual([refused.at, refused.from.address], [at, hosts.stranger]);
    assert.match(lab.log, /"level":"warn".*"reason":"stranger".*"msg":"pinhole refused"/);
  }
  assert.equal(behind.count, 0);

  const data = await lab.dial(at);
  (await behind.next()).end('for the right peer');
  assert.equal(await data.rest(), 'for the right peer');
  assert.equal(behind.count, 1);
});

test('lets a client connect to its pinhole once', async (t) => {
  const lab = await Lab.start(t);
  const { at, behind } = await lab.passive(await lab.login());
  const first = await lab.dial(at);
  const server = await behind.next();
  await assert.rejects(lab.dial(at), { code: 'ECONNREFUSED' });
  server.end('to the first');
  assert.equal(await first.rest(), 'to the first');
  assert.equal(behind.count, 1);
});

test('turns a second connection away from a port that stays open for another client', async (t) => {
  const lab = await Lab.start(t, { 'passive-ports': passivePorts(1) });
  const { at, behind } = await lab.passive(await lab.login());
  const others = await lab.passive(await lab.login(hosts.other));
  assert.deepEqual(others.at, at);
  const first = await lab.dial(at);
  const server = await behind.next();
  await lab.isTurnedAway(at, hosts.client);
  if (onRelayPlane('Strangers are not logged')) await lab.event('pinhole-refused', { reason: 'stranger' });
  server.end('to the first');
  assert.equal(await first.rest(), 'to the first');
  const other = await lab.dial(at, hosts.other);
  (await others.behind.next()).end('to the other');
  assert.equal(await other.rest(), 'to the other');
  assert.deepEqual([behind.count, others.behind.count], [1, 1]);
});

test('nothing listens before the first pinhole and after the last', async (t) => {
  const lab = await Lab.start(t, { 'passive-ports': passivePorts(1) });
  const at = { address: hosts.relay, port: firstPassivePort };
  await assert.rejects(lab.dial(at), { code: 'ECONNREFUSED' });
  const pair = await lab.login();
  const { behind } = await lab.passive(pair);
  await lab.dial(at);
  await behind.next();
  await assert.rejects(lab.dial(at), { code: 'ECONNREFUSED' });
});

test('listens on the address that the client reached, not on others', async (t) => {
  const lab = await Lab.start(t);
  const { at } = await lab.passive(await lab.login());
  assert.equal(at.address, hosts.relay);
  for (const address of [hosts.other, hosts.server]) {
    await assert.rejects(lab.dial({ address, port: at.port }), { code: 'ECONNREFUSED' });
  }
});

test('outlasts a scan of the whole range from a stranger', async (t) => {
  const lab = await Lab.start(t);
  const pair = await lab.login();
  const { at, behind } = await lab.passive(pair);
  const [first = 0, last = 0] = passivePorts().split('-').map(Number);
  const ports = Array.from({ length: last - first + 1 }, (_, index) => first + index);
  // A scanner resets what it reached, or leaves it to the relay.
  const scan = ports.map((port) => {
    const socket = connect({ host: hosts.relay, port, localAddress: hosts.stranger });
    const closed = new Promise<number>((resolve) =>
      socket.once('close', () => {
        resolve(port);
      }),
    );
    socket.once('connect', () => {
      if (port % 2 === 0) socket.resetAndDestroy();
    });
    socket.once('error', () => undefined);
    return closed;
  });
  assert.deepEqual(await within(Promise.all(scan), 'the end of every connection'), ports);
  const data = await lab.dial(at);
  (await behind.next()).end('still here');
  assert.equal(await data.rest(), 'still here');
  await exchange(pair, 'NOOP', '200 Here.');
  for (const { from, reason } of lab.eventsOf('pinhole-refused')) {
    assert.deepEqual([from.address, reason], [hosts.stranger, 'stranger']);
  }
});

test('fifty clients have a pending transfer each on a range of four ports, and all complete', async (t) => {
  const lab = await Lab.start(t, { 'passive-ports': passivePorts(4) });
  const clients = Array.from({ length: 50 }, (_, index) => `127.0.1.${index + 1}`);
  const pending = [];
  for (const address of clients) {
    const pair = await lab.login(address);
    pending.push({ address, pair, ...(await lab.passive(pair)) });
  }
  // All fifty wait at once: none was taken, none went away.
  assert.equal(lab.eventsOf('pinhole-opened').length, 50);
  assert.deepEqual(lab.eventsOf('pinhole-closed'), []);
  assert.ok(new Set(pending.map(({ at }) => at.port)).size <= 4);

  await Promise.all(
    pending.map(async ({ address, pair, at, behind }) => {
      pair.client.send(`RETR ${address}\r\n`);
      await pair.server.expect(`RETR ${address}\r\n`);
      pair.server.send('150 Here it comes.\r\n');
      const data = await lab.dial(at, address);
      const server = await behind.next();
      server.end(`the file of ${address}`);
      assert.equal(await data.rest(), `the file of ${address}`);
      data.end();
      await server.finished();
      pair.server.send('226 Done.\r\n');
      await pair.client.expect('150 Here it comes.\r\n226 Done.\r\n');
    }),
  );
  await lab.event('transfer-ended', {}, 50);
  const ended = lab.eventsOf('transfer-ended', { cause: 'complete' });
  assert.deepEqual(
    new Map(ended.map(({ peer, command }) => [peer, command?.path])),
    new Map(clients.map((each) => [each, each])),
  );
});

test('takes the port number of the server if it is in the range and free for that client', async (t) => {
  const lab = await Lab.start(t);
  const pair = await lab.login();
  const port = firstPassivePort + 37;
  const reply = `227 Entering Passive Mode (${hostPort({ address: hosts.server, port })}).\r\n`;
  const ask = async ({ client, server }: typeof pair): Promise<number> => {
    client.send('PASV\r\n');
    await server.expect('PASV\r\n');
    server.send(reply);
    return announcedIn(await client.line()).port;
  };
  assert.equal(await ask(pair), port);
  assert.equal(await ask(await lab.login(hosts.other)), port);
  const second = await ask(await lab.login());
  assert.notEqual(second, port);
  assert.ok(second >= firstPassivePort && second < firstPassivePort + 100);
});

test('takes a port of the range if the number of the server is outside', async (t) => {
  const lab = await Lab.start(t);
  const pair = await lab.login();
  const port = firstPassivePort + 100;
  pair.client.send('PASV\r\n');
  await pair.server.expect('PASV\r\n');
  pair.server.send(`227 Entering Passive Mode (${hostPort({ address: hosts.server, port })}).\r\n`);
  const told = announcedIn(await pair.client.line()).port;
  assert.ok(told >= firstPassivePort && told < port);
});

test(
  'takes another port where another process has the number of the server',
  relayPlaneOnly('Ports of other processes are not seen'),
  async (t) => {
    const lab = await Lab.start(t);
    const pair = await lab.login();
    const port = firstPassivePort + 11;
    await lab.listen(hosts.relay, port);
    pair.client.send('PASV\r\n');
    await pair.server.expect('PASV\r\n');
    pair.server.send(`227 Entering Passive Mode (${hostPort({ address: hosts.server, port })}).\r\n`);
    const told = announcedIn(await pair.client.line()).port;
    assert.ok(told !== port && told >= firstPassivePort && told < firstPassivePort + 100);
  },
);

test('a new pinhole of a session replaces the pending one', async (t) => {
  const lab = await Lab.start(t);
  const pair = await lab.login();
  const first = await lab.passive(pair);
  const second = await lab.passive(pair);
  await lab.event('pinhole-closed', {
    reason: 'replaced',
    at: lab.eventsOf('pinhole-opened')[0]?.at ?? first.at,
  });
  await lab.isClosed(first.at);
  const active = await lab.active(pair);
  await lab.event('pinhole-closed', { reason: 'replaced' }, 2);
  await lab.isClosed(second.at);
  const data = await lab.dial(active.told, hosts.server);
  (await active.listener.next()).end('the last one');
  assert.equal(await data.rest(), 'the last one');
});

test('a pinhole that nobody takes expires after expect-timeout', async (t) => {
  const lab = await Lab.start(t, { 'expect-timeout': '1s' });
  const pair = await lab.login();
  const { at, behind } = await lab.passive(pair);
  await lab.event('pinhole-closed', { reason: 'expired' });
  await lab.isClosed(at);
  assert.equal(behind.count, 0);
  assert.match(lab.log, /"reason":"expired".*"msg":"pinhole closed"/);
  await exchange(pair, 'NOOP', '200 Here.');
  await lab.passive(pair);
});

test(
  'resets a peer that comes too late, before the pinhole is swept away',
  relayPlaneOnly('Strangers are not logged'),
  async (t) => {
    const lab = await Lab.start(t, { 'expect-timeout': '1ms' });
    const { at, behind } = await lab.passive(await lab.login());
    for (const over = Date.now() + 2; Date.now() < over;) await turns(1);
    await lab.isTurnedAway(at, hosts.client);
    await lab.event('pinhole-refused', { reason: 'expired' });
    await lab.event('pinhole-closed', { reason: 'expired' });
    assert.equal(behind.count, 0);
  },
);

for (const [name, end] of [
  ['reset', 'client-reset'],
  ['quit', 'quit'],
  ['closed', 'client-closed'],
] as const) {
  test(`takes an unused pinhole away with its session, ${name}`, async (t) => {
    const lab = await Lab.start(t);
    const pair = await lab.login();
    const { at } = await lab.passive(pair);
    if (name === 'reset') {
      pair.client.reset();
      await pair.server.wasReset();
    } else {
      if (name === 'quit') await exchange(pair, 'QUIT', '221 Bye.');
      if (name === 'closed') {
        pair.client.end();
        await pair.server.finished();
      }
      pair.server.end();
      await pair.client.finished();
      await pair.client.close();
    }
    await lab.event('session-closed', { reason: end });
    await lab.event('pinhole-closed', { reason: 'session-closed' });
    await lab.isClosed(at);
  });
}

test('turns the client away when the data port of the server is closed', async (t) => {
  const lab = await Lab.start(t);
  const pair = await lab.login();
  const { at, behind } = await lab.passive(pair);
  behind.close();
  await lab.isTurnedAway(at, hosts.client);
  const { error } = await lab.event('transfer-ended', { cause: 'server-unreachable' });
  if (onRelayPlane('The log has less about a transfer')) assert.match(error ?? '', /ECONNREFUSED/);
  await exchange(pair, 'NOOP', '200 Here.');
});

test('a client that resets its data connection while the server is dialled costs nothing', async (t) => {
  const lab = await Lab.start(t);
  const pair = await lab.login();
  const { at, behind } = await lab.passive(pair);
  const data = await lab.dial(at);
  data.reset();
  const server = await behind.next();
  await server.wasReset();
  const cause = onRelayPlane('The log has less about a transfer') ? 'client-reset' : 'reset';
  await lab.event('transfer-ended', { cause });
  await exchange(pair, 'NOOP', '200 Here.');
});

test(
  'lets a host of fxp-peers take a pinhole, and no other',
  relayPlaneOnly('A passive pinhole is for the client only'),
  async (t) => {
    const lab = await Lab.start(t, { 'fxp-peers': `${hosts.other}/32` });
    const { at, behind } = await lab.passive(await lab.login());
    await lab.isTurnedAway(at, hosts.stranger);
    const data = await lab.dial(at, hosts.other);
    (await behind.next()).end('host to host');
    assert.equal(await data.rest(), 'host to host');
  },
);

test('passive and active pinholes take their ports from their own range', async (t) => {
  const lab = await Lab.start(t, { 'passive-ports': passivePorts(1), 'active-ports': activePorts(1) });
  const pair = await lab.login();
  const { told } = await lab.active(pair);
  assert.equal(told.port, firstActivePort);
  const { at } = await lab.passive(pair);
  assert.equal(at.port, firstPassivePort);
});
