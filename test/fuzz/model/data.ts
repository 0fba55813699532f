import type { DataEnd } from '../transcript.ts';

/** How much of a writer's bytes tells it from all others. */
export const signature = 8;

/**
 * What came out of a data channel is the beginning of what one peer has put in, and its end only where that one has ended
 * in order: a reset must not look like the end of a file (RFC 959 section 3.4.1).
 *
 * @param isDisturbed whether ends are as TLS has them, or a reset may have swallowed what came before it
 */
export function complaintOfData(ends: readonly DataEnd[]): string | undefined {
  for (const { side, read, saw } of ends) {
    if (read === '') continue;
    if (side === 'stranger') return `a stranger got ${JSON.stringify(read.slice(0, 100))}`;
    const writer = ends.find(
      (each) =>
        each.side !== side && each.side !== 'stranger' && each.written.startsWith(read.slice(0, signature)),
    );
    if (!writer?.written.startsWith(read))
      return `the ${side} got ${JSON.stringify(read.slice(0, 100))} on a data channel, which nobody sent`;
    if (saw === 'fin' && (read.length < writer.written.length || writer.ended !== 'fin')) {
      return `the ${side} saw the end of a file at ${read.length} of ${writer.written.length} bytes (its writer: ${writer.ended ?? 'open'})`;
    }
  }
  return undefined;
}
