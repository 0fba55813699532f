import type { Address } from '../net/address.ts';
import { contains, parseCidr, type Cidr } from '../net/cidr.ts';

const networks = (...texts: readonly string[]): Cidr[] => texts.flatMap((text) => parseCidr(text) ?? []);

/** RFC 1918, RFC 6598 (a provider's own NAT), RFC 4193. */
const privateNetworks = networks(
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '100.64.0.0/10',
  'fc00::/7',
);

/** To which nobody connects from another host: this host, loopback, link-local, multicast, reserved (RFC 6890). */
const unroutableNetworks = networks(
  '0.0.0.0/8',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '224.0.0.0/3',
  '::/127',
  'fe80::/10',
  'ff00::/8',
);

export function isPrivate(address: Address): boolean {
  return privateNetworks.some((network) => contains(network, address));
}

export function isUnroutable(address: Address): boolean {
  return unroutableNetworks.some((network) => contains(network, address));
}
