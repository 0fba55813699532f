/**
 * TYPE A, RFC 959 section 3.1.1.1: lines end with CRLF on the data connection, and with LF in the tree.
 * A CR that stands alone is kept as it is in both directions.
 */

const CR = 0x0d;
const LF = 0x0a;
const sliceBytes = 256 * 1024;

/** The content in slices, as it is: TYPE I. */
export function* slices(content: Buffer): Generator<Buffer> {
  for (let start = 0; start < content.length; start += sliceBytes) {
    yield content.subarray(start, start + sliceBytes);
  }
}

/** The content in slices with LF written as CRLF; a line that ends in CRLF already is left alone. */
export function* asciiSlices(content: Buffer): Generator<Buffer> {
  let start = 0;
  while (start < content.length) {
    let end = Math.min(start + sliceBytes, content.length);
    // A CR at the end of a slice would be out of sight of the LF behind it.
    while (end < content.length && content[end - 1] === CR) end++;
    const text = content.toString('latin1', start, end);
    yield Buffer.from(text.replace(/(?<!\r)\n/g, '\r\n'), 'latin1');
    start = end;
  }
}

/** How many bytes `asciiSlices` makes of the content: what SIZE means under TYPE A (RFC 3659, section 4). */
export function asciiLength(content: Buffer): number {
  let length = content.length;
  for (let at = content.indexOf(LF); at !== -1; at = content.indexOf(LF, at + 1)) {
    if (content[at - 1] !== CR) length++;
  }
  return length;
}

/** The same bytes without the first `count`. */
export function* skip(chunks: Iterable<Buffer>, count: number): Generator<Buffer> {
  let left = count;
  for (const chunk of chunks) {
    if (left < chunk.length) yield chunk.subarray(left);
    left = Math.max(0, left - chunk.length);
  }
}

/** Turns CRLF into LF in a stream of chunks, wherever they are cut. */
export class AsciiDecoder {
  #heldCr = '';

  push(chunk: Buffer): Buffer {
    const text = this.#heldCr + chunk.toString('latin1');
    this.#heldCr = text.endsWith('\r') ? '\r' : '';
    return Buffer.from(text.slice(0, text.length - this.#heldCr.length).replaceAll('\r\n', '\n'), 'latin1');
  }

  /** What was held back because more could have followed. */
  end(): Buffer {
    return Buffer.from(this.#heldCr, 'latin1');
  }
}
