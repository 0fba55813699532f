import { ConfigError, oneLine } from './error.ts';

/** For a name that is not known: the error that names the known one with the most similar spelling. */
export function unknownName(what: string, name: string, known: readonly string[]): ConfigError {
  return new ConfigError(oneLine(`unknown ${what}; did you mean ${nearest(name, known)}?`));
}

function nearest(name: string, known: readonly string[]): string {
  const distances = known.map((other) => distance(name.toLowerCase(), other.toLowerCase()));
  return known[distances.indexOf(Math.min(...distances))] ?? '';
}

/** How many letters have to be added, removed or replaced to make one word the other (Levenshtein). */
export function distance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (const [i, letter] of Array.from(from.slice(0, 100)).entries()) {
    const next = [i + 1];
    for (let j = 1; j <= to.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (letter === to[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[to.length] ?? 0;
}
