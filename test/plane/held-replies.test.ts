/** What one server says and does in an order, on two connections, its client sees in that order. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { replies } from '../../src/helper/replies.ts';
import { loadSocketCalls } from '../../src/linux/socket-calls.ts';
import { hostPort } from '../support/relay/hosts.ts';
import { announcedIn, exchange, Lab, type ControlPair, type DataPair } from '../support/relay/lab.ts';
import { neverAccepting } from '../support/relay/never-accepting.ts';
import {
  auth,
  greet,
  logIn,
  protect,
  serveAuth,
  terminating,
  towardsServer,
  ofServer,
} from '../support/relay/tls-lab.ts';
import { secureAsClient, secureAsServer } from '../support/relay/tls-peer.ts';
import { turns } from '../support/relay/within.ts';

/** More than the buffers of a connection take, so that some of it waits for a client that does not read. */
const large = Buffer.alloc(16 * 1024 * 1024, 'a large file ');

/** An active transfer whose client's port answers no SYN, up to the server's 150. */
async function begunActive(
  t: TestContext,
  settings: Readonly<Record<string, string>> = {},
): Promise<{ lab: Lab; pair: ControlPair; server: DataPair['server'] }> {
  const lab = await Lab.start(t, settings);
  const pair = await lab.login();
  const silent = await neverAccepting(t, pair.client.local.address);
  for (let n = 0; n < 2; n++) await lab.dial(silent);
  pair.client.send(`PORT ${hostPort(silent)}\r\n`);
  const told = announcedIn(await pair.server.line());
  pair.server.send('200 PORT command successful.\r\n');
  await pair.client.expect('200 PORT command successful.\r\n');
  pair.client.send('RETR file\r\n');
  await pair.server.expect('RETR file\r\n');
  const server = await lab.dial(told, pair.server.local.address);
  await lab.event('pinhole-taken');
  pair.server.send('150 Here it comes.\r\n');
  return { lab, pair, server };
}

test('a 150 waits until the connection to the client stands, and what is behind it waits as well', async (t) => {
  const { pair } = await begunActive(t);
  pair.client.send('NOOP\r\n');
  await pair.server.expect('NOOP\r\n');
  pair.server.send('200 Here.\r\n');
  await turns(50);
  assert.equal(pair.client.unread, '');
});

test('a client that cannot be connected to gets 425 and no 150, and what the server says of that transfer goes nowhere', async (t) => {
  const { lab, pair, server } = await begunActive(t, { 'connect-timeout': '300ms' });
  await pair.client.expect(`${replies.clientUnreachable}\r\n`);
  assert.equal(await server.wasReset(), '');
  pair.server.send('426-Failure\r\n426 Failure writing network stream.\r\n');
  await exchange(pair, 'NOOP', '200 Here.');
  const { reply } = await lab.event('command-refused', { reason: 'data-connection-failed' });
  assert.equal(reply, replies.clientUnreachable);
  await lab.event('transfer-ended', { cause: 'client-unreachable' });
  // And the next transfer is as good as any.
  const data = await lab.passiveChannel(pair);
  await exchange(pair, 'RETR file', '150 Here it comes.');
  data.server.end('a file');
  assert.equal(await data.client.rest(), 'a file');
  data.client.end();
  pair.server.send('226 Done.\r\n');
  await pair.client.expect('226 Done.\r\n');
});

test('a 226 of a small file is not said where the client could not be connected to', async (t) => {
  const lab = await Lab.start(t);
  const pair = await lab.login();
  const { told, listener } = await lab.active(pair);
  listener.close();
  pair.client.send('RETR file\r\n');
  await pair.server.expect('RETR file\r\n');
  // As servers do that say so before they connect.
  pair.server.send('150 Here it comes.\r\n');
  await pair.client.expect('150 Here it comes.\r\n');
  const server = await lab.dial(told, pair.server.local.address);
  server.send('a file');
  await lab.event('transfer-ended', { cause: 'client-unreachable' });
  pair.server.send('226 Done.\r\n');
  await pair.client.expect(`${replies.notDelivered}\r\n`);
  await lab.event('command-refused', { reason: 'not-delivered' });
});

for (const command of ['ABOR', 'QUIT'] as const) {
  test(`${command} ends the waiting of a 150`, async (t) => {
    const { pair } = await begunActive(t);
    await turns(20);
    pair.client.send(`${command}\r\n`);
    await pair.client.expect('150 Here it comes.\r\n');
    await pair.server.expect(`${command}\r\n`);
    pair.server.send('426 Aborted.\r\n225 Done.\r\n');
    await pair.client.expect('426 Aborted.\r\n225 Done.\r\n');
  });
}

test('a server that closes ends the waiting of its last words', async (t) => {
  const { lab, pair } = await begunActive(t);
  pair.server.end('421 Too late.\r\n');
  await pair.client.expect('150 Here it comes.\r\n421 Too late.\r\n');
  await pair.client.finished();
  pair.client.end();
  await lab.event('session-closed');
});

test('a server that resets ends the waiting', async (t) => {
  const { lab, pair } = await begunActive(t);
  await turns(20);
  pair.server.reset();
  await pair.client.expect('150 Here it comes.\r\n');
  await pair.client.expect(`${replies.serverClosed}\r\n`);
  await pair.client.close();
  await lab.event('session-closed', { reason: 'server-reset' });
});

test('a shutdown ends the waiting', async (t) => {
  const { lab, pair } = await begunActive(t);
  await turns(20);
  const closed = lab.daemon.close();
  await pair.client.expect(`${replies.clientUnreachable}\r\n`);
  await pair.client.expect(`${replies.shutdown}\r\n`);
  lab.cut();
  await closed;
});

/** A download whose client reads nothing, up to what the server says when it has sent all. */
async function sentWhole(
  t: TestContext,
  settings: Readonly<Record<string, string>> = {},
): Promise<{ lab: Lab; pair: ControlPair; data: DataPair }> {
  const lab = await Lab.start(t, settings);
  const pair = await lab.login();
  const data = await lab.passiveChannel(pair);
  await exchange(pair, 'RETR file', '150 Here it comes.');
  return { lab, pair, data: await sends(pair, data) };
}

async function sends(pair: ControlPair, data: DataPair): Promise<DataPair> {
  data.client.stopReading();
  data.server.stream.end(large);
  await turns(50);
  pair.server.send('226-All\r\n226 Done.\r\n');
  await turns(50);
  return data;
}

for (const calls of ['by koffi', 'without koffi'] as const) {
  test(`a 226 waits until the client has acknowledged all of it and its end, ${calls}`, async (t) => {
    const lab = await Lab.start(t);
    if (calls === 'without koffi') await loadSocketCalls(() => Promise.reject(new Error('none')));
    t.after(() => loadSocketCalls());
    const pair = await lab.login();
    const data = await lab.passiveChannel(pair);
    await exchange(pair, 'RETR file', '150 Here it comes.');
    await sends(pair, data);
    pair.server.send('220 Another reply.\r\n');
    await turns(50);
    assert.equal(pair.client.unread, '');
    data.client.stream.resume();
    // It keeps its own side open, as who waits for the 226 to close.
    await pair.client.expect('226-All\r\n226 Done.\r\n220 Another reply.\r\n');
    assert.ok(Buffer.from(await data.client.rest(), 'latin1').equals(large));
    data.client.end();
    const { downloaded } = await lab.event('transfer-ended', { cause: 'complete' });
    assert.equal(downloaded, large.length);
  });
}

test('a client that has closed its own side before has all of it as well at the 226', async (t) => {
  const lab = await Lab.start(t);
  const pair = await lab.login();
  const data = await lab.passiveChannel(pair);
  await exchange(pair, 'RETR file', '150 Here it comes.');
  data.client.end();
  await data.server.finished();
  await sends(pair, data);
  assert.equal(pair.client.unread, '');
  data.client.stream.resume();
  await pair.client.expect('226-All\r\n226 Done.\r\n');
  assert.ok(Buffer.from(await data.client.rest(), 'latin1').equals(large));
  await lab.event('transfer-ended', { cause: 'complete', downloaded: large.length });
});

test('a 226 of a file that the client did not get becomes a 426', async (t) => {
  const { lab, pair, data } = await sentWhole(t);
  assert.equal(pair.client.unread, '');
  data.client.reset();
  await pair.client.expect(`${replies.notDelivered}\r\n`);
  const { downloaded } = await lab.event('transfer-ended', { cause: 'client-reset' });
  assert.ok(downloaded < large.length, `${downloaded} bytes`);
  const { reply } = await lab.event('command-refused', { reason: 'not-delivered' });
  assert.match(reply, /^426 /);
  await exchange(pair, 'NOOP', '200 Here.');
});

for (const command of ['ABOR', 'QUIT'] as const) {
  test(`${command} ends the waiting of a 226`, async (t) => {
    const { pair } = await sentWhole(t);
    assert.equal(pair.client.unread, '');
    pair.client.send(`${command}\r\n`);
    await pair.client.expect('226-All\r\n226 Done.\r\n');
  });
}

test('a server that closes ends the waiting of a 226', async (t) => {
  const { pair } = await sentWhole(t);
  pair.server.end('221 Bye.\r\n');
  await pair.client.expect('226-All\r\n226 Done.\r\n221 Bye.\r\n');
});

test('nothing waits longer than data-idle-timeout for a client that reads nothing', async (t) => {
  const { lab, pair } = await sentWhole(t, { 'data-idle-timeout': '500ms' });
  await pair.client.expect(`${replies.notDelivered}\r\n`);
  await lab.event('transfer-ended', { cause: 'data-idle-timeout' });
});

test('a reply of a transfer that failed does not wait for a server that keeps its connection open', async (t) => {
  const lab = await Lab.start(t);
  const pair = await lab.login();
  await lab.passiveChannel(pair);
  await exchange(pair, 'RETR file', '150 Here it comes.');
  await exchange(pair, 'NOOP', '451 Local error.');
});

test('an upload is answered when the server answers it, behind its bytes', async (t) => {
  const lab = await Lab.start(t);
  const pair = await lab.login();
  const data = await lab.passiveChannel(pair);
  await exchange(pair, 'STOR file', '150 Go on.');
  data.client.stream.end(large);
  assert.ok(Buffer.from(await data.server.rest(), 'latin1').equals(large));
  assert.equal(pair.client.unread, '');
  pair.server.send('226 Done.\r\n');
  await pair.client.expect('226 Done.\r\n');
});

for (const pairing of ['client', 'server', 'both'] as const) {
  test(`a 226 waits for a client that has not read all, TLS: ${pairing}`, async (t) => {
    const onClient = pairing !== 'server';
    const onServer = pairing !== 'client';
    const lab = await Lab.start(t, {
      ...(onClient && terminating(t)),
      ...(onServer && { ...towardsServer(t, 'explicit'), 'server-data-tls': 'protected' }),
    });
    let pair = await (async (): Promise<ControlPair> => {
      if (!onServer) return greet(lab);
      const { client, server: raw } = await lab.connect();
      const server = await serveAuth(raw);
      for (const command of ['PBSZ 0', 'PROT P']) {
        await server.expect(`${command}\r\n`);
        server.send('200 Yes.\r\n');
      }
      await client.expect('220 Ready.\r\n');
      return { client, server };
    })();
    if (onClient) pair = await auth(pair);
    await logIn(pair);
    if (onClient) await protect(pair);
    const tcp = await lab.passiveChannel(pair);
    await exchange(pair, 'RETR file', '150 Here it comes.');
    const [client, server] = await Promise.all([
      onClient ? secureAsClient(tcp.client) : tcp.client,
      onServer ? secureAsServer(tcp.server, ofServer) : tcp.server,
    ]);
    await sends(pair, { client, server });
    assert.equal(pair.client.unread, '');
    client.stream.resume();
    await pair.client.expect('226-All\r\n226 Done.\r\n');
    assert.ok(Buffer.from(await client.rest(), 'latin1').equals(large));
    client.end();
    await lab.event('transfer-ended', { cause: 'complete', downloaded: large.length });
  });
}

test('a NOOP that the server answers in the middle of a download is answered then', async (t) => {
  const lab = await Lab.start(t);
  const pair = await lab.login();
  const data = await lab.passiveChannel(pair);
  await exchange(pair, 'RETR file', '150 Here it comes.');
  data.server.send('half of');
  await exchange(pair, 'NOOP', '200 Here.');
  data.server.end(' a file');
  assert.equal(await data.client.rest(), 'half of a file');
  data.client.end();
  pair.server.send('226 Done.\r\n');
  await pair.client.expect('226 Done.\r\n');
});

test('a client that reads nothing for longer than a server may be silent gets no 226 before its file', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  // Most of it has not even been read off the server, whose end stands behind it.
  const { lab, pair, data } = await sentWhole(t);
  const started = performance.now();
  t.mock.method(performance, 'now', () => started + 20_000);
  for (let n = 0; n < 20; n++) {
    t.mock.timers.tick(1000);
    await turns();
  }
  assert.equal(pair.client.unread, '');
  t.mock.reset();
  data.client.stream.resume();
  await pair.client.expect('226-All\r\n226 Done.\r\n');
  data.client.end();
  await lab.event('transfer-ended', { cause: 'complete', downloaded: large.length });
});

test('a client that has sent its QUIT along has all of it at the 226, though the server closes behind it', async (t) => {
  const lab = await Lab.start(t);
  const pair = await lab.login();
  const data = await lab.passiveChannel(pair);
  await exchange(pair, 'RETR file', '150 Here it comes.');
  pair.client.send('QUIT\r\n');
  await pair.server.expect('QUIT\r\n');
  data.client.stopReading();
  data.server.stream.end(large);
  await turns(50);
  pair.server.end('226 Done.\r\n221 Bye.\r\n');
  await turns(50);
  assert.equal(pair.client.unread, '');
  data.client.stream.resume();
  await pair.client.expect('226 Done.\r\n221 Bye.\r\n');
  assert.ok(Buffer.from(await data.client.rest(), 'latin1').equals(large));
});

for (const [name, command, reply] of [
  ['a 421', 'NOOP', '421 Too late.'],
  ['one reply to it and its ABOR', 'ABOR', '226 Abort ok.'],
] as const) {
  test(`of a transfer that was answered with 425, ${name} goes on all the same`, async (t) => {
    const { pair } = await begunActive(t, { 'connect-timeout': '300ms' });
    await pair.client.expect(`${replies.clientUnreachable}\r\n`);
    await exchange(pair, command, reply);
  });
}

test('a reader that resets while it is sent the last of an upload that was cut is noticed at once', async (t) => {
  const lab = await Lab.start(t);
  const pair = await lab.login();
  const data = await lab.passiveChannel(pair);
  await exchange(pair, 'STOR file', '150 Go on.');
  data.server.end();
  await data.client.finished();
  data.server.stopReading();
  data.client.send(large.subarray(0, 3_000_000));
  await turns(50);
  data.client.reset();
  await turns(50);
  data.server.socket.resetAndDestroy();
  await lab.event('transfer-ended', { cause: 'client-reset' });
});
