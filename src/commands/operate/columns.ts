/** How many columns of a terminal a text takes: none for marks that combine with what they follow, two for wide characters. */
export function widthOf(text: string): number {
  if (plain.test(text)) return text.length;
  let width = 0;
  for (const character of text) width += widthOfCharacter(character);
  return width;
}

const plain = /^[\u0020-\u02ff]*$/;
const combining = /^[\p{Mn}\p{Me}\p{Cf}]$/u;

function widthOfCharacter(character: string): number {
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x300) return 1;
  if (combining.test(character)) return 0;
  return wide.some(([first, last]) => code >= first && code <= last) ? 2 : 1;
}

/** East Asian Wide and Fullwidth of Unicode's annex 11, with what lies between taken along. */
const wide: readonly (readonly [number, number])[] = [
  [0x1100, 0x115f],
  [0x2e80, 0x303e],
  [0x3041, 0xa4cf],
  [0xa960, 0xa97f],
  [0xac00, 0xd7a3],
  [0xf900, 0xfaff],
  [0xfe30, 0xfe6f],
  [0xff00, 0xff60],
  [0xffe0, 0xffe6],
  [0x1f300, 0x1f64f],
  [0x1f680, 0x1f6ff],
  [0x1f900, 0x1f9ff],
  [0x20000, 0x3fffd],
];

const leftOut = '…';

/** The beginning of a text, in at most so many columns, with a mark where something is left out. */
export function cutEnd(text: string, columns: number): string {
  if (widthOf(text) <= columns) return text;
  return columns < 1 ? '' : `${beginning(text, columns - 1)}${leftOut}`;
}

/** The same with its middle left out: of a path the end tells the most. */
export function cutMiddle(text: string, columns: number): string {
  if (widthOf(text) <= columns) return text;
  if (columns < 3) return cutEnd(text, columns);
  const first = Math.floor((columns - 1) / 3);
  const last = reversed(beginning(reversed(text), columns - 1 - first));
  return `${beginning(text, first)}${leftOut}${last}`;
}

function reversed(text: string): string {
  return Array.from(text).reverse().join('');
}

function beginning(text: string, columns: number): string {
  let kept = '';
  let width = 0;
  for (const character of text) {
    width += widthOfCharacter(character);
    if (width > columns) break;
    kept += character;
  }
  return kept;
}

export function padEnd(text: string, columns: number): string {
  return text + ' '.repeat(Math.max(0, columns - widthOf(text)));
}

export function padStart(text: string, columns: number): string {
  return ' '.repeat(Math.max(0, columns - widthOf(text))) + text;
}

/** A text in pieces of at most so many columns, broken at blanks where there are any. */
export function fold(text: string, columns: number): string[] {
  const pieces: string[] = [];
  let rest = text;
  while (widthOf(rest) > columns) {
    const full = beginning(rest, Math.max(1, columns)) || Array.from(rest).slice(0, 1).join('');
    const blank = full.lastIndexOf(' ');
    const piece = blank > full.length / 2 ? full.slice(0, blank + 1) : full;
    pieces.push(piece.trimEnd());
    rest = rest.slice(piece.length);
  }
  return [...pieces, rest];
}
