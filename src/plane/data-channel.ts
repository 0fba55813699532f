import type { Socket } from 'node:net';
import type { TransferCause } from '../events.ts';
import { wasReset } from '../net/was-reset.ts';

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
 * Copies bytes both ways until both sides have said FIN. It owns both sockets from the call on.
 *
 * FIN goes on as FIN, and RST as RST: in stream mode FIN is the end of the file (RFC 959 section 3.4.1), so a
 * reset must never arrive as one. A reader that is slow holds back its writer: at most one chunk a direction
 * waits here.
 *
 * @param idleTimeout milliseconds without a byte in either direction until both sides are reset
 */
export function joinDataChannel(
  { client, server }: DataChannelEnds,
  idleTimeout: number,
  ended: (end: DataChannelEnd) => void,
): { abort(cause: TransferCause): void } {
  let open = 2;
  let failure: { cause: TransferCause; error?: string } | undefined;
  const moved = { uploaded: 0, downloaded: 0 };

  const abort = (cause: TransferCause, error?: string): void => {
    failure ??= { cause, ...(error !== undefined && { error }) };
    client.resetAndDestroy();
    server.resetAndDestroy();
  };
  const idle = setTimeout(() => {
    abort('data-idle-timeout');
  }, idleTimeout);

  copy(client, server, {
    moved: (bytes) => {
      moved.uploaded += bytes;
      idle.refresh();
    },
    reset: () => {
      abort('client-reset');
    },
  });
  copy(server, client, {
    moved: (bytes) => {
      moved.downloaded += bytes;
      idle.refresh();
    },
    reset: () => {
      abort('server-reset');
    },
  });
  for (const [socket, cause] of [
    [client, 'client-reset'],
    [server, 'server-reset'],
  ] as const) {
    socket.on('error', (error) => {
      abort(cause, error.message);
    });
    socket.on('close', () => {
      if (--open > 0) return;
      clearTimeout(idle);
      ended({ cause: failure?.cause ?? 'complete', error: failure?.error, ...moved });
    });
  }
  client.resume();
  server.resume();
  return { abort };
}

/** One direction of a data channel. */
function copy(from: Socket, to: Socket, tell: { moved(bytes: number): void; reset(): void }): void {
  from.on('data', (chunk: Buffer) => {
    tell.moved(chunk.length);
    // A chunk over the high-water mark gets `false` even when the kernel has taken all of it.
    if (!to.write(chunk) && to.writableLength > 0) from.pause();
  });
  to.on('drain', () => {
    from.resume();
  });
  from.on('end', () => {
    if (wasReset(from)) tell.reset();
    else to.end();
  });
}
