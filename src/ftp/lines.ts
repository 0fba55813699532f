/**
 * A line of the control channel. Text is "binary": one character a byte (latin1), so that the bytes of any
 * file name's encoding come out as they went in.
 */
export interface Line {
  readonly text: string;
  /** What ended it, as it came; empty for a piece whose end has not come. */
  readonly end: '\r\n' | '\n' | '';
  /** Which part of an overlong line this is; absent for a whole line. */
  readonly piece?: 'first' | 'more';
}

/** The longest line that is read whole, in bytes without its end: longer than any path that a server takes. */
const longestLine = 8192;

const none = Buffer.alloc(0);
/** How many pieces are kept apart. */
const mostPieces = 64;

/**
 * Cuts a stream of bytes into lines at LF, each when it is asked for: what has not been asked for is kept as
 * the bytes that came. A line longer than `longest` comes in pieces.
 */
export class LineReader {
  readonly #longest: number;
  #bytes: Buffer = none;
  /** What has come since, and is not joined to them yet: who sends byte by byte would have all of it copied each time. */
  #pieces: Buffer[] = [];
  #sizeOfPieces = 0;
  /** Where in `#bytes` the next line begins, and the last one began. */
  #start = 0;
  #previous = 0;
  #overlong = false;
  #wasOverlong = false;

  constructor(longest: number = longestLine) {
    this.#longest = longest;
  }

  /** How many bytes wait. */
  get size(): number {
    return this.#bytes.length - this.#start + this.#sizeOfPieces;
  }

  push(chunk: Buffer): void {
    this.#pieces.push(chunk);
    this.#sizeOfPieces += chunk.length;
    if (this.#pieces.length >= mostPieces) this.#join();
  }

  /** The next line, or piece of an overlong one; `undefined` until more has come. */
  next(): Line | undefined {
    this.#join();
    if (this.size === 0) {
      this.#bytes = none;
      this.#start = 0;
      return undefined;
    }
    const lf = this.#bytes.indexOf(0x0a, this.#start);
    if (lf === -1) return this.#cut();
    const hasCr = lf > this.#start && this.#bytes[lf - 1] === 0x0d;
    const text = this.#bytes.toString('latin1', this.#start, hasCr ? lf - 1 : lf);
    const line: Line = { text, end: hasCr ? '\r\n' : '\n' };
    this.#advance(lf + 1);
    if (this.#wasOverlong) return { ...line, piece: 'more' };
    return text.length > this.#longest ? { ...line, piece: 'first' } : line;
  }

  /** Takes back the last line or piece: it will be the next again, a piece together with what has arrived since. */
  putBack(): void {
    this.#start = this.#previous;
    this.#overlong = this.#wasOverlong;
  }

  /** The received part of a line whose end never arrived. */
  rest(): string {
    this.#join();
    return this.#bytes.toString('latin1', this.#start);
  }

  #join(): void {
    if (this.#pieces.length === 0) return;
    const [first = none] = this.#pieces;
    const before = this.#bytes.subarray(this.#start);
    const isAlone = before.length === 0 && this.#pieces.length === 1;
    this.#bytes = isAlone ? first : Buffer.concat([before, ...this.#pieces]);
    this.#start = 0;
    this.#pieces = [];
    this.#sizeOfPieces = 0;
  }

  #cut(): Line | undefined {
    // A CR may be half of the line's end: it waits for what follows.
    const held = this.#bytes[this.#bytes.length - 1] === 0x0d ? 1 : 0;
    const end = this.#bytes.length - held;
    if (end - this.#start <= this.#longest) return undefined;
    const piece = this.#overlong ? 'more' : 'first';
    const text = this.#bytes.toString('latin1', this.#start, end);
    this.#advance(end, true);
    return { text, end: '', piece };
  }

  #advance(to: number, isOverlong = false): void {
    this.#previous = this.#start;
    this.#start = to;
    this.#wasOverlong = this.#overlong;
    this.#overlong = isOverlong;
  }
}
