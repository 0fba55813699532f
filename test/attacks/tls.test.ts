/** Attacks on TLS itself, where the relay ends it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { replies } from '../../src/helper/replies.ts';
import { clientHello } from '../support/relay/tls-lab.ts';
import { exchange, Lab } from '../support/relay/lab.ts';
import { auth, greet, logIn, protect, protectedSession, terminating } from '../support/relay/tls-lab.ts';
import { secureAsClient } from '../support/relay/tls-peer.ts';

test("gives a data channel to nobody who can't resume the session of its control channel, where that is required", async (t) => {
  const lab = await Lab.start(t, { ...terminating(t), 'require-session-reuse': 'true' });
  const thief = await auth(await greet(lab));
  const pair = await protectedSession(lab);
  for (const ticket of [{}, thief.ticket]) {
    const { at, behind } = await lab.passive(pair);
    // From the client's own address, as behind one NAT.
    void secureAsClient(await lab.dial(at), { ticket }).catch(() => undefined);
    assert.equal(await (await behind.next()).wasReset(), '');
  }
  const { at, behind } = await lab.passive(pair);
  const data = await secureAsClient(await lab.dial(at), { ticket: pair.ticket });
  (await behind.next()).end('a file');
  assert.equal(await data.rest(), 'a file');
});

for (const protocols of [['http/1.1'], ['h2', 'http/1.1'], ['smtp'], ['imap', 'pop3']]) {
  test(`makes no TLS with a client of another protocol, ALPN ${protocols.join(' ')} (ALPACA)`, async (t) => {
    const lab = await Lab.start(t, terminating(t));
    const pair = await greet(lab);
    await assert.rejects(auth(pair, { ALPNProtocols: protocols }));
    pair.server.end();
    await lab.event('session-closed', { reason: 'tls-failed' });
  });
}

test('renegotiates for nobody', async (t) => {
  const lab = await Lab.start(t, terminating(t));
  const { client } = await auth(await greet(lab), { maxVersion: 'TLSv1.2' });
  client.stream.renegotiate({}, () => undefined);
  await client.failure();
  await lab.event('session-closed');
});

test('passes no file on as whole that somebody has cut short below TLS', async (t) => {
  const lab = await Lab.start(t, terminating(t));
  const pair = await protectedSession(lab);
  const { at, behind } = await lab.passive(pair);
  const data = await secureAsClient(await lab.dial(at), { ticket: pair.ticket });
  const server = await behind.next();
  pair.client.send('STOR file\r\n');
  await pair.server.expect('STOR file\r\n');
  pair.server.send('150 Go on.\r\n');
  await pair.client.expect('150 Go on.\r\n');
  data.send('half of');
  await server.expect('half of');
  // FIN, which anybody on the way can send, and no close_notify.
  data.socket.end();
  await server.wasReset();
  await lab.event('transfer-ended', { cause: 'client-truncated' });
});

test('serves others while a hundred handshakes are begun and not gone on with', async (t) => {
  const lab = await Lab.start(t, { ...terminating(t), 'tls-handshake-timeout': '500ms' });
  const half = [];
  for (let n = 0; n < 100; n++) {
    const pair = await greet(lab);
    pair.client.send('AUTH TLS\r\n');
    await pair.client.expect(`${replies.proceedWithTls}\r\n`);
    pair.client.send(clientHello().subarray(0, 100));
    half.push(pair);
  }
  const pair = await auth(await greet(lab));
  await logIn(pair);
  await protect(pair);
  await exchange(pair, 'NOOP', '200 Here.');
  for (const { server } of half) {
    await server.rest();
    server.end();
  }
  await lab.event('session-closed', { reason: 'tls-failed' }, 100);
});
