import type { Socket } from 'node:net';
import type { Address } from '../../net/address.ts';
import { dial, NoAnswerError } from '../../net/dial.ts';
import { codeOf } from '../../net/error.ts';
import { ignoreError } from '../../net/socket.ts';

/**
 * How a connection failed. `closed`: RST, or an ICMP "port unreachable", which the system reports alike; `filtered`:
 * no answer; `rejected`: another ICMP message, or no route.
 */
export type Failure =
  { readonly how: 'closed' | 'filtered' } | { readonly how: 'rejected'; readonly code: string };

export type PortState = { readonly how: 'open'; readonly socket: Socket } | Failure;

/** Connects to a port, and returns the result. */
export async function tryPort(address: Address, port: number, timeout: number): Promise<PortState> {
  try {
    const socket = await dial({ host: address, port }, timeout).connected;
    socket.on('error', ignoreError);
    return { how: 'open', socket };
  } catch (error) {
    return failureOf(error);
  }
}

/** What the system says of a failure, or would. */
export function codeOfFailure(failure: Failure): string {
  if (failure.how === 'rejected') return failure.code;
  return failure.how === 'closed' ? 'ECONNREFUSED' : 'ETIMEDOUT';
}

export function failureOf(error: unknown): Failure {
  const code = codeOf(error);
  if (code === 'ECONNREFUSED' || code === 'ECONNRESET') return { how: 'closed' };
  if (error instanceof NoAnswerError || code === 'ETIMEDOUT') return { how: 'filtered' };
  return { how: 'rejected', code: typeof code === 'string' ? code : 'UNKNOWN' };
}
