import type { Family } from '../../net/address.ts';
import type { PortRange } from '../../net/port-range.ts';
import {
  baseChains,
  matches,
  type Chain,
  type Firewall,
  type Openness,
  type Packet,
  type FirewallRule,
  type Table,
  type Passage,
} from './firewall.ts';
import { allPorts, complement, overlap } from './ports.ts';

/**
 * What rules do with packets, for all ports at once: a chain is gone through once for a way, not once for a port, so
 * that the time grows with the number of rules alone.
 */

/** `pass`: the chain has decided nothing. */
type Outcome = Openness | 'pass';

/** What is the same for the ports from `first` to the next stretch. */
interface Stretch<T> {
  readonly first: number;
  readonly outcome: T;
}

/** A part of a range for which it is the same. */
interface Part {
  readonly range: PortRange;
  readonly openness: Openness;
}

/** Whether the packet gets past every chain of its hook. */
export function opennessFor(firewall: Firewall, packet: Packet): Openness {
  return together(firewall, packet, packet.port);
}

/** The chain that keeps the packet out. */
export function closingChain(firewall: Firewall, packet: Packet): { table: Table; chain: Chain } | undefined {
  return sweptChains(firewall, packet).find(({ stretches }) => at(stretches, packet.port) === 'closed');
}

/** The parts of a range, one after the other. */
export function opennessOfRange(firewall: Firewall, range: PortRange, way: Passage): Part[] {
  const firsts = sweptChains(firewall, way)
    .flatMap(({ stretches }) => stretches.map(({ first }) => first))
    .filter((first) => first > range.first && first <= range.last);
  const parts: Part[] = [{ range, openness: together(firewall, way, range.first) }];
  for (const first of inOrder(firsts)) {
    const openness = together(firewall, way, first);
    const last = parts.at(-1);
    if (last === undefined || openness === last.openness) continue;
    parts[parts.length - 1] = { ...last, range: { first: last.range.first, last: first - 1 } };
    parts.push({ range: { first, last: range.last }, openness });
  }
  return parts;
}

/** Those ports of the range that are certainly closed. */
export function closedPorts(firewall: Firewall, range: PortRange, way: Passage): PortRange[] {
  return opennessOfRange(firewall, range, way)
    .filter(({ openness }) => openness === 'closed')
    .map((part) => part.range);
}

/** Whether it certainly accepts every source on every port. */
export function letsAllIn(firewall: Firewall): boolean {
  return sweptChains(firewall, { hook: 'input', state: 'new' }).every(({ stretches }) =>
    stretches.every(({ outcome }) => outcome === 'open'),
  );
}

function together(firewall: Firewall, way: Passage, port: number): Openness {
  const outcomes = sweptChains(firewall, way).map(({ stretches }) => at(stretches, port));
  if (outcomes.includes('closed')) return 'closed';
  return outcomes.includes('unknown') ? 'unknown' : 'open';
}

interface SweptChain {
  readonly table: Table;
  readonly chain: Chain;
  readonly stretches: readonly Stretch<Openness>[];
}

/** The same few ways are asked about again and again. */
const swept = new WeakMap<Firewall, Map<string, readonly SweptChain[]>>();

function sweptChains(firewall: Firewall, { hook, state, isForwarded, mark }: Passage): readonly SweptChain[] {
  const ofFirewall = swept.get(firewall) ?? new Map<string, readonly SweptChain[]>();
  swept.set(firewall, ofFirewall);
  const key = [hook, state, isForwarded, mark].join(' ');
  const way: Passage = {
    hook,
    state,
    ...(isForwarded && { isForwarded }),
    ...(mark !== undefined && { mark }),
  };
  const chains = ofFirewall.get(key) ?? sweepHook(firewall, way);
  ofFirewall.set(key, chains);
  return chains;
}

function sweepHook(firewall: Firewall, way: Passage): SweptChain[] {
  return baseChains(firewall, way.hook).map(({ table, chain }) => {
    const walk: Walk = { table, family: firewall.family, way, known: new Map(), depth: 0 };
    const stretches = sweep(chain, walk).map(({ first, outcome }) => ({
      first,
      outcome: outcome === 'pass' ? 'unknown' : outcome,
    }));
    return { table, chain, stretches };
  });
}

interface Walk {
  readonly table: Table;
  readonly family: Family;
  readonly way: Passage;
  /** What chains do: none is gone through twice. One that is being gone through is `unknown`. */
  readonly known: Map<string, readonly Stretch<Outcome>[]>;
  readonly depth: number;
}

/** Jumps in jumps; nftables allows 16. */
const deepest = 200;

/** What a rule does with the packets of its ports, where it holds. */
interface Effect {
  readonly ports: readonly PortRange[];
  readonly isCertain: boolean;
  readonly does: readonly Stretch<Outcome | 'continue'>[];
}

/**
 * What a chain does with each port. A rule of which it is not known whether it holds leaves the outcome known only
 * where it would be the same either way.
 */
function sweep(chain: Chain, walk: Walk): Stretch<Outcome>[] {
  const byPolicy: Outcome = chain.base === undefined ? 'pass' : chain.policy === 'accept' ? 'open' : 'closed';
  const effects = effectsOf(chain.rules, walk);
  const decisions = new Decisions(startsOf(effects));
  for (const { ports, isCertain, does } of effects) {
    for (const range of ports) {
      for (const { outcome, part } of outcomesWithin(does, range)) {
        if (outcome === 'continue') continue;
        decisions.add(part, outcome === 'pass' ? byPolicy : outcome, isCertain);
      }
    }
  }
  decisions.add(allPorts, byPolicy, true);
  return decisions.stretches();
}

function effectsOf(rules: readonly FirewallRule[], walk: Walk): Effect[] {
  const effects: Effect[] = [];
  // The same once more changes nothing.
  const seen = { certain: new Set<Effect['does']>(), possible: new Set<Effect['does']>() };
  for (const rule of rules) {
    const answer = matches(rule, walk.family, walk.way);
    if (answer === 'no') continue;
    const isCertain = answer === 'yes';
    const does = effectOf(rule, walk);
    if (does === undefined) continue;
    const ports = openPorts(rule);
    if (ports === undefined) {
      const before = isCertain ? seen.certain : seen.possible;
      if (before.has(does)) continue;
      before.add(does);
    }
    effects.push({ ports: ports ?? everyPort, isCertain, does });
  }
  return effects;
}

const everyPort: readonly PortRange[] = [allPorts];

/** The ports to which the rule is limited; undefined: it holds for all. */
export function openPorts({ matches: all }: FirewallRule): readonly PortRange[] | undefined {
  let ports: readonly PortRange[] | undefined;
  for (const match of all) {
    if (match.kind !== 'to-port') continue;
    const own = match.not ? complement(match.ports) : match.ports;
    ports = ports?.flatMap((one) => own.flatMap((other) => overlap(one, other) ?? [])) ?? own;
  }
  return ports;
}

const everywhere = (outcome: Outcome): readonly Stretch<Outcome>[] => [{ first: allPorts.first, outcome }];
const verdicts = {
  accept: everywhere('open'),
  drop: everywhere('closed'),
  return: everywhere('pass'),
  unknown: everywhere('unknown'),
};

/** Undefined: the next rule decides. */
function effectOf({ action }: FirewallRule, walk: Walk): Effect['does'] | undefined {
  switch (action.kind) {
    case 'accept':
    case 'drop':
    case 'return':
    case 'unknown':
      return verdicts[action.kind];
    case 'continue':
    case 'helper':
    case 'dnat':
    case 'missing':
      return undefined;
    case 'goto':
      return called(action.chain, walk);
    case 'jump':
      return goingOn(called(action.chain, walk));
  }
}

function called(name: string, walk: Walk): readonly Stretch<Outcome>[] {
  const { table, known, depth } = walk;
  const chain = table.chains.get(name);
  if (chain === undefined || depth === deepest) return verdicts.unknown;
  const before = known.get(name);
  if (before) return before;
  known.set(name, verdicts.unknown);
  const stretches = sweep(chain, { ...walk, depth: depth + 1 });
  known.set(name, stretches);
  return stretches;
}

const returning = new WeakMap<readonly Stretch<Outcome>[], Effect['does']>();

/** If the called chain decides nothing, the calling chain continues. */
function goingOn(stretches: readonly Stretch<Outcome>[]): Effect['does'] {
  const does =
    returning.get(stretches) ??
    stretches.map(({ first, outcome }) => ({ first, outcome: outcome === 'pass' ? 'continue' : outcome }));
  returning.set(stretches, does);
  return does;
}

/** Ports from which on the chain may decide otherwise than for the port before. */
function startsOf(effects: readonly Effect[]): number[] {
  const starts = new Set<number>([allPorts.first]);
  for (const does of new Set(effects.map((effect) => effect.does)))
    for (const { first } of does) starts.add(first);
  for (const ports of new Set(effects.map((effect) => effect.ports)))
    for (const { first, last } of ports) starts.add(first).add(last + 1);
  starts.delete(allPorts.last + 1);
  return inOrder(starts);
}

function inOrder(numbers: Iterable<number>): number[] {
  return [...new Set(numbers)].sort((a, b) => a - b);
}

/** The stretches that a range meets. */
function outcomesWithin<T>(
  stretches: readonly Stretch<T>[],
  range: PortRange,
): { outcome: T; part: PortRange }[] {
  const found: { outcome: T; part: PortRange }[] = [];
  for (let index = indexAt(stretches.length, (i) => stretches[i]?.first, range.first); ; index++) {
    const stretch = stretches[index];
    if (stretch === undefined || stretch.first > range.last) return found;
    const last = Math.min(range.last, (stretches[index + 1]?.first ?? allPorts.last + 1) - 1);
    found.push({ outcome: stretch.outcome, part: { first: Math.max(range.first, stretch.first), last } });
  }
}

function at<T>(stretches: readonly Stretch<T>[], port: number): T | undefined {
  return stretches[indexAt(stretches.length, (index) => stretches[index]?.first, port)]?.outcome;
}

/** The last of the ascending starts that is not above the port. */
function indexAt(length: number, startAt: (index: number) => number | undefined, port: number): number {
  let low = 0;
  for (let high = length - 1; low < high;) {
    const middle = (low + high + 1) >> 1;
    if ((startAt(middle) ?? 0) <= port) low = middle;
    else high = middle - 1;
  }
  return low;
}

const kinds = ['open', 'closed', 'unknown', 'pass'] as const satisfies Outcome[];

/** What may become of each stretch, until a rule that certainly holds has decided it. */
class Decisions {
  readonly #starts: readonly number[];
  /** A bit for each kind of outcome. */
  readonly #possible: Uint8Array;
  readonly #undecided: Remaining;
  /** Those to which a kind may still be added. */
  readonly #without: readonly Remaining[];

  constructor(starts: readonly number[]) {
    this.#starts = starts;
    this.#possible = new Uint8Array(starts.length);
    this.#undecided = new Remaining(starts.length);
    this.#without = kinds.map(() => new Remaining(starts.length));
  }

  /** The range begins and ends where stretches do. */
  add({ first, last }: PortRange, outcome: Outcome, isCertain: boolean): void {
    const kind = kinds.indexOf(outcome);
    const open = isCertain ? this.#undecided : this.#without[kind];
    if (open === undefined) return;
    const from = indexAt(this.#starts.length, (index) => this.#starts[index], first);
    for (let index = open.next(from); (this.#starts[index] ?? Infinity) <= last; index = open.next(index)) {
      if (this.#undecided.has(index)) this.#possible[index] = (this.#possible[index] ?? 0) | (1 << kind);
      open.remove(index);
    }
  }

  stretches(): Stretch<Outcome>[] {
    const found: Stretch<Outcome>[] = [];
    for (const [index, first] of this.#starts.entries()) {
      const possible = this.#possible[index] ?? 0;
      const outcome = kinds.find((_, kind) => possible === 1 << kind) ?? 'unknown';
      if (found.at(-1)?.outcome !== outcome) found.push({ first, outcome });
    }
    return found;
  }
}

/** Numbers from 0 on of which some are taken away: each costs nothing once it is gone. */
class Remaining {
  readonly #next: Int32Array;

  constructor(length: number) {
    this.#next = Int32Array.from({ length: length + 1 }, (_, index) => index);
  }

  has(index: number): boolean {
    return this.#next[index] === index;
  }

  /** The index of the first one left, from `index` on; the length if there is none. */
  next(index: number): number {
    let found = index;
    for (let next = this.#next[found]; next !== undefined && next !== found; next = this.#next[found]) {
      this.#next[found] = this.#next[next] ?? next;
      found = next;
    }
    return found;
  }

  remove(index: number): void {
    this.#next[index] = index + 1;
  }
}
