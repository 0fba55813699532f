import { messageOf } from '../../src/net/error.ts';

/** The middle value; of an even number of values the mean of the middle two. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? NaN) + upper) / 2;
}

export interface Pairs {
  readonly first: readonly number[];
  readonly second: readonly number[];
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
): Promise<Pairs> {
  const values: { first: number[]; second: number[] } = { first: [], second: [] };
  for (let pair = 0; pair < pairs; pair++) {
    if (pair % 2 === 0) values.first.push(await first());
    values.second.push(await second());
    if (pair % 2 === 1) values.first.push(await first());
  }
  return values;
}

/** What a ratio should be. */
export type Goal = { readonly atLeast: number } | { readonly atMost: number };

/** `label: ratio 1.02 (pairs: 1.01 1.02 1.10; 900 against 880 MiB/s), goal at least 0.97: met` */
export function printRatio(label: string, unit: string, { first, second }: Pairs, goal?: Goal): void {
  const ratios = first.map((value, index) => value / (second[index] ?? NaN));
  const each = ratios.map((ratio) => ratio.toFixed(2)).join(' ');
  const absolute = `${median(first).toFixed(0)} against ${median(second).toFixed(0)} ${unit}`;
  const ratio = median(ratios);
  const judged = goal === undefined ? '' : judge(ratio, goal);
  process.stdout.write(`${label}: ratio ${ratio.toFixed(2)} (pairs: ${each}; ${absolute})${judged}\n`);
}

function judge(ratio: number, goal: Goal): string {
  const [words, met] =
    'atLeast' in goal
      ? [`at least ${goal.atLeast}`, ratio >= goal.atLeast]
      : [`at most ${goal.atMost}`, ratio <= goal.atMost];
  return `, goal ${words}: ${met ? 'met' : 'missed'}`;
}

/** What cannot be measured costs one line, and not the rest. */
export async function orLeaveOut(label: string, measure: () => Promise<void>): Promise<void> {
  try {
    await measure();
  } catch (error) {
    const [line = ''] = messageOf(error).split('\n');
    process.stdout.write(`${label}: left out, ${line}\n`);
  }
}
