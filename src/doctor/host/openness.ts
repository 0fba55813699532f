import type { PortRange } from '../../net/port-range.ts';
import {
  isOfFamily,
  portsOf,
  translationPriority,
  type Chain,
  type Firewall,
  type FirewallRule,
  type Hook,
  type Packet,
  type Passage,
  type Table,
} from './firewall.ts';
import { interfacesOf } from './interfaces.ts';
import { isPlace, matches } from './matching.ts';
import { allPorts, complement, overlap } from './ports.ts';

/**
 * What rules do with a connection, in three values. One walker goes through the chains for one port; of a range it is
 * asked about the first port and those at which a rule begins or ends.
 */

export type Openness = 'open' | 'closed' | 'unknown';

/** What becomes of a packet, and what decides that. */
export type Verdict =
  | { readonly kind: 'open' }
  | { readonly kind: 'closed'; readonly table: Table; readonly chain: Chain }
  | { readonly kind: 'unknown'; readonly why: Reason };

/** The line because of which it is not known. */
interface Reason {
  readonly line: number;
  readonly text: string;
}

/** A part of a range for which the answer is the same. */
export interface Part<T> {
  readonly range: PortRange;
  readonly answer: T;
}

/** What the chains of a hook do with a packet. */
export function verdictFor(firewall: Firewall, { port, ...way }: Packet): Verdict {
  return verdictsFor(firewall, { first: port, last: port }, way)[0]?.answer ?? tooMany;
}

/** The same for a range, in parts one after the other. */
export function verdictsFor(firewall: Firewall, range: PortRange, way: Passage): readonly Part<Verdict>[] {
  return remembered(verdicts, firewall, [range.first, range.last, ...keyOf(way)].join(), () => {
    const walks = walksOf(firewall, way, range, false);
    return partsOf(walks, range, tooMany, (port) => {
      const verdict = together(firewall, walks, port);
      return verdict.kind === 'unknown' ? (byInterface(firewall, walks, port) ?? verdict) : verdict;
    });
  });
}

export function opennessFor(firewall: Firewall, packet: Packet): Openness {
  return verdictFor(firewall, packet).kind;
}

/** The chain that keeps the packet out. */
export function closingChain(firewall: Firewall, packet: Packet): { table: Table; chain: Chain } | undefined {
  const verdict = verdictFor(firewall, packet);
  return verdict.kind === 'closed' ? verdict : undefined;
}

/** Those ports of the range that are certainly closed. */
export function closedPorts(firewall: Firewall, range: PortRange, way: Passage): PortRange[] {
  return verdictsFor(firewall, range, way)
    .filter(({ answer }) => answer.kind === 'closed')
    .map((part) => part.range);
}

/** Whether it certainly accepts every source on every port. */
export function letsAllIn(firewall: Firewall): boolean {
  return verdictsFor(firewall, allPorts, { hook: 'input', state: 'new' }).every(
    ({ answer }) => answer.kind === 'open',
  );
}

/** A translation of a port that leads to another host. */
export type Translation = FirewallRule & { readonly to: string; readonly toPorts: PortRange | undefined };

/** Whether it leads to the port numbers that clients connect to. */
export function keepsPorts({ toPorts, ...rule }: Translation): boolean {
  const from = portsOf(rule, 'to-port');
  return (
    toPorts === undefined ||
    from?.some(({ first, last }) => first === toPorts.first && last === toPorts.last) === true
  );
}

export interface Translations {
  /** Where connections certainly go. */
  readonly certain: Translation | undefined;
  /** Whether some rule leads them, or may lead them, to another host or port. */
  readonly isPossible: boolean;
}

/** What the translating chains do with connections to a range of ports. */
export function translationsFor(firewall: Firewall, range: PortRange): readonly Part<Translations>[] {
  return remembered(translations, firewall, [range.first, range.last].join(), () => {
    const walks = walksOf(firewall, { hook: 'prerouting', state: 'new' }, range, true);
    return partsOf(walks, range, { certain: undefined, isPossible: true }, (port) => {
      const outcomes = walks.flatMap((walk) => walkAt(walk, port));
      const isLed = ({ kind }: Outcome): boolean => kind === 'led' || kind === 'unknown';
      const led = outcomes.find((outcome) => isSureToLead(outcome))?.rule;
      const certain =
        led?.action.kind === 'dnat' && led.action.address !== undefined
          ? { ...led, to: led.action.address, toPorts: led.action.ports }
          : undefined;
      return { certain, isPossible: firewall.unread.length > 0 || outcomes.some(isLed) };
    });
  });
}

/** The rule that certainly leads connections to this port to another host. */
export function forwardingRule(firewall: Firewall, port: number): Translation | undefined {
  return translationsFor(firewall, { first: port, last: port })[0]?.answer.certain;
}

/** Whether connections to this port are, or may be, led to another host or port. */
export function mayBeForwarded(firewall: Firewall, port: number): boolean {
  return translationsFor(firewall, { first: port, last: port })[0]?.answer.isPossible === true;
}

/** The same is asked again and again. */
const verdicts = new WeakMap<Firewall, Map<string, readonly Part<Verdict>[]>>();
const translations = new WeakMap<Firewall, Map<string, readonly Part<Translations>[]>>();

function remembered<T>(
  all: WeakMap<Firewall, Map<string, T>>,
  firewall: Firewall,
  key: string,
  find: () => T,
): T {
  const ofFirewall = all.get(firewall) ?? new Map<string, T>();
  all.set(firewall, ofFirewall);
  const found = ofFirewall.get(key) ?? find();
  ofFirewall.set(key, found);
  return found;
}

function keyOf({ hook, state, isReply, isForwarded, to, mark }: Passage): readonly unknown[] {
  return [hook, state, isReply, isForwarded, to, mark];
}

/** Ports at which the answer is looked for: more than there are in any rules for people. */
const mostPorts = 4096;

const tooMany: Verdict = { kind: 'unknown', why: { line: 0, text: `> ${mostPorts}` } };

function partsOf<T>(
  walks: readonly Walk[],
  range: PortRange,
  unclear: T,
  ask: (port: number) => T,
): Part<T>[] {
  const firsts = new Set([range.first, ...walks.flatMap((walk) => boundariesIn(walk))]);
  if (firsts.size > mostPorts) return [{ range, answer: unclear }];
  const parts: Part<T>[] = [];
  for (const first of [...firsts].sort((a, b) => a - b)) {
    const answer = ask(first);
    const last = parts.at(-1);
    if (last && isSame(last.answer, answer)) continue;
    if (last) parts[parts.length - 1] = { ...last, range: { first: last.range.first, last: first - 1 } };
    parts.push({ range: { first, last: range.last }, answer });
  }
  return parts;
}

function isSame(one: unknown, other: unknown): boolean {
  const [a, b] = [one, other].map((answer) =>
    Object.values(answer as object).map((value: unknown) =>
      typeof value === 'object' && value !== null && 'line' in value ? value.line : value,
    ),
  );
  return a?.length === b?.length && a?.every((value, index) => value === b?.[index]) === true;
}

/** What is the same for every interface that a client may come by. */
function byInterface(firewall: Firewall, walks: readonly Walk[], port: number): Verdict | undefined {
  if (firewall.unread.length > 0) return undefined;
  let same: Verdict | undefined;
  for (const from of interfacesOf(firewall)) {
    const verdict = together(firewall, walks, port, from);
    if (verdict.kind === 'unknown' || (same && same.kind !== verdict.kind)) return undefined;
    same ??= verdict;
  }
  return same;
}

function together(firewall: Firewall, walks: readonly Walk[], port: number, from?: string): Verdict {
  const [unread] = firewall.unread;
  if (unread) return { kind: 'unknown', why: { line: unread.line, text: unread.value } };
  let doubt: FirewallRule | undefined;
  for (const walk of walks) {
    const outcomes = walkAt(walk, port, from);
    const [first] = outcomes;
    if (outcomes.length === 1 && first?.kind === 'closed') return { kind: 'closed', ...walk };
    if (outcomes.length === 1 && (first?.kind === 'open' || first?.kind === 'led')) continue;
    doubt ??= outcomes.find((outcome) => outcome.doubt)?.doubt ?? first?.rule;
  }
  if (doubt === undefined) return { kind: 'open' };
  return { kind: 'unknown', why: { line: doubt.line, text: doubt.words.join(' ') } };
}

/** `led`: to another host; `pass`: the chain has decided nothing. */
interface Outcome {
  readonly kind: 'open' | 'closed' | 'led' | 'unknown' | 'pass';
  readonly rule?: FirewallRule;
  /** The rule of which it is not known whether it holds. */
  readonly doubt?: FirewallRule | undefined;
  /** Of a translation: nothing is open but to which address or interface of this host the connection comes. */
  readonly isSure?: boolean;
  /** Of a translation: a rule on the way to it is for this port, not for any. */
  readonly isNamed?: boolean;
}

function isSureToLead({ kind, isSure, isNamed }: Outcome): boolean {
  return kind === 'led' && isSure === true && isNamed === true;
}

/** The way through a chain, with the rules in it that may hold for a port of the range. */
interface Walk {
  readonly firewall: Firewall;
  readonly table: Table;
  readonly chain: Chain;
  readonly way: Passage;
  readonly range: PortRange;
  readonly rules: Map<Chain, readonly FirewallRule[]>;
}

function walksOf(firewall: Firewall, way: Passage, range: PortRange, isNat: boolean): Walk[] {
  // What comes in passes the chains at prerouting too, before or after a translation.
  const isComing = !isNat && way.isReply !== true && (way.hook === 'input' || way.hook === 'forward');
  const hooks: readonly Hook[] = isComing ? ['prerouting', way.hook] : [way.hook];
  const isMet = ({ base }: Chain): boolean =>
    base !== undefined &&
    hooks.includes(base.hook) &&
    base.isNat === isNat &&
    // It would be another port there.
    !(way.isForwarded === true && base.hook === 'prerouting' && base.priority <= translationPriority);
  return firewall.tables
    .filter((table) => isOfFamily(table, firewall.family))
    .flatMap((table) =>
      [...table.chains.values()].filter(isMet).map((chain) => {
        const hook = chain.base?.hook ?? way.hook;
        const walk: Walk = { firewall, table, chain, way: { ...way, hook }, range, rules: new Map() };
        selectRules(walk, chain, 0);
        return walk;
      }),
    );
}

/** Jumps in jumps; nftables allows 16. */
const deepest = 200;

/** Leaves out what can't hold for the packets in question, and jumps to chains of which nothing is left. */
function selectRules(walk: Walk, chain: Chain, depth: number): readonly FirewallRule[] {
  const known = walk.rules.get(chain);
  if (known) return known;
  walk.rules.set(chain, chain.rules);
  const rules = chain.rules.filter((rule) => {
    const { kind } = rule.action;
    if (kind === 'continue' || kind === 'helper' || kind === 'missing') return false;
    if (matches(rule, walk.firewall.family, walk.way) === 'no' || portsIn(walk, rule)?.length === 0)
      return false;
    if (rule.action.kind !== 'jump' && rule.action.kind !== 'goto') return true;
    const called = walk.table.chains.get(rule.action.chain);
    if (called === undefined || depth === deepest) return true;
    return selectRules(walk, called, depth + 1).length > 0 || kind === 'goto';
  });
  walk.rules.set(chain, rules);
  return rules;
}

/** The ports of the range that a rule is limited to; undefined: it is for all. */
function portsIn({ way, range }: Walk, rule: FirewallRule): PortRange[] | undefined {
  return portLimits(rule, way.isReply ? 'from-port' : 'to-port')?.flatMap(
    (ports) => overlap(ports, range) ?? [],
  );
}

/** The ports to which the rule is limited; undefined: it holds for all. */
export function openPorts(rule: FirewallRule): readonly PortRange[] | undefined {
  return portLimits(rule, 'to-port');
}

function portLimits(
  { matches: all }: FirewallRule,
  kind: 'to-port' | 'from-port',
): readonly PortRange[] | undefined {
  let ports: readonly PortRange[] | undefined;
  for (const match of all) {
    if (match.kind !== kind || !('ports' in match)) continue;
    const own = match.not ? complement(match.ports) : match.ports;
    ports = ports?.flatMap((one) => own.flatMap((other) => overlap(one, other) ?? [])) ?? own;
  }
  return ports;
}

/** Where in the range some rule begins or ends. */
function boundariesIn(walk: Walk): number[] {
  const found = new Set<number>();
  for (const rules of walk.rules.values())
    for (const rule of rules)
      for (const { first, last } of portsIn(walk, rule) ?? []) found.add(first).add(last + 1);
  found.delete(walk.range.last + 1);
  return [...found];
}

function walkAt(walk: Walk, port: number, from?: string): readonly Outcome[] {
  const { policy } = walk.chain;
  const way: Way = { walk, packet: { ...walk.way, port, from }, known: new Map(), depth: 0 };
  const outcomes = walkChain(walk.chain, way);
  const byPolicy: Outcome = { kind: policy === 'accept' ? 'open' : 'closed' };
  return distinct(
    outcomes.map((outcome) => (outcome.kind === 'pass' ? { ...outcome, ...byPolicy } : outcome)),
  );
}

interface Way {
  readonly walk: Walk;
  readonly packet: Packet;
  readonly known: Map<Chain, readonly Outcome[]>;
  readonly depth: number;
}

/** All that the chain may do with the packet: one outcome where it is certain. */
function walkChain(chain: Chain, way: Way): readonly Outcome[] {
  const possible: Outcome[] = [];
  let isSure = true;
  for (const rule of way.walk.rules.get(chain) ?? []) {
    const answer = matches(rule, way.walk.firewall.family, way.packet);
    if (answer === 'no') continue;
    const isHeld = answer === 'yes' || isHeldHere(rule, way);
    const outcomes = outcomesOf(rule, way);
    const ended = rule.action.kind === 'jump' ? outcomes.filter(({ kind }) => kind !== 'pass') : outcomes;
    for (const outcome of ended)
      possible.push({
        ...outcome,
        rule: outcome.rule ?? rule,
        doubt: outcome.doubt ?? (answer === 'yes' ? undefined : rule),
        isSure: isSure && isHeld && outcome.isSure !== false,
        isNamed:
          outcome.isNamed === true || rule.matches.some((match) => match.kind === 'to-port' && !match.not),
      });
    if (answer === 'yes' && ended.length > 0 && ended.length === outcomes.length) return distinct(possible);
    if (ended.length > 0) isSure = false;
  }
  return distinct([...possible, { kind: 'pass' }]);
}

/** Which of this host's addresses or interfaces a connection comes to does not matter to a translation. */
function isHeldHere(rule: FirewallRule, { walk, packet }: Way): boolean {
  const others = { ...rule, matches: rule.matches.filter((match) => !isPlace(match)) };
  return matches(others, walk.firewall.family, packet) === 'yes';
}

function outcomesOf(rule: FirewallRule, way: Way): readonly Outcome[] {
  const { action } = rule;
  switch (action.kind) {
    case 'accept':
      return [{ kind: 'open' }];
    case 'drop':
      return [{ kind: 'closed' }];
    case 'return':
      return [{ kind: 'pass' }];
    case 'dnat':
      return [{ kind: /^127\.|^::1$/.test(action.address ?? '') ? 'open' : 'led' }];
    case 'jump':
    case 'goto': {
      const called = way.walk.table.chains.get(action.chain);
      // REDIRECT is such a one.
      if (called === undefined || way.depth === deepest) return [{ kind: 'unknown', rule, doubt: rule }];
      return callChain(called, { ...way, depth: way.depth + 1 }, rule);
    }
    default:
      return [{ kind: 'unknown', rule, doubt: rule }];
  }
}

/** None is gone through twice; of one that is being gone through nothing is known. */
function callChain(chain: Chain, way: Way, rule: FirewallRule): readonly Outcome[] {
  const known = way.known.get(chain);
  if (known) return known;
  way.known.set(chain, [{ kind: 'unknown', rule, doubt: rule }]);
  const outcomes = walkChain(chain, way);
  way.known.set(chain, outcomes);
  return outcomes;
}

/** One of each kind; a translation that is sure beside one that is not. */
function distinct(outcomes: readonly Outcome[]): Outcome[] {
  const found = new Map<string, Outcome>();
  for (const outcome of outcomes) {
    const key = `${outcome.kind} ${isSureToLead(outcome)}`;
    if (!found.has(key)) found.set(key, outcome);
  }
  return [...found.values()];
}
