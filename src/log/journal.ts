import { fstatSync } from 'node:fs';
import type { Level } from 'pino';

/** Priorities of syslog(3), which systemd reads in front of a line (sd-daemon(3)). */
const priorities: ReadonlyMap<string, number> = new Map<Level, number>([
  ['fatal', 2],
  ['error', 3],
  ['warn', 4],
  ['info', 6],
  ['debug', 7],
  ['trace', 7],
]);

/**
 * Whether a descriptor leads to systemd's journal: JOURNAL_STREAM has its device and inode (systemd.exec(5)). The
 * variable alone says nothing: it is inherited, also where the output leads elsewhere.
 */
export function isJournal(stream: string | undefined, fd: number): boolean {
  if (stream === undefined || stream === '') return false;
  try {
    const { dev, ino } = fstatSync(fd, { bigint: true });
    return stream === `${dev}:${ino}`;
  } catch {
    return false;
  }
}

/**
 * A format with the priority of its line in front of each line that it makes.
 *
 *     {"level":"warn", ... -> <4>{"level":"warn", ...
 */
export function withPriority(format: (line: string) => string): (line: string) => string {
  return (line) => {
    const [, level = ''] = /^\{"level":"([a-z]+)"/.exec(line) ?? [];
    const mark = `<${priorities.get(level) ?? 6}>`;
    return format(line).replace(/^(?=.)/gm, mark);
  };
}
