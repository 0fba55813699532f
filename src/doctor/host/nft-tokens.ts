/** A word, a text in quotation marks, one of `{ } ; ,`, the end of a line, or a comment. */
export interface Token {
  readonly kind: 'word' | 'text' | 'sign' | 'end' | 'comment';
  readonly text: string;
  readonly line: number;
}

const pattern = /\\\r?\n|"[^"\n]*"?|#[^\n]*|\n|[{};,]|[^\s{};,"#]+/g;

/** Cuts what `nft list ruleset` prints, or a file of nftables, into its tokens. Never throws. */
export function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  let line = 1;
  for (const [found] of text.matchAll(pattern)) {
    // A backslash at the end of a line continues it.
    if (found.startsWith('\\') && found.endsWith('\n')) {
      line++;
      continue;
    }
    tokens.push({
      kind: kindOf(found),
      text: found.startsWith('"') ? found.replaceAll('"', '') : found,
      line,
    });
    if (found === '\n') line++;
  }
  return tokens;
}

/** The tokens with `40000 - 40100` as the one word that nft prints. */
export function withRanges(tokens: readonly Token[]): readonly Token[] {
  if (!tokens.some(({ text }) => text === '-')) return tokens;
  const result: Token[] = [];
  for (let at = 0; at < tokens.length; at++) {
    const [first, sign, last] = tokens.slice(at, at + 3);
    if (first === undefined) break;
    const isRange = sign?.text === '-' && last && [first, last].every(isNumber);
    result.push(isRange ? { ...first, text: `${first.text}-${last.text}` } : first);
    if (isRange) at += 2;
  }
  return result;
}

/** A port or an address. */
function isNumber({ kind, text }: Token): boolean {
  return kind === 'word' && /^[0-9a-f]*[0-9.:][0-9a-f.:]*$/i.test(text);
}

function kindOf(found: string): Token['kind'] {
  if (found === '\n') return 'end';
  if (found.startsWith('#')) return 'comment';
  if (found.startsWith('"')) return 'text';
  return /^[{};,]$/.test(found) ? 'sign' : 'word';
}
