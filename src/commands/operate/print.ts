import { harmlessJson, visibleControls } from '../../log/harmless-line.ts';
import { codeOf, messageOf } from '../../net/error.ts';

/** Names and paths as others have given them, without what a terminal would obey. */
export function shown(text: string | null | undefined): string {
  return text === null || text === undefined || text === '' ? '-' : visibleControls(text);
}

/** JSON has its control characters below U+0020 escaped already. */
export function printJson(value: unknown, space?: number): void {
  print(harmlessJson(value, space));
}

/** Lines on standard output. */
export function print(...lines: readonly string[]): void {
  process.stdout.off('error', end).on('error', end);
  process.stdout.write(lines.map((line) => `${line}\n`).join(''));
}

/** A line on standard error, for whoever is watching. */
export function remark(line: string): void {
  process.stderr.write(`pinhole: ${line}\n`);
}

/** `| head`: a reader that closes the pipe is no error. What else cannot be written is. */
function end(error: Error): void {
  if (codeOf(error) === 'EPIPE') process.exit(0);
  remark(`the output cannot be written: ${messageOf(error)}`);
  process.exit(1);
}

/** Columns of the terminal that standard output is; undefined: it is none. */
export function terminalWidth(): number | undefined {
  return process.stdout.isTTY ? process.stdout.columns || 80 : undefined;
}
