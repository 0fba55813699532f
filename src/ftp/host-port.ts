import { familyOf, parseAddress } from '../net/address.ts';
import type { Endpoint } from '../net/endpoint.ts';
import type { Found } from './rewrite.ts';

const sixNumbers = /^(\d{1,3}),(\d{1,3}),(\d{1,3}),(\d{1,3}),(\d{1,3}),(\d{1,3})$/;

/**
 * RFC 959's `<host-port> ::= <host-number>,<port-number>`, to the letter: six decimal numbers of 0-255.
 * `undefined` for anything else, and for port 0, to which nobody can connect.
 *
 *     198,51,100,10,195,80
 */
export function parseHostPort(text: string): Endpoint | undefined {
  return toEndpoint(sixNumbers.exec(text));
}

/**
 * The form that PORT and a 227 carry. An IPv6 address has none: its host is written as four zeros, as vsftpd
 * does, and only a client that does not look at it can use the port.
 */
export function formatHostPort({ address, port }: Endpoint): string {
  const host = familyOf(address) === 4 ? address.replaceAll('.', ',') : '0,0,0,0';
  return `${host},${port >> 8},${port & 0xff}`;
}

const numbersAnywhere = /\d+(?:[ \t]*,[ \t]*\d+){5}/y;

/**
 * Every place of a 227's text at which a client would find its six numbers: with or without parentheses,
 * brackets or `=`, blanks around the commas, leading zeros, other digits earlier.
 *
 *     Entering Passive Mode (10,77,0,2,200,13).
 *     Entering Passive Mode. 10,77,0,2,200,13
 *     Entering Passive Mode =010, 077, 000, 002, 200, 013
 */
export function findHostPorts(text: string): Found[] {
  const found: Found[] = [];
  const digits = /\d+/g;
  for (let run = digits.exec(text); run; run = digits.exec(text)) {
    numbersAnywhere.lastIndex = run.index;
    const match = numbersAnywhere.exec(text);
    const endpoint = match && toEndpoint(['', ...match[0].split(',')]);
    if (!endpoint) continue;
    digits.lastIndex = numbersAnywhere.lastIndex;
    found.push({ endpoint, start: run.index, end: numbersAnywhere.lastIndex });
  }
  return found;
}

/** `numbers` has the six texts at 1 to 6, as a match has its groups. */
function toEndpoint(numbers: readonly string[] | null): Endpoint | undefined {
  const [a, b, c, d, high, low] = numbers?.slice(1).map(Number) ?? [];
  if (a === undefined || b === undefined || c === undefined || d === undefined) return undefined;
  if (high === undefined || low === undefined || Math.max(a, b, c, d, high, low) > 255) return undefined;
  const address = parseAddress(`${a}.${b}.${c}.${d}`);
  const port = high * 256 + low;
  return address && port > 0 ? { address, port } : undefined;
}
