// Numbers and foreign text in words for people.

const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

/**
 * 1536 -> `1.5 KiB`, as in the log: at most three digits that count, and powers of 1024.
 *
 * @param {number} bytes
 */
export function bytesText(bytes) {
  let value = Math.max(0, bytes);
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  const digits = unit === 0 ? Math.round(value) : Number(value.toPrecision(3));
  return `${digits} ${units[unit]}`;
}

/** @param {number} rate bytes a second */
export function rateText(rate) {
  return `${bytesText(rate)}/s`;
}

/**
 * The two greatest parts: 93784 -> `1 d 2 h`.
 *
 * @param {number} seconds
 */
export function durationText(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  if (whole < 86_400) return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
  return `${Math.floor(whole / 86_400)} d ${Math.floor((whole % 86_400) / 3600)} h`;
}

const grouped = new Intl.NumberFormat('en');

/** @param {number} count */
export function countText(count) {
  return grouped.format(count);
}

/** `1 session`, `2 sessions`
 * @param {number} count
 * @param {string} noun
 */
export function countOf(count, noun) {
  return `${countText(count)} ${noun}${count === 1 ? '' : 's'}`;
}

/**
 * 14:05 or 14:05:10, by this clock.
 *
 * @param {number} time milliseconds since 1970
 */
export function clockText(time, hasSeconds = false) {
  const date = new Date(time);
  const two = (/** @type {number} */ value) => String(value).padStart(2, '0');
  const minutes = `${two(date.getHours())}:${two(date.getMinutes())}`;
  return hasSeconds ? `${minutes}:${two(date.getSeconds())}` : minutes;
}

// What turns the direction of text, hides, or ends lines; `src/net/harmful-text.ts` has the same.
const harmful =
  /[\u0000-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\p{Surrogate}]/gu;

/**
 * Text of a client or a server, with every character that does harm where it is read made visible: `\u202e`.
 *
 * @param {string} text
 */
export function visible(text) {
  return text.replace(harmful, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
