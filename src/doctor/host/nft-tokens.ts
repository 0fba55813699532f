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

function kindOf(found: string): Token['kind'] {
  if (found === '\n') return 'end';
  if (found.startsWith('#')) return 'comment';
  if (found.startsWith('"')) return 'text';
  return /^[{};,]$/.test(found) ? 'sign' : 'word';
}
