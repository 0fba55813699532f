import { familyOf, parseAddress, withoutZone, type Family } from '../net/address.ts';
import { parsePort, type Endpoint } from '../net/endpoint.ts';
import type { FoundPort } from './rewrite.ts';

/** What an EPRT announces; `endpoint` is absent where its protocol number is not one of RFC 2428's two. */
export interface ExtendedHostPort {
  /** RFC 2428's net-prt: 1 for IPv4, 2 for IPv6, others are well-formed and not served. */
  readonly protocol: number;
  readonly endpoint?: Endpoint;
  readonly delimiter: string;
}

// The address may hold the delimiter ("EPRT .1.192.0.2.1.4321."): the fields are anchored at both ends.
const fields = /^([!-/:-~])([1-9]\d{0,4})\1(.+)\1(\d{1,5})\1$/;

/**
 * RFC 2428 section 2: `<d><net-prt><d><net-addr><d><tcp-port><d>`, any delimiter of 33-126 that is no digit
 * (a digit could not be told from the numbers). `undefined` for anything else.
 *
 *     |1|198.51.100.10|50000|
 *     |2|2001:db8::10|50000|
 */
export function parseExtendedHostPort(text: string): ExtendedHostPort | undefined {
  const match = fields.exec(text);
  const [delimiter, protocolText, addressText, portText] = match?.slice(1) ?? [];
  if (delimiter === undefined || protocolText === undefined) return undefined;
  if (addressText === undefined || portText === undefined) return undefined;
  const protocol = Number(protocolText);
  if (protocol !== 1 && protocol !== 2) return { protocol, delimiter };
  const address = parseAddress(addressText);
  const port = parsePort(portText);
  if (!address || port === undefined) return undefined;
  if ((protocol === 2) !== addressText.includes(':')) return undefined;
  return { protocol, endpoint: { address, port }, delimiter };
}

export function formatExtendedHostPort({ address: zoned, port }: Endpoint, delimiter: string): string {
  const address = withoutZone(zoned);
  // A delimiter that stands in the address would be legal and is more than some servers can read.
  const d = address.includes(delimiter) ? '|' : delimiter;
  return `${d}${protocolNumber(familyOf(address))}${d}${address}${d}${port}${d}`;
}

export function protocolNumber(family: Family): 1 | 2 {
  return family === 4 ? 1 : 2;
}

// RFC 2428 section 3 has the first two fields empty; clients that split at the delimiter take filled ones too.
const bare = /([!-/:-~])\1\1(\d+)\1/g;
const filled = /\(([!-/:-~])[^()]{0,64}?\1[^()]{0,64}?\1(\d+)\1\)/g;

/**
 * Every place of a 229's text at which a client would find the port: any delimiter, with or without
 * parentheses, other parentheses before it. The span is the port's digits.
 *
 *     Entering Extended Passive Mode (|||6446|)
 *     Entering (extended) passive mode !!!6446!
 *     Extended Passive Mode OK (|1|10.77.0.2|6446|)
 */
export function findExtendedPorts(text: string): FoundPort[] {
  const found = new Map<number, FoundPort>();
  for (const pattern of [bare, filled]) {
    for (const match of text.matchAll(pattern)) {
      const digits = match[2] ?? '';
      const closing = match[0].endsWith(')') && pattern === filled ? 2 : 1;
      const end = match.index + match[0].length - closing;
      const port = Number(digits);
      if (port < 1 || port > 65535) continue;
      found.set(end, { port, start: end - digits.length, end });
    }
  }
  return [...found.values()].sort((a, b) => a.start - b.start);
}

// One number and little else, no letters: "(RFC 2428)" is no port, nor is a signed or broken number.
const loose = /\([ \t!-'*-/:-@[-`{-~]{0,8}(?<![-+.,])(\d+)[ \t!-'*-/:-@[-`{-~]{0,8}\)/g;

/**
 * The places of a 229's text that are not of RFC 2428's form, and in which some clients find a port all the same: those
 * that skip blanks, count no delimiters, or look for digits in parentheses. The span is that of the parentheses, as what
 * stands in them is no use to the other clients; `formatExtendedPort` writes what is.
 *
 *     Entering Extended Passive Mode (||| 6446 |)
 *     Entering Extended Passive Mode (|!|6446|)
 *     Entering Extended Passive Mode (||6446|)
 */
export function findLoosePorts(text: string): FoundPort[] {
  const found: FoundPort[] = [];
  for (const { index, 0: whole, 1: digits } of text.matchAll(loose)) {
    const port = Number(digits);
    if (port >= 1 && port <= 65535) found.push({ port, start: index, end: index + whole.length });
  }
  return found;
}

/** RFC 2428 section 3. */
export function formatExtendedPort(port: number): string {
  return `(|||${port}|)`;
}
