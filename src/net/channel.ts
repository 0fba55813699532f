import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { keepAlive } from './keepalive.ts';
import { SendQueue } from './send-queue.ts';
import { acknowledge, reset, resetUntilEnded, wasReset } from './socket.ts';

/** A connection: bytes both ways, those of TCP itself or of TLS over it. Half-open at either side where one ends. */
export type Channel = TcpChannel | TlsChannel;

/**
 * Why an 'end' was not a proper end: it was really a reset, or a FIN without TLS's close_notify before it (RFC 8446
 * section 6.1).
 */
export type CutShort = 'reset' | 'truncated';

interface Connection {
  /** Holds incoming data. With TLS the encrypted data waits: nothing of it is decrypted. */
  pause(): void;
  resume(): void;
  /** To be asked at 'end'. */
  whyCutShort(): CutShort | undefined;
  /** What was written, as it goes over the wire, and has not been acknowledged. */
  readonly queue: SendQueue;
  /**
   * Acknowledges received data at once: a server may wait for the acknowledgement of its FIN before it reports a file
   * as complete.
   */
  acknowledge(): void;
  /** Has the system ask a silent peer whether it is still there: `keepAlive` of keepalive.ts. */
  keepAlive(keepalive: number): void;
  /** Makes the system send RST instead of FIN if this process dies before it has sent its end. */
  resetUntilEnded(): void;
  /** Says FIN alone; over TLS that is an end without close_notify. What was written has to have left before. */
  cut(): void;
  /** Sends RST, and closes. */
  reset(): void;
}

export interface TcpChannel extends Connection {
  readonly kind: 'tcp';
  readonly stream: Socket;
}

export interface TlsChannel extends Connection {
  readonly kind: 'tls';
  readonly stream: Duplex;
  /** What the handshake came to. */
  readonly facts: TlsFacts;
  /** Says close_notify, waits for the peer's, and gives the TCP connection back. `limit` in milliseconds. */
  clear(limit: number): Promise<TcpChannel>;
}

/** What the two sides of a TLS connection agreed on. */
export interface TlsFacts {
  /** `TLSv1.3` */
  readonly protocol: string;
  /** By its standard name: `TLS_AES_256_GCM_SHA384`. */
  readonly cipher: string;
  /** Whether an earlier session was resumed. */
  readonly isResumed: boolean;
  /** The subject of the peer's certificate, on one line, where it showed one. */
  readonly subject: string | undefined;
  /** What a client asked for by SNI. */
  readonly serverName: string | undefined;
}

/**
 * A TCP connection as it is.
 *
 * @param isReset whether the system has been told to reset it when it is closed
 */
export function tcpChannel(stream: Socket, isReset = false): TcpChannel {
  return new PlainChannel(stream, isReset);
}

/** Each session has two of them: a class, as closures would take a KiB for each. */
class PlainChannel implements TcpChannel {
  readonly kind = 'tcp';
  readonly stream: Socket;
  readonly #isReset: boolean;
  readonly #queue: () => SendQueue;

  constructor(stream: Socket, isReset: boolean) {
    this.stream = stream;
    this.#isReset = isReset;
    this.#queue = lazyQueue(stream);
  }

  get queue(): SendQueue {
    return this.#queue();
  }

  pause(): void {
    this.stream.pause();
  }

  resume(): void {
    this.stream.resume();
  }

  whyCutShort(): CutShort | undefined {
    return wasReset(this.stream) ? 'reset' : undefined;
  }

  keepAlive(keepalive: number): void {
    keepAlive(this.stream, keepalive, false);
  }

  acknowledge(): void {
    acknowledge(this.stream);
  }

  resetUntilEnded(): void {
    resetUntilEnded(this.stream, this.#isReset);
  }

  cut(): void {
    this.stream.end();
  }

  reset(): void {
    this.queue.abandon();
    reset(this.stream);
  }
}

/** Of a connection that goes from hand to hand, most never ask. */
export function lazyQueue(socket: Socket): () => SendQueue {
  let queue: SendQueue | undefined;
  return () => (queue ??= new SendQueue(socket));
}
