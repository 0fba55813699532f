import type { Family } from '../../net/address.ts';
import { portIn, type PortRange } from '../../net/port-range.ts';
import { overlap } from './ports.ts';

/** What a packet meets on its way, as netfilter names it. */
export type Hook = 'prerouting' | 'input' | 'forward' | 'output' | 'postrouting';

/** What iptables and nftables have in common, as far as it decides about FTP. */
export interface Firewall {
  readonly file: string;
  readonly syntax: 'iptables' | 'nftables';
  /** What its rules are asked about. */
  readonly family: Family;
  readonly tables: readonly Table[];
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
  /** Undefined: only other chains lead here. */
  readonly base: { readonly hook: Hook; readonly isNat: boolean } | undefined;
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
  | { readonly kind: 'in-interface'; readonly name: string; readonly not: boolean }
  | { readonly kind: 'family'; readonly family: Family }
  | { readonly kind: 'source' | 'destination'; readonly not: boolean }
  | { readonly kind: 'mark'; readonly mark: number; readonly not: boolean }
  | { readonly kind: 'helper' }
  | { readonly kind: 'unknown' };

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
  /** The kernel's helper is given to the connection. */
  | { readonly kind: 'helper'; readonly name: string };

/** The first packet of a TCP connection from a client that nobody knows. */
export interface Packet {
  readonly hook: Hook;
  readonly port: number;
  /** `related`: a helper has announced the connection. */
  readonly state: 'new' | 'related';
  /** Led on to another host by DNAT. */
  readonly isForwarded?: boolean;
  /** Of the connection. */
  readonly mark?: number;
}

/** A packet to whatever port. */
export type Passage = Omit<Packet, 'port'>;

export type Openness = 'open' | 'closed' | 'unknown';
type Answer = 'yes' | 'no' | 'unknown';

const helperHooks: Readonly<Record<Firewall['syntax'], ReadonlySet<Hook>>> = {
  iptables: new Set(['prerouting']),
  nftables: new Set(['prerouting', 'input', 'forward']),
};

/** The rule that gives the kernel's helper for FTP to connections to this port; also where that is not certain. */
export function helperRule(
  { tables, family, syntax }: Firewall,
  port: number,
):
  | { readonly rule: FirewallRule; readonly table: Table; readonly chain: Chain; readonly isCertain: boolean }
  | undefined {
  for (const { table, chain, rule } of rulesOf(tables)) {
    if (rule.action.kind !== 'helper' || rule.action.name !== 'ftp') continue;
    const answer = matches(rule, family, { hook: 'prerouting', port, state: 'new' });
    if (answer === 'no') continue;
    // What this host itself connects to is not its server.
    const hooks = hooksOf(table, chain);
    const isServers = [...hooks].some((hook) => helperHooks[syntax].has(hook));
    // A chain without references may be referenced by rules that could not be parsed.
    if (isServers || hooks.size === 0)
      return { rule, table, chain, isCertain: answer === 'yes' && isServers };
  }
  return undefined;
}

/** The rule that certainly leads connections to this port to another host. */
export function forwardingRule(firewall: Firewall, port: number): Translation | undefined {
  return translationsOf(firewall, port).certain;
}

/** Whether connections to this port are, or may be, led to another host or port. */
export function mayBeForwarded(firewall: Firewall, port: number): boolean {
  return translationsOf(firewall, port).isPossible;
}

export type Translation = FirewallRule & { readonly to: string; readonly toPorts: PortRange | undefined };

interface Translations {
  certain: Translation | undefined;
  isPossible: boolean;
}

/** What the translating chains do with new connections to a port, as far as that is certain. */
function translationsOf(firewall: Firewall, port: number): Translations {
  const ofFirewall = translations.get(firewall) ?? new Map<number, Translations>();
  translations.set(firewall, ofFirewall);
  const found = ofFirewall.get(port) ?? findTranslations(firewall, port);
  ofFirewall.set(port, found);
  return found;
}

/** The same few ports are asked about again and again. */
const translations = new WeakMap<Firewall, Map<number, Translations>>();

function findTranslations({ tables, family }: Firewall, port: number): Translations {
  const found: Translations = { certain: undefined, isPossible: false };
  const packet: Packet = { hook: 'prerouting', port, state: 'new' };
  for (const table of tables) {
    if (!isOfFamily(table, family)) continue;
    for (const chain of table.chains.values()) {
      if (chain.base?.hook !== 'prerouting' || !chain.base.isNat) continue;
      const way: Translating = { table, family, packet, found, known: new Map(), depth: 0 };
      translate(chain, way, { isCertain: true, isNamed: false });
    }
  }
  return found;
}

/** `isNamed`: a rule on the path is for this port, not for any. */
interface ChainPath {
  readonly isCertain: boolean;
  readonly isNamed: boolean;
}

/** Jumps in jumps; nftables allows 16. */
const deepest = 200;

interface Translating {
  readonly table: Table;
  readonly family: Family;
  readonly packet: Packet;
  readonly found: Translations;
  readonly known: Map<string, 'end' | 'maybe' | 'pass'>;
  readonly depth: number;
}

/** Walks through a chain that translates. `end`: no rule after the jump is reached; `maybe`: that is not certain. */
function translate(chain: Chain, way: Translating, path: ChainPath): 'end' | 'maybe' | 'pass' {
  let { isCertain } = path;
  let result: 'maybe' | 'pass' = 'pass';
  for (const rule of chain.rules) {
    const strict = matches(rule, way.family, way.packet);
    if (strict === 'no') continue;
    const { action } = rule;
    // Which of this host's addresses or interfaces a connection comes to does not matter.
    const answer = matches(
      { ...rule, matches: rule.matches.filter((m) => !isPlace(m)) },
      way.family,
      way.packet,
    );
    const isNamed = path.isNamed || rule.matches.some((match) => match.kind === 'to-port' && !match.not);
    const on: ChainPath = { isCertain: isCertain && answer === 'yes', isNamed };
    let outcome: 'end' | 'maybe' | 'pass';
    switch (action.kind) {
      case 'return':
        if (strict === 'yes') return result;
        isCertain = false;
        continue;
      case 'accept':
      case 'drop':
        outcome = 'end';
        break;
      case 'unknown':
        way.found.isPossible = true;
        outcome = 'maybe';
        break;
      case 'dnat':
        outcome = 'end';
        if (/^127\.|^::1$/.test(action.address ?? '')) break;
        way.found.isPossible = true;
        if (on.isCertain && on.isNamed && action.address !== undefined)
          way.found.certain ??= { ...rule, to: action.address, toPorts: action.ports };
        break;
      case 'jump':
      case 'goto':
        outcome = follow(action.chain, way, on);
        // After a `goto` this chain does not continue.
        if (action.kind === 'goto' && outcome === 'pass') {
          if (strict === 'yes') return result;
          isCertain = false;
        }
        break;
      default:
        continue;
    }
    if (outcome === 'pass') continue;
    if (outcome === 'end' && strict === 'yes') return result === 'pass' ? 'end' : result;
    isCertain = false;
    result = 'maybe';
  }
  return result;
}

function follow(name: string, way: Translating, path: ChainPath): 'end' | 'maybe' | 'pass' {
  const chain = way.table.chains.get(name);
  if (chain === undefined || way.depth === deepest) {
    // REDIRECT is such a one.
    way.found.isPossible = true;
    return 'maybe';
  }
  const key = `${path.isCertain} ${path.isNamed} ${name}`;
  const known = way.known.get(key);
  if (known !== undefined) return known;
  way.known.set(key, 'maybe');
  const outcome = translate(chain, { ...way, depth: way.depth + 1 }, path);
  way.known.set(key, outcome);
  return outcome;
}

function isPlace(match: Match): boolean {
  if (match.kind === 'destination') return !match.not;
  return match.kind === 'in-interface' && !match.not && match.name !== '';
}

function isOfFamily(table: Table, family: Family): boolean {
  return table.family === 'inet' || table.family === (family === 4 ? 'ip' : 'ip6');
}

interface PlacedRule {
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

function isLimit(match: Match): boolean {
  return (match.kind === 'in-interface' && match.name !== 'lo') || (match.kind === 'source' && match.not);
}

/** The chains that a packet at the hook goes through, but for those that translate. */
export function baseChains({ tables, family }: Firewall, hook: Hook): { table: Table; chain: Chain }[] {
  return tables
    .filter((table) => isOfFamily(table, family))
    .flatMap((table) => [...table.chains.values()].map((chain) => ({ table, chain })))
    .filter(({ chain: { base } }) => base?.hook === hook && !base.isNat);
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
    isBan &&= match.kind === 'source' && !match.not;
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

function answerOf(match: Match, family: Family, packet: Packet | Passage): Answer {
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
      return negatedIf(match.not, true);
    case 'in-interface':
      return match.name === 'lo' ? negatedIf(match.not, false) : 'unknown';
    case 'family':
      return match.family === family ? 'yes' : 'no';
    case 'mark':
      return negatedIf(match.not, match.mark === packet.mark);
    case 'helper':
      return packet.state === 'related' ? 'yes' : 'no';
    case 'source':
    case 'destination':
    case 'unknown':
      return 'unknown';
  }
}
