import { Socket } from 'node:net';
import { tcpChannel, type Channel } from '../net/channel.ts';

const firstRead = 16 * 1024;
const largeRead = 256 * 1024;

/** Takes what was read; the buffer is read into again after it returned true, or after `resume`. */
export type TakeRead = (chunk: Uint8Array) => boolean;

/**
 * Reads a channel, connected and paused, into `take`.
 *
 * @returns the channel in the place of the other, paused; 'data' is nobody else's
 */
export function withReads(channel: Channel, take: TakeRead): Channel {
  if (channel.kind === 'tcp') return tcpChannel(withLargeReads(channel.stream, take));
  const { stream } = channel;
  stream.on('data', (chunk: Buffer) => {
    if (!take(chunk)) channel.pause();
  });
  channel.pause();
  return channel;
}

/**
 * Moves a connection, paused and established, to a socket that reads into one buffer of its own in place of a
 * new one for each read, and 256 KiB at once when the peer sends that fast: twice the throughput of 'data'
 * events here. Node offers this (`onread`) to sockets that connect and not to those that were accepted, so
 * both are moved by their handle; the old socket object is empty afterwards.
 *
 * @returns the socket that has the connection now, paused; 'data' is never emitted by it
 */
function withLargeReads(old: Socket, take: TakeRead): Socket {
  const holder = old as unknown as { _handle: object | null };
  const handle = holder._handle;
  let buffer = Buffer.allocUnsafeSlow(firstRead);
  const options = {
    handle,
    allowHalfOpen: true,
    pauseOnCreate: true,
    onread: {
      buffer: () => buffer,
      callback: (length: number, read: Uint8Array) => {
        if (length === firstRead && buffer.length === firstRead) buffer = Buffer.allocUnsafeSlow(largeRead);
        return take(read.subarray(0, length));
      },
    },
  };
  holder._handle = null;
  old.removeAllListeners();
  old.destroy();
  return new Socket(options);
}
