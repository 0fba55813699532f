/**
 * Whether the 'end' of a `net.Socket` was a reset in truth. When RST comes with the last bytes still unread, libuv reads the
 * bytes, sees POLLHUP, and reports end of file without the `read` that would have said ECONNRESET
 * (uv__stream_io, "short-circuit iff POLLHUP is set"). The kernel knows better: a connection that was reset
 * is in state CLOSE and has no peer (getpeername: ENOTCONN), one that was half-closed is in CLOSE_WAIT and
 * has. `remoteAddress` will not do, as Node remembers it. To be asked in the 'end' event, of a socket that
 * has not sent its own FIN: after that, every connection that ends is in CLOSE.
 */
export function wasReset(socket: { readonly writableEnded: boolean }): boolean {
  if (socket.writableEnded) return false;
  const { _handle: handle } = socket as unknown as { _handle: { getpeername(out: object): number } | null };
  return handle === null || handle.getpeername({}) !== 0;
}
