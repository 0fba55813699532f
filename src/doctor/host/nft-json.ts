import { never, type Action, type Chain, type FirewallRule, type Match, type Table } from './firewall.ts';
import { readNftRule } from './nft-rule.ts';
import { tokensOf } from './nft-tokens.ts';
import {
  actionNamed,
  conntrackMatch,
  headerMatches,
  hookNamed,
  metaMatch,
  namesNothing,
  portsMatch,
  unknown,
  type Named,
} from './nft-words.ts';
import { readAllPorts, readDestination, readPorts } from './ports.ts';

/** What `nft -j list ruleset` prints: a list of objects, each with its kind as its only key (libnftables-json(5)). */
type Json = unknown;

interface Draft {
  readonly name: string;
  readonly family: string;
  readonly isDormant: boolean;
  readonly chains: Map<string, Chain & { readonly rules: FirewallRule[] }>;
  readonly named: Named;
}

/**
 * The tables in what `nft -j list ruleset` prints; undefined where it is not that.
 *
 * @param text the same as `nft -a list ruleset` prints it: where each rule stands, and its words
 */
export function readNftJson(json: string, text: string): Table[] | undefined {
  const objects = objectsIn(json);
  if (objects === undefined) return undefined;
  const places = placesIn(text);
  const drafts = new Map<string, Draft>();
  const draftOf = (object: Json): Draft | undefined =>
    drafts.get(`${word(object, 'family')} ${word(object, 'table')}`);
  for (const [kind, object] of objects) if (kind === 'table') addTable(drafts, object);
  for (const [kind, object] of objects) {
    const draft = draftOf(object);
    const name = word(object, 'name');
    if (kind === 'chain')
      draft?.chains.set(name, chainOf(object, places.get(keyOf(object, name))?.line ?? 0));
    if (kind === 'set') draft?.named.sets.set(name, readAllPorts(listOf(at(object, 'elem')).map(textOf)));
    if (kind === 'ct helper') draft?.named.helpers.set(name, word(object, 'type'));
  }
  for (const [kind, object] of objects) {
    const draft = draftOf(object);
    if (kind !== 'rule' || draft === undefined) continue;
    const place = places.get(keyOf(object, `${word(object, 'chain')} ${word(object, 'handle')}`));
    const rules = draft.chains.get(word(object, 'chain'))?.rules;
    for (const rule of rulesOf(listOf(at(object, 'expr')), place, draft.named)) rules?.push(rule);
  }
  return [...drafts.values()].filter(({ isDormant }) => !isDormant);
}

function objectsIn(json: string): [string, Json][] | undefined {
  try {
    const list = at(JSON.parse(json) as Json, 'nftables');
    return Array.isArray(list)
      ? list.flatMap((one: Json) => Object.entries(one as object).slice(0, 1))
      : undefined;
  } catch {
    return undefined;
  }
}

function addTable(drafts: Map<string, Draft>, object: Json): void {
  const [family, name] = [word(object, 'family'), word(object, 'name')];
  const isDormant = listOf(at(object, 'flags')).includes('dormant');
  drafts.set(`${family} ${name}`, { name, family, isDormant, chains: new Map(), named: namesNothing() });
}

function chainOf(object: Json, line: number): Chain & { readonly rules: FirewallRule[] } {
  const hook = hookNamed(word(object, 'hook'));
  const isNat = word(object, 'type') === 'nat';
  const base = hook && { hook, isNat, priority: Number(at(object, 'prio')) };
  return {
    name: word(object, 'name'),
    line,
    base,
    policy: word(object, 'policy') === 'drop' ? 'drop' : 'accept',
    rules: [],
  };
}

interface Place {
  readonly line: number;
  readonly text: string;
}

function keyOf(object: Json, name: string): string {
  return `${word(object, 'family')} ${word(object, 'table')} ${name}`;
}

/** Each chain by its name, each rule by the handle that `nft -a` shows behind it. */
function placesIn(text: string): Map<string, Place> {
  const places = new Map<string, Place>();
  let [table, chain] = ['', ''];
  for (const [index, line] of text.split('\n').entries()) {
    const place = { line: index + 1, text: line.trim() };
    const [, kind, name] = /^\s*(table|chain) (\S+(?: \S+)?) \{/.exec(line) ?? [];
    if (kind === 'table') table = name ?? '';
    if (kind === 'chain') places.set(`${table} ${(chain = name ?? '')}`, place);
    const [, handle] = /# handle (\d+)$/.exec(line) ?? [];
    if (kind === undefined && handle !== undefined) places.set(`${table} ${chain} ${handle}`, place);
  }
  return places;
}

function rulesOf(statements: readonly Json[], place: Place | undefined, named: Named): FirewallRule[] {
  const tokens = place ? tokensOf(place.text) : [];
  const words = place
    ? tokens.filter(({ kind }) => kind !== 'comment').map(({ text }) => text)
    : [JSON.stringify(statements)];
  const line = place?.line ?? 0;
  // What iptables alone knows is in the text, and not here.
  if (place && statements.some((statement) => kindOf(statement) === 'xt'))
    return readNftRule(tokens, named).map((rule) => ({ ...rule, line }));
  const matches: Match[] = [];
  let helper: Action | undefined;
  let isUnread = false;
  for (const statement of statements) {
    const kind = kindOf(statement);
    const body = at(statement, kind);
    if (kind === 'match') matches.push(...matchesOf(body, named));
    else if (kind === 'ct helper') helper = helperOf(body, named);
    else if (kind === 'vmap')
      return casesOf(body, named).map((one) => ({
        line,
        words,
        ...one,
        matches: [...matches, ...one.matches],
      }));
    else if (kind === 'limit' || kind === 'set') matches.push(...limitMatches(kind, body));
    else if (isPassing(kind)) continue;
    else {
      const action = actionOf(kind, body);
      if (action) return [{ line, words, matches, action }];
      matches.push(unknown);
      isUnread ||= !limits.has(kind);
    }
  }
  return [{ line, words, matches, action: helper ?? { kind: isUnread ? 'unknown' : 'continue' } }];
}

/** Statements that count, log and set, and decide nothing. */
function isPassing(kind: string): boolean {
  return ['counter', 'log', 'mangle', 'notrack', 'ct timeout', 'last'].includes(kind);
}

/** Statements that hold for some packets. */
const limits: ReadonlySet<string> = new Set(['quota', 'ct count', 'meter']);

/** `limit rate over 60/minute`, itself or for each element of a set: a client that connects now and then is under it. */
function limitMatches(kind: 'limit' | 'set', body: Json): Match[] {
  const inner =
    kind === 'limit' ? [body] : listOf(at(body, 'stmt')).map((statement) => at(statement, 'limit'));
  if (inner.length === 0) return [];
  return [inner.some((limit) => at(limit, 'inv') === true) ? never : unknown];
}

function helperOf(body: Json, { helpers }: Named): Action {
  const name = String(body);
  return { kind: 'helper', name: helpers.get(name) ?? name };
}

function actionOf(kind: string, body: Json): Action | undefined {
  switch (kind) {
    case 'jump':
    case 'goto':
      return { kind, chain: word(body, 'target') };
    case 'dnat': {
      const [address, port] = [at(body, 'addr'), at(body, 'port')];
      const ports = port === undefined ? undefined : readPorts(textOf(port));
      return {
        kind: 'dnat',
        address: typeof address === 'string' ? readDestination(address).address : undefined,
        ports,
      };
    }
    default:
      return actionNamed(kind);
  }
}

function casesOf(body: Json, named: Named): Pick<FirewallRule, 'matches' | 'action'>[] {
  const pairs = at(body, 'data', 'set');
  if (!Array.isArray(pairs)) return [{ matches: [unknown], action: { kind: 'unknown' } }];
  return pairs.map((pair: Json) => {
    const [value, verdict] = listOf(pair);
    const matches = matchesOf({ op: '==', left: at(body, 'key'), right: value }, named);
    const kind = kindOf(verdict);
    return { matches, action: actionOf(kind, at(verdict, kind)) ?? { kind: 'unknown' } };
  });
}

function matchesOf(body: Json, named: Named): Match[] {
  const left = at(body, 'left');
  const right = at(body, 'right');
  const values = listOf(at(right, 'set') ?? right).map(textOf);
  const not = word(body, 'op') === '!=';
  const kind = kindOf(left);
  const key = word(at(left, kind), 'key');
  // `tcp dport > 1023`
  if (!['==', '!=', 'in'].includes(word(body, 'op'))) return [unknown];
  if (kind === 'payload')
    return payloadMatches(
      word(at(left, kind), 'protocol'),
      word(at(left, kind), 'field'),
      values,
      not,
      named,
    );
  // Of strangers that can't answer: `fib saddr . iif oif missing`
  if (kind === 'fib' && right === false && listOf(at(left, 'fib', 'flags')).includes('saddr')) return [never];
  if (kind === 'meta') return [metaMatch(key, values, not) ?? unknown];
  return [kind === 'ct' ? conntrackMatch(key, values, not) : unknown];
}

function payloadMatches(
  protocol: string,
  field: string,
  values: readonly string[],
  not: boolean,
  named: Named,
): Match[] {
  if (protocol === 'ip' || protocol === 'ip6') return headerMatches(protocol, field, values, not);
  const known: Match[] = protocol === 'th' ? [] : [{ kind: 'protocol', names: [protocol], not: false }];
  const isPort = ['tcp', 'th'].includes(protocol) && (field === 'dport' || field === 'sport');
  return [...known, isPort ? portsMatch(field, values, not, named) : unknown];
}

/** `21`, `40000-40010`, `10.0.0.0/8`, of what has a time limit its own value. */
function textOf(value: Json): string {
  const [range, prefix, element] = [at(value, 'range'), at(value, 'prefix'), at(value, 'elem', 'val')];
  if (Array.isArray(range)) return range.join('-');
  if (prefix !== undefined) return `${word(prefix, 'addr')}/${word(prefix, 'len')}`;
  if (element !== undefined) return textOf(element);
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '@';
}

function kindOf(object: Json): string {
  return typeof object === 'object' && object !== null ? (Object.keys(object)[0] ?? '') : '';
}

function at(value: Json, ...keys: readonly string[]): Json {
  return keys.reduce<Json>(
    (inner, key) =>
      typeof inner === 'object' && inner !== null ? (inner as Record<string, Json>)[key] : undefined,
    value,
  );
}

function word(object: Json, key: string): string {
  const value = at(object, key);
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}

function listOf(value: Json): readonly Json[] {
  return Array.isArray(value) ? (value as Json[]) : value === undefined ? [] : [value];
}
