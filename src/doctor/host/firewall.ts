import type { Family } from '../../net/address.ts';
import { portIn, type PortRange } from '../../net/port-range.ts';
import type { Placed } from './lines.ts';

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

/** The priority of translations at prerouting: what comes before them sees the port that clients connect to. */
export const translationPriority = -100;

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
