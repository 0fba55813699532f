import { contains, type Cidr } from '../net/cidr.ts';
import { parseAddress } from '../net/address.ts';
import type { PortRange } from '../net/port-range.ts';

/** The same ports, in ranges that neither overlap nor touch: nft before 1.0 refuses a set whose intervals overlap. */
export function mergedPorts(ranges: readonly PortRange[]): PortRange[] {
  const merged: PortRange[] = [];
  for (const range of [...ranges].sort((a, b) => a.first - b.first)) {
    const before = merged.at(-1);
    if (before && range.first <= before.last + 1) {
      merged[merged.length - 1] = { first: before.first, last: Math.max(before.last, range.last) };
    } else merged.push(range);
  }
  return merged;
}

/** The same addresses: without the networks that lie in another one of them. */
export function mergedNetworks(networks: readonly Cidr[]): Cidr[] {
  const unique = [...new Map(networks.map((network) => [network.text, network])).values()];
  return unique.filter((one) => !unique.some((other) => other !== one && liesIn(one, other)));
}

/** Of two networks that share an address one lies in the other: the one with the longer mask. */
function liesIn(one: Cidr, other: Cidr): boolean {
  const first = parseAddress(one.text.replace(/\/.*$/, ''));
  const isLonger = one.masks.every((mask, index) => mask >= (other.masks[index] ?? 0));
  return first !== undefined && isLonger && contains(other, first);
}
