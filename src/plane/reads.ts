import type { Socket } from 'node:net';
import type { Channel } from '../net/channel.ts';
import { readsIntoBuffer } from '../node-internals/reads-into-buffer.ts';

const firstRead = 16 * 1024;
const largeRead = 256 * 1024;

/** Takes what was read; the buffer is read into again after it returned true, or after `resume`. */
export type TakeRead = (chunk: Uint8Array) => boolean;

/** Memory that is read into first, of connections that are over: most are, before they need more. */
const spare: Buffer[] = [];
const mostSpare = 64;

/**
 * Reads a channel, connected and paused, into `take`, once it is resumed; its 'data' is nobody else's.
 *
 * @returns gives back what was read into: to be called once, after the channel is closed and all that it brought has been
 *   written, or never will be
 */
export function readInto(
  channel: Channel,
  take: TakeRead,
  intoBuffer: typeof readsIntoBuffer = readsIntoBuffer,
): () => void {
  if (channel.kind === 'tcp') {
    const release = readsLarge(channel.stream, take, intoBuffer);
    if (release) return release;
  }
  channel.stream.on('data', (chunk: Buffer) => {
    if (!take(chunk)) channel.pause();
  });
  channel.pause();
  return () => undefined;
}

/**
 * Has a connection, paused and established, read into one buffer in place of a new one for each read, and 256 KiB at once
 * when the peer sends that fast: twice the throughput of 'data' events here.
 *
 * @returns as `readInto`; undefined where Node cannot do that
 */
function readsLarge(
  socket: Socket,
  take: TakeRead,
  intoBuffer: typeof readsIntoBuffer,
): (() => void) | undefined {
  const first = spare.pop() ?? Buffer.allocUnsafeSlow(firstRead);
  let buffer = first;
  const reads = intoBuffer(socket, {
    buffer: () => buffer,
    callback: (length, read) => {
      if (length === firstRead && buffer.length === firstRead) buffer = Buffer.allocUnsafeSlow(largeRead);
      return take(read.subarray(0, length));
    },
  });
  return (
    reads &&
    ((): void => {
      if (spare.length < mostSpare) spare.push(first);
    })
  );
}
