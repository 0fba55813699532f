import type { Socket } from 'node:net';
import type { Mode, TransferCause, TransferProtection } from '../events.ts';
import { tcpChannel, type Channel } from '../net/channel.ts';
import type { Dialling } from '../net/dial.ts';
import { messageOf } from '../net/error.ts';
import { ignoreError, reset, resetWhenClosed } from '../net/socket.ts';
import type { DataChannelEnds } from './data-channel.ts';
import type { Protect, Protection, Transfer } from './plane.ts';

/** Why a leg of a data channel did not come up. */
export class LegError extends Error {
  override readonly name = 'LegError';
  readonly reason: TransferCause;
  /** Of the system or of TLS, where one of them failed. */
  readonly words: string | undefined;

  constructor(reason: TransferCause, cause?: unknown) {
    super(reason, { cause });
    this.reason = reason;
    this.words = cause === undefined ? undefined : messageOf(cause);
  }
}

/** The two legs of a data channel while they come up. */
export interface OpeningLegs {
  /** The one that was dialled, once it stands; rejects as `ends` does. */
  readonly connected: Promise<Socket>;
  /**
   * Both, connected, protected and paused.
   *
   * @throws {LegError} both connections are reset then
   */
  readonly ends: Promise<DataChannelEnds>;
  abort(cause: TransferCause): void;
}

type ServedTransfer = Transfer & { readonly served: Promise<void> };

interface Legs {
  readonly client: Socket;
  readonly server: Socket;
}

/**
 * Brings up both legs: that which was accepted, and in `mode` the other one. It owns both connections from the call on.
 *
 * @param accepted paused
 * @param transfer `served`: settled when its command has come, rejected when none will
 */
export function openLegs(
  mode: Mode,
  accepted: Socket,
  dialling: Dialling,
  protection: Protection | undefined,
  transfer: ServedTransfer,
): OpeningLegs {
  let aborted: TransferCause | undefined;
  let giveUp = (): void => {
    dialling.abort();
  };
  const connected = dialling.connected.catch((error: unknown) => {
    throw new LegError(mode === 'passive' ? 'server-unreachable' : 'client-unreachable', error);
  });
  resetWhenClosed(accepted);
  const connect = async (): Promise<DataChannelEnds> => {
    const dialled = await connected;
    // Without a handshake it is joined at once, which does the same.
    if (protection) resetWhenClosed(dialled);
    const legs =
      mode === 'passive' ? { client: accepted, server: dialled } : { client: dialled, server: accepted };
    giveUp = () => {
      for (const socket of Object.values(legs)) reset(socket);
    };
    try {
      if (aborted || accepted.destroyed) {
        throw new LegError(mode === 'passive' ? 'client-reset' : 'server-reset');
      }
      accepted.off('error', ignoreError);
      dialled.on('error', ignoreError);
      // pyftpdlib resets what begins before the command, and connects before it.
      const ends = protection ? await protect(legs, protection, transfer) : plain(legs, accepted);
      dialled.off('error', ignoreError);
      return ends;
    } catch (error) {
      giveUp();
      throw error;
    }
  };
  const ends = connect().catch((error: unknown) => {
    // What a direct connection to a closed port gets.
    accepted.resetAndDestroy();
    throw aborted ? new LegError(aborted) : error;
  });
  // Nothing is read from it yet; what happens to it is seen when it is.
  accepted.on('error', ignoreError);
  return {
    connected,
    ends,
    abort: (cause) => {
      aborted ??= cause;
      giveUp();
    },
  };
}

function plain({ client, server }: Legs, accepted: Socket): DataChannelEnds {
  return { client: tcpChannel(client, client === accepted), server: tcpChannel(server, server === accepted) };
}

/** Both handshakes at once: which of the two sides begins first depends on the client. */
async function protect(
  legs: Legs,
  protection: Protection,
  transfer: ServedTransfer,
): Promise<DataChannelEnds> {
  const leg = async (side: keyof Legs): Promise<Channel> => {
    const secure: Protect | undefined = protection[side];
    const socket = legs[side];
    if (!secure) return tcpChannel(socket);
    const begun =
      side === 'server' ? transfer.served.then(() => secure(socket, transfer)) : secure(socket, transfer);
    return begun.catch((error: unknown) => {
      throw new LegError(`${side}-tls-failed`, error);
    });
  };
  const [client, server] = await Promise.all([leg('client'), leg('server')]);
  return { client, server };
}

/** On which legs TLS ends here. */
export function protectedLegs(protection: Protection | undefined): TransferProtection {
  if (!protection) return 'none';
  const sides = (['client', 'server'] as const).filter((side) => protection[side]);
  return sides.length === 2 ? 'both' : (sides[0] ?? 'none');
}
