/** What a terminal shows in two columns: East Asian wide characters and emoji (UAX 11). */
const wide =
  /[\u1100-\u115f\u231a\u231b\u2329\u232a\u2e80-\u303e\u3041-\u4dbf\u4e00-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{16fe0}-\u{18dff}\u{1b000}-\u{1b2ff}\u{1f000}-\u{1faff}\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}/u;
/** What it shows over the character before; not U+FE0F, with which some show a sign as an emoji, a column wider. */
const over = /[\p{Mn}\p{Me}\u200b-\u200d\u2060]/u;
const plain = /^[ -~]*$/;

/** How many columns of a terminal a text takes at most; it holds no control characters. */
export function columnsOf(text: string): number {
  if (plain.test(text)) return text.length;
  let columns = 0;
  for (const character of text) columns += widthOf(character);
  return columns;
}

function widthOf(character: string): number {
  if (character === '\ufe0f') return 1;
  if (over.test(character)) return 0;
  return wide.test(character) ? 2 : 1;
}

/** As much of the beginning as there is room for, with a mark where something is left out. */
export function cutEnd(text: string, columns: number): string {
  if (columnsOf(text) <= columns) return text;
  return columns < 1 ? '' : `${firstColumns(text, columns - 1)}…`;
}

/** Beginning and end, as far as there is room, and more of the end, where names differ: `/pub/deb…-12-amd64.iso` */
export function cutMiddle(text: string, columns: number): string {
  if (columnsOf(text) <= columns) return text;
  if (columns < 3) return cutEnd(text, columns);
  const beginning = Math.round((columns - 1) / 3);
  return `${firstColumns(text, beginning)}…${lastColumns(text, columns - 1 - beginning)}`;
}

/** What of the beginning of a text takes no more than so many columns. */
function firstColumns(text: string, columns: number): string {
  let room = columns;
  let length = 0;
  for (const character of text) {
    room -= widthOf(character);
    if (room < 0) break;
    length += character.length;
  }
  return text.slice(0, length);
}

function lastColumns(text: string, columns: number): string {
  const characters = Array.from(text);
  let room = columns;
  let first = characters.length;
  while (first > 0 && (room -= widthOf(characters[first - 1] ?? '')) >= 0) first--;
  // A mark would stand over the sign of what is left out.
  while (first < characters.length && widthOf(characters[first] ?? '') === 0) first++;
  return characters.slice(first).join('');
}

export function padEnd(text: string, columns: number): string {
  return text + ' '.repeat(Math.max(0, columns - columnsOf(text)));
}

export function padStart(text: string, columns: number): string {
  return ' '.repeat(Math.max(0, columns - columnsOf(text))) + text;
}

/**
 * Breaks a text where a line is full, at a blank if there is one in its second half: of a command and a long path the
 * path begins on the line of the command.
 */
export function fold(text: string, columns: number): string[] {
  const pieces: string[] = [];
  let rest = text;
  while (columnsOf(rest) > columns) {
    const full = filled(rest, columns);
    const blank = full.lastIndexOf(' ');
    const piece = blank > full.length / 2 ? full.slice(0, blank + 1) : full;
    pieces.push(piece.trimEnd());
    rest = rest.slice(piece.length);
  }
  return [...pieces, rest];
}

/** As much of the beginning as a line has room for: at least one character, however narrow the terminal is. */
function filled(text: string, columns: number): string {
  const [character = ''] = text;
  return firstColumns(text, columns) || character;
}

/** Breaks a text between words, and words that are longer than a line where they have to be. */
export function wrapWords(text: string, columns: number): string[] {
  const room = Math.max(1, columns);
  const lines: string[] = [];
  let current = '';
  for (const word of text.split(' ')) {
    const longer = current === '' ? word : `${current} ${word}`;
    if (columnsOf(longer) <= room) {
      current = longer;
      continue;
    }
    if (current !== '') lines.push(current);
    current = word;
    while (columnsOf(current) > room) {
      const piece = filled(current, room);
      lines.push(piece);
      current = current.slice(piece.length);
    }
  }
  return [...lines, current];
}
