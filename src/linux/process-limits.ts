import { readFileSync } from 'node:fs';

/** Descriptors of the process itself: the log, libuv's own, netlink, listeners, what a library opens for a moment. */
const ownDescriptors = 64;

/**
 * How many descriptors this process may have open (RLIMIT_NOFILE), as proc(5) has it; undefined where there is no /proc.
 * Node raises the soft limit to the hard one when it starts.
 *
 *     Limit                     Soft Limit           Hard Limit           Units
 *     Max open files            1024                 524288               files
 */
export function descriptorLimit(
  read: () => string = () => readFileSync('/proc/self/limits', 'latin1'),
): number | undefined {
  try {
    const [, soft] = /^Max open files\s+(\d+)/m.exec(read()) ?? [];
    return soft === undefined ? undefined : Number(soft);
  } catch {
    return undefined;
  }
}

/** How many of them connections may have. */
export function descriptorsToShare(limit: number | undefined): number {
  return limit === undefined ? Infinity : Math.max(0, limit - ownDescriptors);
}
