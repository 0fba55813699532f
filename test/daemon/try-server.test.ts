import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { test, type TestContext } from 'node:test';
import { createServer as createTlsServer } from 'node:tls';
import { loadTls } from '../../src/daemon/certificates.ts';
import { tryServer } from '../../src/daemon/try-server.ts';
import { ignoreError } from '../../src/net/socket.ts';
import { selfSigned } from '../support/certificates.ts';
import { hangUp, speakTls, startScriptedServer } from '../support/doctor/scripted-server.ts';
import { load } from '../support/load-config.ts';
import { hosts } from '../support/relay/hosts.ts';
import { neverAccepting } from '../support/relay/never-accepting.ts';

/** What a configuration with these flags says of its server. */
async function said(flags: Readonly<Record<string, string>>): Promise<string> {
  const { config } = load({ flags: { 'connect-timeout': '5s', ...flags } });
  return tryServer(config, loadTls(config).services.forServer);
}

/** What it says of a server with this greeting. */
async function saidOf(
  t: TestContext,
  greeting: Parameters<typeof startScriptedServer>[1],
  flags: Readonly<Record<string, string>> = {},
): Promise<string> {
  return said({ server: `127.0.0.1:${await startScriptedServer(t, greeting)}`, ...flags });
}

async function listening(t: TestContext, server: Server): Promise<number> {
  const open: Socket[] = [];
  server.on('connection', (socket: Socket) => {
    socket.on('error', ignoreError);
    open.push(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    for (const socket of open) socket.destroy();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

const credentials = selfSigned();
const { fingerprint256 } = new X509Certificate(credentials.cert);
const pinned = { 'server-tls-fingerprint': fingerprint256 };

/** A server whose TLS comes first. */
function implicit(t: TestContext, greeting: string): Promise<number> {
  const server = createTlsServer(credentials, (socket) => {
    socket.on('error', ignoreError);
    socket.write(greeting);
  });
  server.on('tlsClientError', ignoreError);
  return listening(t, server);
}

for (const [what, greeting, line] of [
  ['a greeting', '220 Ready.', /answers 220 Ready\.$/],
  ['a greeting of several lines', '220-Welcome.\n220 Ready.', /answers 220-Welcome\.$/],
  ['a 120 before the greeting', '120 In a minute.\n220 Ready.', /answers 220 Ready\.$/],
  ['a 230 before the greeting', '230 Who are you?\n220 Ready.', /answers 220 Ready\.$/],
  ['a greeting that a terminal would act on', '220 \x1b[2JReady.', /answers 220 \[2JReady\.$/],
] as const) {
  test(`a server with ${what} answers`, async (t) => {
    const text = await saidOf(t, { '': greeting });
    assert.match(text, /^The server 127\.0\.0\.1 port \d+ answers /);
    assert.match(text, line);
  });
}

for (const [what, greeting, message] of [
  [
    'refuses',
    '421 Too many users.',
    /^server: 127\.0\.0\.1 port \d+ refuses the session: 421 Too many users\./,
  ],
  [
    'is an SSH server',
    'SSH-2.0-OpenSSH_9.2',
    /is not an FTP server: SSH-2\.0.*; correct the port in server$/,
  ],
  ['hangs up', hangUp, /closed the connection before a greeting: .*; read its log$/],
] as const) {
  test(`a server that ${what} is named, and what to do`, async (t) => {
    await assert.rejects(saidOf(t, { '': greeting }), { message });
  });
}

for (const [what, greeting] of [
  ['nothing', undefined],
  ['only that it will be ready', '120 In a minute.'],
  ['half a greeting', '220-Welcome.'],
] as const) {
  test(`a server that says ${what} is waited for as long as connect-timeout says`, async (t) => {
    await assert.rejects(saidOf(t, { '': greeting }, { 'connect-timeout': '300ms' }), {
      message: /sent no greeting within 0\.3 s: .*server-tls implicit/,
    });
  });
}

test('a server that is not there is named, and what to do', async () => {
  await assert.rejects(said({ server: '127.0.0.1:1' }), {
    message:
      'server: 127.0.0.1 port 1 refuses the connection (ECONNREFUSED): start the FTP server there, or correct server',
  });
});

test('a name without an address is named, and what to do', async () => {
  await assert.rejects(said({ server: 'no.such.host.invalid' }), {
    message:
      /^server: the name no\.such\.host\.invalid has no address \([\w ]+\): correct server, or add the name/,
  });
});

test('a name is resolved, and the address is said', async (t) => {
  const port = await startScriptedServer(t);
  const text = await said({ server: `localhost:${port}` });
  assert.equal(text, `The server localhost port ${port} (127.0.0.1) answers 220 Ready.`);
});

test('a server that does not answer is waited for as long as connect-timeout says', async (t) => {
  const { address, port } = await neverAccepting(t, hosts.server);
  const server = `${address}:${port}`;
  const tries = Array.from({ length: 4 }, () => said({ server, 'connect-timeout': '500ms' }));
  const reasons = (await Promise.allSettled(tries)).flatMap((each) =>
    each.status === 'rejected' ? (each.reason as Error).message : [],
  );
  assert.ok(
    reasons.some((text) => /did not answer within 0\.5 s: open the port for this host/.test(text)),
    reasons.join('\n'),
  );
});

test('with server-tls implicit the handshake comes before the greeting', async (t) => {
  const port = await implicit(t, '220 Ready.\r\n');
  const text = await said({ server: `127.0.0.1:${port}`, 'server-tls': 'implicit', ...pinned });
  assert.equal(text, `The server 127.0.0.1 port ${port} answers 220 Ready., and TLS with it works`);
});

test('with server-tls implicit a certificate that is not accepted is named', async (t) => {
  const port = await implicit(t, '220 Ready.\r\n');
  await assert.rejects(said({ server: `127.0.0.1:${port}`, 'server-tls': 'implicit' }), {
    message:
      /^server: TLS with 127\.0\.0\.1 port \d+ failed: the server's certificate is not accepted: .*; check server-tls/,
  });
});

test('with server-tls implicit a server in clear is named', async (t) => {
  await assert.rejects(saidOf(t, {}, { 'server-tls': 'implicit' }), {
    message:
      /^server: TLS with 127\.0\.0\.1 port \d+ failed: received data that is not TLS; check server-tls/,
  });
});

test('without server-tls a server whose TLS comes first is not waited for longer than connect-timeout', async (t) => {
  const port = await implicit(t, '220 Ready.\r\n');
  await assert.rejects(said({ server: `127.0.0.1:${port}`, 'connect-timeout': '300ms' }), {
    message: /server-tls implicit/,
  });
});

test('with server-tls explicit AUTH TLS comes after the greeting', async (t) => {
  // The scripted server makes a certificate of its own.
  await assert.rejects(saidOf(t, { AUTH: speakTls }, { 'server-tls': 'explicit' }), {
    message: /TLS with 127\.0\.0\.1 port \d+ failed: the server's certificate is not accepted/,
  });
  await assert.rejects(saidOf(t, {}, { 'server-tls': 'explicit' }), {
    message: /refuses AUTH TLS: 502 No TLS\.; turn on TLS at the server/,
  });
});

test('with server-tls explicit a server with the right certificate answers', async (t) => {
  const server = createServer((socket) => {
    socket.write('220 Ready.\r\n');
    socket.once('data', () => {
      socket.write('234 Go on.\r\n');
      tls.emit('connection', socket);
    });
  });
  const tls = createTlsServer(credentials, (socket) => socket.on('error', ignoreError));
  const port = await listening(t, server);
  const text = await said({ server: `127.0.0.1:${port}`, 'server-tls': 'explicit', ...pinned });
  assert.equal(text, `The server 127.0.0.1 port ${port} answers 220 Ready., and TLS with it works`);
});

test('where no server is named, that is said', async () => {
  assert.match(
    await said({}),
    /^No server is named, and none was tried: Pinhole starts its own in memory\.$/,
  );
  const intercepting = { intercept: 'true', plane: 'kernel', listen: '10.77.0.1:21' };
  assert.match(
    await said(intercepting),
    /^No server is named, and none was tried: intercept leads each client/,
  );
});
