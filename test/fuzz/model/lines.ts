import type { Entry, Side } from '../transcript.ts';

/** A line of a control channel, and when it was seen: by the index of the entry that began it, and that ended it. */
export interface Line {
  readonly text: string;
  /** Empty where its end never came. */
  readonly end: '\r\n' | '\n' | '';
  readonly begun: number;
  readonly at: number;
}

/** RFC 959 section 3.1.1 has CRLF; LF alone ends a line as well, as servers take it. */
export function linesOf(entries: readonly Entry[], what: 'sent' | 'got', side: Side): Line[] {
  const lines: Line[] = [];
  let text = '';
  let begun = 0;
  let last = 0;
  for (const [at, entry] of entries.entries()) {
    if (entry.what !== what || entry.side !== side) continue;
    let rest = entry.text;
    for (let lf = rest.indexOf('\n'); lf !== -1; lf = rest.indexOf('\n')) {
      if (text === '') begun = at;
      const whole = text + rest.slice(0, lf);
      const hasCr = whole.endsWith('\r');
      lines.push({ text: hasCr ? whole.slice(0, -1) : whole, end: hasCr ? '\r\n' : '\n', begun, at });
      text = '';
      rest = rest.slice(lf + 1);
    }
    if (text === '' && rest !== '') begun = at;
    text += rest;
    last = at;
  }
  if (text !== '') lines.push({ text, end: '', begun, at: last });
  return lines;
}
