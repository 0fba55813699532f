import type { Socket } from 'node:net';
import { codeOf } from './error.ts';
import { socketCalls } from '../linux/socket-calls.ts';
import { descriptorOf } from '../node-internals/descriptor.ts';

/** Of the time until the first probe, how far the others are apart, and how many go without an answer. */
const share = 1 / 4;
const probes = 4;

/** Milliseconds after which a peer that answers nothing is given up. */
export function patienceOf(keepalive: number): number {
  return keepalive * (1 + share * probes);
}

/**
 * Has the system ask a silent peer whether it is still there, so that a NAT on the way does not forget the connection, and
 * one that is gone is noticed. Without the C library's calls Node's own spacing holds: ten probes, one a second.
 *
 * @param keepalive milliseconds of silence until the first probe; 0 for none
 * @param isControl whether what was sent may stay without an acknowledgement no longer either. Not of a data channel: its
 *   peer may keep its window shut for as long as it likes and is there all the same, and the system would not see that
 */
export function keepAlive(socket: Socket, keepalive: number, isControl: boolean): void {
  if (keepalive === 0) {
    socket.setKeepAlive(false);
    return;
  }
  socket.setKeepAlive(true, keepalive);
  const calls = socketCalls();
  const fd = descriptorOf(socket);
  if (!calls || fd === undefined) return;
  const idle = Math.max(1, Math.round(keepalive / 1000));
  calls.keepAlive(fd, { idle, interval: Math.max(1, Math.round(idle * share)), count: probes });
  if (isControl) calls.userTimeout(fd, patienceOf(keepalive));
}

const gone: ReadonlySet<unknown> = new Set(['ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH', 'EHOSTDOWN']);

/** Whether a connection failed because its peer answered nothing any more. */
export function isUnresponsive(error: Error): boolean {
  return gone.has(codeOf(error));
}
