import type { Socket } from 'node:net';
import type { TransferCause } from '../events.ts';
import { reset, wasReset } from '../net/socket.ts';
import { withLargeReads } from './large-reads.ts';

export interface DataChannelEnd {
  readonly cause: TransferCause;
  /** Bytes towards the server, and towards the client. */
  readonly uploaded: number;
  readonly downloaded: number;
  /** The system's own words where something failed. */
  readonly error: string | undefined;
}

/** The two ends of a data channel, both connected, paused and with `allowHalfOpen`. */
export interface DataChannelEnds {
  readonly client: Socket;
  readonly server: Socket;
}

/**
 * Copies bytes both ways until both sides have said FIN. It owns both connections from the call on.
 *
 * FIN goes on as FIN, and RST as RST: in stream mode FIN is the end of the file (RFC 959 section 3.4.1), so a
 * reset must never arrive as one. A reader that is slow holds back its writer: at most one read a direction
 * waits here.
 *
 * @param idleTimeout milliseconds without a byte in either direction until both sides are reset
 */
export function joinDataChannel(
  ends: DataChannelEnds,
  idleTimeout: number,
  ended: (end: DataChannelEnd) => void,
): { abort(cause: TransferCause): void } {
  let open = 2;
  let failure: { cause: TransferCause; error?: string } | undefined;
  const moved = { uploaded: 0, downloaded: 0 };

  const client: Socket = withLargeReads(ends.client, (chunk) => {
    moved.uploaded += chunk.length;
    idle.refresh();
    return toServer.write(chunk);
  });
  const server: Socket = withLargeReads(ends.server, (chunk) => {
    moved.downloaded += chunk.length;
    idle.refresh();
    return toClient.write(chunk);
  });
  const toServer = new Pipe(client, server);
  const toClient = new Pipe(server, client);
  const abort = (cause: TransferCause, error?: string): void => {
    failure ??= { cause, ...(error !== undefined && { error }) };
    reset(client);
    reset(server);
  };
  const idle = setTimeout(() => {
    abort('data-idle-timeout');
  }, idleTimeout);

  for (const [from, to, cause] of [
    [client, server, 'client-reset'],
    [server, client, 'server-reset'],
  ] as const) {
    from.on('end', () => {
      if (wasReset(from)) abort(cause);
      else to.end();
    });
    from.on('error', (error) => {
      abort(cause, error.message);
    });
    from.on('close', () => {
      if (--open > 0) return;
      clearTimeout(idle);
      ended({ cause: failure?.cause ?? 'complete', error: failure?.error, ...moved });
    });
  }
  client.resume();
  server.resume();
  return { abort };
}

/** One direction: while the kernel has not taken all that was written to `to`, nothing is read from `from`. */
class Pipe {
  readonly #to: Socket;
  readonly #written: () => void;
  #full = false;

  constructor(from: Socket, to: Socket) {
    this.#to = to;
    // Not 'drain': what is below the high-water mark would be waited for in vain.
    this.#written = () => {
      if (!this.#full || to.writableLength > 0) return;
      this.#full = false;
      from.resume();
    };
  }

  /** Returns whether the buffer may be read into again. */
  write(chunk: Uint8Array): boolean {
    this.#to.write(chunk, this.#written);
    this.#full = this.#to.writableLength > 0;
    return !this.#full;
  }
}
