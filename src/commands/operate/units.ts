/** `12 s`, `5 min 3 s`, `3 h 12 min`, `2 d 4 h`: two units, the smaller one left out where it is 0. */
export function formatSeconds(seconds: number): string {
  const whole = Math.floor(seconds);
  const [at = 0] = [86_400, 3600, 60, 1].filter((size) => whole >= size);
  if (at <= 1) return `${whole} s`;
  const [name, smallerSize, smallerName] = pairs.get(at) ?? ['s', 1, 's'];
  const rest = Math.floor((whole % at) / smallerSize);
  return `${Math.floor(whole / at)} ${name}${rest > 0 ? ` ${rest} ${smallerName}` : ''}`;
}

/** Seconds -> the unit's name, and the next smaller unit. */
const pairs: ReadonlyMap<number, readonly [string, number, string]> = new Map([
  [86_400, ['d', 3600, 'h']],
  [3600, ['h', 60, 'min']],
  [60, ['min', 1, 's']],
]);

/** `1 session`, `2 sessions` */
export function countOf(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}

/** `37 %`; `0 %` of nothing. */
export function percentOf(part: number, whole: number): string {
  return `${whole > 0 ? Math.floor((100 * Math.min(part, whole)) / whole) : 0} %`;
}
