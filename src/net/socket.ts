import { readSync } from 'node:fs';
import type { Socket } from 'node:net';
import { socketCalls } from './socket-calls.ts';

/** The descriptor of a connection; undefined where it is closed. */
export function descriptorOf(socket: Socket): number | undefined {
  const { _handle: handle } = socket as unknown as { _handle: { readonly fd: number } | null };
  return handle && handle.fd >= 0 ? handle.fd : undefined;
}

/**
 * Whether the 'end' of a socket was a reset in truth; to be asked in that event. When RST comes with the last
 * bytes still unread, libuv reads the bytes, sees POLLHUP, and reports end of file without the `read` that
 * would have said ECONNRESET (uv__stream_io, "short-circuit iff POLLHUP is set"). Here is that read. It can't
 * block, as libuv's descriptors don't, and takes no byte, as none is left.
 */
export function wasReset(socket: Socket): boolean {
  const fd = descriptorOf(socket);
  if (fd === undefined) return true;
  try {
    readSync(fd, Buffer.alloc(1));
    return false;
  } catch {
    return true;
  }
}

/** Sends an acknowledgement that is due at once, as far as the system can be told so. */
export function acknowledge(socket: Socket): void {
  const fd = descriptorOf(socket);
  if (fd !== undefined) socketCalls()?.acknowledge(fd);
}

/**
 * Sends RST. libuv refuses that while a shutdown is under way (EINVAL), and Node would drop the handle unclosed:
 * then it is sent when the FIN is out.
 */
export function reset(socket: Socket): void {
  const isShuttingDown = socket.writableEnded && !socket.writableFinished && socket.writableLength === 0;
  if (isShuttingDown && !socket.destroyed) socket.once('finish', () => socket.resetAndDestroy());
  else socket.resetAndDestroy();
}

/** A listener, because an 'error' without one would end the process; the caller learns of it in another way. */
export function ignoreError(): void {
  // nothing
}
