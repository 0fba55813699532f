/** Does one `pinhole ARGUMENTS` after the other that its parent asks for, and tells what each printed. */
import { main } from '../../../src/commands/main.ts';
import type { CommandLineAnswer, CommandLineOrder } from './command-line.ts';

/** Runs `work` with what it writes to the stream in `texts`. */
async function captured(work: () => Promise<void>): Promise<{ stdout: string; stderr: string }> {
  const texts = { stdout: '', stderr: '' };
  const names = ['stdout', 'stderr'] as const;
  for (const name of names) {
    process[name].write = (text: string | Uint8Array): boolean => {
      texts[name] += String(text);
      return true;
    };
  }
  try {
    await work();
  } finally {
    // What was set is gone: the prototype has the stream's own.
    for (const name of names) Reflect.deleteProperty(process[name], 'write');
  }
  return texts;
}

process.on('message', ({ words, env }: CommandLineOrder) => {
  const before = { ...process.env };
  Object.assign(process.env, env);
  process.exitCode = undefined;
  void captured(() => main(words)).then((texts) => {
    const answer: CommandLineAnswer = { code: Number(process.exitCode ?? 0), ...texts };
    process.exitCode = undefined;
    process.env = before;
    process.send?.(answer);
  });
});
