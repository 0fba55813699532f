import assert from 'node:assert/strict';
import type { Readable, Writable } from 'node:stream';
import { turns, within } from './within.ts';

export const mebibyte: number = 1024 * 1024;

/** 64 MiB: more than the buffers of the kernel take. A piece that is lost shows, as its period is no power of two. */
export const someFile: Buffer = Buffer.alloc(
  64 * mebibyte,
  Buffer.from(Array.from({ length: 65_537 }, (_, n) => (n * n) % 251)),
);

/** Writes a file as fast as a stream takes it, and its end; `written` tells how many bytes it took so far. */
export function pour(stream: Writable, file: Buffer): { written(): number } {
  let offset = 0;
  const write = (): void => {
    while (offset < file.length) {
      const piece = file.subarray(offset, offset + mebibyte);
      offset += piece.length;
      if (!stream.write(piece)) return;
    }
    stream.off('drain', write).end();
  };
  stream.on('drain', write);
  write();
  return { written: () => offset };
}

/** Reads a stream to its end: it must be this file, byte for byte. */
export async function readsAs(stream: Readable, file: Buffer): Promise<void> {
  let offset = 0;
  let isSame = true;
  const ended = new Promise<void>((resolve, reject) => {
    stream.on('data', (chunk: Buffer) => {
      isSame &&= chunk.equals(file.subarray(offset, offset + chunk.length));
      offset += chunk.length;
    });
    stream.on('end', resolve).on('error', reject);
  });
  stream.resume();
  await within(ended, 'the end of the file', () => `(at ${offset} of ${file.length})`, 20_000);
  assert.ok(isSame, 'other bytes came');
  assert.equal(offset, file.length);
}

/** Waits until a number has not changed for many turns of the event loop: all buffers on the way are full. */
export async function atRest(number: () => number): Promise<void> {
  let last = Number.NaN;
  for (let still = 0; still < 200; still++) {
    await turns(1);
    const now = number();
    if (now !== last) still = 0;
    last = now;
  }
}
