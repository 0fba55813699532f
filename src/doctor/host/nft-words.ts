import type { PortRange } from '../../net/port-range.ts';
import type { Action, Hook, Match } from './firewall.ts';
import { readAllPorts } from './ports.ts';

/** What the words of nftables mean, whether they stand in its text or in its JSON. */

export const unknown: Match = { kind: 'unknown' };

/** What a rule may name: the ports of a set, `undefined` for one of other things, and the helpers by object. */
export interface Named {
  readonly sets: Map<string, readonly PortRange[] | undefined>;
  readonly helpers: Map<string, string>;
}

export function namesNothing(): Named {
  return { sets: new Map(), helpers: new Map() };
}

const hooks: readonly string[] = ['prerouting', 'input', 'forward', 'output', 'postrouting'] satisfies Hook[];

/** Undefined for `ingress` and others that no packet of a connection to a server meets. */
export function hookNamed(name: string): Hook | undefined {
  return hooks.includes(name) ? (name as Hook) : undefined;
}

/** What a verdict without arguments, or a statement that ends a rule, does; undefined for other words. */
export function actionNamed(word: string): Action | undefined {
  switch (word) {
    case 'accept':
    case 'return':
    case 'continue':
      return { kind: word };
    case 'drop':
    case 'reject':
      return { kind: 'drop' };
    // They decide nothing that is known here.
    case 'snat':
    case 'masquerade':
    case 'redirect':
    case 'tproxy':
    case 'queue':
      return { kind: 'unknown' };
    default:
      return undefined;
  }
}

/** `iifname`, `meta l4proto`; undefined for a field that is not read. */
export function metaMatch(field: string, values: readonly string[], not: boolean): Match | undefined {
  switch (field) {
    case 'iif':
    case 'iifname':
      return { kind: 'in-interface', names: values, not };
    case 'oif':
    case 'oifname':
      return { kind: 'out-interface', names: values, not };
    case 'l4proto':
      return namesMatch('protocol', values, not);
    case 'nfproto': {
      const family = values[0] === 'ipv4' ? 4 : values[0] === 'ipv6' ? 6 : undefined;
      return family && !not && values.length === 1 ? { kind: 'family', family } : unknown;
    }
    default:
      return undefined;
  }
}

/** `ip saddr 10.0.0.1`, which IPv4 alone has. */
export function headerMatches(
  protocol: 'ip' | 'ip6',
  field: string,
  values: readonly string[],
  not: boolean,
): Match[] {
  const family: Match = { kind: 'family', family: protocol === 'ip' ? 4 : 6 };
  switch (field) {
    case 'saddr':
      return [family, { kind: 'source', addresses: values, not }];
    case 'daddr':
      return [family, { kind: 'destination', addresses: values, not }];
    case 'protocol':
    case 'nexthdr':
      return [family, namesMatch('protocol', values, not)];
    default:
      return [family, unknown];
  }
}

/** `dport 21`, `dport { 21, 40000-40100 }`, `dport @ports` */
export function portsMatch(
  field: 'dport' | 'sport',
  values: readonly string[],
  not: boolean,
  { sets }: Named,
): Match {
  const [only = ''] = values;
  const ports = only.startsWith('@') ? sets.get(only.slice(1)) : readAllPorts(values);
  return ports && values.length > 0
    ? { kind: field === 'dport' ? 'to-port' : 'from-port', ports, not }
    : unknown;
}

/** `ct state new`, `ct mark 0x1` */
export function conntrackMatch(field: string, values: readonly string[], not: boolean): Match {
  const [first = ''] = values;
  const isOne = values.length === 1;
  switch (field) {
    case 'state':
      return namesMatch('state', values, not);
    case 'status':
      return isOne && first === 'dnat' ? namesMatch('state', values, not) : unknown;
    case 'mark':
      return isOne && Number(first) >= 0 ? { kind: 'mark', mark: Number(first), not } : unknown;
    case 'helper':
      return first === 'ftp' && !not ? { kind: 'helper' } : unknown;
    default:
      return unknown;
  }
}

/** Of a set that is named elsewhere, a variable, a range or a mask nothing is known. */
function namesMatch(kind: 'protocol' | 'state', names: readonly string[], not: boolean): Match {
  const isKnown = names.every((name) => /^(?:[a-z][a-z0-9-]*|[0-9]+)$/i.test(name));
  const isNumbered = kind === 'state' && names.some((name) => /^[0-9]/.test(name));
  return isKnown && !isNumbered ? { kind, names, not } : unknown;
}
