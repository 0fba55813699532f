import type { Socket } from 'node:net';
import { LineReader, type Line } from '../ftp/lines.ts';
import { reset, wasReset } from '../net/socket.ts';
import { closeGently } from './close-gently.ts';

/** Who listens to a control channel. After `ended` or `failed` no line comes any more. */
export interface ControlChannelListener {
  line(line: Line): void;
  /** Every line that can be told for now has been: time to flush. */
  turnEnded(): void;
  /** The peer said FIN; `rest` is what had come of a line whose end never came. */
  ended(rest: string): void;
  failed(error: Error): void;
  /** What was written has left, after a flush that returned false. */
  drained(): void;
  /** The connection is gone both ways. */
  closed(): void;
}

/**
 * Why no line is told for now: a pinhole is being opened, the server has to answer first, or the client or the
 * server does not read what is written for it.
 */
export type Hold = 'pinhole' | 'reply' | 'client-drain' | 'server-drain';

/** How much of what comes while a channel is held is read, in bytes: reading on shows when the peer goes. */
const mostWaiting = 65_536;

/** One side's control channel: bytes in, lines out, in order. It owns its socket. */
export class ControlChannel {
  readonly #socket: Socket;
  readonly #listener: ControlChannelListener;
  readonly #reader = new LineReader();
  readonly #holds = new Set<Hold>();
  /** The peer has said FIN. */
  #ended = false;
  /** Nothing more is told. */
  #silent = false;
  #telling = false;
  #output = '';

  /** @param socket connected and paused; `start` begins to read it */
  constructor(socket: Socket, listener: ControlChannelListener) {
    this.#socket = socket;
    this.#listener = listener;
    socket.on('data', (chunk) => {
      if (this.#silent) return;
      this.#reader.push(chunk);
      this.#tell();
      if (this.#reader.size > mostWaiting) socket.pause();
    });
    socket.on('end', () => {
      if (wasReset(socket)) {
        this.#fail(new Error('connection reset by peer'));
        return;
      }
      this.#ended = true;
      this.#tell();
    });
    socket.on('error', (error) => {
      this.#fail(error);
    });
    socket.on('close', () => {
      this.#silent = true;
      this.#listener.closed();
    });
    socket.on('drain', () => {
      listener.drained();
    });
  }

  start(): void {
    this.#socket.resume();
  }

  hold(why: Hold): void {
    this.#holds.add(why);
  }

  release(why: Hold): void {
    if (this.#holds.delete(why) && this.#holds.size === 0) this.#tell();
  }

  /** Takes back the line that was told last: it can't be judged yet, and will be the next that is told. */
  putBack(): void {
    this.#reader.putBack();
  }

  /** Adds to what the next flush writes. */
  send(text: string): void {
    this.#output += text;
  }

  /** Writes what was sent since the last flush in one piece; false where the peer does not keep up. */
  flush(): boolean {
    if (this.#output === '') return true;
    const output = this.#output;
    this.#output = '';
    if (!this.#socket.writable) return true;
    return this.#socket.write(output, 'latin1');
  }

  /** Says FIN after what was sent; the peer may still speak. */
  end(): void {
    this.flush();
    this.#socket.end();
  }

  /** Says FIN after what was sent, and listens no more. */
  finish(): void {
    this.flush();
    this.#silent = true;
    closeGently(this.#socket);
  }

  reset(): void {
    this.#silent = true;
    reset(this.#socket);
  }

  #fail(error: Error): void {
    this.#socket.destroy();
    if (this.#silent && !this.#ended) return;
    this.#silent = true;
    this.#listener.failed(error);
  }

  #tell(): void {
    // Telling a line may release a hold, and so come here again.
    if (this.#telling) return;
    this.#telling = true;
    for (let line = this.#next(); line; line = this.#next()) this.#listener.line(line);
    this.#telling = false;
    this.#listener.turnEnded();
    if (this.#silent || this.#holds.size > 0) return;
    if (this.#ended) {
      this.#silent = true;
      this.#listener.ended(this.#reader.rest());
    } else {
      this.#socket.resume();
    }
  }

  #next(): Line | undefined {
    return this.#silent || this.#holds.size > 0 ? undefined : this.#reader.next();
  }
}
