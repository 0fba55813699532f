import type { Argv, ArgumentsCamelCase } from 'yargs';

/** What a command is made of, but for its name and what it is listed with. */
export interface Subcommand<T = object> {
  readonly builder: (yargs: Argv) => Argv<T>;
  readonly handler: (argv: ArgumentsCamelCase<T>) => void | Promise<void>;
}
