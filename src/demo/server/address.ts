import { isIP, isIPv4, SocketAddress } from 'node:net';

export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

/** One way to write each address, so that two can be compared: no `::ffff:` before IPv4, IPv6 compressed. */
export function plainAddress(address: string): string {
  const unmapped = address.replace(/^::ffff:(?=\d+\.)/i, '');
  if (isIP(unmapped) !== 6) return unmapped;
  return new SocketAddress({ address: unmapped, family: 'ipv6' }).address;
}

/** RFC 2428's number of the protocol of an address. */
export function protocolNumber(address: string): '1' | '2' {
  return isIPv4(address) ? '1' : '2';
}

/** RFC 959's `h1,h2,h3,h4,p1,p2`; `undefined` when it is anything else. */
export function parseHostPort(text: string): Endpoint | undefined {
  if (!/^\d{1,3}(,\d{1,3}){5}$/.test(text)) return undefined;
  const numbers = text.split(',').map(Number);
  if (numbers.some((number) => number > 255)) return undefined;
  const [high = 0, low = 0] = numbers.slice(4);
  return { address: numbers.slice(0, 4).join('.'), port: high * 256 + low };
}

export function formatHostPort({ address, port }: Endpoint): string {
  return [...address.split('.'), port >> 8, port & 255].join(',');
}

/**
 * RFC 2428's `|1|192.0.2.1|6000|` with any delimiter of 33-126 that is no digit. `undefined` when the form is
 * wrong, `'protocol'` when it names a protocol other than IPv4 and IPv6.
 */
export function parseExtended(text: string): Endpoint | 'protocol' | undefined {
  const delimiter = text[0] ?? '';
  if (!/^[!-/:-~]$/.test(delimiter)) return undefined;
  const [before, protocol = '', address = '', port = '', after, ...more] = text.split(delimiter);
  if (before !== '' || after !== '' || more.length > 0) return undefined;
  if (!/^\d+$/.test(protocol) || !/^\d{1,5}$/.test(port) || Number(port) > 65535) return undefined;
  if (protocol !== '1' && protocol !== '2') return 'protocol';
  if (isIP(address) !== (protocol === '1' ? 4 : 6)) return undefined;
  return { address: plainAddress(address), port: Number(port) };
}
