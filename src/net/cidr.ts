import { familyOf, parseAddress } from './address.ts';
import type { Address } from './address.ts';

/** A network: every address whose first bits are those of `network`. Made by `parseCidr` alone. */
export interface Cidr {
  readonly text: string;
  /** The network's address in 16-bit words, two for IPv4 and eight for IPv6, host bits zero. */
  readonly words: readonly number[];
  readonly masks: readonly number[];
}

/**
 * Reads `10.0.0.0/8` or `2001:db8::/32`; an address alone is the network of that address (/32 or /128). Host
 * bits are cleared: `10.1.2.3/8` is `10.0.0.0/8`. An IPv4-mapped network is the IPv4 one.
 */
export function parseCidr(text: string): Cidr | undefined {
  const [, addressText, bitsText] = /^([^/%]+)(?:\/(0|[1-9][0-9]{0,2}))?$/.exec(text) ?? [];
  const address = addressText === undefined ? undefined : parseAddress(addressText);
  if (addressText === undefined || address === undefined) return undefined;

  const width = familyOf(address) === 4 ? 32 : 128;
  const mapped = width === 32 && addressText.includes(':');
  const bits = bitsText === undefined ? width : Number(bitsText) - (mapped ? 96 : 0);
  if (bits < 0 || bits > width) return undefined;

  const masks = Array.from({ length: width / 16 }, (_, index) => maskOfWord(bits - index * 16));
  const words = wordsOf(address).map((word, index) => word & (masks[index] ?? 0));
  return Object.freeze({
    text: `${textOf(words)}/${bits}`,
    words: Object.freeze(words),
    masks: Object.freeze(masks),
  });
}

/** Whether the address lies in the network. An address of the other family never does; a zone is ignored. */
export function contains(cidr: Cidr, address: Address): boolean {
  return containsWords(cidr, wordsOf(address));
}

function containsWords(cidr: Cidr, words: readonly number[]): boolean {
  if (words.length !== cidr.words.length) return false;
  return words.every((word, index) => (word & (cidr.masks[index] ?? 0)) === cidr.words[index]);
}

/** `10.0.0.0/8`, `2001:db8::/32`, `192.0.2.1/32`. */
export function formatCidr(cidr: Cidr): string {
  return cidr.text;
}

/** The network of an IPv6 address whose prefix has so many bits, as text; an IPv4 address is its own. */
export function networkOf(address: Address, ipv6Prefix: number): string {
  if (familyOf(address) === 4) return address;
  const words = wordsOf(address).map((word, index) => word & maskOfWord(ipv6Prefix - index * 16));
  return `${textOf(words)}/${ipv6Prefix}`;
}

/** The mask of one 16-bit word of which the first `bits` belong to the network. */
function maskOfWord(bits: number): number {
  const kept = Math.min(16, Math.max(0, bits));
  return (0xffff << (16 - kept)) & 0xffff;
}

/** The 16-bit words of an address. Its text is canonical already, so this need not doubt it. */
function wordsOf(address: Address): number[] {
  if (familyOf(address) === 4) {
    const [a = 0, b = 0, c = 0, d = 0] = address.split('.').map(Number);
    return [a * 256 + b, c * 256 + d];
  }
  const zone = address.indexOf('%');
  const [before = '', after] = (zone === -1 ? address : address.slice(0, zone)).split('::');
  const head = hexGroups(before);
  const tail = hexGroups(after ?? '');
  const zeros = new Array<number>(8 - head.length - tail.length).fill(0);
  return [...head, ...zeros, ...tail];
}

function hexGroups(text: string): number[] {
  return text === '' ? [] : text.split(':').map((group) => parseInt(group, 16));
}

function textOf(words: readonly number[]): string {
  if (words.length === 2) return words.map((word) => `${word >> 8}.${word & 0xff}`).join('.');
  const text = words.map((word) => word.toString(16)).join(':');
  return parseAddress(text) ?? text;
}

/** The same addresses: without the networks that lie in another one of them. */
export function mergedNetworks(networks: readonly Cidr[]): Cidr[] {
  const unique = [...new Map(networks.map((network) => [network.text, network])).values()];
  return unique.filter((one) => !unique.some((other) => other !== one && liesIn(one, other)));
}

/** Of two networks that share an address one lies in the other: the one with the longer mask. */
function liesIn(one: Cidr, other: Cidr): boolean {
  const isLonger = one.masks.every((mask, index) => mask >= (other.masks[index] ?? 0));
  return isLonger && containsWords(other, one.words);
}
