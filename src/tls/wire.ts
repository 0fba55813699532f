import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { wasReset } from '../net/socket.ts';

/** Bytes of a record's header: its type, the version, the length of what follows (RFC 8446 section 5.1). */
const headerLength = 5;

/** Calls the work now or a little later, when it may take its time of the event loop. */
export type Pace = (work: () => void) => void;

/**
 * The TCP connection as TLS gets it. Node's own TLS takes the socket's handle and tells one end of file for both
 * close_notify and FIN; here FIN passes through our hands, so that one without close_notify can be told.
 */
export class Wire extends Duplex {
  readonly #raw: Socket;
  readonly #detach: () => void;
  /** Whether the end of TLS leaves the TCP connection open. */
  #keepsOpen = false;
  /** While records are counted: what has come of one that is not whole. */
  #partial: Buffer | undefined;
  /** While records are counted: the last one has been read. */
  #hasAllRecords = false;
  #stopped = false;
  #ended = false;
  /** During the handshake: each step of it waits for its turn. */
  #pace: Pace | undefined;
  /** Why the connection ended, where it was not by FIN; what had come before is read all the same. */
  failure: Error | undefined;

  /**
   * @param raw connected and paused
   * @param pace until `endHandshake`
   */
  constructor(raw: Socket, pace?: Pace) {
    super({ allowHalfOpen: true });
    this.#raw = raw;
    this.#pace = pace;
    const listeners = {
      data: (chunk: Buffer) => {
        if (this.#pace) this.#pushInTurn(chunk, this.#pace);
        else if (this.#partial) this.#pushRecords(chunk);
        else if (!this.push(chunk)) raw.pause();
      },
      end: () => {
        this.#end(wasReset(raw) ? new Error('connection reset by peer') : undefined);
      },
      error: (error: Error) => {
        this.#end(error);
      },
      close: () => {
        if (!this.#ended) this.destroy();
      },
    };
    for (const [event, listener] of Object.entries(listeners)) raw.on(event, listener);
    this.#detach = () => {
      for (const [event, listener] of Object.entries(listeners)) raw.off(event, listener);
    };
  }

  /** TLS gets what comes from now on at once. */
  endHandshake(): void {
    this.#pace = undefined;
  }

  /** From now on TLS gets one record at a time, and its end leaves TCP as it is. */
  countRecords(): void {
    this.#keepsOpen = true;
    this.#partial = Buffer.alloc(0);
  }

  /** TLS has read close_notify: where records are counted, what follows is none, however much it looks like one. */
  endRecords(): void {
    if (!this.#partial) return;
    this.#hasAllRecords = true;
    this.pause();
  }

  /** Gives the connection back, paused, with what has come behind the last record. */
  detach(): { readonly raw: Socket; readonly rest: Buffer } {
    this.#detach();
    this.#raw.pause();
    this.#stopped = true;
    const unread = (this.read() as Buffer | null) ?? Buffer.alloc(0);
    return { raw: this.#raw, rest: Buffer.concat([unread, this.#partial ?? Buffer.alloc(0)]) };
  }

  override _read(): void {
    if (!this.#stopped) this.#raw.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#raw.write(chunk, done);
  }

  override _writev(chunks: { chunk: Buffer }[], done: (error?: Error | null) => void): void {
    this.#raw.cork();
    const last = chunks.length - 1;
    for (const [index, { chunk }] of chunks.entries()) {
      if (index === last) this.#raw.write(chunk, done);
      else this.#raw.write(chunk);
    }
    this.#raw.uncork();
  }

  override _final(done: (error?: Error | null) => void): void {
    if (this.#keepsOpen) done();
    else this.#raw.end(done);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    if (!this.#stopped) this.#raw.destroy();
    done(error);
  }

  /** A file may be whole before the reset: close_notify says that, and it may still stand in what was not read yet. */
  #end(failure: Error | undefined): void {
    if (this.#ended) return;
    this.#ended = true;
    this.failure = failure;
    this.push(null);
  }

  /** OpenSSL answers a step of a handshake before `push` returns: its signature takes as long as a hundred commands. */
  #pushInTurn(chunk: Buffer, pace: Pace): void {
    this.#raw.pause();
    pace(() => {
      if (!this.#ended && !this.destroyed && this.push(chunk)) this.#raw.resume();
    });
  }

  #pushRecords(chunk: Buffer): void {
    this.#partial = Buffer.concat([this.#partial ?? Buffer.alloc(0), chunk]);
    while (!this.#hasAllRecords && this.#partial.length >= headerLength) {
      const length = headerLength + this.#partial.readUInt16BE(3);
      if (this.#partial.length < length) return;
      const record = this.#partial.subarray(0, length);
      this.#partial = this.#partial.subarray(length);
      this.push(record);
    }
  }
}
