import { readFileSync } from 'node:fs';
import type { Argv, Options } from 'yargs';
import { loadConfig, type LoadedConfig } from '../config/load.ts';
import { settings } from '../config/table.ts';

/**
 * yargs options for every setting. Defaults are only described, so that the origin of a value stays known.
 *
 * @param isShown whether --help tells of it
 */
export function withSettings<T>(yargs: Argv<T>, isShown: (key: string) => boolean = () => true): Argv<T> {
  for (const { key, group, description, defaultText, allowed, many, isSwitch } of settings) {
    const words = group === 'Operation' || isSwitch ? ` (${allowed})` : '';
    const option: Options = {
      type: 'string',
      group: `${group}:`,
      describe: description + words,
      // Of yargs' booleans any other word than true would mean false.
      requiresArg: !isSwitch,
    };
    if (many) option.array = true;
    if (!isShown(key)) option.hidden = true;
    if (defaultText !== '') option.defaultDescription = defaultText;
    yargs.option(key, option);
  }
  return yargs.option('config', {
    type: 'string',
    group: 'Addresses:',
    describe: 'TOML file with the same keys',
    requiresArg: true,
  });
}

/** The configuration that flags, environment and file give together. */
export function configFrom(argv: Readonly<Record<string, unknown>>): LoadedConfig {
  const given = (key: string): string | string[] | undefined => argv[key] as string | string[] | undefined;
  const flags = Object.fromEntries([
    ['config', given('config')],
    ...settings.map(({ key, isSwitch }) => [key, isSwitch && given(key) === '' ? 'true' : given(key)]),
  ]) as Record<string, string | string[] | undefined>;
  return loadConfig({ flags, env: process.env, readFile: (path) => readFileSync(path, 'utf8') });
}
