import { parseAddress, type Address } from '../../net/address.ts';

/** Reads the IPv4 addresses in what `ip address` prints, without the loopback ones. */
export function readAddresses(text: string): Address[] {
  return Array.from(text.matchAll(/\binet ([0-9.]{7,15})/g), ([, word = '']) => parseAddress(word)).filter(
    (address) => address !== undefined && !address.startsWith('127.'),
  ) as Address[];
}
