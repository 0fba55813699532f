import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { ConnectionOptions, TLSSocketOptions } from 'node:tls';
import { replies } from '../../../src/helper/replies.ts';
import { authority, type Authority, type Credentials } from '../certificates.ts';
import { hosts } from './hosts.ts';
import { exchange, Lab, type ControlPair, type DataPair, type Settings } from './lab.ts';
import { secureAsClient, secureAsServer, type Ticket, type TlsPeer } from './tls-peer.ts';

/** A pair whose two ends may be TLS, and the tickets that the client's data channels resume. */
export interface TlsPair {
  readonly client: TlsPeer;
  readonly server: ControlPair['server'];
  readonly ticket: Ticket;
}

/** Signs the certificates of the relay and of the server. */
export const ca: Authority = authority();
const ofRelay: Credentials = ca.issue({ name: 'relay', hosts: ['ftp.example'] });
export const ofServer: Credentials = ca.issue({ name: 'server', addresses: [hosts.server] });

/** Files that are gone when the test is over; returns their paths. */
export function files(t: TestContext, texts: Readonly<Record<string, string>>): Record<string, string> {
  const folder = mkdtempSync(join(tmpdir(), 'pinhole-tls-'));
  t.after(() => {
    rmSync(folder, { recursive: true });
  });
  return Object.fromEntries(
    Object.entries(texts).map(([name, text]) => {
      const path = join(folder, name);
      writeFileSync(path, text);
      return [name, path];
    }),
  );
}

/** The settings of a relay that ends the TLS of its clients. */
export function terminating(t: TestContext, { cert, key }: Credentials = ofRelay): Settings {
  const paths = files(t, { cert, key });
  return { tls: 'terminate', 'tls-cert': paths['cert'] ?? '', 'tls-key': paths['key'] ?? '' };
}

/** The settings of a relay that speaks TLS to the server. */
export function towardsServer(t: TestContext, kind: 'explicit' | 'implicit' | 'same'): Settings {
  return { 'server-tls': kind, 'server-tls-ca': files(t, { ca: ca.cert })['ca'] ?? '' };
}

/** A client and a server that have greeted, in clear. */
export async function greet(lab: Lab): Promise<ControlPair> {
  const pair = await lab.connect();
  pair.server.send('220 Ready.\r\n');
  await pair.client.expect('220 Ready.\r\n');
  return pair;
}

/** The client's AUTH TLS, answered by the relay alone. */
export async function auth(pair: ControlPair, options: ConnectionOptions = {}): Promise<TlsPair> {
  const ticket: Ticket = {};
  pair.client.send('AUTH TLS\r\n');
  await pair.client.expect(`${replies.proceedWithTls}\r\n`);
  const client = await secureAsClient(pair.client, { ticket, ...options });
  return { client, server: pair.server, ticket };
}

/** The client's AUTH TLS with `server-tls same`: the server answers it, and both are TLS. */
export async function authBoth(
  pair: ControlPair,
): Promise<{ readonly client: TlsPeer; readonly server: TlsPeer }> {
  pair.client.send('AUTH TLS\r\n');
  await pair.server.expect('AUTH TLS\r\n');
  pair.server.send('234 Go on.\r\n');
  const server = await secureAsServer(pair.server, ofServer);
  await pair.client.expect('234 Go on.\r\n');
  return { client: await secureAsClient(pair.client), server };
}

/** The server's end of `server-tls explicit`: greeting, AUTH TLS, handshake. */
export async function serveAuth(
  server: ControlPair['server'],
  options: TLSSocketOptions = ofServer,
): Promise<TlsPeer> {
  server.send('220 Ready.\r\n');
  await server.expect('AUTH TLS\r\n');
  server.send('234 Go on.\r\n');
  return secureAsServer(server, options);
}

export async function logIn(pair: ControlPair): Promise<void> {
  await exchange(pair, 'USER anne', '331 Password?');
  await exchange(pair, 'PASS secret', '230 Welcome.');
}

/** PBSZ and PROT of the client, which the relay answers. */
export async function protect({ client }: Pick<ControlPair, 'client'>): Promise<void> {
  client.send('PBSZ 0\r\n');
  await client.expect(`${replies.sizeIsZero}\r\n`);
  client.send('PROT P\r\n');
  await client.expect(`${replies.dataIsProtected}\r\n`);
}

/** A session with TLS on the client's side, logged in, its data protected. */
export async function protectedSession(lab: Lab): Promise<TlsPair> {
  const pair = await auth(await greet(lab));
  await logIn(pair);
  await protect(pair);
  return pair;
}

/** A data channel whose command has come: not before that does TLS with the server begin. */
export async function dataChannel(lab: Lab, pair: ControlPair): Promise<DataPair> {
  const data = await lab.passiveChannel(pair);
  pair.client.send('RETR file\r\n');
  await pair.server.expect('RETR file\r\n');
  return data;
}

/** Which sides of a data channel are TLS. */
export const pairings = ['none', 'client', 'server', 'both'] as const;
export type Pairing = (typeof pairings)[number];

export const isProtected = (pairing: Pairing, side: 'client' | 'server'): boolean =>
  pairing === side || pairing === 'both';

export interface TlsSession {
  readonly lab: Lab;
  readonly pair: ControlPair;
  readonly ticket: Ticket;
}

/** A session, TLS on both sides, with these data channels. */
export async function protectedOn(
  t: TestContext,
  pairing: Pairing,
  settings: Settings = towardsServer(t, 'explicit'),
  credentials: TLSSocketOptions = ofServer,
): Promise<TlsSession> {
  const protectsServer = isProtected(pairing, 'server');
  const lab = await Lab.start(t, {
    ...terminating(t),
    ...settings,
    'server-data-tls': protectsServer ? 'protected' : 'clear',
  });
  const { client: raw, server: rawServer } = await lab.connect();
  const server = await serveAuth(rawServer, credentials);
  for (const command of protectsServer ? ['PBSZ 0', 'PROT P'] : []) {
    await server.expect(`${command}\r\n`);
    server.send('200 Yes.\r\n');
  }
  await raw.expect('220 Ready.\r\n');
  const { client, ticket } = await auth({ client: raw, server });
  const pair = { client, server };
  await logIn(pair);
  if (isProtected(pairing, 'client')) await protect(pair);
  return { lab, pair, ticket };
}

/** A record with a ClientHello in it, as far as a passer-by looks. */
export function clientHello(length = 512): Buffer {
  const record = Buffer.alloc(5 + length, 'h');
  record.set([0x16, 3, 1]);
  record.writeUInt16BE(length, 3);
  record.set([1, 0], 5);
  record.writeUInt16BE(length - 4, 7);
  return record;
}
