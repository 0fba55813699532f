/** A value in a file, and its line (from 1). */
export interface Placed<T> {
  readonly value: T;
  readonly line: number;
}

/** The effective lines: trimmed, without empty lines and comments from `#`. */
export function meaningfulLines(text: string): Placed<string>[] {
  return text
    .split('\n')
    .map((line, index) => ({ value: line.trim(), line: index + 1 }))
    .filter(({ value }) => value !== '' && !value.startsWith('#'));
}

/** The words of a line; what stands in quotation marks is one word, without them. */
export function wordsOf(line: string): string[] {
  return Array.from(line.matchAll(/"([^"]*)"|[^\s"]+|"/g), ([word, quoted]) => quoted ?? word);
}
