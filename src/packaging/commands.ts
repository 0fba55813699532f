import type { Argv, Options } from 'yargs';
import { commandName, commandTable } from '../commands/main.ts';
import { settings } from '../config/table.ts';

/** A flag of a command, as --help tells of it. */
export interface Flag {
  readonly name: string;
  readonly group: string;
  readonly description: string;
  /** The default in words; '' where there is none. */
  readonly defaultText: string;
  readonly takesValue: boolean;
  /** The words that it may have; empty: any others too. */
  readonly choices: readonly string[];
  /** Whether its value is the path of a file. */
  readonly isPath: boolean;
}

/** A command with all that --help tells of it. */
export interface CommandDescription {
  readonly name: string;
  readonly description: string;
  /** Without the program's name: `doctor [url]`. */
  readonly synopsis: string;
  readonly arguments: readonly { readonly name: string; readonly description: string }[];
  readonly flags: readonly Flag[];
  readonly examples: readonly { readonly command: string; readonly description: string }[];
  readonly epilogue: string;
}

/** What yargs itself adds to each command. */
const helpFlag: Flag = {
  ...{ name: 'help', group: 'Options', description: 'Show help', defaultText: '', takesValue: false },
  ...{ choices: [], isPath: false },
};

/** Every command, from what yargs is told of it. */
export async function describeCommands(): Promise<CommandDescription[]> {
  return Promise.all(
    commandTable.map(async ({ command, describe, load }) => {
      const told = recordCalls((await load()).builder);
      const usage = told.find(([method]) => method === 'usage')?.[1][0] as string | undefined;
      const epilogue = told.find(([method]) => method === 'epilogue')?.[1][0] as string | undefined;
      const named = (method: string): [string, Options][] =>
        told.flatMap(([called, [name, options]]) =>
          called === method ? [[name, options] as [string, Options]] : [],
        );
      return {
        name: commandName({ command }),
        description: describe,
        synopsis: (usage ?? `$0 ${command} [OPTIONS]`).replace(/^\$0 /, ''),
        arguments: named('positional').map(([name, { describe: what = '' }]) => ({
          ...{ name, description: what },
        })),
        flags: [...named('option').flatMap(flagOf), helpFlag],
        examples: told.flatMap(([method, [example, what]]) =>
          method === 'example'
            ? [{ command: (example as string).replace(/^\$0 /, ''), description: what as string }]
            : [],
        ),
        epilogue: epilogue ?? '',
      };
    }),
  );
}

type Call = readonly [method: string, args: readonly unknown[]];

/** What a builder calls of yargs, in its order. */
function recordCalls(builder: (yargs: Argv) => unknown): Call[] {
  const calls: Call[] = [];
  const recorder: object = new Proxy(
    {},
    {
      get: (_, method) =>
        typeof method === 'string' && method !== 'then'
          ? (...args: unknown[]) => {
              calls.push([method, args]);
              return recorder;
            }
          : undefined,
    },
  );
  builder(recorder as Argv);
  return calls;
}

function flagOf([name, options]: [string, Options]): Flag[] {
  if (options.hidden === true) return [];
  const { type, group = 'Options', describe = '', defaultDescription, choices = [] } = options;
  const setting = settings.find(({ key, group: of }) => key === name && group === `${of}:`);
  const isSwitch = type === 'boolean' || setting?.isSwitch === true;
  const initial: unknown = defaultDescription ?? (isSwitch ? undefined : options.default);
  return [
    {
      name,
      group: group.replace(/:$/, ''),
      description: describe,
      defaultText: typeof initial === 'string' || typeof initial === 'number' ? String(initial) : '',
      takesValue: !isSwitch && options.requiresArg !== false && name !== 'check',
      choices: setting ? wordsOf(setting.allowed) : choices.map(String),
      isPath: name === 'config' || (setting?.allowed.includes('path') ?? /\bfile\b/i.test(describe)),
    },
  ];
}

/** `relay, kernel` are words; `HOST or HOST:PORT` is none of them. */
function wordsOf(allowed: string): string[] {
  return /^[\w.-]+(?:, [\w.-]+)+$/.test(allowed) ? allowed.split(', ') : [];
}
