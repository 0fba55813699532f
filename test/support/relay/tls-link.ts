import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import type { TestContext } from 'node:test';
import { connect, TLSSocket, type ConnectionOptions, type TLSSocketOptions } from 'node:tls';
import type { TlsChannel } from '../../../src/net/channel.ts';
import { handshake } from '../../../src/tls/handshake.ts';
import type { Identity } from '../../../src/tls/identities.ts';
import type { Credentials } from '../certificates.ts';
import { hosts } from './hosts.ts';
import { dial, Peer } from './peer.ts';
import { ofServer } from './tls-lab.ts';
import { secureAsClient, secureAsServer, type TlsPeer } from './tls-peer.ts';
import { within } from './within.ts';

/** A TCP connection over loopback: the end that the relay would have, paused, and the end of the test. */
export interface Link {
  readonly near: Socket;
  readonly far: Peer;
}

/** Both ends are gone when the test is over. */
export async function link(t: TestContext): Promise<Link> {
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true });
  server.listen(0, hosts.relay);
  await within(once(server, 'listening'), 'listening');
  const bound = server.address();
  assert.ok(bound !== null && typeof bound === 'object');
  const accepted = once(server, 'connection') as Promise<[Socket]>;
  const far = await dial({ address: hosts.relay, port: bound.port });
  const [near] = await within(accepted, 'a connection');
  server.close();
  t.after(() => {
    near.destroy();
    far.socket.destroy();
  });
  return { near, far };
}

/** What this end of a TLS connection is in its handshake. */
export const roles = ['server', 'client'] as const;
export type Role = (typeof roles)[number];

/** The near end's handshake, which takes any certificate. */
export function secureNear(
  near: Socket,
  role: Role,
  limit = 5000,
  check: Parameters<typeof handshake>[2] = () => undefined,
): Promise<TlsChannel> {
  return handshake(
    near,
    (wire) =>
      role === 'server'
        ? { done: 'secure', tls: new TLSSocket(wire, { isServer: true, ...ofServer }) }
        : { done: 'secureConnect', tls: connect({ socket: wire, rejectUnauthorized: false }) },
    check,
    limit,
    { by: undefined, until: 'end' },
  );
}

/** The far end's, where the near end has this role. */
export function secureFar(
  far: Peer,
  role: Role,
  options: ConnectionOptions & TLSSocketOptions = {},
): Promise<TlsPeer> {
  return role === 'server' ? secureAsClient(far, options) : secureAsServer(far, { ...ofServer, ...options });
}

export interface SecuredLink {
  /** Paused. */
  readonly channel: TlsChannel;
  /** The connection below the channel. */
  readonly socket: Socket;
  readonly far: TlsPeer;
}

/** A connection whose handshake is done. */
export async function securedLink(
  t: TestContext,
  role: Role,
  options: ConnectionOptions & TLSSocketOptions = {},
): Promise<SecuredLink> {
  const { near, far } = await link(t);
  const [channel, secured] = await Promise.all([secureNear(near, role), secureFar(far, role, options)]);
  return { channel, socket: near, far: secured };
}

/** A channel as tests read it: what cut it short is its failure, `truncated` or `reset`. */
export function peerOf({ channel, socket }: Pick<SecuredLink, 'channel' | 'socket'>): Peer {
  const peer = new Peer(socket, channel.stream, () => channel.whyCutShort());
  channel.resume();
  return peer;
}

export function identityOf({ cert, key }: Credentials, file = 'test.pem'): Identity {
  return { file, cert, key, leaf: new X509Certificate(cert) };
}
