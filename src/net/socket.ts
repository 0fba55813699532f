import { readSync } from 'node:fs';
import type { Socket } from 'node:net';

/**
 * Whether the 'end' of a socket was a reset in truth; to be asked in that event. When RST comes with the last
 * bytes still unread, libuv reads the bytes, sees POLLHUP, and reports end of file without the `read` that
 * would have said ECONNRESET (uv__stream_io, "short-circuit iff POLLHUP is set"). Here is that read. It can't
 * block, as libuv's descriptors don't, and takes no byte, as none is left.
 */
export function wasReset(socket: Socket): boolean {
  const { _handle: handle } = socket as unknown as { _handle: { readonly fd: number } | null };
  if (!handle || handle.fd < 0) return true;
  try {
    readSync(handle.fd, Buffer.alloc(1));
    return false;
  } catch {
    return true;
  }
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
