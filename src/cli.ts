#!/usr/bin/env node
import yargs from 'yargs';
import { hideBin } from 'yargs/helpers';
import { demoCommand } from './commands/demo.ts';
import { doctorCommand } from './commands/doctor.ts';
import { rulesCommand } from './commands/rules.ts';
import { runCommand } from './commands/run.ts';
import { ConfigError } from './config.ts';
import { messageOf } from './net/error.ts';

/** What is wrong with the words of the call, as opposed to what went wrong in doing it. */
class UsageError extends Error {}

try {
  await yargs(hideBin(process.argv))
    .scriptName('pinhole')
    .usage(
      '$0 COMMAND [OPTIONS]\n\nFTP through NAT and firewalls: rewrites the addresses, opens the pinholes, says why.',
    )
    .command(runCommand)
    .command(demoCommand)
    .command(rulesCommand)
    .command(doctorCommand)
    .epilogue('The options of a command: pinhole COMMAND --help')
    .demandCommand(1, 'a command is missing, allowed: run, demo, rules, doctor')
    .strict()
    .parserConfiguration({ 'camel-case-expansion': false, 'greedy-arrays': false, 'boolean-negation': false })
    .wrap(Math.min(110, process.stdout.columns || 110))
    .help()
    .alias('help', 'h')
    .fail((message: string | null, error: Error | undefined) => {
      // What yargs itself finds wrong with the words is a usage error too, though it comes as an exception.
      if (error && error.name !== 'YError') throw error;
      // Some of its messages are several lines.
      const words = (message ?? error?.message ?? 'wrong usage').replace(/\s*\n\s*/g, ' ');
      throw new UsageError(`${words} (see pinhole COMMAND --help)`);
    })
    .parseAsync();
} catch (error) {
  // Exit code 2: the words or the configuration are wrong; 1: it could not be done.
  process.stderr.write(`pinhole: ${messageOf(error)}\n`);
  process.exitCode = error instanceof ConfigError || error instanceof UsageError ? 2 : 1;
}
