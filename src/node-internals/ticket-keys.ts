import { createSecureContext, type SecureContext } from 'node:tls';
import type { Part } from './part.ts';

/**
 * Says what a ticket is sealed with, or what opens it.
 *
 * @param seals whether one is to be made; else `name` and `iv` are those of one that a client has shown
 * @returns what OpenSSL is to do (SSL_CTX_set_tlsext_ticket_key_cb), the keys for HMAC and AES, name and IV
 */
export type TicketKeyCallback = (
  name: Buffer,
  iv: Buffer,
  seals: boolean,
) => [number, Buffer, Buffer, Buffer, Buffer];

interface NativeContext {
  enableTicketKeyCallback(): void;
  onticketkeycallback: TicketKeyCallback;
}

/** Has a context ask for the keys of each ticket. Where this Node does not offer that, the context stays as it is. */
export function askForTicketKeys(context: SecureContext, callback: TicketKeyCallback): void {
  const native = nativeOf(context);
  if (!native?.enableTicketKeyCallback) return;
  native.enableTicketKeyCallback();
  native.onticketkeycallback = callback;
}

function nativeOf(context: SecureContext): Partial<NativeContext> | undefined {
  return context.context as Partial<NativeContext> | undefined;
}

export const ticketKeys: Part = {
  name: 'secureContext.context.enableTicketKeyCallback',
  use: 'tls-clients',
  without:
    'clients get tickets as Node gives them: one that only sends may leave them unread, and lose the end of its file; ' +
    'with tls-require-reuse and TLS 1.3 they run out',
  isNeeded: false,
  isThere: () => typeof nativeOf(createSecureContext({ ca: [] }))?.enableTicketKeyCallback === 'function',
};
