/** The second that the last line was of, since 1970, and its text up to the dot. */
let second = NaN;
let text = '';

/** `,"time":"2026-01-31T23:59:59.123Z"`, as `isoTime` of pino: what is the same in each line of a second is made once. */
export function timeField(now: number = Date.now()): string {
  const current = Math.floor(now / 1000);
  if (current !== second) {
    second = current;
    text = new Date(current * 1000).toISOString().slice(0, -'000Z'.length);
  }
  return `,"time":"${text}${String(now - current * 1000).padStart(3, '0')}Z"`;
}
