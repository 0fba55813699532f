import { familyOf, isLoopback, parseAddress, type Address, type Family } from '../net/address.ts';
import { parsePort, type Endpoint } from '../net/endpoint.ts';
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
  'PORT (on all addresses), ADDRESS:PORT or [IPV6]:PORT, each once; port 0 means any free port',
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
    return first === then ? `${first} is listed twice` : `${first} and ${then} overlap`;
  }
  return undefined;
}

function covers(one: ListenAddress, other: ListenAddress): boolean {
  if (one.address === undefined || one.address === other.address) return true;
  return other.address !== undefined && isWildcardOf(familyOf(other.address), one.address);
}

// ---- Where the relay listens, by its settings ----

/** Where a relay with a server listens: without `listen`, on port 21 of all addresses. */
export function listenInFront({ listen }: ListenSettings): readonly ListenAddress[] {
  return listen ?? [{ address: undefined, port: 21 }];
}

/** Where `run` listens: without a server and without `listen`, on loopback only. */
export function listenOf(
  settings: ListenSettings & { readonly server: object | undefined; readonly intercept: boolean },
): readonly ListenAddress[] {
  const leadsToServer = settings.server !== undefined || settings.intercept;
  if (settings.listen || leadsToServer) return listenInFront(settings);
  return [{ address: parseAddress('127.0.0.1'), port: 2121 }];
}

interface ListenSettings {
  readonly listen: readonly ListenAddress[] | undefined;
}

// ---- What listens where ----

const wildcards = ['0.0.0.0', '::']
  .map((text) => parseAddress(text))
  .filter((address) => address !== undefined);

/** Whether it stands for all addresses: of both families, or of one. */
export function isWildcard(address: Address | undefined): boolean {
  return address === undefined || wildcards.includes(address);
}

function isWildcardOf(family: Family, address: Address | undefined): boolean {
  return isWildcard(address) && (address === undefined || familyOf(address) === family);
}

/** The family of a listener that has one alone. */
export function familyOfListener({ address }: ListenAddress): Family | undefined {
  return address === undefined ? undefined : familyOf(address);
}

/** What to bind: a port alone is that port on all addresses of both families. */
export function endpointsOf({ address, port }: ListenAddress): Endpoint[] {
  return (address ? [address] : wildcards).map((each) => ({ address: each, port }));
}

/**
 * Whether a connection to `address` comes to a listener at `listening`.
 *
 * @param isOwn whether an address is one of this host's
 */
export function reaches(
  address: Address,
  listening: Address | undefined,
  isOwn: (address: Address) => boolean,
): boolean {
  return listening === address || (isWildcardOf(familyOf(address), listening) && isOwn(address));
}

/** Whether other hosts reach it. What comes from this host itself comes by lo. */
export function isReachable({ address }: ListenAddress): boolean {
  return address === undefined || !isLoopback(address);
}

/** The IPv4 address that other hosts connect to, if the listeners have exactly one. */
export function reachedIPv4(listen: readonly ListenAddress[]): Address | undefined {
  const [only, ...others] = listen.filter(isReachable).filter((each) => (familyOfListener(each) ?? 4) === 4);
  return others.length > 0 || isWildcard(only?.address) ? undefined : only?.address;
}
