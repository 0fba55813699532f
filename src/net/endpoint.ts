import { addressOfSocket, familyOf, parseAddress } from './address.ts';
import type { Address } from './address.ts';

/** An address and a TCP port. */
export interface Endpoint {
  readonly address: Address;
  readonly port: number;
}

/** One endpoint of a `net.Socket`; `undefined` for a closed socket. */
export function endpointOfSocket(
  address: string | undefined,
  port: number | undefined,
): Endpoint | undefined {
  const known = addressOfSocket(address);
  return known && port !== undefined ? { address: known, port } : undefined;
}

/** Where a `net.Server` listens. @throws where it does not listen on TCP */
export function endpointOfServer(server: {
  address(): { readonly address: string; readonly port: number } | string | null;
}): Endpoint {
  const bound = server.address();
  const endpoint = typeof bound === 'object' ? endpointOfSocket(bound?.address, bound?.port) : undefined;
  if (!endpoint) throw new Error('not listening on TCP');
  return endpoint;
}

/** `192.0.2.1:21`, `[2001:db8::1]:21` (RFC 3986 section 3.2.2). */
export function formatEndpoint({ address, port }: Endpoint): string {
  return familyOf(address) === 6 ? `[${address}]:${port}` : `${address}:${port}`;
}

/** Reads a port from 1 to 65535: digits only, no sign, no space. */
export function parsePort(text: string): number | undefined {
  if (!/^[0-9]{1,5}$/.test(text)) return undefined;
  const port = Number(text);
  return port >= 1 && port <= 65535 ? port : undefined;
}

/**
 * Reads a host: an address (returned in its canonical text) or a host name of RFC 1123 section 2.1, underscores
 * allowed. A name whose last label is a number is none: it is an address with a mistake, as in `192.0.2`.
 */
export function parseHost(text: string): string | undefined {
  const address = parseAddress(text);
  if (address !== undefined) return address;
  const name = text.endsWith('.') ? text.slice(0, -1) : text;
  if (name.length > 253) return undefined;
  const labels = name.split('.');
  if (!labels.every((label) => /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/i.test(label))) return undefined;
  return /^(?:[0-9]+|0x[0-9a-f]*)$/i.test(labels.at(-1) ?? '') ? undefined : text;
}

/**
 * Splits `ftp.example:21`, `192.0.2.1`, `[2001:db8::1]:21` or `2001:db8::1` into a host and its port, if there is
 * one. An IPv6 address with a port needs brackets.
 */
export function splitHostPort(text: string): { host: string; port: number | undefined } | undefined {
  const bracketed = /^\[([^[\]]*:[^[\]]*)\](?::(.*))?$/s.exec(text);
  const plain = /^([^:[\]]*)(?::([^:]*))?$/s.exec(text);
  const [, hostText = text, portText] = bracketed ?? plain ?? [];
  const host = parseHost(hostText);
  const port = portText === undefined ? undefined : parsePort(portText);
  if (host === undefined || (portText !== undefined && port === undefined)) return undefined;
  return { host, port };
}
