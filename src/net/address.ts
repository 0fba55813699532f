import { Address4, Address6 } from 'ip-address';

export type Family = 4 | 6;

/**
 * The one text of an IP address: dotted decimal, or IPv6 as RFC 5952 section 4 writes it (compressed, lower
 * case; a link-local one may carry its zone: `fe80::1%eth0`). An IPv4-mapped IPv6 address is the IPv4 address.
 * Two addresses are the same address exactly when `===` says so.
 */
export type Address = string & { readonly brand: unique symbol };

/** The longest IPv6 text (45 characters, RFC 4291 section 2.2 form 3) with `%` and an interface's name (15). */
const longest = 45 + 1 + 15;

/**
 * Reads an address as a person or a peer writes it. Strict: four decimal octets without leading zeros (which
 * some resolvers take for octal), no prefix length, no brackets, no space; a zone only on a link-local address.
 */
export function parseAddress(text: string): Address | undefined {
  if (text.length > longest) return undefined;
  return text.includes(':') ? parseIPv6(text) : parseIPv4(text);
}

export function familyOf(address: Address): Family {
  return address.includes(':') ? 6 : 4;
}

/** Whether it is a loopback address (RFC 1122 section 3.2.1.3, RFC 4291 section 2.5.3). */
export function isLoopback(address: Address): boolean {
  return address.startsWith('127.') || address === '::1';
}

/**
 * Reads `socket.remoteAddress` and `localAddress`; `undefined` for a closed socket. The text is used without parsing:
 * libuv formats the kernel's address as RFC 5952 does.
 */
export function addressOfSocket(text: string | undefined): Address | undefined {
  if (text === undefined || text === '') return undefined;
  // '::ffff:192.0.2.1': an IPv4 client of a listener for both families
  const mapped = text.startsWith('::ffff:') && text.lastIndexOf(':') === 6 && text.includes('.');
  if (mapped) return text.slice(7) as Address;
  // '::192.0.2.1', the form that RFC 4291 deprecates and libuv still writes; or a dot in a zone's name, 'eth0.7'
  if (text.includes(':') && text.includes('.')) return parseAddress(text);
  return text as Address;
}

function parseIPv4(text: string): Address | undefined {
  // The library also takes '192.0.2.0/24'.
  if (text.includes('/') || !Address4.isValid(text)) return undefined;
  return new Address4(text).correctForm() as Address;
}

function parseIPv6(text: string): Address | undefined {
  const [digits = '', zone, ...rest] = text.split('%');
  if (rest.length > 0 || digits.includes('/') || !Address6.isValid(digits)) return undefined;
  const address = new Address6(digits);
  const canonical = address.correctForm();
  if (zone !== undefined) {
    // Linux allows more in an interface's name (dev_valid_name); these need no escape anywhere.
    const usable = address.isLinkLocal() && /^[a-z0-9_.@+~-]{1,15}$/i.test(zone);
    return usable ? (`${canonical}%${zone}` as Address) : undefined;
  }
  const mapped = /^::ffff:[0-9a-f]+:[0-9a-f]+$/.test(canonical);
  return (mapped ? address.to4().correctForm() : canonical) as Address;
}

/** The address as it is written on the wire: a zone means something on one host alone (RFC 4007 section 11.2). */
export function withoutZone(address: Address): Address {
  const zone = address.indexOf('%');
  return zone === -1 ? address : (address.slice(0, zone) as Address);
}

/** Reads the 4 or 16 bytes of an address, in the order of the wire. */
export function addressOfBytes(bytes: Uint8Array): Address {
  if (bytes.length === 4) return bytes.join('.') as Address;
  return Address6.fromUnsignedByteArray([...bytes]).correctForm() as Address;
}

/** The opposite of `addressOfBytes`; a zone is left out. */
export function bytesOfAddress(address: Address): Uint8Array {
  if (familyOf(address) === 4) {
    const [first = '', second = '', third = '', fourth = ''] = address.split('.');
    return Uint8Array.of(Number(first), Number(second), Number(third), Number(fourth));
  }
  const bytes = new Address6(withoutZone(address)).toUnsignedByteArray();
  // The library leaves out leading zeros.
  return Uint8Array.from([...new Array<number>(16 - bytes.length).fill(0), ...bytes]);
}
