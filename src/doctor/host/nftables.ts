import type { PortRange } from '../../net/port-range.ts';
import type { Chain, Firewall, Hook, FirewallRule, Table } from './firewall.ts';
import { readNftRule, type Named } from './nft-rule.ts';
import { tokensOf, type Token } from './nft-tokens.ts';
import { readPorts } from './ports.ts';

const hooks: readonly string[] = ['prerouting', 'input', 'forward', 'output', 'postrouting'] satisfies Hook[];

interface Block {
  readonly head: readonly Token[];
  readonly statements: readonly (readonly Token[])[];
  readonly blocks: readonly Block[];
}

/**
 * Reads what `nft list ruleset` prints, or a file of nftables with whole tables, as IPv4 meets it.
 *
 * @param managed whether to read the tables that belong to iptables too: they are also what iptables-save prints
 */
export function readNftables(file: string, text: string, managed: boolean): Firewall {
  const tokens = tokensOf(text);
  // '# Warning: table ip filter is managed by iptables-nft, do not touch!'
  const foreign = new Set(
    tokens
      .filter(({ kind, text: comment }) => kind === 'comment' && comment.includes('managed by iptables-nft'))
      .map(({ text: comment }) => /table (\S+ \S+)/.exec(comment)?.[1] ?? ''),
  );
  const { blocks } = readBlock({ tokens, at: 0 }, []);
  const tables = blocks
    .map(readTable)
    .filter((table) => table !== undefined)
    .filter(({ family, name }) => managed || !foreign.has(`${family} ${name}`));
  return { file, syntax: 'nftables', family: 4, tables };
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

function readTable({ head, blocks }: Block): Table | undefined {
  const [word, ...names] = head.map(({ text }) => text);
  if (word !== 'table') return undefined;
  const [family = 'ip', name = ''] = names.length === 1 ? ['ip', ...names] : names;
  const named: Named = { sets: readSets(blocks), helpers: readHelpers(blocks) };
  const chains = new Map<string, Chain>();
  for (const block of blocks) {
    if (block.head[0]?.text !== 'chain') continue;
    const chain = readChain(block, named);
    chains.set(chain.name, chain);
  }
  return { name, family, chains };
}

function readChain({ head, statements }: Block, named: Named): Chain {
  let base: Chain['base'];
  let policy: Chain['policy'] = 'accept';
  const rules: FirewallRule[] = [];
  for (const statement of statements) {
    const texts = statement.map(({ text }) => text);
    const [first, second] = texts;
    if (first === 'type' && texts.includes('hook')) {
      const hook = texts[texts.indexOf('hook') + 1] ?? '';
      base = hooks.includes(hook) ? { hook: hook as Hook, isNat: second === 'nat' } : undefined;
    } else if (first === 'policy') {
      policy = second === 'drop' ? 'drop' : 'accept';
    } else if (first !== 'comment' && first !== 'flags') {
      // A map of verdicts may have more cases than a call may have arguments.
      for (const rule of readNftRule(statement, named)) rules.push(rule);
    }
  }
  return { name: head[1]?.text ?? '', line: head[0]?.line ?? 0, base, policy, rules };
}

function readSets(blocks: readonly Block[]): Map<string, readonly PortRange[] | undefined> {
  const sets = new Map<string, readonly PortRange[] | undefined>();
  for (const { head, statements } of blocks) {
    if (head[0]?.text !== 'set') continue;
    const elements = statements.find(([first]) => first?.text === 'elements') ?? [];
    // `elements = { 21, 50000-50999 timeout 5s }`: what follows an element's own word is about it.
    const texts = elements.map(({ text }) => text);
    const ports = texts
      .filter((_, index) => ['{', ','].includes(texts[index - 1] ?? '') && texts[index] !== '}')
      .map(readPorts);
    const known = ports.filter((range) => range !== undefined);
    sets.set(head[1]?.text ?? '', known.length === ports.length ? known : undefined);
  }
  return sets;
}

/** `ct helper ftp-standard { type "ftp" protocol tcp; ... }` */
function readHelpers(blocks: readonly Block[]): Map<string, string> {
  const helpers = new Map<string, string>();
  for (const { head, statements } of blocks) {
    if (head[0]?.text !== 'ct' || head[1]?.text !== 'helper') continue;
    const type = statements.find(([first]) => first?.text === 'type')?.[1];
    if (type) helpers.set(head[2]?.text ?? '', type.text);
  }
  return helpers;
}
