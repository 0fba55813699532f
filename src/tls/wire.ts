import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { wasReset } from '../net/socket.ts';

/** Bytes of a record's header: its type, the version, the length of what follows (RFC 8446 section 5.1). */
const headerLength = 5;

/** Where work gets its time of the event loop: `run` does it until `isOver`, and returns whether there is more. */
export interface Pace {
  join(run: (isOver: () => boolean) => boolean, kind: 'bytes'): { request(): void };
}

/** So much is decrypted at once where turns are shared out, in bytes: as many records as hold something are few. */
const paced = 2048;
/** How much of what has come may wait to be decrypted, in bytes. */
const mostWaiting = 16_384;
/** How many pieces of it are kept apart: who sends byte by byte would have each cost a hundred. */
const mostPieces = 64;

/**
 * The TCP connection as TLS gets it. Node's own TLS takes the socket's handle and tells one end of file for both
 * close_notify and FIN; here FIN passes through our hands, so that one without close_notify can be told.
 */
export class Wire extends Duplex {
  readonly #raw: Socket;
  readonly #detach: () => void;
  /** Whether the end of TLS leaves the TCP connection open. */
  #keepsOpen = false;
  /** While records are counted: the received part of an incomplete one. */
  #partial: Buffer | undefined;
  /** While records are counted: the last one has been read. */
  #hasAllRecords = false;
  #stopped = false;
  /** Nothing more comes; it may not have been said to TLS yet. */
  #ended = false;
  /** Where what comes waits for its turn before TLS gets it. */
  #turn: ReturnType<Pace['join']> | undefined;
  readonly #waiting: Buffer[] = [];
  #waitingBytes = 0;
  #isHeld = false;
  /** TLS reads. */
  #isWanted = false;
  /** Why the connection ended, where it was not by FIN; what had come before is read all the same. */
  failure: Error | undefined;

  /**
   * @param raw connected and paused
   * @param pace for what TLS gets: OpenSSL answers a step of a handshake before `push` returns, and its signature takes
   *   as long as a hundred commands; tiny records by the thousand take as long
   */
  constructor(raw: Socket, pace?: Pace) {
    super({ allowHalfOpen: true });
    this.#raw = raw;
    this.#turn = pace?.join((isOver) => this.#feed(isOver), 'bytes');
    const listeners = {
      data: (chunk: Buffer) => {
        this.#waiting.push(chunk);
        if (this.#waiting.length >= mostPieces) this.#waiting.push(Buffer.concat(this.#waiting.splice(0)));
        this.#waitingBytes += chunk.length;
        if (this.#waitingBytes > mostWaiting) raw.pause();
        this.#feedInTurn();
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
  endTurns(): void {
    this.#turn = undefined;
  }

  /** TLS gets nothing until `release`. */
  hold(): void {
    this.#isHeld = true;
  }

  release(): void {
    this.#isHeld = false;
    this.#feedLater();
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
    const rest = [unread, this.#partial ?? Buffer.alloc(0), ...this.#waiting];
    return { raw: this.#raw, rest: Buffer.concat(rest) };
  }

  override _read(): void {
    this.#isWanted = true;
    if (this.#stopped) return;
    this.#raw.resume();
    this.#feedLater();
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
    if (this.#waiting.length === 0) this.push(null);
  }

  /**
   * What is pushed while it is asked for would wait for its reader, and be decrypted in nobody's turn; and who resumes
   * reading is not told of anything before that call returns, as with a socket.
   */
  #feedLater(): void {
    if (this.#waiting.length === 0) return;
    process.nextTick(() => {
      this.#feedInTurn();
    });
  }

  #feedInTurn(): void {
    if (this.#turn) this.#turn.request();
    else this.#feed(() => false);
  }

  /** Gives TLS what waits, as long as it reads; returns whether it could go on. */
  #feed(isOver: () => boolean): boolean {
    while (this.#mayFeed()) {
      const piece = this.#take();
      if (this.#partial) this.#pushRecords(piece);
      else if (!this.push(piece)) this.#isWanted = false;
      if (isOver()) break;
    }
    if (this.#mayFeed()) return true;
    if (this.#stopped || this.destroyed) return false;
    if (this.#waiting.length === 0 && this.#ended) this.push(null);
    else if (this.#waitingBytes <= mostWaiting && this.#isWanted) this.#raw.resume();
    return false;
  }

  #mayFeed(): boolean {
    const isRead = this.#isWanted && !this.#isHeld && !this.#stopped && !this.destroyed;
    return isRead && this.#waiting.length > 0;
  }

  /** Where turns are shared out: a little of it. */
  #take(): Buffer {
    const [first = Buffer.alloc(0)] = this.#waiting;
    const piece = this.#turn ? first.subarray(0, paced) : first;
    this.#waitingBytes -= piece.length;
    if (piece.length === first.length) this.#waiting.shift();
    else this.#waiting[0] = first.subarray(piece.length);
    return piece;
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
