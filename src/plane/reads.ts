import type { Socket } from 'node:net';
import type { Channel } from '../net/channel.ts';
import { readsIntoBuffer } from '../node-internals/reads-into-buffer.ts';

const firstRead = 16 * 1024;
const largeRead = 256 * 1024;

/** Takes what was read; the buffer is read into again after it returned true, or after `resume`. */
export type TakeRead = (chunk: Uint8Array) => boolean;

/** Reads a channel, connected and paused, into `take`, once it is resumed; its 'data' is nobody else's. */
export function readInto(
  channel: Channel,
  take: TakeRead,
  intoBuffer: typeof readsIntoBuffer = readsIntoBuffer,
): void {
  if (channel.kind === 'tcp' && readsLarge(channel.stream, take, intoBuffer)) return;
  channel.stream.on('data', (chunk: Buffer) => {
    if (!take(chunk)) channel.pause();
  });
  channel.pause();
}

/**
 * Has a connection, paused and established, read into one buffer in place of a new one for each read, and 256 KiB at once
 * when the peer sends that fast: twice the throughput of 'data' events here. Returns whether Node can do that.
 */
function readsLarge(socket: Socket, take: TakeRead, intoBuffer: typeof readsIntoBuffer): boolean {
  let buffer = Buffer.allocUnsafeSlow(firstRead);
  const reads = intoBuffer(socket, {
    buffer: () => buffer,
    callback: (length, read) => {
      if (length === firstRead && buffer.length === firstRead) buffer = Buffer.allocUnsafeSlow(largeRead);
      return take(read.subarray(0, length));
    },
  });
  return reads !== undefined;
}
