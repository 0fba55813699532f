import { readFileSync } from 'node:fs';

/** A setting of the kernel, `net.ipv4.ip_forward`, as text; undefined where this kernel has none. */
export function readSysctl(name: string): string | undefined {
  try {
    return readFileSync(`/proc/sys/${name.replaceAll('.', '/')}`, 'latin1').trim();
  } catch {
    // A kernel without IPv6, for one.
    return undefined;
  }
}
