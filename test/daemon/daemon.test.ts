import assert from 'node:assert/strict';
import { existsSync, readdirSync, renameSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { startDaemon } from '../../src/daemon/daemon.ts';
import { replies } from '../../src/helper/replies.ts';
import { createLogger } from '../../src/log/log.ts';
import { formatEndpoint } from '../../src/net/endpoint.ts';
import {
  activePorts,
  address,
  firstActivePort,
  hostPort,
  hosts,
  passivePorts,
} from '../support/relay/hosts.ts';
import { temporaryFolder } from '../support/log/logging-process.ts';
import { exchange, Lab } from '../support/relay/lab.ts';
import { neverAccepting } from '../support/relay/never-accepting.ts';
import { onRelayPlane, relayPlaneOnly, settingsOfPlane } from '../support/relay/plane.ts';
import { turns, within } from '../support/relay/within.ts';

const silent = createLogger({ logLevel: 'silent', logFormat: 'json' });
const closing = `${replies.shutdown}\r\n`;

/** What this process holds: descriptors, and what keeps its event loop alive. */
async function heldAtRest(): Promise<Record<string, number>> {
  // A socket that was destroyed is closed some turns of the event loop later.
  await turns(50);
  const counts: Record<string, number> = { descriptors: readdirSync('/proc/self/fd').length };
  for (const kind of process.getActiveResourcesInfo()) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
}

for (const [how, drop] of [
  ['reset by the client', 'client-reset'],
  ['closed by the client', 'client-closed'],
  ['closed by the server', 'server-closed'],
] as const) {
  test(`two hundred sessions with pinholes leave nothing, ${how}`, async (t) => {
    const lab = await Lab.start(t, { 'passive-ports': passivePorts(100), 'active-ports': activePorts(100) });
    // What a first session makes once for all is no leak.
    const warm = await lab.login();
    warm.client.reset();
    await warm.server.wasReset();
    await lab.event('session-closed');
    const before = await heldAtRest();

    for (let n = 0; n < 200; n++) {
      const { client, server } = await lab.login();
      if (n % 2 === 0) {
        client.send('PASV\r\n');
        await server.expect('PASV\r\n');
        server.send(`227 (${hosts.server.replaceAll('.', ',')},200,13)\r\n`);
        await client.line();
      } else {
        client.send(`PORT ${hostPort({ address: hosts.client, port: 51213 })}\r\n`);
        await server.line();
        // Half of them are dropped before the server has answered.
        if (n % 4 === 1) {
          server.send('200 PORT ok.\r\n');
          await client.expect('200 PORT ok.\r\n');
        }
      }
      if (drop === 'client-reset') {
        client.reset();
        await server.wasReset();
      } else if (drop === 'client-closed') {
        client.end();
        await server.close();
        await client.finished();
      } else {
        server.end();
        await client.expect(`${replies.serverClosed}\r\n`);
        await client.close();
        await server.finished();
      }
    }
    await lab.event('session-closed', { reason: drop }, drop === 'client-reset' ? 201 : 200);
    assert.equal(lab.eventsOf('pinhole-opened').length, 200);
    assert.equal(lab.eventsOf('pinhole-closed', { reason: 'session-closed' }).length, 200);
    assert.deepEqual(await heldAtRest(), before);
  });
}

test('a hundred transfers leave nothing', async (t) => {
  const lab = await Lab.start(t);
  const pair = await lab.login();
  const run = async (n: number): Promise<void> => {
    const { client, server } = n % 2 === 0 ? await lab.passiveChannel(pair) : await lab.activeChannel(pair);
    if (n % 3 === 0) {
      server.reset();
      await client.wasReset();
    } else {
      server.end('file');
      assert.equal(await client.rest(), 'file');
      await client.close();
      await server.finished();
    }
    await lab.event('transfer-ended', {}, n + 1);
    lab.closeDataListeners();
    await turns();
  };
  for (let n = 0; n < 6; n++) await run(n);
  const before = await heldAtRest();
  for (let n = 6; n < 106; n++) await run(n);
  assert.deepEqual(await heldAtRest(), before);
});

test('nothing is left of a relay that was closed', async (t) => {
  const before = await heldAtRest();
  const lab = await Lab.start(t);
  const pair = await lab.login();
  await lab.passive(pair);
  const closed = lab.daemon.close();
  await pair.client.expect(closing);
  await Promise.all([pair.client.close(), pair.server.close()]);
  await within(closed, 'the end of the relay');
  await lab.event('pinhole-closed', { reason: 'session-closed' });
  lab.cut();
  assert.deepEqual(await heldAtRest(), before);
});

test('closing accepts no new session, lets a transfer finish, then sends 421', async (t) => {
  const lab = await Lab.start(t, { grace: '60s' });
  const idle = await lab.login(hosts.other);
  const pair = await lab.login();
  const { at, behind } = await lab.passive(pair);
  pair.client.send('RETR file\r\n');
  await pair.server.expect('RETR file\r\n');
  const { relay } = lab;
  const closed = lab.daemon.close();
  await idle.client.expect(closing);
  await idle.client.finished();
  await assert.rejects(lab.dial(relay), { code: 'ECONNREFUSED' });

  // The transfer was asked for before: its data connection is still let in.
  const data = await lab.dial(at);
  pair.server.send('150 Here it comes.\r\n');
  await pair.client.expect('150 Here it comes.\r\n');
  const server = await behind.next();
  server.end('the whole file');
  assert.equal(await data.rest(), 'the whole file');
  data.end();
  await lab.event('transfer-ended', { cause: 'complete' });
  pair.server.send('226 Done.\r\n');
  await pair.client.expect(`226 Done.\r\n${closing}`);
  await pair.client.finished();
  for (const { client, server: inside } of [idle, pair]) await Promise.all([client.close(), inside.close()]);
  await within(closed, 'the end of the relay');
});

test(
  'closing cuts a transfer when the grace is over',
  relayPlaneOnly('Stopping Pinhole cuts no data connection'),
  async (t) => {
    const lab = await Lab.start(t, { grace: '100ms' });
    const pair = await lab.login();
    const data = await lab.passiveChannel(pair);
    data.server.send('half of');
    await data.client.expect('half of');
    const closed = lab.daemon.close();
    await pair.client.expect(closing);
    await Promise.all([pair.client.close(), pair.server.close()]);
    await data.client.wasReset();
    await data.server.wasReset();
    await within(closed, 'the end of the relay');
  },
);

test('a data channel that outlived its session gets the grace too', async (t) => {
  const lab = await Lab.start(t, { grace: '60s' });
  const pair = await lab.login();
  const data = await lab.passiveChannel(pair);
  await exchange(pair, 'RETR file', '150 Here it comes.');
  pair.client.end();
  await pair.server.close();
  await lab.event('session-closed');
  const closed = lab.daemon.close();
  data.server.end('the rest');
  assert.equal(await data.client.rest(), 'the rest');
  data.client.end();
  await lab.event('transfer-ended', { cause: 'complete' });
  await within(closed, 'the end of the relay');
});

test(
  'every transfer that was cut is told before the relay says that it stopped',
  relayPlaneOnly('Stopping Pinhole cuts no data connection'),
  async (t) => {
    const lab = await Lab.start(t);
    const pair = await lab.login();
    const data = await lab.passiveChannel(pair);
    await exchange(pair, 'RETR file', '150 Here it comes.');
    const closed = lab.daemon.close();
    await Promise.all([pair.client.close(), pair.server.close()]);
    await within(closed, 'the end of the relay');
    assert.equal(lab.eventsOf('transfer-ended', { cause: 'shutdown' }).length, 1);
    assert.match(lab.log, /"transfer-ended shutdown download relay":1/);
    await data.client.wasReset();
  },
);

test(
  'a data channel that no transfer began on ends with its session, and nothing waits for it',
  relayPlaneOnly('Stopping Pinhole cuts no data connection'),
  async (t) => {
    const lab = await Lab.start(t, { grace: '60s' });
    const pair = await lab.login();
    const data = await lab.passiveChannel(pair);
    // The server keeps its end of it open, and the client too.
    await exchange(pair, 'MLSD', '502 MLSD not implemented.');
    const other = await lab.login();
    await lab.passiveChannel(other);
    await exchange(pair, 'QUIT', '221 Bye.');
    await Promise.all([pair.client.close(), pair.server.close()]);
    await Promise.all([data.client.wasReset(), data.server.wasReset()]);
    await lab.event('session-closed', { reason: 'quit' });
    const { cause, command } = await lab.event('data-channel-closed');
    assert.deepEqual({ cause, command }, { cause: 'session-closed', command: undefined });
    // The other session has one that nothing came of yet.
    const closed = lab.daemon.close();
    await Promise.all([other.client.close(), other.server.close()]);
    await within(closed, 'the end of the relay');
    assert.match(lab.log, /"sessions":1,"dataChannels":1,"grace":60,"msg":"stopping"/);
    assert.deepEqual(lab.eventsOf('transfer-ended'), []);
  },
);

test('closing waits no longer than its grace for a server that does not answer', async (t) => {
  const server = await neverAccepting(t, hosts.other);
  const lab = await Lab.start(t, { server: formatEndpoint(server), 'connect-timeout': '7s' });
  await lab.dial(server);
  await lab.dial(server);
  const client = await lab.dial(lab.relay);
  await turns();
  // The limit of this wait is below connect-timeout.
  await within(lab.daemon.close(), 'the end of the relay');
  await client.rest();
});

test('a reload is for new sessions; live ones keep what they began with', async (t) => {
  const lab = await Lab.start(t);
  const old = await lab.login();
  const pending = await lab.passive(old);
  await lab.daemon.reload(lab.configWith({ 'public-address': '192.0.2.1', 'max-sessions': '2' }));

  const told = async (pair: typeof old): Promise<string> => {
    pair.client.send('PASV\r\n');
    await pair.server.expect('PASV\r\n');
    pair.server.send(`227 (${hosts.server.replaceAll('.', ',')},200,13)\r\n`);
    return pair.client.line();
  };
  const data = await lab.dial(pending.at);
  (await pending.behind.next()).end('opened before');
  assert.equal(await data.rest(), 'opened before');
  assert.match(await told(old), new RegExp(`\\(${hosts.relay.replaceAll('.', ',')},`));
  assert.match(await told(await lab.login(hosts.other)), /\(192,0,2,1,/);
  await (await lab.dial(lab.relay)).expect(`${replies.tooManySessions}\r\n`);
});

test('a reload opens new listeners and closes those that are not named any more', async (t) => {
  const lab = await Lab.start(t, { listen: `${hosts.relay}:${firstActivePort + 93}` });
  const pair = await lab.login();
  const [before] = lab.daemon.endpoints;
  assert.ok(before);
  await lab.daemon.reload(lab.configWith({ listen: `${hosts.relay}:${firstActivePort + 94}` }));
  assert.deepEqual(lab.daemon.endpoints, [{ address: hosts.relay, port: firstActivePort + 94 }]);
  await assert.rejects(lab.dial(before), { code: 'ECONNREFUSED' });
  await lab.login(hosts.other);
  await exchange(pair, 'NOOP', '200 Here.');
});

test('a reload that fails changes nothing, and leaves no listener of its own', async (t) => {
  const lab = await Lab.start(t, { listen: `${hosts.relay}:${firstActivePort + 93}` });
  const taken = await lab.listen(hosts.relay, firstActivePort + 94);
  const fresh = { address: hosts.relay, port: firstActivePort + 95 };
  const listen = `${formatEndpoint(fresh)},${formatEndpoint(taken.endpoint)}`;
  await assert.rejects(lab.daemon.reload(lab.configWith({ listen, 'max-sessions': '1' })), {
    message: `listen ${formatEndpoint(taken.endpoint)}: another process is using this port`,
  });
  await lab.login();
  await lab.login();
  await assert.rejects(lab.dial(fresh), { code: 'ECONNREFUSED' });
});

test('a reload opens the transfer log again, also where it fails', async (t) => {
  const file = join(temporaryFolder(t), 'xferlog');
  const lab = await Lab.start(t, { 'transfer-log': file });
  renameSync(file, `${file}.1`);
  await lab.daemon.reload(lab.configWith());
  assert.ok(existsSync(file));
  renameSync(file, `${file}.2`);
  await assert.rejects(lab.daemon.reload(lab.configWith({ listen: '192.0.2.1:2121' })));
  assert.ok(existsSync(file));
  await assert.rejects(lab.daemon.reload(lab.configWith({ 'transfer-log': `${file}.3` })), /transfer-log/);
});

test('a transfer log that can not be had ends the start, and leaves nothing', async (t) => {
  const lab = await Lab.start(t);
  const before = await heldAtRest();
  const second = lab.configWith({ 'transfer-log': '/nowhere/xferlog', listen: `${hosts.other}:0` });
  await assert.rejects(startDaemon(second, silent), /^Error: transfer-log: ENOENT/);
  assert.deepEqual(await heldAtRest(), before);
});

test('a listener that can not be had ends the start, and leaves nothing', async (t) => {
  const lab = await Lab.start(t);
  const before = await heldAtRest();
  for (const [listen, message] of [
    [formatEndpoint(lab.relay), 'another process is using this port'],
    ['192.0.2.1:2121', 'no interface of this host has this address'],
  ] as const) {
    const second = lab.configWith({ listen: `${hosts.other}:0,${listen}`, ...settingsOfPlane() });
    await assert.rejects(startDaemon(second, silent), {
      message: `listen ${listen}: ${message}`,
    });
  }
  assert.deepEqual(await heldAtRest(), before);
});

test('a port alone listens on all addresses of both families', async (t) => {
  const port = firstActivePort + 96;
  const lab = await Lab.start(t, { listen: String(port) });
  const v6 = Object.values(networkInterfaces()).some((all) => all?.some((each) => each.address === '::1'));
  const reached = [hosts.relay, hosts.other, ...(v6 ? [address('::1')] : [])];
  for (const [index, at] of reached.entries()) {
    const accepted = lab.server.next();
    const client = await lab.dial({ address: at, port }, at === '::1' ? at : hosts.client);
    (await accepted).send('220 Ready.\r\n');
    await client.expect('220 Ready.\r\n');
    const opened = await lab.event('session-opened', {}, index + 1);
    assert.equal(opened.reached.address, at);
    assert.equal(opened.client.address, at === '::1' ? at : hosts.client);
  }
});

test('does not dial itself without end when the server turns out to be the relay', async (t) => {
  const lab = await Lab.start(t, { listen: '0.0.0.0:0' });
  const { port } = lab.relay;
  await lab.daemon.reload(lab.configWith({ server: `localhost:${port}`, listen: '0.0.0.0:0' }));
  const client = await lab.dial({ address: address(hosts.relay), port });
  await client.expect(`${replies.loop}\r\n`);
  await lab.event('session-refused', { reason: 'loop' });
  assert.ok(lab.eventsOf('session-opened').length === 0, 'it has a session with itself');
});

test('a reload that would change what cannot change names it, and changes nothing', async (t) => {
  const lab = await Lab.start(t);
  const wanted = lab.configWith({ 'kernel-table': 'other', 'log-format': 'pretty', 'max-sessions': '1' });
  await assert.rejects(lab.daemon.reload(wanted), {
    message:
      'kernel-table, log-format: cannot change while Pinhole runs; restart it, or change them back. Nothing has changed',
  });
  await lab.login();
  await lab.login();
});

test('a reload tells what has changed, and a log level is followed at once', async (t) => {
  const lab = await Lab.start(t);
  const changed = await lab.daemon.reload(lab.configWith({ 'log-level': 'warn', 'max-sessions': '7' }));
  assert.deepEqual(changed, ['max-sessions: 10000 -> 7', 'log-level: info -> warn']);
  const before = lab.log;
  await lab.login();
  assert.equal(lab.log, before);
});

test(
  'data connections that begin after a reload have its limits',
  relayPlaneOnly("Timeouts of data connections are the kernel's"),
  async (t) => {
    const lab = await Lab.start(t);
    await lab.daemon.reload(lab.configWith({ 'data-idle-timeout': '1s' }));
    const pair = await lab.login();
    const data = await lab.passiveChannel(pair);
    await exchange(pair, 'RETR file', '150 Here it comes.');
    await lab.event('transfer-ended', { cause: 'data-idle-timeout' });
    await data.client.wasReset();
  },
);

test('goes on for drain-timeout as if nothing had happened, and ends with its last session', async (t) => {
  const lab = await Lab.start(t, { 'drain-timeout': '60s', grace: '0' });
  const pair = await lab.login();
  const closed = lab.daemon.close();
  await exchange(pair, 'NOOP', '200 OK.');
  const data = await lab.passiveChannel(pair);
  data.server.end();
  data.client.end();
  await exchange(pair, 'QUIT', '221 Bye.');
  await Promise.all([pair.client.close(), pair.server.close()]);
  await within(closed, 'the end of the relay');
});

test('ends what is left when it is told not to wait for drain-timeout any more, or from the start', async (t) => {
  for (const drains of [true, false]) {
    const lab = await Lab.start(t, { 'drain-timeout': '60s', grace: '60s' });
    const pair = await lab.login();
    const closed = lab.daemon.close(undefined, drains);
    if (drains) await exchange(pair, 'NOOP', '200 OK.');
    lab.daemon.hasten(0);
    await pair.client.expect(closing);
    await Promise.all([pair.client.close(), pair.server.close()]);
    await within(closed, 'the end of the relay');
  }
});

test('cuts off what is left earlier than was said first, where it is hastened', async (t) => {
  const lab = await Lab.start(t, { grace: '60s' });
  const pair = await lab.login();
  const data = await lab.passiveChannel(pair);
  data.server.send('half of');
  await data.client.expect('half of');
  const closed = lab.daemon.close();
  lab.daemon.hasten(50);
  // Not later again.
  lab.daemon.hasten(60_000);
  await pair.client.expect(closing);
  if (onRelayPlane('Stopping Pinhole cuts no data connection')) await data.client.wasReset();
  await Promise.all([pair.client.close(), pair.server.close()]);
  await within(closed, 'the end of the relay');
});

test('ends what is left when drain-timeout is over', async (t) => {
  const lab = await Lab.start(t, { 'drain-timeout': '100ms', grace: '0' });
  const pair = await lab.login();
  const closed = lab.daemon.close();
  await pair.client.expect(closing);
  await Promise.all([pair.client.close(), pair.server.close()]);
  await within(closed, 'the end of the relay');
});
