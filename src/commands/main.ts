import yargs, { type Argv, type CommandModule } from 'yargs';
import { ConfigError, oneLine, quote } from '../config/error.ts';
import { messageOf } from '../net/error.ts';
import type { Subcommand } from './subcommand.ts';

/** What is wrong with the words of the call, as opposed to what went wrong in doing it. */
class UsageError extends Error {}

/** A command's code is loaded when the command is called: `--help` does not wait for it. */
function command<T>(
  name: string,
  describe: string,
  load: () => Promise<Subcommand<T>>,
): CommandModule<object, T> {
  return {
    command: name,
    describe,
    builder: async (yargs: Argv) => (await load()).builder(yargs),
    handler: async (argv) => (await load()).handler(argv),
  };
}

const commands = [
  ...['run', 'demo', 'rules', 'doctor'],
  ...['status', 'list', 'top', 'events', 'trace', 'close', 'drain', 'log-level', 'reload'],
];
const allowed = `allowed: ${commands.join(', ')}`;

/** Runs the command line. An error is one line on standard error, and the exit code of the process. */
export async function main(words: readonly string[]): Promise<void> {
  try {
    await yargs(words)
      .scriptName('npx pinhole')
      .usage(
        '$0 COMMAND [OPTIONS]\nFTP through NAT and firewalls: rewrites addresses, opens pinholes, explains refusals.',
      )
      .command(
        command(
          'run',
          'Run the relay in front of an FTP server, or of a small in-memory one',
          async () => (await import('./run.ts')).runCommand,
        ),
      )
      .command(
        command(
          'demo',
          'Run a passive and an active transfer, and print the dialogue',
          async () => (await import('./demo.ts')).demoCommand,
        ),
      )
      .command(
        command(
          'rules',
          'Print the firewall rules and settings that a deployment needs',
          async () => (await import('./rules.ts')).rulesCommand,
        ),
      )
      .command(
        command(
          'doctor [url]',
          'Diagnose an FTP server as seen from outside, or this host (--host)',
          async () => (await import('./doctor.ts')).doctorCommand,
        ),
      )
      .command(
        command(
          'status',
          'Say in one line how a running relay is',
          async () => (await import('./operate/status.ts')).statusCommand,
        ),
      )
      .command(
        command(
          'list [what]',
          'List sessions, pinholes (expect) or data connections (data)',
          async () => (await import('./operate/list.ts')).listCommand,
        ),
      )
      .command(
        command(
          'top',
          'Watch transfers, limits and refusals live',
          async () => (await import('./operate/top.ts')).topCommand,
        ),
      )
      .command(
        command(
          'events',
          'Print what happens as it happens',
          async () => (await import('./operate/events.ts')).eventsCommand,
        ),
      )
      .command(
        command(
          'trace [session]',
          'Draw the dialogue of a session as it goes on',
          async () => (await import('./operate/trace.ts')).traceCommand,
        ),
      )
      .command(
        command(
          'close <sessions..>',
          'End sessions',
          async () => (await import('./operate/close.ts')).closeCommand,
        ),
      )
      .command(
        command(
          'drain',
          'Take no new sessions, let transfers finish, and end the relay',
          async () => (await import('./operate/drain.ts')).drainCommand,
        ),
      )
      .command(
        command(
          'log-level [level]',
          'Print or change how much is logged',
          async () => (await import('./operate/log-level.ts')).logLevelCommand,
        ),
      )
      .command(
        command(
          'reload',
          'Have the configuration read again, and print what changed',
          async () => (await import('./operate/reload.ts')).reloadCommand,
        ),
      )
      .epilogue('For the options of a command: npx pinhole COMMAND --help')
      .check((argv) => {
        checkSwitches(words, argv);
        return true;
      })
      .demandCommand(1, `a command is missing; ${allowed}`)
      .strict()
      .parserConfiguration({
        'camel-case-expansion': false,
        'greedy-arrays': false,
        'boolean-negation': false,
      })
      .wrap(Math.min(110, process.stdout.columns || 110))
      .help()
      .alias('help', 'h')
      .fail((message: string | null, error: Error | undefined) => {
        throw error ?? new UsageError(message ?? 'wrong usage');
      })
      .parseAsync();
  } catch (error) {
    // Exit code 2: the words or the configuration are wrong; 1: it could not be done.
    process.stderr.write(`pinhole: ${isUsageError(error) ? usageOf(error, words) : messageOf(error)}\n`);
    process.exitCode = error instanceof ConfigError || isUsageError(error) ? 2 : 1;
  }
}

/**
 * For yargs, whatever is not `true` is false: `--print-config=maybe` would start the relay.
 *
 * @throws {UsageError}
 */
function checkSwitches(words: readonly string[], argv: Readonly<Record<string, unknown>>): void {
  for (const word of words) {
    if (word === '--') return;
    const [, name = '', given = ''] = /^--([^=]+)=(.*)$/s.exec(word) ?? [];
    const isSwitch = [argv[name]].flat().some((value) => typeof value === 'boolean');
    if (isSwitch && given !== 'true' && given !== 'false')
      throw new UsageError(oneLine(`flag --${name}: ${quote(given)} is not allowed; allowed: true, false`));
  }
}

/** What yargs itself finds wrong with the words comes to `fail` as a message, or as an exception of this name, here or there. */
function isUsageError(error: unknown): error is Error {
  return error instanceof UsageError || (error instanceof Error && error.name === 'YError');
}

/** What is wrong, in one line (some of yargs' messages are several), and where to read on. */
function usageOf({ message }: Error, [command]: readonly string[]): string {
  const line = message.replace(/\s*\n\s*/g, ' ');
  if (command === undefined || command.startsWith('-')) return `${line} (see npx pinhole --help)`;
  if (!commands.includes(command))
    return `unknown command: ${oneLine(command)}; ${allowed} (see npx pinhole --help)`;
  return `${line} (see npx pinhole ${command} --help)`;
}
