import { never, type Action, type Match, type FirewallRule } from './firewall.ts';
import type { Token } from './nft-tokens.ts';
import {
  actionNamed,
  conntrackMatch,
  headerMatches,
  metaMatch,
  portsMatch,
  unknown,
  type Named,
} from './nft-words.ts';
import { readDestination } from './ports.ts';

/** The words of a rule, and where the next one is. */
interface Words {
  readonly tokens: readonly Token[];
  at: number;
}

/** Statements that only count, log or comment, with the number of words after them. */
const logOptions: ReadonlySet<string> = new Set(
  'prefix level flags group snaplen queue-threshold'.split(' '),
);

/**
 * Reads one rule. A verdict map makes several of one, as the first that holds decides: `ct state vmap { established :
 * accept, invalid : drop }`.
 */
export function readNftRule(tokens: readonly Token[], named: Named): FirewallRule[] {
  const line = tokens[0]?.line ?? 0;
  const words: Words = { tokens: tokens.filter(({ kind }) => kind !== 'comment' && kind !== 'end'), at: 0 };
  const matches: Match[] = [];
  const rule = { line, words: words.tokens.map(({ text }) => text) };
  // `# xt_multiport` is how nft prints matches that only iptables knows; `# handle 7` has no meaning here.
  const [first, second, third] = rule.words;
  // Of strangers that can't answer, as firewalld drops them; and of IPv6 alone.
  if (first === 'fib' && second === 'saddr' && rule.words.includes('missing'))
    return [{ ...rule, matches: [never], action: { kind: 'drop' } }];
  // A client that connects now and then is under every limit.
  if (/ limit rate over /.test(` ${rule.words.join(' ')}`))
    return [{ ...rule, matches: [never], action: { kind: 'continue' } }];
  if (first === 'meta' && second === 'nfproto' && third === 'ipv6')
    return [{ ...rule, matches: [{ kind: 'family', family: 6 }, unknown], action: { kind: 'unknown' } }];
  const isCommented = tokens.some(({ kind, text }) => kind === 'comment' && !/^#\s*handle\b/.test(text));
  if (isCommented || hasUnreadLookup(words.tokens))
    return [{ ...rule, matches: [unknown], action: { kind: 'unknown' } }];
  let helper: Action | undefined;
  let isUnread = false;
  while (words.at < words.tokens.length) {
    const before = words.at;
    const token = words.tokens[words.at++];
    if (token?.kind !== 'word') {
      matches.push(unknown);
      isUnread = true;
      continue;
    }
    const action = readVerdict(token.text, words);
    if (action) {
      const isForeign = token.text === 'xt';
      return [{ ...rule, matches: isForeign ? [...matches, unknown] : matches, action }];
    }
    const found = readStatement(token.text, words, named);
    if (found === undefined) {
      matches.push(unknown);
      isUnread = true;
    } else if ('helper' in found) helper = found.helper;
    else if ('cases' in found) {
      return found.cases.map(({ match, action }) => ({ ...rule, matches: [...matches, match], action }));
    } else matches.push(...found.matches);
    if (words.at <= before) words.at = before + 1;
  }
  // `meta mark set 1` decides nothing; of other words that are not known it is not known what they decide.
  const isSetting = words.tokens.some(({ kind, text }) => kind === 'word' && text === 'set');
  const kind = isUnread && !isSetting ? 'unknown' : 'continue';
  return [{ ...rule, matches, action: helper ?? { kind } }];
}

/**
 * Whether the rule looks up several things at once (`ip saddr . tcp dport`), or a verdict by something other than
 * the ports and states that are read here.
 */
function hasUnreadLookup(tokens: readonly Token[]): boolean {
  return tokens.some(({ kind, text }, index) => {
    if (kind !== 'word' || (text !== '.' && text !== 'vmap')) return false;
    const selector = [tokens[index - 2]?.text, tokens[index - 1]?.text].join(' ');
    return text === '.' || !readMaps.has(selector) || tokens[index + 1]?.text !== '{';
  });
}

const readMaps: ReadonlySet<string> = new Set(['tcp dport', 'tcp sport', 'ct state']);

type Statement =
  | { readonly matches: readonly Match[] }
  | { readonly helper: Action }
  | { readonly cases: readonly { readonly match: Match; readonly action: Action }[] };

function readVerdict(word: string, words: Words): Action | undefined {
  switch (word) {
    case 'jump':
    case 'goto':
      return { kind: word, chain: take(words) };
    case 'dnat': {
      if (['ip', 'ip6'].includes(peek(words))) take(words);
      if (peek(words) === 'to') take(words);
      // `dnat to :2121` has no address.
      return { kind: 'dnat', ...readDestination(take(words)) };
    }
    case 'xt':
      // `xt target CT`, which may give a helper, as nft shows what iptables has made.
      if (peek(words) !== 'target') return undefined;
      take(words);
      return take(words) === 'CT' ? { kind: 'helper', name: 'ftp' } : { kind: 'unknown' };
    default:
      return actionNamed(word);
  }
}

function readStatement(word: string, words: Words, named: Named): Statement | undefined {
  switch (word) {
    case 'counter':
      if (peek(words) === 'packets') words.at += 4;
      else if (peek(words) === 'name') words.at += 2;
      return { matches: [] };
    case 'log':
      while (logOptions.has(peek(words))) words.at += 2;
      return { matches: [] };
    case 'comment':
      take(words);
      return { matches: [] };
    case 'notrack':
      return { matches: [] };
    case 'tcp':
    case 'th':
      return readTcp(word, words, named);
    case 'udp':
    case 'sctp':
    case 'dccp':
    case 'icmp':
    case 'icmpv6':
    case 'igmp':
    case 'esp':
    case 'ah':
    case 'vlan':
    case 'arp':
      return { matches: [{ kind: 'protocol', names: [word], not: false }, unknown] };
    case 'iif':
    case 'iifname':
    case 'oif':
    case 'oifname':
      return readMeta(word, words);
    case 'meta':
      return readMeta(take(words), words);
    case 'ip':
    case 'ip6':
      return readHeader(word, words);
    case 'ct':
      return readConntrack(words, named);
    default:
      return undefined;
  }
}

function readTcp(word: string, words: Words, named: Named): Statement | undefined {
  const field = peek(words);
  const protocol: Match = { kind: 'protocol', names: ['tcp'], not: false };
  const known: Match[] = word === 'tcp' ? [protocol] : [];
  if (field !== 'dport' && field !== 'sport') {
    return { matches: [...known, unknown] };
  }
  take(words);
  if (peek(words) === 'vmap') {
    take(words);
    return readCases(words, (texts) => portsMatch(field, texts, false, named));
  }
  const { values, not } = readValues(words);
  return { matches: [...known, portsMatch(field, values, not, named)] };
}

function readMeta(field: string, words: Words): Statement | undefined {
  const before = words.at;
  const { values, not } = readValues(words);
  const match = metaMatch(field, values, not);
  if (match === undefined) words.at = before;
  return match && { matches: [match] };
}

function readHeader(word: 'ip' | 'ip6', words: Words): Statement {
  const field = take(words);
  const isRead = ['saddr', 'daddr', 'protocol', 'nexthdr'].includes(field);
  const { values, not } = isRead ? readValues(words) : { values: [], not: false };
  return { matches: headerMatches(word, field, values, not) };
}

function readConntrack(words: Words, { helpers }: Named): Statement | undefined {
  const field = take(words);
  if (!['state', 'status', 'mark', 'helper'].includes(field)) return undefined;
  if (field === 'helper' && peek(words) === 'set') {
    take(words);
    const object = take(words);
    const name = helpers.get(object);
    const missing = name === undefined && !object.startsWith('$') ? { missingObject: object } : {};
    return { helper: { kind: 'helper', name: name ?? object, ...missing } };
  }
  if (field === 'mark' && peek(words) === 'set') {
    words.at += 2;
    return { matches: [] };
  }
  if (field === 'state' && peek(words) === 'vmap') {
    take(words);
    return readCases(words, (names) => conntrackMatch(field, names, false));
  }
  const { values, not } = readValues(words);
  return { matches: [conntrackMatch(field, values, not)] };
}

/** `21`, `!= 21`, `established,related` or `{ 21, 22 }` */
function readValues(words: Words): { values: string[]; not: boolean } {
  const not = peek(words) === '!=';
  if (not || peek(words) === '==') take(words);
  const values: string[] = [];
  if (peek(words) === '{') {
    for (take(words); words.at < words.tokens.length && peek(words) !== '}';) {
      const word = take(words);
      if (word !== ',') values.push(word);
    }
    take(words);
    return { values, not };
  }
  values.push(take(words));
  while (peek(words) === ',') {
    take(words);
    values.push(take(words));
  }
  return { values, not };
}

/** `{ established : accept, invalid : drop, 21 : jump ftp }`; of a map that is named elsewhere nothing is known. */
function readCases(words: Words, matchOf: (values: string[]) => Match): Statement {
  if (take(words) !== '{') return { cases: [{ match: unknown, action: { kind: 'unknown' } }] };
  const cases: { match: Match; action: Action }[] = [];
  while (words.at < words.tokens.length && peek(words) !== '}') {
    const key = take(words);
    if (key === ',') continue;
    if (peek(words) === ':') take(words);
    const action = readVerdict(take(words), words) ?? { kind: 'unknown' };
    cases.push({ match: matchOf([key.replace(/:$/, '')]), action });
  }
  take(words);
  return { cases };
}

function peek({ tokens, at }: Words): string {
  return tokens[at]?.text ?? '';
}

function take(words: Words): string {
  return words.tokens[words.at++]?.text ?? '';
}
