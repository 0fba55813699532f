import type { Duplex } from 'node:stream';

/** How long a peer may take to close after FIN was sent to it, in milliseconds, unless told. */
const lingerTimeout = 5000;
/**
 * How much it may still send, in bytes: this input waits for no turn, and a peer that sends more does not wait for a
 * reply.
 */
const mostForgotten = 65_536;

/**
 * Sends FIN after the pending output, reads and drops further input, and cuts off a peer that does not close in time,
 * or continues to send. Unread input would turn a closing socket's FIN into RST, which may overtake the last reply.
 *
 * @param closed is called when it is closed
 */
export function closeGently(
  stream: Duplex,
  closed: () => void = () => undefined,
  patience: number = lingerTimeout,
): void {
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
  }, patience);
  stream.once('close', () => {
    clearTimeout(timer);
  });
}
