import type { Duplex } from 'node:stream';
import type { TransferCause } from '../events.ts';
import type { Channel } from '../net/channel.ts';
import { codeOf } from '../net/error.ts';
import { HelloHold } from './hello-hold.ts';
import { withReads } from './reads.ts';

export interface DataChannelEnd {
  readonly cause: TransferCause;
  /** Bytes towards the server, and towards the client. */
  readonly uploaded: number;
  readonly downloaded: number;
  /** The system's own words where something failed. */
  readonly error: string | undefined;
}

/** The two ends of a data channel, both connected and paused. */
export interface DataChannelEnds {
  readonly client: Channel;
  readonly server: Channel;
}

/** Why a data channel failed, by the side on which it did. */
const causes = {
  client: { reset: 'client-reset', truncated: 'client-truncated', tls: 'client-tls-failed' },
  server: { reset: 'server-reset', truncated: 'server-truncated', tls: 'server-tls-failed' },
} as const;

export interface DataChannelOptions {
  /** Milliseconds without a byte in either direction until both sides are reset. */
  readonly idleTimeout: number;
  /** Whether it may be silent for longer all the same; it may not, unless told. */
  readonly livesOn?: () => boolean;
  /** The client has agreed on its leg in the clear: TLS that it begins there all the same is refused. */
  readonly isClearAgreed?: boolean;
}

/**
 * Copies bytes both ways until both sides have said their end. It owns both connections from the call on.
 *
 * FIN goes on as FIN, and RST as RST: in stream mode FIN is the end of the file (RFC 959 section 3.4.1), so a
 * reset must never arrive as one. Over TLS the end is close_notify, and a FIN without it is as good as a reset. A
 * reader that is slow holds back its writer: at most one read a direction waits here, or a few records of TLS.
 */
export function joinDataChannel(
  ends: DataChannelEnds,
  { idleTimeout, livesOn = () => false, isClearAgreed = false }: DataChannelOptions,
  ended: (end: DataChannelEnd) => void,
): { abort(cause: TransferCause): void } {
  const open = new Set<Channel>();
  let failure: { cause: TransferCause; error?: string } | undefined;
  const moved = { uploaded: 0, downloaded: 0 };

  const upload = (chunk: Uint8Array): boolean => {
    moved.uploaded += chunk.length;
    return toServer.write(chunk);
  };
  const hold = isClearAgreed
    ? new HelloHold({
        pass: upload,
        found: () => {
          abort('client-tls-failed', 'TLS came on a data channel that is in the clear, as PROT has it');
        },
      })
    : undefined;
  const client: Channel = withReads(ends.client, (chunk) => {
    idle.refresh();
    return hold ? hold.take(chunk) : upload(chunk);
  });
  const server: Channel = withReads(ends.server, (chunk) => {
    if (hold?.serverSpeaks() === false) return false;
    moved.downloaded += chunk.length;
    idle.refresh();
    return toClient.write(chunk);
  });
  const toServer = new Pipe(client, server.stream);
  const toClient = new Pipe(server, client.stream);
  const abort = (cause: TransferCause, error?: string): void => {
    hold?.stop();
    failure ??= { cause, ...(error !== undefined && { error }) };
    client.reset();
    server.reset();
  };
  const idle = setTimeout(() => {
    if (livesOn()) idle.refresh();
    else abort('data-idle-timeout');
  }, idleTimeout);
  const hasSaidItsEnd = { client: false, server: false };
  const isOver = (): boolean => hasSaidItsEnd.client && hasSaidItsEnd.server;

  for (const [from, to, side, other] of [
    [client, server, 'client', 'server'],
    [server, client, 'server', 'client'],
  ] as const) {
    const saidItsEnd = (): void => {
      const why = from.whyCutShort();
      // A reader that has got the whole file need not say close_notify to be believed: nobody waits for more.
      const sent = side === 'client' ? moved.uploaded : moved.downloaded;
      if (why && !(why === 'truncated' && hasSaidItsEnd[other] && sent === 0)) {
        abort(causes[side][why], why === 'truncated' ? 'FIN without close_notify' : undefined);
        return;
      }
      hasSaidItsEnd[side] = true;
      if (side === 'client') hold?.release();
      to.stream.end();
    };
    from.stream.on('end', saidItsEnd);
    // One leg may have ended, or gone, while the other was still in its handshake.
    if (from.stream.readableEnded) setImmediate(saidItsEnd);
    from.stream.on('error', (error) => {
      // All that was left to say to it was goodbye.
      if (isOver() && from.kind === 'tls') return;
      abort(isOfTls(error) ? causes[side].tls : causes[side].reset, error.message);
    });
    open.add(from);
    const closed = (): void => {
      if (!open.delete(from) || open.size > 0) return;
      clearTimeout(idle);
      ended({ cause: failure?.cause ?? 'complete', error: failure?.error, ...moved });
    };
    from.stream.on('close', closed);
    if (from.stream.closed) setImmediate(closed);
    if (from.stream.destroyed) abort(causes[side].reset, from.stream.errored?.message);
  }
  client.stream.resume();
  server.stream.resume();
  return { abort };
}

/** How much of what TLS has decrypted may wait for its reader, in bytes. */
const mostDecrypted = 262_144;

/** One direction: while the kernel has not taken all that was written to `to`, nothing is read from `from`. */
class Pipe {
  readonly #to: Duplex;
  readonly #written: () => void;
  /** Whether what was read is a piece of its own, which comes in small ones, or in a buffer that is used again. */
  readonly #isOwn: boolean;
  #full = false;
  #corked = false;

  constructor(from: Channel, to: Duplex) {
    this.#to = to;
    this.#isOwn = from.kind === 'tls';
    // Not 'drain': what is below the high-water mark would be waited for in vain.
    this.#written = () => {
      if (!this.#full || to.writableLength > 0) return;
      this.#full = false;
      from.stream.resume();
    };
  }

  /** Returns whether more may be read. */
  write(chunk: Uint8Array): boolean {
    if (this.#isOwn) this.#gather();
    this.#to.write(chunk, this.#written);
    this.#full = this.#to.writableLength > (this.#isOwn ? mostDecrypted : 0);
    return !this.#full;
  }

  /** The records of one read come in one turn: they leave in one write. */
  #gather(): void {
    if (this.#corked) return;
    this.#corked = true;
    this.#to.cork();
    process.nextTick(() => {
      this.#corked = false;
      this.#to.uncork();
    });
  }
}

function isOfTls(error: Error): boolean {
  return String(codeOf(error)).startsWith('ERR_SSL');
}
