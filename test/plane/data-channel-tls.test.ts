import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { X509Certificate } from 'node:crypto';
import { selfSigned } from '../support/certificates.ts';
import { carriesWholeFile, passesReset, refusesTruncation } from '../support/relay/data-promises.ts';
import { exchange, Lab } from '../support/relay/lab.ts';
import type { Peer } from '../support/relay/peer.ts';
import { relayPlaneOnly } from '../support/relay/plane.ts';
import { secureAsClient, secureAsServer } from '../support/relay/tls-peer.ts';
import {
  clientHello,
  dataChannel,
  isProtected,
  ofServer,
  pairings,
  protectedOn,
  terminating,
  type Pairing,
  type TlsSession,
} from '../support/relay/tls-lab.ts';
import { turns } from '../support/relay/within.ts';

async function open(
  t: TestContext,
  pairing: Pairing,
): Promise<TlsSession & Record<'client' | 'server', Peer>> {
  const session = await protectedOn(t, pairing);
  const { lab, pair, ticket } = session;
  const data = await dataChannel(lab, pair);
  const [client, server] = await Promise.all([
    isProtected(pairing, 'client') ? secureAsClient(data.client, { ticket }) : data.client,
    isProtected(pairing, 'server') ? secureAsServer(data.server, ofServer) : data.server,
  ]);
  return { ...session, client, server };
}

const file = Buffer.alloc(12 * 1024 * 1024, 'a file that is cut into records ');

for (const pairing of pairings) {
  for (const [from, to] of [
    ['client', 'server'],
    ['server', 'client'],
  ] as const) {
    const way = `from the ${from} to the ${to}, TLS: ${pairing}`;

    test(`carries a large file byte for byte ${way}`, async (t) => {
      await carriesWholeFile(await open(t, pairing), from, to, file, {
        mode: 'passive',
        protection: pairing,
      });
    });

    test(`passes the end of one direction on, and the other lives on, ${way}`, async (t) => {
      const data = await open(t, pairing);
      data[from].end('all of it');
      assert.equal(await data[to].rest(), 'all of it');
      data[to].send('one');
      await data[from].expect('one');
      data[to].end('two');
      assert.equal(await data[from].rest(), 'two');
      await data.lab.event('transfer-ended', { cause: 'complete' });
    });

    test(`passes RST in the middle of a file on as a failure ${way}`, async (t) => {
      await passesReset(await open(t, pairing), from, to);
    });

    test(`reads no more than a bounded amount ahead of a slow reader ${way}`, async (t) => {
      const data = await open(t, pairing);
      data[to].stopReading();
      const before = process.memoryUsage().arrayBuffers;
      const { stream, socket } = data[from];
      const piece = Buffer.alloc(1024 * 1024);
      let left = 256;
      const write = (): void => {
        while (left-- > 0) if (!stream.write(piece)) return;
        stream.end();
      };
      stream.on('drain', write);
      write();
      let pushed = -1;
      for (let still = 0; still < 200; still++) {
        await turns(1);
        const now = socket.bytesWritten - socket.writableLength;
        if (now !== pushed) still = 0;
        pushed = now;
      }
      assert.ok(left > 0, 'all of it was taken');
      assert.ok(process.memoryUsage().arrayBuffers - before < 64 * piece.length);
      data[to].reset();
      await data[from].failure();
    });

    test(`counts of a file that was cut what the reader has acknowledged ${way}`, async (t) => {
      const data = await open(t, pairing);
      data[from].stream.write(file);
      data[from].stream.on('error', () => undefined);
      await data[to].bytes(1_000_000);
      data[to].stopReading();
      await turns(100);
      data[to].reset();
      await data[from].failure();
      const { uploaded, downloaded } = await data.lab.event('transfer-ended', { cause: `${to}-reset` });
      const bytes = from === 'client' ? uploaded : downloaded;
      assert.ok(bytes >= 1_000_000 && bytes < file.length, `${bytes}`);
    });

    if (!isProtected(pairing, from)) continue;

    test(`takes FIN without close_notify for no end of a file ${way}`, async (t) => {
      await refusesTruncation(await open(t, pairing), from, to, isProtected(pairing, to));
    });

    test(`takes it for none where the other side has ended before ${way}`, async (t) => {
      const data = await open(t, pairing);
      data[to].end();
      await data[from].finished();
      data[from].send('half of');
      await data[to].expect('half of');
      data[from].socket.end();
      assert.equal(await data[to].failure(), isProtected(pairing, to) ? 'TRUNCATED' : 'ECONNRESET');
      await data.lab.event('transfer-ended', { cause: `${from}-truncated` });
    });

    test(`takes an alert, or bytes that are no TLS, in the middle of a file for a failure ${way}`, async (t) => {
      const data = await open(t, pairing);
      data[from].send('half of');
      await data[to].expect('half of');
      data[from].socket.write(Buffer.alloc(64, 'no record'));
      assert.equal(await data[to].failure(), 'ECONNRESET');
      await data.lab.event('transfer-ended', { cause: `${from}-tls-failed` });
    });

    test(`delivers a whole file whose writer resets behind its close_notify ${way}`, async (t) => {
      const data = await open(t, pairing);
      data[to].stopReading();
      const { stream, socket } = data[from];
      const small = file.subarray(0, 32 * 1024);
      stream.write(small);
      stream.end(() => {
        // What a system does at the end of a program that never read the tickets of TLS 1.3.
        socket.resetAndDestroy();
      });
      stream.on('error', () => undefined);
      await turns(100);
      data[to].stream.resume();
      assert.ok(Buffer.from(await data[to].rest(), 'latin1').equals(small));
      data[to].end();
      await data.lab.event('transfer-ended', { cause: 'complete' });
    });
  }
}

test('believes a reader that closes without close_notify when it has the whole file', async (t) => {
  const data = await open(t, 'both');
  data.server.end('a file');
  assert.equal(await data.client.rest(), 'a file');
  data.client.socket.end();
  await data.server.finished();
  await data.lab.event('transfer-ended', { cause: 'complete' });
});

for (const pairing of ['client', 'both'] as const) {
  test(`survives a client that resets before the server has begun, TLS: ${pairing}`, async (t) => {
    const { lab, pair, ticket } = await protectedOn(t, pairing);
    const { client, server } = await dataChannel(lab, pair);
    const secured = await secureAsClient(client, { ticket });
    secured.reset();
    if (pairing === 'client') assert.equal(await server.wasReset(), '');
    else await secureAsServer(server, ofServer);
    const { cause } = await lab.event('transfer-ended');
    assert.equal(cause, 'client-reset');
    pair.client.send('NOOP\r\n');
    await pair.server.expect('NOOP\r\n');
  });
}

test('passes the end of a file on that came before the server had begun', async (t) => {
  const { lab, pair, ticket } = await protectedOn(t, 'both');
  const data = await dataChannel(lab, pair);
  const client = await secureAsClient(data.client, { ticket });
  client.end();
  await turns(20);
  const server = await secureAsServer(data.server, ofServer);
  await server.finished();
  server.end();
  await client.finished();
  await lab.event('transfer-ended', { cause: 'complete' });
});

const unseen = relayPlaneOnly('TLS on a clear data connection is not noticed');
const refused = 'received TLS on a data connection that PROT has set to clear';

for (const verb of ['STOR', 'RETR'] as const) {
  test(`refuses a client that begins TLS on a data channel in clear: ${verb}`, unseen, async (t) => {
    const { lab, pair } = await protectedOn(t, 'none');
    const data = await lab.passiveChannel(pair);
    await exchange(pair, `${verb} file`, '150 Go on.');
    const handshake = secureAsClient(data.client);
    handshake.catch(() => undefined);
    if (verb === 'RETR') data.server.send('a file');
    assert.equal(await data.server.wasReset(), '');
    await assert.rejects(handshake);
    const { error } = await lab.event('transfer-ended', { cause: 'client-tls-failed' });
    assert.equal(error, refused);
    pair.server.send('426 Cut.\r\n');
    await pair.client.expect('426 Cut.\r\n');
  });
}

test('takes an upload that begins as TLS does for what it is when it goes on or ends', unseen, async (t) => {
  const { lab, pair } = await protectedOn(t, 'none');
  for (const rest of ['', 'and more of it']) {
    const data = await lab.passiveChannel(pair);
    await exchange(pair, 'STOR hello', '150 Go on.');
    const hello = clientHello();
    data.client.send(hello);
    data.client.end(rest);
    assert.equal(await data.server.rest(), hello.toString('latin1') + rest);
    data.server.end();
    await data.client.finished();
    const { uploaded } = await lab.event('transfer-ended', { cause: 'complete' }, rest === '' ? 1 : 2);
    assert.equal(uploaded, hello.length + rest.length);
  }
});

test('lets a session that never had TLS say what it likes on a data channel', async (t) => {
  const lab = await Lab.start(t, terminating(t));
  const pair = await lab.login();
  const data = await lab.passiveChannel(pair);
  data.client.send(clientHello());
  await data.server.expect(clientHello().toString('latin1'));
  data.client.end();
  await data.server.finished();
});

test('resumes the session of a server whose certificate is pinned', async (t) => {
  const pinned = selfSigned({ name: 'server' });
  const { fingerprint256 } = new X509Certificate(pinned.cert);
  const settings = { 'server-tls': 'explicit', 'server-tls-fingerprint': fingerprint256 };
  const { createSecureContext } = await import('node:tls');
  const secureContext = createSecureContext({
    ...pinned,
    ticketKeys: Buffer.alloc(48, 7),
    sessionIdContext: 'x',
  });
  const { lab, pair } = await protectedOn(t, 'server', settings, { secureContext });
  const { client, server } = await dataChannel(lab, pair);
  const secured = await secureAsServer(server, { secureContext });
  assert.ok(secured.stream.isSessionReused());
  secured.end('a file');
  assert.equal(await client.rest(), 'a file');
});
