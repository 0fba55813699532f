import type { PortRange } from '../../net/port-range.ts';
import type { Chain, Firewall, Hook, Table } from './firewall.ts';
import type { Placed } from './lines.ts';
import { readNftJson } from './nft-json.ts';
import { readNftRule } from './nft-rule.ts';
import { tokensOf, withRanges, type Token } from './nft-tokens.ts';
import { withVariables } from './nft-variables.ts';
import { hookNamed, namesNothing, type Named } from './nft-words.ts';
import { readAllPorts } from './ports.ts';

interface Block {
  readonly head: readonly Token[];
  readonly statements: readonly (readonly Token[])[];
  readonly blocks: readonly Block[];
}

/** A table while it is put together: a file may have several parts of it. */
interface Draft {
  readonly name: string;
  readonly family: string;
  readonly named: Named;
  readonly chains: Map<string, ChainDraft>;
  isDormant: boolean;
}

interface ChainDraft extends Omit<Chain, 'rules' | 'isUndeclared'> {
  isUndeclared: boolean;
  base: Chain['base'];
  policy: Chain['policy'];
  readonly rules: (readonly Token[])[];
}

/**
 * Reads what `nft list ruleset` prints, or a file of nftables with tables or with lines `add rule ...`, as IPv4 meets it.
 *
 * @param besides the firewalls of which iptables-save has shown the tables: they are left out here, where nftables is
 *   behind iptables
 * @param json the same as `nft -j` prints it, which is read in place of the text where it is there
 */
export function readNftables(
  file: string,
  text: string,
  besides: readonly Firewall[] = [],
  json?: string,
): Firewall {
  const tokens = tokensOf(text).filter((token) => token.kind !== 'word' || !/^[\\']$/.test(token.text));
  // '# Warning: table ip filter is managed by iptables-nft, do not touch!'
  const managed = new Set(
    tokens
      .filter(({ kind, text: comment }) => kind === 'comment' && comment.includes('managed by iptables-nft'))
      .map(({ text: comment }) => /table (\S+ \S+)/.exec(comment)?.[1] ?? ''),
  );
  const unread: Placed<string>[] = [];
  const tables =
    (json === undefined ? undefined : readNftJson(json, text)) ??
    readText(withRanges(withVariables(tokens)), unread);
  const others = tables.filter(
    (table) =>
      besides.length === 0 || (!managed.has(`${table.family} ${table.name}`) && !isShown(table, besides)),
  );
  return { file, syntax: 'nftables', family: 4, tables: others, unread };
}

function readText(tokens: readonly Token[], unread: Placed<string>[]): Table[] {
  const { blocks, statements } = readBlock({ tokens, at: 0 }, []);
  const drafts = new Map<string, Draft>();
  const isUnread = (words: readonly Token[]): void => {
    unread.push({ value: words.map((word) => word.text).join(' '), line: words[0]?.line ?? 0 });
  };
  for (const block of blocks) readTopBlock(block, drafts, isUnread);
  for (const statement of statements) if (!readCommand(statement, drafts)) isUnread(statement);
  // Where a rule stands of which no line makes the chain is not known.
  for (const { chains } of drafts.values())
    for (const { isUndeclared, rules } of chains.values()) if (isUndeclared) rules.forEach(isUnread);
  return [...drafts.values()].filter(({ isDormant }) => !isDormant).map(finish);
}

/** Whether iptables-save has shown the same: older versions of nft do not say whose the table is. */
function isShown({ name, family, chains }: Table, besides: readonly Firewall[]): boolean {
  return besides.some(({ tables }) =>
    tables.some(
      (other) =>
        other.name === name &&
        other.family === family &&
        [...chains.values()].every(
          (chain) =>
            chain.rules.length === other.chains.get(chain.name)?.rules.length &&
            (chain.base === undefined || chain.name === chain.base.hook.toUpperCase()),
        ),
    ),
  );
}

function finish({ name, family, named, chains }: Draft): Table {
  const finished = [...chains.values()].map(({ isUndeclared, ...chain }) => ({
    ...chain,
    ...(isUndeclared && { isUndeclared }),
    // A map of verdicts may have more cases than a call may have arguments.
    rules: chain.rules.flatMap((rule) => readNftRule(rule, named)),
  }));
  return { name, family, chains: new Map(finished.map((chain) => [chain.name, chain])) };
}

function draftOf(drafts: Map<string, Draft>, family: string, name: string): Draft {
  const key = `${family} ${name}`;
  const draft = drafts.get(key) ?? {
    ...{ name, family, chains: new Map<string, ChainDraft>(), isDormant: false },
    named: namesNothing(),
  };
  drafts.set(key, draft);
  return draft;
}

function chainOf(draft: Draft, name: string, line: number): ChainDraft {
  const chain = draft.chains.get(name) ?? {
    ...{ name, line, base: undefined, policy: 'accept', rules: [] },
    isUndeclared: true,
  };
  draft.chains.set(name, chain);
  return chain;
}

const families: readonly string[] = ['ip', 'ip6', 'inet', 'arp', 'bridge', 'netdev'];

/** `inet filter input ...`: the family may be absent, and is `ip` then. */
function placeOf(words: readonly Token[]): { family: string; table: string; rest: readonly Token[] } {
  const [first, second] = words;
  return families.includes(first?.text ?? '')
    ? { family: first?.text ?? '', table: second?.text ?? '', rest: words.slice(2) }
    : { family: 'ip', table: first?.text ?? '', rest: words.slice(1) };
}

function readTopBlock(
  block: Block,
  drafts: Map<string, Draft>,
  isUnread: (words: readonly Token[]) => void,
): void {
  const [word, ...names] = block.head;
  if (word?.text === 'table') {
    const { family, table } = placeOf(names);
    readTable(block, draftOf(drafts, family, table), isUnread);
  } else if (word?.text === 'chain' && names.length === 1) {
    // A chain that somebody has shown without its table.
    readChain(block, chainOf(draftOf(drafts, 'inet', 'filter'), names[0]?.text ?? '', word.line));
  } else isUnread(block.head);
}

function readTable(
  { blocks, statements }: Block,
  draft: Draft,
  isUnread: (words: readonly Token[]) => void,
): void {
  readSets(blocks, draft.named.sets);
  readHelpers(blocks, draft.named.helpers);
  for (const block of blocks) {
    const [word, name] = block.head;
    if (word?.text === 'chain') readChain(block, chainOf(draft, name?.text ?? '', word.line));
  }
  for (const statement of statements) {
    const [first] = statement;
    if (first?.text === 'flags') draft.isDormant = statement.some(({ text }) => text === 'dormant');
    else if (first && first.kind !== 'comment' && first.text !== 'comment') isUnread(statement);
  }
}

function readChain({ statements }: Block, chain: ChainDraft): void {
  chain.isUndeclared = false;
  for (const statement of statements) {
    const texts = statement.map(({ text }) => text);
    const [first, second] = texts;
    if (first === 'type' && texts.includes('hook')) {
      const hook = hookNamed(texts[texts.indexOf('hook') + 1] ?? '');
      const priority = readPriority(texts.slice(texts.indexOf('priority') + 1), hook);
      chain.base = hook && { hook, isNat: second === 'nat', priority };
    } else if (first === 'policy') {
      chain.policy = second === 'drop' ? 'drop' : 'accept';
    } else if (first !== 'comment' && first !== 'flags' && statement[0]?.kind !== 'comment') {
      chain.rules.push(statement);
    }
  }
}

/** `-100`, `dstnat`, `filter + 10` */
function readPriority([name = '', sign = '', more = '']: readonly string[], hook: Hook | undefined): number {
  const names: Readonly<Record<string, number>> = {
    ...{
      raw: -300,
      mangle: hook === 'output' ? -200 : -150,
      dstnat: -100,
      filter: 0,
      security: 50,
      srcnat: 100,
    },
  };
  const base = names[name] ?? (Number(name) || 0);
  const offset = Number(more) || 0;
  return sign === '+' ? base + offset : sign === '-' ? base - offset : base;
}

/** What changes no rule that is there now, or is before the rules that come. */
const harmless: ReadonlySet<string> = new Set(['flush', 'list', 'reset', 'delete table', 'destroy table']);

/** `add rule inet filter input tcp dport 21 accept`; false where it is not understood. */
function readCommand(statement: readonly Token[], drafts: Map<string, Draft>): boolean {
  const start = statement.findIndex(({ text }) => !['nft', 'sudo', 'sh'].includes(text));
  const words = start === -1 ? [] : statement.slice(start);
  const [verb = '', object = ''] = words.map(({ text }) => text);
  if (words.every(({ kind }) => kind === 'comment')) return true;
  // A table that is there already may be named before it is deleted.
  if (verb === 'table' && words.length <= 3) return true;
  if (harmless.has(verb) || harmless.has(`${verb} ${object}`)) return true;
  if (!['add', 'create', 'insert'].includes(verb)) return false;
  const isHelper = object === 'ct' && words[2]?.text === 'helper';
  const { family, table, rest } = placeOf(words.slice(isHelper ? 3 : 2));
  const draft = draftOf(drafts, family, table);
  const [name, ...more] = rest;
  const inner = (): Block => readBlock({ tokens: more.slice(1, -1), at: 0 }, []);
  if (object === 'table') return rest.length === 0;
  if (name === undefined) return false;
  if (object === 'chain') {
    const chain = chainOf(draft, name.text, name.line);
    readChain(inner(), chain);
    return true;
  }
  if (object === 'rule') {
    const { rules } = chainOf(draft, name.text, name.line);
    const isPlaced = ['position', 'handle', 'index'].includes(more[0]?.text ?? '');
    if (verb === 'insert') rules.unshift(more);
    else rules.push(more);
    return !isPlaced;
  }
  if (isHelper) {
    const type = inner().statements.find(([first]) => first?.text === 'type')?.[1];
    if (type) draft.named.helpers.set(name.text, type.text);
    return type !== undefined;
  }
  return false;
}

/** Statements end at `;` and at the end of a line; braces within one, as in `dport { 21, 22 }`, belong to it. */
function readBlock(
  from: { readonly tokens: readonly Token[]; at: number },
  head: readonly Token[],
  level = 0,
): Block {
  const statements: Token[][] = [];
  const blocks: Block[] = [];
  let statement: Token[] = [];
  let depth = 0;
  const finish = (): void => {
    if (statement.length > 0) statements.push(statement);
    statement = [];
  };
  while (from.at < from.tokens.length) {
    const token = from.tokens[from.at++];
    if (token === undefined) break;
    const isSign = (sign: string): boolean => token.kind === 'sign' && token.text === sign;
    if (depth > 0) {
      if (token.kind === 'end' || token.kind === 'comment') continue;
      if (isSign('{')) depth++;
      if (isSign('}')) depth--;
      statement.push(token);
    } else if (isSign('{') && level < deepest && opensBlock(statement)) {
      const inner = statement;
      statement = [];
      blocks.push(readBlock(from, inner, level + 1));
    } else if (isSign('{')) {
      depth++;
      statement.push(token);
    } else if (isSign('}')) {
      break;
    } else if (token.kind === 'end' || isSign(';')) {
      finish();
    } else if (token.kind !== 'comment' || statement.length > 0) {
      statement.push(token);
    }
  }
  finish();
  return { head, statements, blocks };
}

/** A block within a block of a table: nftables nests no deeper. */
const deepest = 3;

const blockWords: ReadonlySet<string> = new Set(
  'chain set map flowtable counter quota limit secmark synproxy'.split(' '),
);

/** `table inet filter {`, `chain input {`, `ct helper ftp {`; the brace of a rule comes after more words. */
function opensBlock(words: readonly Token[]): boolean {
  const { length } = words;
  const [first = '', second = ''] = words.map(({ text }) => text);
  if (first === 'table') return length === 2 || length === 3;
  if (first === 'ct') return length === 3 && ['helper', 'timeout', 'expectation'].includes(second);
  return length === 2 && blockWords.has(first);
}

function readSets(blocks: readonly Block[], sets: Map<string, readonly PortRange[] | undefined>): void {
  for (const { head, statements } of blocks) {
    if (head[0]?.text !== 'set') continue;
    const elements = statements.find(([first]) => first?.text === 'elements') ?? [];
    // `elements = { 21, 50000-50999 timeout 5s }`: what follows an element's own word is about it.
    const texts = elements.map(({ text }) => text);
    const ports = texts.filter(
      (_, index) => ['{', ','].includes(texts[index - 1] ?? '') && texts[index] !== '}',
    );
    sets.set(head[1]?.text ?? '', readAllPorts(ports));
  }
}

/** `ct helper ftp-standard { type "ftp" protocol tcp; ... }` */
function readHelpers(blocks: readonly Block[], helpers: Map<string, string>): void {
  for (const { head, statements } of blocks) {
    if (head[0]?.text !== 'ct' || head[1]?.text !== 'helper') continue;
    const type = statements.find(([first]) => first?.text === 'type')?.[1];
    if (type) helpers.set(head[2]?.text ?? '', type.text);
  }
}
