import { distance } from '../../config/spelling.ts';

/** The name that a misspelt one means; undefined where more than a third of its letters would be others. */
export function nameMeant(name: string, known: readonly string[]): string | undefined {
  const written = letters(name);
  const most = name.length / 3;
  let best: string | undefined;
  let least = most + 1;
  for (const other of known) {
    const right = letters(other);
    if (Math.abs(right.length - written.length) > most) continue;
    const letterCount = distance(written, right);
    if (letterCount <= most && letterCount < least) [best, least] = [other, letterCount];
  }
  return best;
}

function letters(name: string): string {
  return name
    .slice(0, 60)
    .toLowerCase()
    .replaceAll(/[^a-z0-9]/g, '');
}
