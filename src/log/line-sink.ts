import { codeOf } from '../net/error.ts';

/** Bytes that may be kept while nothing can be written. */
const usualCapacity = 1024 * 1024;

/** Bytes of one turn of the event loop that are written before its end. */
const longTurn = 64 * 1024;

/** Milliseconds to the next try: a reader that is slow is soon ready again; a disk that is full stays so. */
const shortestDelay = 5;
const longestDelay = 250;

/** Milliseconds that the end of the process waits for a slow reader. */
const patience = 500;

export interface LineSinkOptions {
  /** Writes what it can without waiting and returns how many bytes that was; throws as `fs.writeSync` does. */
  readonly write: (bytes: Buffer) => number;
  /** The line that reports lost lines, with the system's error code. */
  readonly lossLine: (lines: number, code: string) => string;
  readonly capacity?: number;
}

/**
 * Where lines leave this process: it never waits, never throws, and keeps at most `capacity` bytes.
 *
 * Lines leave at the end of the turn of the event loop that they were made in, in one write. What can't be written is
 * kept and tried again; what no longer fits is counted. Once half of the room is free again, one line tells in its
 * place how many were lost, and the lines after it are kept again. A line is kept as a whole or not at all.
 */
export class LineSink {
  readonly #options: Required<LineSinkOptions>;
  /** What a write has left over. May begin within a line. */
  #rest: Buffer = Buffer.alloc(0);
  /** Whole lines that no write has seen yet, and how many bytes they are. */
  #lines = '';
  #bytes = 0;
  #lost = 0;
  #lostInAll = 0;
  #lostTo = '';
  /** Why the last write did not write everything: a code of the system. */
  #obstacle: string | undefined;
  #delay = shortestDelay;
  #retry: NodeJS.Timeout | undefined;
  #isEnding = false;

  constructor(options: LineSinkOptions) {
    this.#options = { capacity: usualCapacity, ...options };
  }

  /** How many lines have been lost since the start. */
  get lostInAll(): number {
    return this.#lostInAll;
  }

  /** @param line with its LF */
  write(line: string): void {
    const bytes = Buffer.byteLength(line);
    // After one loss the next lines are lost too: otherwise a slow reader would get a loss report between any two
    // lines.
    if (this.#lost > 0 || this.#rest.length + this.#bytes + bytes > this.#options.capacity) {
      this.#lost++;
      this.#lostInAll++;
      this.#lostTo = this.#obstacle ?? this.#lostTo;
      return;
    }
    const isFirst = this.#lines === '';
    this.#keep(line, bytes);
    if (this.#isEnding || (this.#obstacle === undefined && this.#bytes >= longTurn)) this.flush();
    else if (isFirst && this.#obstacle === undefined) setImmediate(this.#endTurn);
  }

  /** Writes what can be written now. */
  flush(): void {
    do {
      this.#obstacle = this.#writeOut();
      this.#tellLoss();
    } while (this.#obstacle === undefined && this.#lines !== '');
    if (this.#obstacle !== undefined && !this.#isEnding) this.#tryLater(this.#obstacle);
  }

  /** For the end of the process: waits a little where the reader is slow. Lines that come after it are written at once. */
  end(): void {
    clearTimeout(this.#retry);
    this.#isEnding = true;
    const deadline = performance.now() + patience;
    for (;;) {
      this.flush();
      if (this.#obstacle !== 'EAGAIN' || performance.now() >= deadline) return;
      sleep(shortestDelay);
    }
  }

  readonly #endTurn = (): void => {
    // Where there is an obstacle, the timer is what tries again.
    if (this.#obstacle === undefined) this.flush();
  };

  #keep(line: string, bytes: number): void {
    this.#lines += line;
    this.#bytes += bytes;
  }

  /** Returns what it was stopped by. */
  #writeOut(): string | undefined {
    if (this.#lines !== '') {
      const lines = Buffer.from(this.#lines);
      this.#rest = this.#rest.length === 0 ? lines : Buffer.concat([this.#rest, lines]);
      this.#lines = '';
      this.#bytes = 0;
    }
    try {
      while (this.#rest.length > 0) {
        const written = this.#options.write(this.#rest);
        if (written === 0) return 'EAGAIN';
        this.#rest = this.#rest.subarray(written);
        this.#delay = shortestDelay;
      }
      return undefined;
    } catch (error) {
      return String(codeOf(error) ?? error);
    }
  }

  #tellLoss(): void {
    if (this.#lost === 0 || this.#rest.length > this.#options.capacity / 2) return;
    const line = this.#options.lossLine(this.#lost, this.#lostTo);
    this.#lost = 0;
    this.#keep(line, Buffer.byteLength(line));
  }

  #tryLater(obstacle: string): void {
    if (obstacle !== 'EAGAIN') this.#delay = longestDelay;
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => {
      this.flush();
    }, this.#delay).unref();
    this.#delay = Math.min(this.#delay * 2, longestDelay);
  }
}

/** At the end of the process no event loop is left to wait with. */
function sleep(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}
