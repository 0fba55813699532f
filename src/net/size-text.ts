const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

/** `0 B`, `999 B`, `1.2 KiB`, `45 MiB`, `123 GiB`: two digits at least, powers of 1024. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  // 999.5 would have four digits once it is rounded.
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  const digits = unit > 0 && value < 9.95 ? value.toFixed(1) : String(Math.round(value));
  return `${digits} ${units[unit] ?? ''}`;
}

/** @param bytes a second */
export function formatRate(bytes: number): string {
  return `${formatBytes(bytes)}/s`;
}
