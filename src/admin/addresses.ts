import { isIP } from 'node:net';
import { hostname } from 'node:os';

/** Whether the Host of a request is an address, localhost, or this host's own name, with or without a port. */
export function isAddressText(host: string, own: string = hostname()): boolean {
  const [, bracketed, name] = /^(?:\[([^\]]+)\]|([^:]+))(?::\d{1,5})?$/.exec(host) ?? [];
  const plain = name?.toLowerCase();
  if (bracketed !== undefined) return isIP(bracketed) === 6;
  return plain !== undefined && (plain === 'localhost' || plain === own.toLowerCase() || isIP(plain) === 4);
}
