import type { Token } from './nft-tokens.ts';

/** The words that a name stands for. */
type Scope = Map<string, readonly Token[]>;

/** Words that all values have together: definitions of definitions grow without an end. */
const mostWords = 1_000_000;

const definitions: ReadonlySet<string> = new Set(['define', 'redefine', 'undefine']);

/**
 * The tokens with each `$name` replaced by what is defined before it, in its block or around it, as nft does (nft(8),
 * SYMBOLIC VARIABLES), and without the definitions. A name that is not defined stays, and nothing is known of it.
 */
export function withVariables(tokens: readonly Token[]): readonly Token[] {
  if (!tokens.some(({ text }) => definitions.has(text))) return tokens;
  const scopes: Scope[] = [new Map<string, readonly Token[]>()];
  const result: Token[] = [];
  let room = mostWords;
  const expand = (given: readonly Token[], result: Token[]): void => {
    for (const [index, token] of given.entries()) {
      const before = given[index - 1] ?? result.at(-1);
      const value = valueOf(token, scopes);
      room -= value?.length ?? 0;
      if (value === undefined || room < 0) result.push(token);
      else {
        // A set in a set is a part of it.
        const words = isElement(before) && isSet(value) ? value.slice(1, -1) : value;
        // The place is where the name stands.
        for (const word of words) result.push({ ...word, line: token.line });
      }
    }
  };
  for (let at = 0; at < tokens.length; at++) {
    const token = tokens[at];
    if (token === undefined) break;
    if (definitions.has(token.text) && isStart(tokens[at - 1])) {
      const end = endOf(tokens, at);
      const value: Token[] = [];
      const { name, words } = definitionOf(tokens.slice(at + 1, end));
      expand(words, value);
      if (token.text === 'undefine' || value.length === 0) scopes.at(-1)?.delete(name);
      else scopes.at(-1)?.set(name, value);
      at = end - 1;
      continue;
    }
    if (isSign(token, '{')) scopes.push(new Map<string, readonly Token[]>());
    if (isSign(token, '}') && scopes.length > 1) scopes.pop();
    expand([token], result);
  }
  return result;
}

/** `ports = { 21, 22 }`, `ports=21` */
function definitionOf(tokens: readonly Token[]): { name: string; words: readonly Token[] } {
  const [first, ...others] = tokens.filter(({ kind }) => kind !== 'end' && kind !== 'comment');
  const [name = '', attached = ''] = (first?.text ?? '').split(/=(.*)/s, 2);
  const words = others[0]?.text === '=' ? others.slice(1) : others;
  return { name, words: first && attached !== '' ? [{ ...first, text: attached }, ...words] : words };
}

/** `$ports`; of `$server:2121` the port stays. */
function valueOf({ kind, text }: Token, scopes: readonly Scope[]): readonly Token[] | undefined {
  const [, name = '', behind = ''] = (kind === 'word' && /^\$([\w./-]+)(:.*)?$/.exec(text)) || [];
  const value = scopes.findLast((scope) => scope.has(name))?.get(name);
  const [only] = value ?? [];
  if (behind === '' || value === undefined) return value;
  return only && value.length === 1 ? [{ ...only, text: only.text + behind }] : undefined;
}

function isElement(before: Token | undefined): boolean {
  return before !== undefined && (isSign(before, '{') || isSign(before, ','));
}

function isSet(value: readonly Token[]): boolean {
  const [first] = value;
  return (
    first !== undefined &&
    isSign(first, '{') &&
    value.findIndex((token) => isSign(token, '}')) === value.length - 1
  );
}

/** Whether a statement begins behind the token. */
function isStart(token: Token | undefined): boolean {
  return token === undefined || token.kind === 'end' || ['{', '}', ';'].some((sign) => isSign(token, sign));
}

function isSign({ kind, text }: Token, sign: string): boolean {
  return kind === 'sign' && text === sign;
}

/** Where the statement ends: a value in braces may have several lines. */
function endOf(tokens: readonly Token[], from: number): number {
  let depth = 0;
  for (let at = from; at < tokens.length; at++) {
    const token = tokens[at];
    if (token === undefined) break;
    if (isSign(token, '{')) depth++;
    if (isSign(token, '}') && --depth < 0) return at;
    if (depth === 0 && (token.kind === 'end' || isSign(token, ';'))) return at;
  }
  return tokens.length;
}
