import { randomBytes } from 'node:crypto';
import type { SecureContext } from 'node:tls';
import { askForTicketKeys } from '../node-internals/ticket-keys.ts';

/** What the tickets of RFC 5077 section 4 are sealed with. */
export interface TicketKeys {
  /** The three of 16 bytes that Node's `ticketKeys` is made of. */
  readonly name: Buffer;
  readonly hmac: Buffer;
  readonly aes: Buffer;
  readonly all: Buffer;
}

export function newTicketKeys(): TicketKeys {
  const all = randomBytes(48);
  return { name: all.subarray(0, 16), hmac: all.subarray(16, 32), aes: all.subarray(32), all };
}

/** When a client gets tickets: after a handshake that resumes nothing, as Node has it; after each; or never. */
export type TicketsGiven = 'first' | 'always' | 'never';

/** OpenSSL's instructions for a ticket that it has, or has to make. */
const verdict = { unknown: 0, none: 0, good: 1, goodAndRenewed: 2 } as const;

/**
 * Says when the clients of a context, which was made with these keys, get tickets. Where Node has no such callback any
 * more, it is as with `first`.
 */
export function giveTickets(
  context: SecureContext,
  { name, hmac, aes }: TicketKeys,
  given: TicketsGiven,
): void {
  if (given === 'first') return;
  const sealed = given === 'never' ? verdict.none : verdict.good;
  const opened = given === 'never' ? verdict.good : verdict.goodAndRenewed;
  askForTicketKeys(context, (itsName, itsIv, seals) => {
    if (seals) return [sealed, hmac, aes, name, randomBytes(16)];
    return [itsName.equals(name) ? opened : verdict.unknown, hmac, aes, itsName, itsIv];
  });
}
