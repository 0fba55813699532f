import type { Socket } from 'node:net';
import { socketCalls } from '../linux/socket-calls.ts';
import { descriptorOf } from '../node-internals/descriptor.ts';

let signals = 0;
let isListening = false;

/** The urgent data of one connection. */
export interface UrgentMark {
  /** To be asked when bytes have been read: whether the next one is urgent. The system reads up to it and no further. */
  isNext(): boolean;
}

/**
 * Has urgent bytes of a connection come among the others, and be told of. Undefined without the C library's calls: then
 * the system takes them out.
 */
export function watchUrgent(socket: Socket): UrgentMark | undefined {
  const calls = socketCalls();
  const fd = descriptorOf(socket);
  if (!calls || fd === undefined || !calls.readUrgentInLine(fd)) return undefined;
  calls.signalUrgent(fd);
  if (!isListening) process.on('SIGURG', () => signals++);
  isListening = true;
  return { isNext: () => descriptorOf(socket) === fd && calls.isAtUrgent(fd) };
}

/**
 * How often urgent data has come on any of these connections: where the urgent byte is the first that is read, nothing
 * else tells of it. What came with bytes that are read in one turn of the event loop counts from the next on.
 */
export function urgentSignals(): number {
  return signals;
}
