import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { createSecureContext, type TLSSocketOptions } from 'node:tls';
import { selfSigned } from '../support/certificates.ts';
import { carriesWholeFile, passesReset, refusesTruncation } from '../support/relay/data-promises.ts';
import { someFile } from '../support/relay/flood.ts';
import { hostPort, hosts } from '../support/relay/hosts.ts';
import { announcedIn, type DataPair, type Settings } from '../support/relay/lab.ts';
import type { Peer } from '../support/relay/peer.ts';
import {
  isProtected,
  ofServer,
  pairings,
  protectedOn,
  towardsServer,
  type Pairing,
  type TlsSession,
} from '../support/relay/tls-lab.ts';
import { secureAsClient, secureAsServer, type TlsPeer } from '../support/relay/tls-peer.ts';
import { turns } from '../support/relay/within.ts';

/** A data channel that the server has dialled behind PORT and a command, before any handshake on it. */
async function dialled({ lab, pair }: TlsSession): Promise<DataPair> {
  const { told, listener } = await lab.active(pair);
  pair.client.send('RETR file\r\n');
  await pair.server.expect('RETR file\r\n');
  const server = await lab.dial(told, hosts.server);
  return { client: await listener.next(), server };
}

/** The same with TLS on these sides: whoever dials, the client of FTP is that of TLS (RFC 4217 section 7). */
async function open(
  t: TestContext,
  pairing: Pairing,
  settings: Settings = {},
  server: TLSSocketOptions = ofServer,
): Promise<TlsSession & DataPair> {
  const session = await protectedOn(t, pairing, { ...towardsServer(t, 'explicit'), ...settings }, server);
  return { ...session, ...(await secured(session, pairing, await dialled(session), server)) };
}

async function secured(
  { ticket }: TlsSession,
  pairing: Pairing,
  data: DataPair,
  server: TLSSocketOptions = ofServer,
): Promise<Record<'client' | 'server', Peer>> {
  const [client, far] = await Promise.all([
    isProtected(pairing, 'client') ? secureAsClient(data.client, { ticket }) : data.client,
    isProtected(pairing, 'server') ? secureAsServer(data.server, server) : data.server,
  ]);
  return { client, server: far };
}

const file = someFile.subarray(0, 4 * 1024 * 1024);

for (const pairing of pairings) {
  if (pairing === 'none') continue;
  for (const [from, to] of [
    ['client', 'server'],
    ['server', 'client'],
  ] as const) {
    const way = `in active mode from the ${from} to the ${to}, TLS: ${pairing}`;

    test(`carries a large file byte for byte ${way}`, async (t) => {
      await carriesWholeFile(await open(t, pairing), from, to, file, { mode: 'active', protection: pairing });
    });

    test(`passes RST in the middle of a file on as a failure ${way}`, async (t) => {
      await passesReset(await open(t, pairing), from, to);
    });

    if (!isProtected(pairing, from)) continue;

    test(`takes FIN without close_notify for no end of a file ${way}`, async (t) => {
      await refusesTruncation(await open(t, pairing), from, to, isProtected(pairing, to));
    });
  }

  test(`serves a server that dials before it has answered PORT, TLS: ${pairing}`, async (t) => {
    const session = await protectedOn(t, pairing);
    const { lab, pair } = session;
    const listener = await lab.listen(hosts.client);
    pair.client.send(`PORT ${hostPort(listener.endpoint)}\r\n`);
    const server = await lab.dial(announcedIn(await pair.server.line()), hosts.server);
    await turns(20);
    assert.equal(listener.count, 0);
    pair.server.send('200 PORT ok.\r\n');
    await pair.client.expect('200 PORT ok.\r\n');
    pair.client.send('RETR file\r\n');
    await pair.server.expect('RETR file\r\n');
    const data = await secured(session, pairing, { client: await listener.next(), server });
    data.server.end('a file');
    assert.equal(await data.client.rest(), 'a file');
  });
}

for (const pairing of ['client', 'both'] as const) {
  test(`carries nothing of a client that speaks in clear in active mode, TLS: ${pairing}`, async (t) => {
    const session = await protectedOn(t, pairing);
    const data = await dialled(session);
    data.client.send('in clear');
    assert.equal(await data.client.wasReset(), '');
    await data.server.failure();
    const { error } = await session.lab.event('transfer-ended', { cause: 'client-tls-failed' });
    assert.equal(error, 'received data that is not TLS');
  });
}

test('carries nothing to a server that shows another certificate in active mode', async (t) => {
  const session = await protectedOn(t, 'both');
  const data = await dialled(session);
  secureAsServer(data.server, selfSigned({ addresses: [hosts.server] })).catch(() => undefined);
  await data.client.failure();
  const { error } = await session.lab.event('transfer-ended', { cause: 'server-tls-failed' });
  assert.match(error ?? '', /it is self-signed/);
});

for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
  test(`resumes the sessions of both sides in active mode, that of the server by ${version}`, async (t) => {
    const tickets = { ticketKeys: Buffer.alloc(48, 7), sessionIdContext: 'x' };
    const server = { secureContext: createSecureContext({ ...ofServer, ...tickets, maxVersion: version }) };
    const data = await open(t, 'both', { 'require-session-reuse': 'true' }, server);
    for (const side of ['client', 'server'] as const) {
      const { stream } = data[side] as TlsPeer;
      assert.ok(stream.isSessionReused(), side);
    }
    data.server.end('a file');
    assert.equal(await data.client.rest(), 'a file');
  });
}
