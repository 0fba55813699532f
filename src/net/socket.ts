import { readSync } from 'node:fs';
import type { Socket } from 'node:net';
import { socketCalls } from '../linux/socket-calls.ts';
import { descriptorOf } from '../node-internals/descriptor.ts';

const oneByte = Buffer.alloc(1);

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
    readSync(fd, oneByte);
    return false;
  } catch {
    return true;
  }
}

/**
 * Whether the peer of a connection that is not read has ended it, and nothing that it said is unread: whoever half-closes
 * behind what it has to say may wait for the answer. False where the system cannot be asked.
 */
export function hasLeft(socket: Socket): boolean {
  const fd = descriptorOf(socket);
  if (fd === undefined) return true;
  const calls = socketCalls();
  return calls?.information(fd)?.hasPeerEnded === true && calls.unread(fd) === 0;
}

/** Sends a due acknowledgement at once, if the system supports that. */
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

/**
 * Has the system reset a connection when it is closed, also where it closes it itself as this process has died: the FIN
 * that it would say is the end of a whole file. Where the C library cannot be called it stays as it is.
 */
export function resetWhenClosed(socket: Socket): void {
  const fd = descriptorOf(socket);
  if (fd !== undefined) socketCalls()?.resetWhenClosed(fd, true);
}

/**
 * The same, until FIN has been sent: after that the system sends what is left, whatever happens to this process.
 *
 * @param isSet whether the system has been told to reset it
 */
export function resetUntilEnded(socket: Socket, isSet = false): void {
  if (!isSet) resetWhenClosed(socket);
  socket.once('finish', () => {
    const fd = descriptorOf(socket);
    if (fd !== undefined) socketCalls()?.resetWhenClosed(fd, false);
  });
}

/** A listener, because an 'error' without one would end the process; the caller learns of it in another way. */
export function ignoreError(): void {
  // nothing
}
