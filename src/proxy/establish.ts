import type { Socket } from 'node:net';
import type { SessionReason } from '../events.ts';
import { replies } from '../helper/replies.ts';
import type { TlsPolicy } from '../helper/tls-policy.ts';
import { isLoopback, parseAddress, type Address } from '../net/address.ts';
import { tcpChannel, type Channel } from '../net/channel.ts';
import { messageOf } from '../net/error.ts';
import { ignoreError } from '../net/socket.ts';
import { openWithTls, ServerTlsError } from './session/server-tls.ts';
import type { TlsPlan } from './session/tls-plan.ts';

/** A server as it was named. */
export interface Upstream {
  readonly host: string;
  readonly port: number;
}

/** Why a client's connection gets no session. */
export class NoSession extends Error {
  override readonly name = 'NoSession';
  readonly reason: SessionReason;
  /** What the client hears; undefined where it would understand nothing. */
  readonly reply: string | undefined;
  /** The system's own words where something failed. */
  readonly error: string | undefined;

  constructor(reason: SessionReason, reply: string | undefined, error?: string) {
    super(error ?? reason);
    this.reason = reason;
    this.reply = reply;
    this.error = error;
  }
}

const refusals: Partial<Record<SessionReason, string>> = {
  shutdown: replies.shutdownForNew,
  'too-many-sessions': replies.tooManySessions,
  'too-many-sessions-of-client': replies.tooManySessionsOfClient,
  'too-many-new-sessions': replies.tooManyNewSessions,
  'too-many-descriptors': replies.tooManyDescriptors,
  loop: replies.loop,
  'destination-not-allowed': replies.destinationNotAllowed,
  'worker-died': replies.workerDied,
};

/** The reply to a client in clear whose connection gets no session. */
export function refusalOf(reason: SessionReason): string {
  return refusals[reason] ?? replies.serverUnreachable;
}

/** TLS with the client, where that comes before all else. @throws {NoSession} */
export async function secureClient(socket: Socket, { client }: TlsPlan): Promise<Channel> {
  if (!client) throw new NoSession('tls-failed', undefined, 'TLS for clients is no longer configured');
  try {
    const channel = await client.control(socket);
    channel.stream.once('error', ignoreError);
    return channel;
  } catch (error) {
    throw new NoSession('tls-failed', undefined, messageOf(error));
  }
}

/**
 * The control channel to the server, TLS where that comes before all else.
 *
 * @param isClientTls whether the client's is TLS already: it will not say AUTH
 * @throws {NoSession}
 */
export async function openServer(
  upstream: Socket,
  { server: plan }: TlsPlan,
  { server }: TlsPolicy,
  isClientTls: boolean,
): Promise<{ readonly channel: Channel; readonly greeting?: string | undefined }> {
  const channel = tcpChannel(upstream);
  if (!plan || (server === 'same' && !isClientTls)) return { channel };
  try {
    return await openWithTls(channel, plan);
  } catch (error) {
    const said = error instanceof ServerTlsError ? error.greeting?.trimEnd() : undefined;
    throw new NoSession('server-tls-failed', said ?? replies.serverTlsFailed, messageOf(error));
  }
}

/** Whether a client may be this server, which may be a relay in front of this one. */
export function mayBeLoop(client: Address, { host }: Upstream): boolean {
  const server = parseAddress(host);
  if (server === undefined) return host === 'localhost' && isLoopback(client);
  return client === server || (isLoopback(client) && isLoopback(server));
}
