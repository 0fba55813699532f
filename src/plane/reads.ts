import type { Socket } from 'node:net';
import { tcpChannel, type Channel } from '../net/channel.ts';
import { readsIntoBuffer } from '../node-internals/reads-into-buffer.ts';

const firstRead = 16 * 1024;
const largeRead = 256 * 1024;

/** Takes what was read; the buffer is read into again after it returned true, or after `resume`. */
export type TakeRead = (chunk: Uint8Array) => boolean;

/**
 * Reads a channel, connected and paused, into `take`.
 *
 * @returns the channel in the place of the other, paused; 'data' is nobody else's
 */
export function withReads(
  channel: Channel,
  take: TakeRead,
  intoBuffer: typeof readsIntoBuffer = readsIntoBuffer,
): Channel {
  const moved = channel.kind === 'tcp' ? withLargeReads(channel.stream, take, intoBuffer) : undefined;
  if (moved) return tcpChannel(moved);
  channel.stream.on('data', (chunk: Buffer) => {
    if (!take(chunk)) channel.pause();
  });
  channel.pause();
  return channel;
}

/**
 * Moves a connection, paused and established, to a socket that reads into one buffer of its own in place of a
 * new one for each read, and 256 KiB at once when the peer sends that fast: twice the throughput of 'data'
 * events here.
 *
 * @returns undefined where Node cannot do that
 */
function withLargeReads(old: Socket, take: TakeRead, intoBuffer: typeof readsIntoBuffer): Socket | undefined {
  let buffer = Buffer.allocUnsafeSlow(firstRead);
  return intoBuffer(old, {
    buffer: () => buffer,
    callback: (length, read) => {
      if (length === firstRead && buffer.length === firstRead) buffer = Buffer.allocUnsafeSlow(largeRead);
      return take(read.subarray(0, length));
    },
  });
}
