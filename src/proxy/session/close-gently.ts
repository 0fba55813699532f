import type { Duplex } from 'node:stream';

/** How long a peer may take to close after FIN was sent to it, in milliseconds. */
const lingerTimeout = 5000;
/** How much it may still say, in bytes: what comes here waits for no turn, and who says more does not wait for a reply. */
const mostForgotten = 65_536;

/**
 * Says FIN after what was written, reads and forgets what still comes, and cuts off a peer that does not close
 * in time, or goes on. What is unread when a socket closes would turn its FIN into RST, which may overtake the last reply.
 *
 * @param closed is called when it is closed
 */
export function closeGently(stream: Duplex, closed: () => void = () => undefined): void {
  if (stream.closed) {
    closed();
    return;
  }
  stream.once('close', closed);
  if (stream.destroyed) return;
  stream.end();
  let forgotten = 0;
  stream.on('data', ({ length }: Buffer) => {
    forgotten += length;
    if (forgotten > mostForgotten) stream.destroy();
  });
  stream.resume();
  const timer = setTimeout(() => {
    stream.destroy();
  }, lingerTimeout);
  stream.once('close', () => {
    clearTimeout(timer);
  });
}
