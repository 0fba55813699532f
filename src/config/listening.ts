import { familyOf, isLoopback, parseAddress, type Address } from '../net/address.ts';
import { parsePort } from '../net/endpoint.ts';
import { list, mayBeHost, type Kind } from './kinds.ts';

/**
 * Where clients connect. `address` undefined: every address of both families; 0.0.0.0 or ::: every one of that family.
 * `port` 0: any free port.
 */
export interface ListenAddress {
  readonly address: Address | undefined;
  readonly port: number;
}

export const listenAddresses: Kind<readonly ListenAddress[]> = list(
  'PORT (on all addresses), ADDRESS:PORT or [IPV6]:PORT, each once; port 0 is any free one',
  readListen,
  formatListen,
  overlapOf,
);

function readListen(text: string): ListenAddress | undefined {
  const [, where, digits = ''] = /^(?:(.+):)?([0-9]{1,5})$/.exec(text) ?? [];
  const port = Number(digits) === 0 && digits !== '' ? 0 : parsePort(digits);
  if (port === undefined) return undefined;
  if (where === undefined) return { address: undefined, port };
  // Without brackets '2001:db8::1:21' could be an address alone.
  const [, inner] = /^\[(.*:.*)\]$/.exec(where) ?? [];
  if (inner === undefined && where.includes(':')) return undefined;
  const address = parseAddress(inner ?? where);
  if (address === undefined) return undefined;
  return mayBeHost(address) || isWildcard(address) ? { address, port } : undefined;
}

export function formatListen({ address, port }: ListenAddress): string {
  if (address === undefined) return `${port}`;
  return familyOf(address) === 6 ? `[${address}]:${port}` : `${address}:${port}`;
}

/** Two listeners that cannot both be had: the second would fail with EADDRINUSE. */
export function overlapOf(listeners: readonly ListenAddress[]): string | undefined {
  for (const [index, later] of listeners.entries()) {
    const earlier = listeners
      .slice(0, index)
      .find((other) => other.port === later.port && (covers(other, later) || covers(later, other)));
    if (earlier === undefined || later.port === 0) continue;
    const [first, then] = [formatListen(earlier), formatListen(later)];
    return first === then ? `${first} stands there twice` : `${first} and ${then} overlap`;
  }
  return undefined;
}

function covers(one: ListenAddress, other: ListenAddress): boolean {
  if (one.address === undefined || one.address === other.address) return true;
  return other.address !== undefined && one.address === (familyOf(other.address) === 4 ? '0.0.0.0' : '::');
}

/** What the relay listens on where a server is named and no listener is. */
export const defaultListen: readonly ListenAddress[] = [{ address: undefined, port: 21 }];

function isWildcard(address: Address | undefined): boolean {
  return address === undefined || address === '0.0.0.0' || address === '::';
}

export function reaches(address: Address, listening: Address | undefined): boolean {
  return listening === address || (isWildcard(listening) && isLoopback(address));
}
