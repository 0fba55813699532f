import yargs, { type Argv, type CommandModule } from 'yargs';
import { ConfigError, oneLine, quote } from '../config/error.ts';
import { messageOf } from '../net/error.ts';
import { nameOf } from './name.ts';
import type { Subcommand } from './subcommand.ts';

/** What is wrong with the words of the call, as opposed to what went wrong in doing it. */
class UsageError extends Error {}

/** A command as it is listed; its code is loaded when it is called: `--help` does not wait for it. */
interface CommandEntry {
  /** With its positional arguments, as yargs reads them: `doctor [url]`. */
  readonly command: string;
  readonly describe: string;
  // Each has flags of its own.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  readonly load: () => Promise<Subcommand<any>>;
}

/** Every command, in the order of --help. */
export const commandTable: readonly CommandEntry[] = [
  {
    command: 'run',
    describe: 'Run the relay in front of an FTP server, or of a small in-memory one',
    load: async () => (await import('./run.ts')).runCommand,
  },
  {
    command: 'demo',
    describe: 'Run a passive and an active transfer, and print the dialogue',
    load: async () => (await import('./demo.ts')).demoCommand,
  },
  {
    command: 'rules',
    describe: 'Print the firewall rules and settings that a deployment needs',
    load: async () => (await import('./rules.ts')).rulesCommand,
  },
  {
    command: 'doctor [url]',
    describe: 'Diagnose an FTP server as seen from outside, or this host (--host)',
    load: async () => (await import('./doctor.ts')).doctorCommand,
  },
  {
    command: 'status',
    describe: 'Say in one line how a running relay is',
    load: async () => (await import('./operate/status.ts')).statusCommand,
  },
  {
    command: 'list [what]',
    describe: 'List sessions, pinholes (expect) or data connections (data)',
    load: async () => (await import('./operate/list.ts')).listCommand,
  },
  {
    command: 'top',
    describe: 'Watch transfers, limits and refusals live',
    load: async () => (await import('./operate/top.ts')).topCommand,
  },
  {
    command: 'events',
    describe: 'Print what happens as it happens',
    load: async () => (await import('./operate/events.ts')).eventsCommand,
  },
  {
    command: 'trace [session]',
    describe: 'Draw the dialogue of a session as it goes on',
    load: async () => (await import('./operate/trace.ts')).traceCommand,
  },
  {
    command: 'close <sessions..>',
    describe: 'End sessions',
    load: async () => (await import('./operate/close.ts')).closeCommand,
  },
  {
    command: 'drain',
    describe: 'Take no new sessions, let transfers finish, and end the relay',
    load: async () => (await import('./operate/drain.ts')).drainCommand,
  },
  {
    command: 'log-level [level]',
    describe: 'Print or change how much is logged',
    load: async () => (await import('./operate/log-level.ts')).logLevelCommand,
  },
  {
    command: 'reload',
    describe: 'Have the configuration read again, and print what changed',
    load: async () => (await import('./operate/reload.ts')).reloadCommand,
  },
];

export const summary =
  'FTP through NAT and firewalls: rewrites addresses, opens pinholes, explains refusals.';

function moduleOf({ command, describe, load }: CommandEntry): CommandModule {
  return {
    ...{ command, describe },
    builder: async (yargs: Argv) => (await load()).builder(yargs),
    handler: async (argv) => (await load()).handler(argv),
  };
}

/** Without its positional arguments. */
export function commandName({ command }: Pick<CommandEntry, 'command'>): string {
  return command.replace(/ .*/, '');
}

const commands = commandTable.map(commandName);
const allowed = `allowed: ${commands.join(', ')}`;

/**
 * Runs the command line. An error is one line on standard error, and the exit code of the process.
 *
 * @param name what it was called as
 */
export async function main(words: readonly string[], name: string = nameOf(process.argv[1])): Promise<void> {
  try {
    await yargs(words)
      .scriptName(name)
      .usage(`$0 COMMAND [OPTIONS]\n${summary}`)
      .command(commandTable.map(moduleOf))
      .epilogue(`For the options of a command: ${name} COMMAND --help`)
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
    process.stderr.write(
      `pinhole: ${isUsageError(error) ? usageOf(error, words, name) : messageOf(error)}\n`,
    );
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
function usageOf({ message }: Error, [command]: readonly string[], name: string): string {
  const line = message.replace(/\s*\n\s*/g, ' ');
  if (command === undefined || command.startsWith('-')) return `${line} (see ${name} --help)`;
  if (!commands.includes(command))
    return `unknown command: ${oneLine(command)}; ${allowed} (see ${name} --help)`;
  return `${line} (see ${name} ${command} --help)`;
}
