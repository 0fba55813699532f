import assert from 'node:assert/strict';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { writeFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { replies } from '../../../src/helper/replies.ts';
import { selfSigned } from '../../support/certificates.ts';
import { atRest, mebibyte, pour } from '../../support/relay/flood.ts';
import { hosts, passivePorts, firstPassivePort } from '../../support/relay/hosts.ts';
import { plane, relayPlaneOnly } from '../../support/relay/plane.ts';
import { exchange, Lab, type ControlPair } from '../../support/relay/lab.ts';
import { secureAsClient, secureAsServer, type Ticket } from '../../support/relay/tls-peer.ts';
import {
  dataChannel,
  auth,
  authBoth,
  ca,
  files,
  greet,
  logIn,
  ofServer,
  protect,
  protectedSession,
  serveAuth,
  terminating,
  towardsServer,
} from '../../support/relay/tls-lab.ts';
import { turns } from '../../support/relay/within.ts';

const implicit = { 'listen-tls': `${hosts.relay}:0` };

test('ends TLS of a client at the relay, and the server sees what is said in clear', async (t) => {
  const lab = await Lab.start(t, terminating(t));
  const pair = await auth(await greet(lab));
  await logIn(pair);
  const { protocol, isResumed } = await lab.event('session-secured', { side: 'client' });
  assert.deepEqual({ protocol, isResumed }, { protocol: 'TLSv1.3', isResumed: false });
  await exchange(pair, 'NOOP', '200 Here.');
});

test('says in FEAT what TLS it has, whatever the server says', async (t) => {
  const lab = await Lab.start(t, terminating(t));
  const { client, server } = await greet(lab);
  client.send('FEAT\r\n');
  await server.expect('FEAT\r\n');
  server.send('211-Features:\r\n SIZE\r\n PROT\r\n211 End\r\n');
  await client.expect('211-Features:\r\n SIZE\r\n AUTH TLS\r\n PBSZ\r\n PROT\r\n211 End\r\n');
});

test('greets in TLS where clients connect for implicit FTPS', async (t) => {
  const lab = await Lab.start(t, { ...terminating(t), ...implicit });
  const accepted = lab.server.next();
  const raw = await lab.dial(lab.daemon.endpoints[1] ?? assert.fail());
  const client = await secureAsClient(raw);
  const server = await accepted;
  server.send('220 Ready.\r\n');
  await client.expect('220 Ready.\r\n');
  await logIn({ client, server });
  await protect({ client });
  client.send('AUTH TLS\r\n');
  assert.match(await client.line(), /^503 /);
});

test('dials no server for a client that speaks plain FTP to the port of implicit FTPS', async (t) => {
  const lab = await Lab.start(t, { ...terminating(t), ...implicit });
  const client = await lab.dial(lab.daemon.endpoints[1] ?? assert.fail());
  client.send('USER anne\r\n');
  await client.finished();
  const { error } = await lab.event('session-refused', { reason: 'tls-failed' });
  assert.equal(error, 'received data that is not TLS');
  assert.equal(lab.server.count, 0);
});

test('refuses AUTH with 534 where TLS is refused', async (t) => {
  const lab = await Lab.start(t);
  const { client, server } = await greet(lab);
  client.send('AUTH TLS\r\n');
  await client.expect(`${replies.tlsRefused}\r\n`);
  // The server has not seen it.
  await exchange({ client, server }, 'NOOP', '200 Here.');
});

test('takes no log in before TLS where TLS is required', async (t) => {
  const lab = await Lab.start(t, { ...terminating(t), 'require-tls': 'true' });
  const pair = await greet(lab);
  pair.client.send('USER anne\r\n');
  await pair.client.expect(`${replies.loginRequiresTls}\r\n`);
  assert.equal(pair.server.unread, '');
  await lab.event('command-refused', { reason: 'tls-required' });
  await logIn(await auth(pair));
});

test('ends a session whose client says plain text after AUTH, with 421 in clear', async (t) => {
  const lab = await Lab.start(t, terminating(t));
  const { client, server } = await greet(lab);
  client.send('AUTH TLS\r\n');
  await client.expect(`${replies.proceedWithTls}\r\n`);
  client.send('USER anne\r\n');
  assert.equal(await client.rest(), `${replies.handshakeExpected}\r\n`);
  await server.finished();
  client.end();
  server.end();
  const { error } = await lab.event('session-closed', { reason: 'tls-failed' });
  assert.equal(error, 'received data that is not TLS');
});

test('refuses commands that came behind AUTH in one segment', async (t) => {
  const lab = await Lab.start(t, terminating(t));
  const { client, server } = await greet(lab);
  client.send('AUTH TLS\r\nUSER mallory\r\n');
  assert.equal(await client.rest(), `${replies.notPipelined}\r\n`);
  assert.equal(await server.rest(), '');
  client.end();
  server.end();
  await lab.event('session-closed', { reason: 'tls-pipelined' });
});

test('refuses commands that came behind CCC in one record', async (t) => {
  const lab = await Lab.start(t, { ...terminating(t), 'tls-ccc': 'allow' });
  const { client, server } = await auth(await greet(lab));
  client.send('CCC\r\nUSER mallory\r\n');
  assert.equal(await client.rest(), `${replies.notPipelined}\r\n`);
  assert.equal(await server.rest(), '');
});

test('takes a log in in clear behind CCC where that is allowed, and PROT stays', async (t) => {
  const lab = await Lab.start(t, { ...terminating(t), 'tls-ccc': 'allow', 'require-tls': 'true' });
  const pair = await auth(await greet(lab));
  await protect(pair);
  const { client, server } = pair;
  client.send('CCC\r\n');
  await client.expect(`${replies.controlIsClear}\r\n`);
  await client.finished();
  const clear = await client.clear('USER anne\r\n');
  await lab.event('session-cleared');
  await server.expect('USER anne\r\n');
  server.send('331 Password?\r\n');
  await clear.expect('331 Password?\r\n');
  await exchange({ client: clear, server }, 'PASS secret', '230 Welcome.');
  const { at, behind } = await lab.passive({ client: clear, server });
  const data = await secureAsClient(await lab.dial(at), { ticket: pair.ticket });
  const far = await behind.next();
  far.end('a file');
  assert.equal(await data.rest(), 'a file');
});

test('refuses CCC unless it is allowed, and goes on in TLS', async (t) => {
  const lab = await Lab.start(t, terminating(t));
  const pair = await auth(await greet(lab));
  pair.client.send('CCC\r\n');
  await pair.client.expect(`${replies.cccRefused}\r\n`);
  await logIn(pair);
});

for (const [what, options, expected] of [
  ['ALPN without ftp', { ALPNProtocols: ['http/1.1', 'h2'] }, /no application protocol/i],
  ['TLS 1.1', { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'ALL@SECLEVEL=0' }, /protocol/],
] as const) {
  test(`refuses a client that offers ${what}`, async (t) => {
    const lab = await Lab.start(t, terminating(t));
    const pair = await greet(lab);
    await assert.rejects(
      auth(pair, {
        ...options,
        ALPNProtocols: [...('ALPNProtocols' in options ? options.ALPNProtocols : [])],
      }),
    );
    pair.server.end();
    const { error } = await lab.event('session-closed', { reason: 'tls-failed' });
    assert.match(error ?? '', expected);
  });
}

test('speaks with a client that offers ftp among other protocols', async (t) => {
  const lab = await Lab.start(t, terminating(t));
  const { client } = await auth(await greet(lab), { ALPNProtocols: ['h2', 'ftp'] });
  assert.equal(client.stream.alpnProtocol, 'ftp');
});

test('shows the certificate for the name that a client asks for, and the first for others', async (t) => {
  const others = ca.issue({ name: 'other', hosts: ['*.other.example'] });
  const first = terminating(t);
  const second = files(t, others as unknown as Record<string, string>);
  const settings = {
    ...first,
    'tls-cert': `${first['tls-cert'] ?? ''},${second['cert'] ?? ''}`,
    'tls-key': `${first['tls-key'] ?? ''},${second['key'] ?? ''}`,
  };
  const lab = await Lab.start(t, settings);
  for (const [servername, name] of [
    ['a.other.example', 'other'],
    ['ftp.example', 'relay'],
    ['nobody.example', 'relay'],
    ['', 'relay'],
  ] as const) {
    const { client } = await auth(await greet(lab), { servername });
    assert.equal(client.stream.getPeerCertificate().subject.CN, name, servername);
  }
});

test('refuses a client that asks for a name of no certificate where SNI is strict', async (t) => {
  const lab = await Lab.start(t, { ...terminating(t), 'tls-strict-sni': 'true' });
  await auth(await greet(lab), { servername: 'ftp.example' });
  const pair = await greet(lab);
  await assert.rejects(auth(pair, { servername: 'nobody.example' }));
  pair.server.end();
  const { error } = await lab.event('session-closed', { reason: 'tls-failed' });
  assert.match(error ?? '', /nobody\.example/);
});

test('negotiates TLS once and not again', async (t) => {
  const lab = await Lab.start(t, terminating(t));
  const { client } = await auth(await greet(lab), { maxVersion: 'TLSv1.2' });
  const answered = new Promise<Error | null>((resolve) => {
    client.stream.renegotiate({}, resolve);
  });
  await client.failure();
  void answered;
});

test('demands a certificate of clients, and logs whose it is', async (t) => {
  const { ca: authorities = '' } = files(t, { ca: ca.cert });
  const lab = await Lab.start(t, { ...terminating(t), 'tls-client-ca': authorities });
  const anne = ca.issue({ name: 'anne' });
  await logIn(await auth(await greet(lab), anne));
  await lab.event('session-secured', { side: 'client', subject: 'CN=anne' });
  await logIn(await auth(await greet(lab), ca.issue({ name: null, hosts: ['anne.example'] })));
  await lab.event('session-secured', { side: 'client', subject: 'DNS:anne.example' });

  for (const [options, expected] of [
    [{}, /presented no certificate/],
    [selfSigned({ name: 'anne' }), /not accepted: .*self.signed/],
    [ca.issue({ name: 'anne', validTo: '210101000000Z' }), /not accepted: .*expired/],
  ] as const) {
    const { client, server } = await greet(lab);
    client.send('AUTH TLS\r\n');
    await client.expect(`${replies.proceedWithTls}\r\n`);
    const raw = client.socket;
    secureAsClient(client, options).catch(() => undefined);
    const failed = lab.eventsOf('session-closed').length + 1;
    await server.finished();
    server.end();
    raw.on('error', () => undefined);
    const { error, reason } = await lab.event('session-closed', {}, failed);
    assert.equal(reason, 'tls-failed');
    assert.match(error ?? '', expected);
  }
});

test('carries no data channel of a client whose certificate is another than on its control channel', async (t) => {
  const { ca: authorities = '' } = files(t, { ca: ca.cert });
  const lab = await Lab.start(t, { ...terminating(t), 'tls-client-ca': authorities });
  const pair = await auth(await greet(lab), ca.issue({ name: 'anne' }));
  await logIn(pair);
  await protect(pair);
  const { at, behind } = await lab.passive(pair);
  const raw = await lab.dial(at);
  void secureAsClient(raw, ca.issue({ name: 'mallory' })).catch(() => undefined);
  assert.equal(await (await behind.next()).wasReset(), '');
  const { error } = await lab.event('transfer-ended', { cause: 'client-tls-failed' });
  assert.match(error ?? '', /differs from that of the control connection/);
});

test('reads certificates again when their files change', async (t) => {
  const paths = terminating(t);
  const lab = await Lab.start(t, paths);
  const live = await auth(await greet(lab));
  const next = ca.issue({ name: 'renewed', hosts: ['ftp.example'] });
  writeFileSync(paths['tls-cert'] ?? '', next.cert);
  writeFileSync(paths['tls-key'] ?? '', next.key);
  await lab.logged('certificates reloaded');
  const { client } = await auth(await greet(lab));
  assert.equal(client.stream.getPeerCertificate().subject.CN, 'renewed');
  await logIn(live);
});

test('does not start with a key that belongs to another certificate, and says which', async (t) => {
  const settings = { ...terminating(t), 'tls-key': files(t, { key: ofServer.key })['key'] ?? '' };
  await assert.rejects(
    Lab.start(t, settings),
    /^IdentityError: tls-key: .*key is not the key of the certificate in/,
  );
});

// ---- The server's side ----

test('speaks TLS to the server before the client hears of it', async (t) => {
  const lab = await Lab.start(t, { ...towardsServer(t, 'explicit') });
  const { client, server: raw } = await lab.connect();
  const server = await serveAuth(raw);
  await client.expect('220 Ready.\r\n');
  await logIn({ client, server });
  await lab.event('session-secured', { side: 'server', subject: 'CN=server' });
});

test('speaks TLS from the first byte to a server of implicit FTPS', async (t) => {
  const lab = await Lab.start(t, towardsServer(t, 'implicit'));
  const { client, server: raw } = await lab.connect();
  const server = await secureAsServer(raw, ofServer);
  server.send('220 Ready.\r\n');
  await client.expect('220 Ready.\r\n');
  await logIn({ client, server });
});

test('asks the server for TLS when its client asks, and promises nothing before', async (t) => {
  const lab = await Lab.start(t, { ...terminating(t), ...towardsServer(t, 'same') });
  const { client, server } = await authBoth(await greet(lab));
  await logIn({ client, server });
  await exchange({ client, server }, 'PBSZ 0', '200 Yes.');
  await exchange({ client, server }, 'PROT P', '200 Yes.');
});

test('secures a client once more behind CCC, with a server that has been secured for it', async (t) => {
  const lab = await Lab.start(t, { ...terminating(t), ...towardsServer(t, 'same'), 'tls-ccc': 'allow' });
  const { client, server } = await authBoth(await greet(lab));
  client.send('CCC\r\n');
  await client.expect(`${replies.controlIsClear}\r\n`);
  await client.finished();
  const clear = await client.clear('AUTH TLS\r\n');
  await clear.expect(`${replies.proceedWithTls}\r\n`);
  await logIn({ client: await secureAsClient(clear), server });
});

for (const mechanism of ['SSL', 'TLS-P']) {
  for (const kind of ['explicit', 'same'] as const) {
    test(`says PROT P to the server (${kind}) for a client that means it by AUTH ${mechanism}`, async (t) => {
      const lab = await Lab.start(t, { ...terminating(t), ...towardsServer(t, kind) });
      const { client: raw, server: rawServer } = await lab.connect();
      let server;
      if (kind === 'explicit') {
        server = await serveAuth(rawServer);
        await raw.expect('220 Ready.\r\n');
        raw.send(`AUTH ${mechanism}\r\n`);
      } else {
        rawServer.send('220 Ready.\r\n');
        await raw.expect('220 Ready.\r\n');
        raw.send(`AUTH ${mechanism}\r\n`);
        await rawServer.expect(`AUTH ${mechanism}\r\n`);
        rawServer.send('234 Go on.\r\n');
        server = await secureAsServer(rawServer, ofServer);
      }
      await server.expect('PBSZ 0\r\n');
      server.send('200 Yes.\r\n');
      await server.expect('PROT P\r\n');
      server.send('200 Yes.\r\n');
      assert.match(await raw.line(), /^234 /);
      await logIn({ client: await secureAsClient(raw), server });
    });
  }
}

test('goes on in clear where the server refuses the AUTH of its client', async (t) => {
  const lab = await Lab.start(t, { ...terminating(t), ...towardsServer(t, 'same') });
  const pair = await greet(lab);
  await exchange(pair, 'AUTH TLS', '502 Not here.');
  await logIn(pair);
});

for (const [what, credentials, settings, expected] of [
  ['nobody trusted signed', selfSigned({ addresses: [hosts.server] }), {}, /not accepted: it is self-signed/],
  ['has expired', ca.issue({ addresses: [hosts.server], validTo: '210101000000Z' }), {}, /it has expired/],
  ['is for another name', ca.issue({ hosts: ['other.example'] }), {}, /it is not for /],
  [
    'is not the pinned one',
    ofServer,
    { 'server-tls-fingerprint': 'ab'.repeat(32) },
    /does not match server-tls-fingerprint/,
  ],
] as const) {
  test(`tells a server nothing whose certificate ${what}, and its client 421`, async (t) => {
    const lab = await Lab.start(t, { ...towardsServer(t, 'explicit'), ...settings });
    const { client, server } = await lab.connect();
    await serveAuth(server, credentials).catch(() => undefined);
    await client.expect(`${replies.serverTlsFailed}\r\n`);
    await client.finished();
    const { error } = await lab.event('session-refused', { reason: 'server-tls-failed' });
    assert.match(error ?? '', expected);
  });
}

test('takes a server by its name, or by its fingerprint alone', async (t) => {
  const named = ca.issue({ name: 'server', hosts: ['inside.example'] });
  const pinned = selfSigned({ name: 'server' });
  const { X509Certificate } = await import('node:crypto');
  const { fingerprint256 } = new X509Certificate(pinned.cert);
  for (const [credentials, settings] of [
    [named, { ...towardsServer(t, 'explicit'), 'server-tls-name': 'inside.example' }],
    [pinned, { 'server-tls': 'explicit', 'server-tls-fingerprint': fingerprint256 }],
  ] as const) {
    const lab = await Lab.start(t, settings);
    const { client, server } = await lab.connect();
    await serveAuth(server, credentials);
    await client.expect('220 Ready.\r\n');
  }
});

test('never falls back to plain text with a server that refuses AUTH', async (t) => {
  const lab = await Lab.start(t, towardsServer(t, 'explicit'));
  const { client, server } = await lab.connect();
  server.send('220 Ready.\r\n');
  await server.expect('AUTH TLS\r\n');
  server.send('500 What?\r\n');
  await client.expect(`${replies.serverTlsFailed}\r\n`);
  await client.finished();
  const { error } = await lab.event('session-refused', { reason: 'server-tls-failed' });
  assert.match(error ?? '', /refused AUTH TLS: 500 What\?/);
});

test('passes on what a server says that has no time, in the place of its greeting', async (t) => {
  const lab = await Lab.start(t, towardsServer(t, 'explicit'));
  const { client, server } = await lab.connect();
  server.send('421 Too many users.\r\n');
  await client.expect('421 Too many users.\r\n');
  await client.finished();
});

for (const kind of ['explicit', 'same'] as const) {
  test(`believes nothing that came in clear behind the 234 of the server (${kind})`, async (t) => {
    const lab = await Lab.start(t, { ...terminating(t), ...towardsServer(t, kind) });
    const { client, server } = await lab.connect();
    server.send('220 Ready.\r\n');
    if (kind === 'same') {
      await client.expect('220 Ready.\r\n');
      client.send('AUTH TLS\r\n');
    }
    await server.expect('AUTH TLS\r\n');
    server.send('234 Go on.\r\n331 Password?\r\n');
    assert.equal(await client.rest(), `${replies.serverTlsFailed}\r\n`);
  });
}

test('protects data of the server whatever the client says, where that is set', async (t) => {
  const lab = await Lab.start(t, { ...towardsServer(t, 'explicit'), 'server-data-tls': 'protected' });
  const { client, server: raw } = await lab.connect();
  const server = await serveAuth(raw);
  for (const command of ['PBSZ 0', 'PROT P']) {
    await server.expect(`${command}\r\n`);
    server.send('200 Yes.\r\n');
  }
  await client.expect('220 Ready.\r\n');
  await logIn({ client, server });
});

// ---- Data channels ----

test('refuses transfers without PROT P where protected data is required', async (t) => {
  const lab = await Lab.start(t, { ...terminating(t), 'require-data-tls': 'true' });
  const pair = await auth(await greet(lab));
  await logIn(pair);
  const { client, server } = pair;
  client.send('RETR file\r\n');
  await client.expect(`${replies.dataRequiresTls}\r\n`);
  client.send('PROT P\r\n');
  await client.expect(`${replies.protRequiresPbsz}\r\n`);
  await protect(pair);
  client.send('PROT C\r\n');
  await client.expect(`${replies.clearDataRefused}\r\n`);
  await exchange(pair, 'RETR file', '550 No.');
  assert.equal(server.unread, '');
});

test('carries no data channel in clear after PROT P', async (t) => {
  const lab = await Lab.start(t, terminating(t));
  const pair = await protectedSession(lab);
  const { at, behind } = await lab.passive(pair);
  const client = await lab.dial(at);
  const server = await behind.next();
  client.send('in clear');
  assert.equal(await client.wasReset(), '');
  assert.equal(await server.wasReset(), '');
  const { error } = await lab.event('transfer-ended', { cause: 'client-tls-failed' });
  assert.equal(error, 'received data that is not TLS');
});

test('opens a pinhole anew after PROT: one in clear is none for protected data', async (t) => {
  const lab = await Lab.start(t, terminating(t));
  const pair = await auth(await greet(lab));
  await logIn(pair);
  const { at } = await lab.passive(pair);
  await protect(pair);
  await lab.event('pinhole-closed', { reason: 'replaced' });
  await lab.isClosed(at);
});

for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
  test(`resumes the client's session on its data channels where that is required, ${version}`, async (t) => {
    const lab = await Lab.start(t, { ...terminating(t), 'require-session-reuse': 'true' });
    const pair = await auth(await greet(lab), { maxVersion: version });
    await logIn(pair);
    await protect(pair);
    const { at, behind } = await lab.passive(pair);
    const data = await secureAsClient(await lab.dial(at), { ticket: pair.ticket, maxVersion: version });
    assert.ok(data.stream.isSessionReused());
    (await behind.next()).end('a file');
    assert.equal(await data.rest(), 'a file');
  });

  test(`takes neither a new session nor one of another client for that, ${version}`, async (t) => {
    const lab = await Lab.start(t, { ...terminating(t), 'require-session-reuse': 'true' });
    const other = await auth(await greet(lab), { maxVersion: version });
    await logIn(other);
    const pair = await auth(await greet(lab), { maxVersion: version });
    await logIn(pair);
    await protect(pair);
    for (const [n, ticket] of ([{}, other.ticket] as Ticket[]).entries()) {
      const { at, behind } = await lab.passive(pair);
      void secureAsClient(await lab.dial(at), { ticket, maxVersion: version }).catch(() => undefined);
      assert.equal(await (await behind.next()).wasReset(), '');
      const { error } = await lab.event('transfer-ended', { cause: 'client-tls-failed' }, n + 1);
      assert.match(error ?? '', /was not resumed/);
    }
  });

  test(`resumes the server's session on data channels to it, ${version}`, async (t) => {
    const lab = await Lab.start(t, { ...towardsServer(t, 'explicit'), 'server-data-tls': 'protected' });
    // Tickets of all connections to one server are of one key, as a server has it.
    const options = {
      ...ofServer,
      maxVersion: version,
      ticketKeys: Buffer.alloc(48, 7),
      sessionIdContext: 'x',
    };
    const { createSecureContext } = await import('node:tls');
    const secureContext = createSecureContext(options);
    const { client, server: raw } = await lab.connect();
    const server = await serveAuth(raw, { secureContext });
    for (const command of ['PBSZ 0', 'PROT P']) {
      await server.expect(`${command}\r\n`);
      server.send('200 Yes.\r\n');
    }
    await client.expect('220 Ready.\r\n');
    await logIn({ client, server });
    const { client: reader, server: far } = await dataChannel(lab, { client, server });
    const data = await secureAsServer(far, { secureContext });
    assert.ok(data.stream.isSessionReused());
    data.end('a file');
    assert.equal(await reader.rest(), 'a file');
  });
}

test('leaves TLS of data that is protected on both sides to client and server, where that is set', async (t) => {
  const lab = await Lab.start(t, { ...terminating(t), ...towardsServer(t, 'same'), 'tls-data': 'server' });
  const { client, server } = await authBoth(await greet(lab));
  await logIn({ client, server });
  await exchange({ client, server }, 'PBSZ 0', '200 Yes.');
  await exchange({ client, server }, 'PROT P', '200 Yes.');
  const data = await lab.passiveChannel({ client, server });
  data.client.send('what looks like no TLS at all');
  await data.server.expect('what looks like no TLS at all');
  data.client.end();
  await data.server.finished();
  data.server.end();
  const { protection = 'none', plane: carrier } = await lab.event('transfer-ended', { cause: 'complete' });
  assert.deepEqual([protection, carrier], ['none', plane]);
});

// ---- TLS that passes ----

/** What TLS of a client looks like from outside that has logged in: three records of secrets, and two of the server. */
const records = '\x17\x03\x03\x00\x01x'.repeat(3);
const answers = records.slice(0, 12);

async function seemLoggedIn({ client, server }: ControlPair): Promise<void> {
  client.send(records);
  await server.expect(records);
  server.send(answers);
  await client.expect(answers);
}

test('passes TLS between client and server behind 234, and each port of the range to the same of the server', async (t) => {
  const lab = await Lab.start(t, { tls: 'pass', 'passive-ports': passivePorts(3) });
  const pair = await greet(lab);
  const ports = [firstPassivePort, firstPassivePort + 1];
  for (const port of ports) await lab.isClosed({ address: hosts.relay, port });
  await exchange(pair, 'AUTH TLS', '234 Go on.');
  assert.deepEqual((await lab.event('session-opaque')).unavailable, []);
  const [client, server] = await Promise.all([
    secureAsClient(pair.client),
    secureAsServer(pair.server, ofServer),
  ]);
  assert.equal(client.stream.getPeerCertificate().subject.CN, 'server');
  await logIn({ client, server });
  for (const port of ports) {
    const behind = await lab.listen(hosts.server, port);
    const data = await lab.dial({ address: hosts.relay, port }, hosts.client);
    const far = await behind.next();
    far.send('a file');
    await data.expect('a file');
    await lab.isTurnedAway({ address: hosts.relay, port }, hosts.stranger);
    data.reset();
    await far.wasReset();
  }
  await Promise.all([client.close(), server.close()]);
  await lab.event('session-closed');
  await turns();
  for (const port of ports) await lab.isClosed({ address: hosts.relay, port });
});

test("tells which ports of the range are somebody else's, and passes what comes to the others", async (t) => {
  const lab = await Lab.start(t, { tls: 'pass', 'passive-ports': passivePorts(4) });
  for (const port of [firstPassivePort + 1, firstPassivePort + 2]) await lab.listen(hosts.relay, port);
  const pair = await greet(lab);
  await exchange(pair, 'AUTH TLS', '234 Go on.');
  const { unavailable } = await lab.event('session-opaque');
  assert.deepEqual(unavailable, [{ first: firstPassivePort + 1, last: firstPassivePort + 2 }]);
  await seemLoggedIn(pair);
  const behind = await lab.listen(hosts.server, firstPassivePort + 3);
  const data = await lab.dial({ address: hosts.relay, port: firstPassivePort + 3 }, hosts.client);
  const far = await behind.next();
  far.send('a file');
  await data.expect('a file');
});

test('passes no TLS where bytes came behind AUTH', async (t) => {
  const lab = await Lab.start(t, { tls: 'pass' });
  const { client, server } = await greet(lab);
  client.send('AUTH TLS\r\nUSER mallory\r\n');
  assert.match(await client.rest(), /^503 /);
  assert.equal(await server.rest(), '');
});

test('asks the server for TLS by itself where its client is TLS from the first byte, with server-tls same', async (t) => {
  const lab = await Lab.start(t, {
    ...terminating(t),
    ...towardsServer(t, 'same'),
    'listen-tls': `${hosts.relay}:0`,
  });
  const implicit = lab.daemon.endpoints[1] ?? assert.fail('no listener for TLS');
  const connecting = lab.dial(implicit).then((peer) => secureAsClient(peer));
  const server = await serveAuth(await lab.server.next());
  const client = await connecting;
  await client.expect('220 Ready.\r\n');
  client.send('USER anne\r\n');
  await server.expect('USER anne\r\n');
});

test('gives up a data channel whose command never comes', async (t) => {
  const lab = await Lab.start(t, {
    ...terminating(t),
    ...towardsServer(t, 'explicit'),
    'server-data-tls': 'protected',
    'expect-timeout': '300ms',
  });
  const { client: raw, server: rawServer } = await lab.connect();
  const server = await serveAuth(rawServer);
  for (const command of ['PBSZ 0', 'PROT P']) {
    await server.expect(`${command}\r\n`);
    server.send('200 Yes.\r\n');
  }
  await raw.expect('220 Ready.\r\n');
  await logIn({ client: raw, server });
  const data = await lab.passiveChannel({ client: raw, server });
  await data.client.wasReset();
  const { error } = await lab.event('transfer-ended', { cause: 'server-tls-failed' });
  assert.match(error ?? '', /no command was sent/);
});

test('makes no data connection in clear where PROT P is required, not even before PROT', async (t) => {
  const lab = await Lab.start(t, { ...terminating(t), 'require-data-tls': 'true' });
  const pair = await auth(await greet(lab));
  await logIn(pair);
  for (const command of ['PASV', 'EPSV', 'PORT 127,0,0,1,100,100', 'LIST']) {
    pair.client.send(`${command}\r\n`);
    await pair.client.expect(`${replies.dataRequiresTls}\r\n`);
  }
});

const noReset = relayPlaneOnly('A clear data connection survives a later PROT');

test('resets a data channel that was made before PROT changed how it is to be', noReset, async (t) => {
  const lab = await Lab.start(t, terminating(t));
  const pair = await auth(await greet(lab));
  await logIn(pair);
  const data = await lab.passiveChannel(pair);
  await protect(pair);
  assert.equal(await data.server.wasReset(), '');
});

test('changes nothing with the server for a client without TLS that says PROT', async (t) => {
  const lab = await Lab.start(t, towardsServer(t, 'explicit'));
  const { client, server: raw } = await lab.connect();
  const server = await serveAuth(raw);
  await client.expect('220 Ready.\r\n');
  for (const command of ['PBSZ 0', 'PROT P', 'CCC']) {
    client.send(`${command}\r\n`);
    await client.expect(`${replies.requiresAuth(command.slice(0, 4).trim())}\r\n`);
  }
  client.send('FEAT\r\n');
  await server.expect('FEAT\r\n');
  server.send('211-Features:\r\n AUTH TLS\r\n PROT\r\n SIZE\r\n211 End\r\n');
  await client.expect('211-Features:\r\n SIZE\r\n211 End\r\n');
});

test('carries no more than 16 connections at once for an opaque session', async (t) => {
  const lab = await Lab.start(t, { tls: 'pass' });
  const pair = await greet(lab);
  pair.client.send('AUTH TLS\r\n');
  await pair.server.expect('AUTH TLS\r\n');
  pair.server.send('234 Go on.\r\n');
  await pair.client.expect('234 Go on.\r\n');
  await lab.event('session-opaque');
  await seemLoggedIn(pair);
  const { first } = lab.configWith().passivePorts;
  const behind = await lab.listen(hosts.server, first);
  const at = { address: lab.relay.address, port: first };
  for (let n = 0; n < 16; n++) {
    await lab.dial(at);
    await behind.next();
  }
  const another = await lab.dial(at).catch(() => undefined);
  await another?.wasReset();
  await lab.event('pinhole-refused', { reason: 'too-many-channels' });
});

test('carries as many for each of two opaque sessions of one address, and each lives as long as one of them', async (t) => {
  const lab = await Lab.start(t, { tls: 'pass', 'passive-ports': passivePorts(3), grace: '60s' });
  const pairs = [];
  for (let n = 1; n <= 2; n++) {
    const pair = await greet(lab);
    await exchange(pair, 'AUTH TLS', '234 Go on.');
    await lab.event('session-opaque', {}, n);
    await seemLoggedIn(pair);
    pairs.push(pair);
  }
  const behind = await lab.listen(hosts.server, firstPassivePort);
  const at = { address: hosts.relay, port: firstPassivePort };
  const channels = [];
  for (let n = 0; n < 32; n++) {
    const data = await lab.dial(at, hosts.client);
    channels.push({ data, far: await behind.next() });
  }
  const taken = lab.eventsOf('pinhole-taken').map(({ session }) => session);
  for (const session of new Set(taken)) assert.equal(taken.filter((each) => each === session).length, 16);
  const another = await lab.dial(at, hosts.client).catch(() => undefined);
  await another?.wasReset();

  // Nobody knows whose the last one is.
  for (const { data, far } of channels.slice(1)) {
    data.reset();
    await far.wasReset();
  }
  await lab.event('transfer-ended', {}, 31);
  const closed = lab.daemon.close();
  for (const { client, server } of pairs) {
    server.send('226 Done.\r\n');
    await client.expect('226 Done.\r\n');
  }
  channels[0]?.data.reset();
  for (const { client } of pairs) await client.failure();
  await closed;
});

test('lets nobody through to an opaque session whose client cannot have logged in yet', async (t) => {
  const lab = await Lab.start(t, { tls: 'pass', 'passive-ports': passivePorts(3) });
  const pair = await greet(lab);
  await exchange(pair, 'AUTH TLS', '234 Go on.');
  await lab.event('session-opaque');
  const behind = await lab.listen(hosts.server, firstPassivePort);
  const at = { address: hosts.relay, port: firstPassivePort };
  const two = records.slice(0, 12);
  pair.client.send(two);
  await pair.server.expect(two);
  pair.server.send(answers);
  await pair.client.expect(answers);
  await lab.isTurnedAway(at, hosts.client);
  pair.client.send(records.slice(12));
  await pair.server.expect(records.slice(12));
  const data = await lab.dial(at, hosts.client);
  (await behind.next()).send('a file');
  await data.expect('a file');
});

for (const [what, settings, said, reason, error] of [
  [
    'says nothing behind AUTH',
    { 'tls-handshake-timeout': '200ms' },
    '',
    'tls-failed',
    'the TLS handshake after AUTH did not finish in time',
  ],
  [
    'speaks no TLS behind AUTH',
    { 'tls-handshake-timeout': '200ms' },
    'PORT 127,0,0,1,200,13\r\n'.repeat(100),
    'tls-failed',
    'the TLS handshake after AUTH did not finish in time',
  ],
  [
    'does its handshake and says nothing more',
    { 'login-timeout': '400ms' },
    '\x16\x03\x01\x00\x02ab\x14\x03\x03\x00\x01\x01' + records.slice(0, 12),
    'login-timeout',
    'too few TLS records for a login',
  ],
] as const) {
  test(`ends an opaque session whose client ${what}`, async (t) => {
    const lab = await Lab.start(t, { tls: 'pass', 'passive-ports': passivePorts(3), ...settings });
    const pair = await greet(lab);
    await exchange(pair, 'AUTH TLS', '234 Go on.');
    await lab.event('session-opaque');
    pair.client.send(said);
    await pair.client.failure();
    const closed = await lab.event('session-closed');
    assert.deepEqual([closed.reason, closed.error], [reason, error]);
  });
}

test('holds back a server that goes on speaking while its client is silent behind AUTH', async (t) => {
  const lab = await Lab.start(t, terminating(t));
  const { client, server } = await greet(lab);
  client.send('AUTH TLS\r\n');
  await client.expect(`${replies.proceedWithTls}\r\n`);
  const said = pour(server.socket, Buffer.alloc(64 * mebibyte, '150 Still at it.\r\n'));
  await atRest(() => said.written());
  assert.ok(said.written() < 32 * mebibyte, `${said.written()} bytes were taken`);
  client.reset();
});

test('tells the client in TLS what the server said during the handshake', async (t) => {
  const lab = await Lab.start(t, terminating(t));
  const { client, server } = await greet(lab);
  client.send('AUTH TLS\r\n');
  await client.expect(`${replies.proceedWithTls}\r\n`);
  // One reply: many to no command would count as the session's own.
  const said = `211-Status\r\n${' Still at it.\r\n'.repeat(1000)}211 Done.\r\n`;
  server.send(said);
  await turns();
  const secured = await secureAsClient(client);
  await secured.expect(said);
  await exchange({ client: secured, server }, 'NOOP', '200 Yes.');
});

test('serves nobody in clear at the port of implicit FTPS, not even where a reload ends TLS as somebody comes', async (t) => {
  const lab = await Lab.start(t, { ...terminating(t), 'listen-tls': `${hosts.relay}:0` });
  const implicit = lab.daemon.endpoints[1] ?? assert.fail('no listener for TLS');
  const without = lab.configWith({ tls: 'refuse', 'tls-cert': '', 'tls-key': '', 'listen-tls': '' });
  let reloaded: Promise<unknown> | undefined;
  const accepted = (message: unknown): void => {
    const { socket } = message as { readonly socket: Socket };
    if (socket.localPort === implicit.port) reloaded ??= lab.daemon.reload(without);
  };
  subscribe('net.server.socket', accepted);
  try {
    const client = await lab.dial(implicit);
    assert.equal(await client.rest(), '');
    await lab.event('session-refused', { reason: 'tls-failed' });
    await reloaded;
  } finally {
    unsubscribe('net.server.socket', accepted);
  }
});

test('begins to end TLS with a reload, and stops with another, for new sessions alone', async (t) => {
  const lab = await Lab.start(t);
  const before = await greet(lab);
  const withTls = terminating(t);
  await lab.daemon.reload(lab.configWith(withTls));
  before.client.send('AUTH TLS\r\n');
  assert.match(await before.client.line(), /^534 /);
  const secured = await auth(await greet(lab));
  await logIn(secured);

  await lab.daemon.reload(lab.configWith({ tls: 'refuse' }));
  await protect(secured);
  const data = await dataChannel(lab, secured);
  const client = await secureAsClient(data.client, { ticket: secured.ticket });
  data.server.end('a file');
  assert.equal(await client.rest(), 'a file');
  const after = await greet(lab);
  after.client.send('AUTH TLS\r\n');
  assert.match(await after.client.line(), /^534 /);
});

test('goes on as it was where a reload names a certificate that cannot be used', async (t) => {
  const lab = await Lab.start(t, terminating(t));
  const missing = join(tmpdir(), 'there-is-no-such-certificate.pem');
  await assert.rejects(lab.daemon.reload(lab.configWith({ 'tls-cert': missing })), {
    message: `tls-cert: ${missing} cannot be read: ENOENT: no such file or directory, open '${missing}'`,
  });
  await logIn(await auth(await greet(lab)));
});
