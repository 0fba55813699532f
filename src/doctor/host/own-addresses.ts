import { parseAddress, type Address } from '../../net/address.ts';
import { isNoClients } from './interfaces.ts';

/**
 * The interfaces by which other hosts may come, in what `ip address` prints: not loopback, nor those of containers, nor
 * the ports of a bridge, whose packets come by the bridge. Undefined where there are none, or another program printed it.
 */
export function readInterfaces(text: string): readonly string[] | undefined {
  // 2: eth0@if7: <BROADCAST,UP> mtu 1500 qdisc noqueue state UP
  const names = Array.from(text.matchAll(/^\d+: ([^:@\s]+)(?:@\S+)?: <(.*)$/gm))
    .filter(([, , about = '']) => !/^[^>]*\bLOOPBACK\b| master \S/.test(about))
    .map(([, name = '']) => name)
    .filter((name) => !isNoClients(name));
  return names.length === 0 ? undefined : names;
}

/** Reads the IPv4 addresses in what `ip address` prints, without the loopback ones. */
export function readAddresses(text: string): Address[] {
  return Array.from(text.matchAll(/\binet ([0-9.]{7,15})/g), ([, word = '']) => parseAddress(word)).filter(
    (address) => address !== undefined && !address.startsWith('127.'),
  ) as Address[];
}
