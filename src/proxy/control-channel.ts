import type { Socket } from 'node:net';
import { wasReset } from '../net/was-reset.ts';
import { closeGently } from './close-gently.ts';
import { LineReader, type Line } from '../ftp/lines.ts';

/** Who listens to a control channel. After `ended` or `failed` nothing more comes. */
export interface ControlChannelListener {
  line(line: Line): void;
  /** Every line of what came in one segment has been told: time to flush. */
  turnEnded(): void;
  /** The peer said FIN; `rest` is what had come of a line whose end never came. */
  ended(rest: string): void;
  failed(error: Error): void;
  /** What was written has left, after a flush that returned false. */
  drained(): void;
  /** The connection is gone both ways. */
  closed(): void;
}

/** Why no line is told for now. */
export type Hold = 'pinhole' | 'reply' | 'client-drain' | 'server-drain';

/**
 * One side's control channel: bytes in, lines out, in order. While it is held nothing is told and, past the
 * segment that has come, nothing read, so that what waits here is bounded. It owns its socket.
 */
export class ControlChannel {
  readonly #socket: Socket;
  readonly #listener: ControlChannelListener;
  readonly #reader = new LineReader();
  readonly #holds = new Set<Hold>();
  #lines: Line[] = [];
  /** The index in `#lines` of the first that is not told yet. */
  #next = 0;
  #ended = false;
  #over = false;
  #output = '';
  #telling = false;

  /** @param socket connected and paused; `start` begins to read it */
  constructor(socket: Socket, listener: ControlChannelListener) {
    this.#socket = socket;
    this.#listener = listener;
    socket.on('data', (chunk) => {
      for (const line of this.#reader.push(chunk)) this.#lines.push(line);
      this.#tell();
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
      this.#over = true;
      this.#listener.closed();
    });
    socket.on('drain', () => {
      listener.drained();
    });
  }

  start(): void {
    this.#tell();
  }

  hold(why: Hold): void {
    this.#holds.add(why);
    this.#socket.pause();
  }

  release(why: Hold): void {
    if (!this.#holds.delete(why) || this.#holds.size > 0) return;
    this.#tell();
  }

  /** Puts back the line that was told last: it can't be judged yet, and will be the next that is told. */
  putBack(): void {
    this.#next--;
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
    this.#over = true;
    this.#drop();
    this.#holds.clear();
    closeGently(this.#socket);
  }

  reset(): void {
    this.#over = true;
    this.#drop();
    this.#socket.resetAndDestroy();
  }

  #tell(): void {
    // Telling a line may release a hold, and so come here again.
    if (this.#telling) return;
    this.#telling = true;
    for (let line = this.#take(); line; line = this.#take()) this.#listener.line(line);
    this.#telling = false;
    this.#listener.turnEnded();
    if (this.#over || this.#holds.size > 0) return;
    if (this.#ended) {
      this.#over = true;
      this.#listener.ended(this.#reader.rest());
      return;
    }
    this.#socket.resume();
  }

  #take(): Line | undefined {
    if (this.#over || this.#holds.size > 0) return undefined;
    const line = this.#lines[this.#next++];
    if (!line) this.#drop();
    return line;
  }

  #fail(error: Error): void {
    this.#over = true;
    this.#drop();
    this.#socket.destroy();
    this.#listener.failed(error);
  }

  #drop(): void {
    this.#lines = [];
    this.#next = 0;
  }
}
