import { parseAddress, type Address } from '../../net/address.ts';
import { contains, parseCidr } from '../../net/cidr.ts';

const privateNetworks = ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10']
  .map(parseCidr)
  .filter((network) => network !== undefined);

/** Whether nobody beyond a NAT can reach the address (RFC 1918, RFC 6598). */
export function isPrivate(address: Address): boolean {
  return privateNetworks.some((network) => contains(network, address));
}

/** Reads the IPv4 addresses in what `ip address` prints, without the loopback ones. */
export function readAddresses(text: string): Address[] {
  return Array.from(text.matchAll(/\binet ([0-9.]{7,15})/g), ([, word = '']) => parseAddress(word)).filter(
    (address) => address !== undefined && !address.startsWith('127.'),
  ) as Address[];
}
