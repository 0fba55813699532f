import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { after } from 'node:test';
import { emittedFile } from '../project.ts';
import { within } from './within.ts';

export interface CommandLineOrder {
  readonly words: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

export interface CommandLineAnswer {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

let child: ChildProcess | undefined;

after(() => child?.disconnect());

/**
 * What `pinhole ARGUMENTS` prints and its exit code, for words that end it by themselves: wrong ones above all. It is done
 * in one process for all of a test file, one after the other, and not in one of its own as `runProgram` does it.
 */
export async function runCommandLine(
  words: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<CommandLineAnswer> {
  child ??= start();
  const answer = once(child, 'message') as Promise<[CommandLineAnswer]>;
  child.send({ words, env } satisfies CommandLineOrder);
  const [answered] = await within(answer, `the end of ${words.join(' ')}`, undefined, 20_000);
  return answered;
}

function start(): ChildProcess {
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !name.startsWith('PINHOLE_')),
  );
  return fork(emittedFile('test/support/relay/command-line-process.ts'), { env });
}
