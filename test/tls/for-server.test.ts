import assert from 'node:assert/strict';
import { constants, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { test, type TestContext } from 'node:test';
import {
  createSecureContext,
  createServer,
  type SecureContextOptions,
  type TLSSocketOptions,
} from 'node:tls';
import { TlsForServer, type ServerTlsOptions, type ServerTlsSession } from '../../src/tls/for-server.ts';
import { authority, selfSigned, type Credentials } from '../support/certificates.ts';
import { hosts } from '../support/relay/hosts.ts';
import { ca } from '../support/relay/tls-lab.ts';
import { link, peerOf, type SecuredLink } from '../support/relay/tls-link.ts';
import { secureAsServer } from '../support/relay/tls-peer.ts';
import { within } from '../support/relay/within.ts';

const soon = 100;
const name = 'ftp.example';
const good = ca.issue({ name: 'server', hosts: [name] });

function newSession(changes: Partial<ServerTlsOptions> = {}, host = name): ServerTlsSession {
  const options = { name: undefined, authorities: ca.cert, fingerprints: [], handshakeTimeout: 5000 };
  return new TlsForServer({ ...options, ...changes }).newSession(host);
}

/** A control channel or data channel to a server. */
async function open(
  t: TestContext,
  session: ServerTlsSession,
  server: TLSSocketOptions = good,
  which: 'control' | 'data' = 'control',
): Promise<SecuredLink> {
  const { near, far } = await link(t);
  const asking = which === 'control' ? session.control(near) : session.data(near, 5000);
  const [channel, secured] = await Promise.all([asking, secureAsServer(far, server)]);
  return { channel, socket: near, far: secured };
}

/** What is said of a server that is not the right one. */
async function refusal(
  t: TestContext,
  session: ServerTlsSession,
  server: TLSSocketOptions,
  which: 'control' | 'data' = 'control',
): Promise<string> {
  const { near, far } = await link(t);
  const asking = which === 'control' ? session.control(near) : session.data(near, 5000);
  const failed = asking.then<never, Error>(
    () => assert.fail('the server was believed'),
    (error: unknown) => error as Error,
  );
  secureAsServer(far, server).catch(() => undefined);
  const error = await within(failed, 'the end of the handshake');
  assert.equal(error.name, 'HandshakeError');
  assert.ok(near.destroyed, 'the connection is still there');
  return error.message;
}

const fingerprintOf = ({ cert }: Credentials): string => new X509Certificate(cert).fingerprint256;

// ---- Whom it believes ----

const between = ca.intermediate('Between');
const ofBetween = between.issue({ hosts: [name] });

for (const [what, server, host] of [
  ['for its name', good, name],
  ['for its name, by a wildcard', ca.issue({ hosts: ['*.site.example'] }), 'ftp.site.example'],
  ['for its address', ca.issue({ addresses: ['192.0.2.1'] }), '192.0.2.1'],
  ['that leads by a chain to whom is trusted', { ...ofBetween, cert: ofBetween.cert + between.cert }, name],
] as const) {
  test(`believes a server with a certificate ${what}`, async (t) => {
    const { channel, far } = await open(t, newSession({}, host), server);
    assert.equal(channel.facts.subject, new X509Certificate(server.cert).subject);
    far.send('220 Ready.\r\n');
    await peerOf({ channel, socket: far.socket }).expect('220 Ready.\r\n');
  });
}

test('believes a server whose certificate names its host alone, and refuses one that names nobody', async (t) => {
  const { channel } = await open(t, newSession(), ca.issue({ name: null, hosts: [name] }));
  assert.equal(channel.facts.subject, `DNS:${name}`);
  const nameless = ca.issue({ name: null });
  assert.equal(
    await refusal(t, newSession(), nameless),
    `the server's certificate is not accepted: it is not for ${name} (it is nobody by name, SHA-256 ${fingerprintOf(nameless)})`,
  );
});

const foreign = authority('Test CA');

for (const [what, server, host, expected] of [
  ['has expired', ca.issue({ hosts: [name], validTo: '210101000000Z' }), name, 'it has expired'],
  ['is not valid yet', ca.issue({ hosts: [name], validFrom: '480101000000Z' }), name, 'it is not valid yet'],
  ['is signed by itself', selfSigned({ hosts: [name] }), name, 'it is self-signed'],
  [
    'somebody else has signed',
    authority('Other CA').issue({ hosts: [name] }),
    name,
    'its issuer is not trusted',
  ],
  [
    'somebody of the same name has signed',
    foreign.issue({ hosts: [name] }),
    name,
    'its issuer is not trusted',
  ],
  ['lacks its chain', ofBetween, name, 'its issuer is not trusted'],
  ['is for another name', good, 'other.example', 'it is not for other.example'],
  ['is for another address', ca.issue({ addresses: ['192.0.2.1'] }), '192.0.2.2', 'it is not for 192.0.2.2'],
  ['is for names, where an address was dialled', good, '192.0.2.1', 'it is not for 192.0.2.1'],
  [
    'is for a wildcard of fewer labels',
    ca.issue({ hosts: ['*.site.example'] }),
    'a.b.site.example',
    'it is not for a.b.site.example',
  ],
] as const) {
  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    test(`refuses a server whose certificate ${what}, and says which it is, ${version}`, async (t) => {
      const shown = `${new X509Certificate(server.cert).subject}, SHA-256 ${fingerprintOf(server)}`;
      assert.equal(
        await refusal(t, newSession({}, host), {
          secureContext: createSecureContext({ ...server, maxVersion: version }),
        }),
        `the server's certificate is not accepted: ${expected} (it is ${shown})`,
      );
    });
  }
}

test('trusts whom the system trusts, where nobody is named: not the tests', async (t) => {
  const said = await refusal(t, newSession({ authorities: undefined }), good);
  assert.match(said, /its issuer is not trusted/);
});

test('goes by the name that is set in place of the one that was dialled', async (t) => {
  await open(t, newSession({ name }, '192.0.2.1'));
  assert.match(await refusal(t, newSession({ name: 'other.example' }), good), /it is not for other\.example/);
});

test('asks for the name by SNI, and for no address', async (t) => {
  for (const [host, expected] of [
    [name, name],
    ['192.0.2.1', undefined],
  ] as const) {
    const asked: string[] = [];
    const server: TLSSocketOptions = {
      ...ca.issue({ hosts: [name], addresses: ['192.0.2.1'] }),
      SNICallback: (servername, answer) => {
        asked.push(servername);
        answer(null);
      },
    };
    await open(t, newSession({}, host), server);
    assert.deepEqual(asked, expected === undefined ? [] : [expected]);
  }
});

test('believes a pinned certificate, whoever signed it and whatever it is for, and no other', async (t) => {
  const pinned = [
    selfSigned({ name: 'itself' }),
    ca.issue({ hosts: ['other.example'] }),
    ca.issue({ hosts: [name], validTo: '210101000000Z' }),
  ];
  const session = (): ServerTlsSession =>
    newSession({ authorities: undefined, fingerprints: pinned.map(fingerprintOf) });
  for (const server of pinned) await open(t, session(), server);
  assert.equal(
    await refusal(t, session(), good),
    `the server's certificate does not match server-tls-fingerprint: it is CN=server, SHA-256 ${fingerprintOf(good)}`,
  );
});

test('believes no certificate that is not pinned, however good', async (t) => {
  const session = newSession({ fingerprints: [fingerprintOf(selfSigned())] });
  assert.match(
    await refusal(t, session, good),
    /^the server's certificate does not match server-tls-fingerprint: it is CN=server, /,
  );
});

// ---- Sessions of TLS that are resumed ----

/** A server's context that all its connections share, as a server has it. */
function sharedContext(
  maxVersion: NonNullable<SecureContextOptions['maxVersion']>,
  credentials: Credentials = good,
): TLSSocketOptions {
  const tickets = { ticketKeys: Buffer.alloc(48, 7), sessionIdContext: 'x' };
  return { secureContext: createSecureContext({ ...credentials, ...tickets, maxVersion }) };
}

/** A control channel on which the server has given what resumes its session. */
async function control(t: TestContext, session: ServerTlsSession, server: TLSSocketOptions): Promise<void> {
  const { channel, socket, far } = await open(t, session, server);
  assert.equal(channel.facts.isResumed, false);
  const reader = peerOf({ channel, socket });
  far.send('220 Ready.\r\n');
  await reader.expect('220 Ready.\r\n');
}

for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
  test(`resumes the control channel's session on each data channel by ticket, ${version}`, async (t) => {
    const server = sharedContext(version);
    const session = newSession();
    await control(t, session, server);
    for (let n = 0; n < 3; n++) {
      const { channel, far } = await open(t, session, server, 'data');
      assert.ok(channel.facts.isResumed);
      assert.ok(far.stream.isSessionReused());
    }
  });

  test(`believes another server on a data channel only with a good certificate of its own, ${version}`, async (t) => {
    const session = newSession();
    await control(t, session, sharedContext(version));
    const other = { ticketKeys: Buffer.alloc(48, 8) };
    const bad = createSecureContext({ ...selfSigned({ hosts: [name] }), ...other, maxVersion: version });
    assert.match(await refusal(t, session, { secureContext: bad }, 'data'), /it is self-signed/);
    const alike = createSecureContext({ ...good, ...other, maxVersion: version });
    const { channel } = await open(t, session, { secureContext: alike }, 'data');
    assert.equal(channel.facts.isResumed, false);
  });

  test(`resumes nothing of another session, ${version}`, async (t) => {
    const server = sharedContext(version);
    const tls = new TlsForServer({
      ...{ name, authorities: ca.cert, fingerprints: [], handshakeTimeout: 5000 },
    });
    await control(t, tls.newSession(name), server);
    await control(t, tls.newSession(name), server);
  });
}

test('resumes by id with a server that gives no tickets', async (t) => {
  const known = new Map<string, Buffer>();
  const server = createServer({
    ...good,
    maxVersion: 'TLSv1.2',
    secureOptions: constants.SSL_OP_NO_TICKET,
    allowHalfOpen: true,
  });
  server.on('newSession', (id: Buffer, stored: Buffer, done: () => void) => {
    known.set(id.toString('hex'), stored);
    done();
  });
  server.on('resumeSession', (id: Buffer, done: (error: Error | null, stored: Buffer | null) => void) => {
    done(null, known.get(id.toString('hex')) ?? null);
  });
  server.on('secureConnection', (tls) => tls.on('error', () => undefined).end('220 Ready.\r\n'));
  server.listen(0, hosts.server);
  t.after(() => server.close());
  await once(server, 'listening');
  const bound = server.address();
  assert.ok(bound !== null && typeof bound === 'object');

  const session = newSession();
  for (const which of ['control', 'data', 'data'] as const) {
    const socket: Socket = connect({ host: hosts.server, port: bound.port, allowHalfOpen: true }).pause();
    t.after(() => socket.destroy());
    await once(socket, 'connect');
    const channel = await (which === 'control' ? session.control(socket) : session.data(socket, 5000));
    assert.equal(channel.facts.isResumed, which === 'data');
    assert.equal(await peerOf({ channel, socket }).rest(), '220 Ready.\r\n');
  }
  assert.equal(known.size, 1);
});

// ---- Limits, and another handshake ----

test('waits for a handshake on the control channel no longer than for any, on a data channel as long as it is told', async (t) => {
  const control = await link(t);
  await assert.rejects(newSession({ handshakeTimeout: soon }).control(control.near), {
    message: 'the TLS handshake took longer than 0.1 s',
  });
  const data = await link(t);
  await assert.rejects(newSession().data(data.near, 2 * soon), {
    message: 'the TLS handshake took longer than 0.2 s',
  });
});

test('says that it is no TLS where a server greets in clear', async (t) => {
  const { near, far } = await link(t);
  far.send('220 Ready.\r\n');
  await assert.rejects(newSession().control(near), { message: 'received data that is not TLS' });
});

test('has no part in another handshake that a server asks for', async (t) => {
  const ends = await open(t, newSession(), sharedContext('TLSv1.2'));
  const reader = peerOf(ends);
  ends.far.stream.renegotiate({}, () => undefined);
  // What a server that gets no_renegotiation says to that; OpenSSL 3.5 has another name for the same alert.
  assert.match(await reader.failure(), /^ERR_SSL_SSL(?:V3|\/TLS)_ALERT_HANDSHAKE_FAILURE$/);
  assert.equal(reader.unread, '');
});
