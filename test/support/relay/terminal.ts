import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { program, root } from '../project.ts';

interface OnTerminal {
  readonly text: string;
  readonly code: number | null;
  readonly isAsBefore: boolean;
  readonly left: readonly string[];
}

const python = '/usr/bin/python3';

/** Why there is no terminal for tests here, or false. */
export const noTerminal: string | false = existsSync(python) ? false : `${python} is missing`;

/** `pinhole ARGUMENTS` on a terminal of so many columns and rows, with what is typed once a text has come. */
export async function onTerminal(
  args: readonly string[],
  [columns, rows]: readonly [number, number],
  steps: readonly (readonly [string, string])[] = [],
): Promise<OnTerminal> {
  const script = join(root, 'test/support/relay/on-terminal.py');
  const words = [script, String(columns), String(rows), ...steps.map(([text, keys]) => `${text}=>${keys}`)];
  const { stdout } = await promisify(execFile)(python, [...words, '--', ...program, ...args], {
    env: { ...process.env, TERM: 'xterm', NO_COLOR: '1' },
    maxBuffer: 10_000_000,
  });
  return JSON.parse(stdout) as OnTerminal;
}
