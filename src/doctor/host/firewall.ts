import { parseAddress, type Family } from '../../net/address.ts';
import { contains, parseCidr } from '../../net/cidr.ts';
import { portIn, type PortRange } from '../../net/port-range.ts';
import type { Placed } from './lines.ts';
import { overlap } from './ports.ts';

/** What a packet meets on its way, as netfilter names it. */
export type Hook = 'prerouting' | 'input' | 'forward' | 'output' | 'postrouting';

/** What iptables and nftables have in common, as far as it decides about FTP. */
export interface Firewall {
  readonly file: string;
  readonly syntax: 'iptables' | 'nftables';
  /** What its rules are asked about. */
  readonly family: Family;
  /** The program of iptables that has its rules, where it is not the usual one. */
  readonly program?: string;
  readonly tables: readonly Table[];
  /** Lines that were not understood: whatever they do, it is not known. */
  readonly unread: readonly Placed<string>[];
  /** All by which clients may come, where those of the host are known. */
  readonly interfaces?: readonly string[] | undefined;
}

export interface Table {
  readonly name: string;
  /** `ip`, `ip6`, `inet` */
  readonly family: string;
  readonly chains: ReadonlyMap<string, Chain>;
}

export interface Chain {
  readonly name: string;
  readonly line: number;
  /** No line makes it: rules are for it, and a file of them is refused. */
  readonly isUndeclared?: boolean;
  /** Undefined: only other chains lead here. */
  readonly base: { readonly hook: Hook; readonly isNat: boolean; readonly priority: number } | undefined;
  readonly policy: 'accept' | 'drop';
  readonly rules: readonly FirewallRule[];
}

export interface FirewallRule {
  readonly line: number;
  readonly matches: readonly Match[];
  readonly action: Action;
  /** The words that it was read from. */
  readonly words: readonly string[];
}

/** `unknown`: a match that this program does not know; then there is no finding about the rule's decision. */
export type Match =
  | { readonly kind: 'protocol'; readonly names: readonly string[]; readonly not: boolean }
  | { readonly kind: 'to-port' | 'from-port'; readonly ports: readonly PortRange[]; readonly not: boolean }
  | { readonly kind: 'state'; readonly names: readonly string[]; readonly not: boolean }
  | { readonly kind: 'opening'; readonly not: boolean }
  | {
      readonly kind: 'in-interface' | 'out-interface';
      /** `eth+` and `eth*` are all whose names begin so. */
      readonly names: readonly string[];
      readonly not: boolean;
    }
  | { readonly kind: 'family'; readonly family: Family }
  | { readonly kind: 'source' | 'destination'; readonly addresses: readonly string[]; readonly not: boolean }
  /** For an address of this host. */
  | { readonly kind: 'to-this-host'; readonly not: boolean }
  | { readonly kind: 'mark'; readonly mark: number; readonly not: boolean }
  | { readonly kind: 'helper' }
  | { readonly kind: 'unknown' };

/** It holds for no client's packet. */
export const never: Match = { kind: 'protocol', names: [], not: false };

export type Action =
  | { readonly kind: 'accept' | 'drop' | 'return' | 'continue' | 'unknown' }
  /** A `-j` without a target. */
  | { readonly kind: 'missing' }
  | { readonly kind: 'jump' | 'goto'; readonly chain: string }
  | {
      readonly kind: 'dnat';
      readonly address: string | undefined;
      /** What the port becomes, where it becomes another. */
      readonly ports?: PortRange | undefined;
    }
  /** The kernel's helper is given to the connection; nft refuses the name of an object that the file does not have. */
  | { readonly kind: 'helper'; readonly name: string; readonly missingObject?: string };

/** A packet of a TCP connection from a client that nobody knows. */
export interface Packet {
  readonly hook: Hook;
  /** Of the server. */
  readonly port: number;
  /** `new`: the first one; `related`: the first one, and a helper has announced the connection. */
  readonly state: 'new' | 'related' | 'established';
  /** From the server to the client. */
  readonly isReply?: boolean;
  /** Led on to another host by DNAT. */
  readonly isForwarded?: boolean;
  /** That host. */
  readonly to?: string | undefined;
  /** Of the connection. */
  readonly mark?: number;
  /** The interface on the client's side; undefined: any. */
  readonly from?: string | undefined;
}

/** A packet to whatever port. */
export type Passage = Omit<Packet, 'port'>;

type Answer = 'yes' | 'no' | 'unknown';

const helperHooks: Readonly<Record<Firewall['syntax'], ReadonlySet<Hook>>> = {
  iptables: new Set(['prerouting']),
  nftables: new Set(['prerouting', 'input', 'forward']),
};

/** The priority of translations at prerouting: what comes before them sees the port that clients connect to. */
export const translationPriority = -100;
/** Before this one there is no connection yet to which a helper could be given, other than by iptables' CT. */
const trackingPriority = -200;

export interface HelperRule extends PlacedRule {
  readonly isCertain: boolean;
}

/**
 * The rule that gives the kernel's helper for FTP to connections to this port; also where that is not certain.
 *
 * @param inside the port that a translation makes of it, which the chains behind the translation see
 */
export function helperRule(firewall: Firewall, port: number, inside: number = port): HelperRule | undefined {
  const { family, syntax } = firewall;
  for (const placed of helperRules(firewall)) {
    const { table, chain, rule } = placed;
    const seen = seesTranslated(chain, syntax) ? inside : port;
    const answer = matches(rule, family, { hook: 'prerouting', port: seen, state: 'new' });
    if (answer === 'no') continue;
    // A chain without references may be referenced by rules that could not be parsed.
    return { ...placed, isCertain: answer === 'yes' && hooksOf(table, chain).size > 0 };
  }
  return undefined;
}

/** The rules that give the helper to what comes to a server. */
function helperRules({ tables, syntax }: Firewall): PlacedRule[] {
  return rulesOf(tables).filter(({ table, chain, rule: { action } }) => {
    if (action.kind !== 'helper' || action.name !== 'ftp' || action.missingObject !== undefined) return false;
    if (syntax === 'nftables' && (chain.base?.priority ?? 0) <= trackingPriority) return false;
    // What this host itself connects to is not its server.
    const hooks = hooksOf(table, chain);
    return hooks.size === 0 || [...hooks].some((hook) => helperHooks[syntax].has(hook));
  });
}

/** Whether a chain comes after the translation of addresses and ports. */
export function seesTranslated({ base }: Chain, syntax: Firewall['syntax']): boolean {
  // CT stands in the table raw alone.
  if (syntax === 'iptables') return false;
  return base !== undefined && (base.hook !== 'prerouting' || base.priority > translationPriority);
}

export function isOfFamily(table: Table, family: Family): boolean {
  return table.family === 'inet' || table.family === (family === 4 ? 'ip' : 'ip6');
}

export interface PlacedRule {
  readonly table: Table;
  readonly chain: Chain;
  readonly rule: FirewallRule;
}

/** Every rule, with where it stands. */
export function rulesOf(tables: readonly Table[]): readonly PlacedRule[] {
  const known = rulesOfTables.get(tables);
  if (known) return known;
  const rules = tables.flatMap((table) =>
    [...table.chains.values()].flatMap((chain) => chain.rules.map((rule) => ({ table, chain, rule }))),
  );
  rulesOfTables.set(tables, rules);
  return rules;
}

/** Asked for by many checks. */
const rulesOfTables = new WeakMap<readonly Table[], readonly PlacedRule[]>();

/** The hooks from which a packet can come to a chain. */
export function hooksOf(table: Table, chain: Chain): ReadonlySet<Hook> {
  const hooks = hooksOfTables.get(table) ?? spreadHooks(table);
  hooksOfTables.set(table, hooks);
  return hooks.get(chain) ?? new Set();
}

/** Asked for each rule. */
const hooksOfTables = new WeakMap<Table, ReadonlyMap<Chain, ReadonlySet<Hook>>>();

function spreadHooks({ chains }: Table): ReadonlyMap<Chain, ReadonlySet<Hook>> {
  const called = new Map([...chains.values()].map((chain) => [chain, calledBy(chain)]));
  const found = new Map<Chain, Set<Hook>>();
  for (const { base, name } of chains.values()) {
    if (!base) continue;
    const todo = [name];
    for (let next = todo.pop(); next !== undefined; next = todo.pop()) {
      const chain = chains.get(next);
      const hooks = chain && (found.get(chain) ?? new Set());
      if (!hooks || hooks.has(base.hook)) continue;
      found.set(chain, hooks.add(base.hook));
      for (const one of called.get(chain) ?? []) todo.push(one);
    }
  }
  return found;
}

function calledBy({ rules }: Chain): Set<string> {
  const names = new Set<string>();
  for (const { action } of rules)
    if (action.kind === 'jump' || action.kind === 'goto') names.add(action.chain);
  return names;
}

/** Whether a rule at the hook accepts this port by its number, at least from some sources. */
export function namesPort({ tables }: Firewall, hook: Hook, port: number): boolean {
  return rulesOf(tables).some(
    ({ table, chain, rule }) =>
      rule.action.kind === 'accept' &&
      portIn(portsOf(rule, 'to-port') ?? [], port) &&
      hooksOf(table, chain).has(hook),
  );
}

/** The ports of the rule, where it is for certain ones. */
export function portsOf(
  { matches: all }: FirewallRule,
  kind: 'to-port' | 'from-port',
): readonly PortRange[] | undefined {
  for (const match of all) if (match.kind === kind && 'ports' in match && !match.not) return match.ports;
  return undefined;
}

/** Whose new connections to its ports a rule is for; `most`: those on an interface, or of all addresses but some. */
export function reachOf(rule: FirewallRule, family: Family, way: Passage): 'all' | 'most' | 'few' {
  if (matches(rule, family, way) === 'yes') return 'all';
  const others = rule.matches.filter((match) => !isLimit(match));
  return matches({ ...rule, matches: others }, family, way) === 'yes' ? 'most' : 'few';
}

/** For certain addresses or interfaces that clients come to: which of this host's that is does not matter. */
export function isPlace(match: Match): boolean {
  if (match.kind === 'destination') return !match.not;
  return match.kind === 'in-interface' && !match.not && match.names.every(isInterfaceName);
}

function isLimit(match: Match): boolean {
  return (
    (match.kind === 'in-interface' && match.names.join() !== 'lo') || (match.kind === 'source' && match.not)
  );
}

/**
 * Whether the rule holds for a packet; without a port of it, whether it does for those of the rule's ports. Asked for
 * each rule, so it makes nothing.
 */
export function matches(
  { matches: all, action }: FirewallRule,
  family: Family,
  packet: Packet | Passage,
): Answer {
  let isCertain = true;
  let isBan = action.kind === 'drop';
  for (const match of all) {
    const answer = answerOf(match, family, packet);
    if (answer === 'no') return 'no';
    if (answer === 'yes') continue;
    isCertain = false;
    isBan &&=
      !('not' in match && match.not) &&
      (match.kind === 'source' || (match.kind === 'destination' && packet.hook === 'prerouting'));
  }
  // A single address that is kept out, as a ban is, is not the client that nobody knows.
  return isCertain ? 'yes' : isBan ? 'no' : 'unknown';
}

/** Ports that clients connect from. */
const clientPorts: PortRange = { first: 1024, last: 65535 };

function negatedIf(not: boolean, holds: boolean): Answer {
  return holds === not ? 'no' : 'yes';
}

const tcpNames: ReadonlySet<string> = new Set(['tcp', '6', 'all', '0']);

function answerOf(given: Match, family: Family, packet: Packet | Passage): Answer {
  const match = packet.isReply ? turned(given) : given;
  switch (match.kind) {
    case 'protocol':
      return negatedIf(
        match.not,
        match.names.some((name) => tcpNames.has(name)),
      );
    case 'to-port':
      return 'port' in packet ? negatedIf(match.not, portIn(match.ports, packet.port)) : 'yes';
    case 'from-port': {
      const parts = match.ports
        .map((range) => overlap(range, clientPorts))
        .filter((part) => part !== undefined);
      if (parts.length === 0) return negatedIf(match.not, false);
      const isAll = parts.some(({ first, last }) => first === clientPorts.first && last === clientPorts.last);
      return isAll ? negatedIf(match.not, true) : 'unknown';
    }
    case 'state': {
      const names = match.names.map((name) => name.toLowerCase());
      return negatedIf(
        match.not,
        names.includes(packet.state) || (packet.isForwarded === true && names.includes('dnat')),
      );
    }
    case 'opening':
      return negatedIf(match.not, packet.state !== 'established');
    case 'in-interface':
      if (packet.from !== undefined && match.names.every(isInterfaceName))
        return negatedIf(match.not, isAmong(match.names, packet.from));
      // Clients come from elsewhere.
      return match.names.every(isNoClients) ? negatedIf(match.not, false) : 'unknown';
    case 'out-interface':
      if (match.names.join() === 'lo') return negatedIf(match.not, false);
      return match.names.every(isOfContainers) && packet.to !== undefined
        ? negatedIf(match.not, true)
        : 'unknown';
    case 'to-this-host':
      return packet.hook === 'forward' ? negatedIf(match.not, false) : negatedIf(match.not, true);
    case 'family':
      return match.family === family ? 'yes' : 'no';
    case 'mark':
      return negatedIf(match.not, match.mark === packet.mark);
    case 'helper':
      return packet.state === 'related' ? 'yes' : 'no';
    case 'destination': {
      const to = parseAddress(packet.to ?? '');
      if (to === undefined || match.addresses.length === 0) return 'unknown';
      const networks = match.addresses.map(parseCidr);
      if (networks.includes(undefined)) return 'unknown';
      return negatedIf(
        match.not,
        networks.some((network) => network !== undefined && contains(network, to)),
      );
    }
    case 'source':
    case 'unknown':
      return 'unknown';
  }
}

/** A reply goes the other way: what is the destination of others is its source. */
function turned(match: Match): Match {
  switch (match.kind) {
    case 'to-port':
      return { ...match, kind: 'from-port' };
    case 'from-port':
      return { ...match, kind: 'to-port' };
    case 'source':
      return { ...match, kind: 'destination' };
    case 'destination':
      return { ...match, kind: 'source' };
    case 'in-interface':
      return { ...match, kind: 'out-interface' };
    case 'out-interface':
      return { ...match, kind: 'in-interface' };
    default:
      return match;
  }
}

/** No client comes by it. */
export function isNoClients(name: string): boolean {
  return name === 'lo' || isOfContainers(name);
}

/** Whether it says which it is: not a set, a variable or a number. */
export function isInterfaceName(name: string): boolean {
  return !/^(?:[@$]|\d+$|$)/.test(name);
}

/** What all names of such a form begin with; undefined: it is one name. */
export function interfacePrefix(name: string): string | undefined {
  return /[+*]$/.test(name) ? name.slice(0, -1) : undefined;
}

function isAmong(names: readonly string[], own: string): boolean {
  for (const name of names) {
    const prefix = interfacePrefix(name);
    if (prefix === undefined ? name === own : own.startsWith(prefix)) return true;
  }
  return false;
}

/** A bridge of containers, by the names that Docker and Podman give: a server in one is reached through it. */
function isOfContainers(name: string): boolean {
  return /^(?:docker\d+|br-[0-9a-f]{12}|podman\d+|cni-podman\d+)$/.test(name);
}
