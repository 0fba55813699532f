import { isWildcard, type ListenAddress } from '../config/listening.ts';
import { familyOf, isLoopback, type Address, type Family } from '../net/address.ts';
import { parseCidr, type Cidr } from '../net/cidr.ts';
import type { Endpoint } from '../net/endpoint.ts';
import type { PortRange } from '../net/port-range.ts';
import { anywhere, familyOfCidr, isWholeFamily, RulesetError, type RulesetOptions } from './plan.ts';

/** Where a port is listened on. */
export interface Opening {
  readonly to: readonly Cidr[];
  readonly ports: readonly [PortRange];
}

/** Each port at the addresses that have it, and at no other. */
export function openingsOf(listen: readonly ListenAddress[]): Opening[] {
  return [...new Set(listen.map(({ port }) => port))].map((port) => ({
    to: addressesOf(listen.filter((each) => each.port === port)),
    ports: [{ first: port, last: port }],
  }));
}

export function addressesOf(listen: readonly ListenAddress[]): readonly Cidr[] {
  const networks = listen.map(({ address }) => (address === undefined ? undefined : listenedOn(address)));
  if (networks.includes(undefined)) return anywhere;
  return withoutCovered(networks.filter((network) => network !== undefined));
}

/** All addresses of a family. */
export function wholeFamily(family: Family): Cidr {
  return networkFrom(family === 4 ? '0.0.0.0/0' : '::/0', 'family');
}

export function networkOf(address: Address, setting: 'server' | 'listen'): Cidr {
  return networkFrom(address, setting);
}

/** Whether the server is on this host: its data connections come by lo, and it shares the ports. */
export function isServerHere({ server, listen, tls }: RulesetOptions): boolean {
  if (!server) return false;
  return isLoopback(server.address) || sharesAddress(server, [...listen, ...tls.listen]);
}

/** Whether the server has an address at which Pinhole listens, so that each port can be had by one of them alone. */
export function sharesAddress(server: Endpoint, listen: readonly ListenAddress[]): boolean {
  return listen.some(({ address }) => address === server.address);
}

function listenedOn(address: Address): Cidr {
  return isWildcard(address) ? wholeFamily(familyOf(address)) : networkOf(address, 'listen');
}

/** No list of addresses may name one twice: sets of nftables take no overlaps. */
function withoutCovered(networks: readonly Cidr[]): readonly Cidr[] {
  const unique = [...new Map(networks.map((network) => [network.text, network])).values()];
  return unique.filter(
    (network) =>
      isWholeFamily(network) ||
      !unique.some((other) => isWholeFamily(other) && familyOfCidr(other) === familyOfCidr(network)),
  );
}

function networkFrom(text: string, setting: string): Cidr {
  const network = parseCidr(text);
  if (!network) {
    throw new RulesetError(
      `${setting}: ${text} has a zone, which rules cannot name; allowed: an address without a zone`,
    );
  }
  return network;
}
