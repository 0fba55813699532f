import { sizeOf, type PortRange } from '../net/port-range.ts';

const randomPicks = 16;

/**
 * The ports to try, in order, as `ip_nat_ftp` chooses: the server's own number if it lies in the range, then
 * random picks, then every port once from a random start. Random, because a port that can be guessed can be
 * connected to first.
 *
 * @param random gives an unpredictable integer from 0 to below its argument
 */
export function* portCandidates(
  range: PortRange,
  preferred: number,
  random: (below: number) => number,
): Generator<number> {
  const size = sizeOf(range);
  const pick = (): number => range.first + random(size);
  if (preferred >= range.first && preferred <= range.last) yield preferred;
  for (let n = 0; n < Math.min(randomPicks, size); n++) yield pick();
  const start = pick() - range.first;
  for (let n = 0; n < size; n++) yield range.first + ((start + n) % size);
}
