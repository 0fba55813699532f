import { familyOf, parseAddress, withoutZone, type Address } from '../../net/address.ts';
import { splitHostPort, type Endpoint } from '../../net/endpoint.ts';

/** What a line about an expectation is made from. */
export interface ExpectationFacts {
  /** Seconds until it expires. */
  readonly expires: number;
  /** Who is expected. */
  readonly peer: string;
  /** Where, `192.0.2.1:50000`. */
  readonly at: string;
  readonly client: string;
  /** The client's control connection; null where it is over. */
  readonly control: { readonly from: string; readonly to: string } | null;
}

/**
 * The line that `conntrack -L expect` prints of an expectation (snprintf_default.c of libnetfilter_conntrack):
 *
 *     297 proto=6 src=198.51.100.7 dst=203.0.113.1 sport=0 dport=50000 mask-src=255.255.255.255 ...
 */
export function expectationLine({ expires, peer, at, client, control }: ExpectationFacts): string {
  const to = endpointOf(at);
  const mask = familyOf(to.address) === 6 ? 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff' : '255.255.255.255';
  const master = control
    ? { from: endpointOf(control.from), to: endpointOf(control.to) }
    : { from: { address: client as Address, port: 0 }, to: { address: to.address, port: 0 } };
  const address = (of: Address): string => withoutZone(of);
  return [
    `${Math.floor(expires)} proto=6`,
    `src=${address(peer as Address)} dst=${address(to.address)} sport=0 dport=${to.port}`,
    `mask-src=${mask} mask-dst=${mask} sport=0 dport=65535`,
    `master-src=${address(master.from.address)} master-dst=${address(master.to.address)}`,
    `sport=${master.from.port} dport=${master.to.port}`,
    'class=0 helper=ftp',
  ].join(' ');
}

/** What `conntrack -E expect` writes in front of it. */
export function expectationEventLine(event: 'NEW' | 'DESTROY', facts: ExpectationFacts): string {
  return `${`[${event}]`.padStart(9)} ${expectationLine(facts)}`;
}

function endpointOf(text: string): Endpoint {
  const { host = '', port } = splitHostPort(text) ?? {};
  const address = parseAddress(host);
  if (address === undefined || port === undefined) throw new Error(`${text} is no endpoint`);
  return { address, port };
}
