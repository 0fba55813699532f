/**
 * TYPE A, RFC 959 section 3.1.1.1: lines end with CRLF on the data connection, and with LF in the tree.
 * A CR that stands alone is kept as it is in both directions.
 */

const CR = 0x0d;
const LF = 0x0a;
const sliceBytes = 256 * 1024;

/** The content of a file as RETR sends it, from byte `from` of that on, in slices. A line that ends in CRLF is left alone. */
export function* onWire(content: Buffer, type: 'A' | 'I', from = 0): Generator<Buffer> {
  let skipped = from;
  for (let start = 0; start < content.length;) {
    let end = Math.min(start + sliceBytes, content.length);
    // A CR at the end of a slice would be separated from the LF after it.
    while (end < content.length && content[end - 1] === CR) end++;
    const slice = content.subarray(start, end);
    const sent = type === 'I' ? slice : toCrlf(slice);
    if (skipped < sent.length) yield sent.subarray(skipped);
    skipped = Math.max(0, skipped - sent.length);
    start = end;
  }
}

function toCrlf(slice: Buffer): Buffer {
  return Buffer.from(slice.toString('latin1').replace(/(?<!\r)\n/g, '\r\n'), 'latin1');
}

/** How many bytes `onWire` sends of the whole: what SIZE means (RFC 3659, section 4). */
export function wireLength(content: Buffer, type: 'A' | 'I'): number {
  let length = content.length;
  if (type === 'I') return length;
  for (let at = content.indexOf(LF); at !== -1; at = content.indexOf(LF, at + 1)) {
    if (content[at - 1] !== CR) length++;
  }
  return length;
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
