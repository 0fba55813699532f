/**
 * What a terminal or a viewer obeys where it should show it: control characters (U+009B begins a sequence as ESC [ does),
 * marks that turn the direction of text, separators of lines, the byte order mark, halves of surrogate
 * pairs. Names of files, replies of servers and commands of clients may hold all of them.
 */
const harmful = String.raw`\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\p{Surrogate}`;
const anyHarmful = new RegExp(String.raw`[\u0000-\u001f${harmful}]`, 'gu');
const harmfulButC0 = new RegExp(`[${harmful}]`, 'gu');
/** Whether there is anything but the printable characters of ASCII, and those below U+0020. */
const mayBeHarmful = /[^\u0000-\u007e]/;

/** Text with every harmful character replaced. */
export function replaceHarmful(text: string, by: string | ((character: string) => string)): string {
  return typeof by === 'string' ? text.replace(anyHarmful, () => by) : text.replace(anyHarmful, by);
}

/** The same, but for the control characters below U+0020: text that has its own ends of lines and colours. */
export function replaceHarmfulButC0(text: string, by: (character: string) => string): string {
  // Most text has none, and to look for one is much faster than to replace.
  return mayBeHarmful.test(text) ? text.replace(harmfulButC0, by) : text;
}
