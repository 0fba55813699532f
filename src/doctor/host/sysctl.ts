import { meaningfulLines, type Placed } from './lines.ts';

/** Reads lines `net.ipv4.ip_forward = 0`, as `sysctl -a` prints them and sysctl.conf has them; the last one holds. */
export function readSysctls(text: string): Map<string, Placed<string>> {
  const values = new Map<string, Placed<string>>();
  for (const { value, line } of meaningfulLines(text)) {
    const at = value.indexOf('=');
    if (at === -1) continue;
    const name = value.slice(0, at).trim().replace(/^-/, '').replaceAll('/', '.');
    values.set(name, { value: value.slice(at + 1).trim(), line });
  }
  return values;
}
