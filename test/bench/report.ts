/** The middle value; of an even number of values the mean of the middle two. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? NaN) + upper) / 2;
}

/**
 * Measures two ways of doing the same thing in turns, so that what disturbs the machine disturbs both, and
 * which of them goes first changes from pair to pair.
 *
 * @returns one value a way and pair
 */
export async function inPairs(
  pairs: number,
  first: () => Promise<number>,
  second: () => Promise<number>,
): Promise<{ first: number[]; second: number[] }> {
  const values: { first: number[]; second: number[] } = { first: [], second: [] };
  for (let pair = 0; pair < pairs; pair++) {
    if (pair % 2 === 0) values.first.push(await first());
    values.second.push(await second());
    if (pair % 2 === 1) values.first.push(await first());
  }
  return values;
}

/** `label: median of the ratios first / second (each pair's)`. */
export function printRatio(
  label: string,
  unit: string,
  { first, second }: { readonly first: readonly number[]; readonly second: readonly number[] },
): void {
  const ratios = first.map((value, index) => value / (second[index] ?? NaN));
  const each = ratios.map((ratio) => ratio.toFixed(2)).join(' ');
  const absolute = `${median(first).toFixed(0)} against ${median(second).toFixed(0)} ${unit}`;
  process.stdout.write(`${label}: ratio ${median(ratios).toFixed(2)} (pairs: ${each}; ${absolute})\n`);
}
