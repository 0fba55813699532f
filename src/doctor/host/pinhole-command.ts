import type { Config } from '../../config/config.ts';
import { loadConfig } from '../../config/load.ts';
import { settings } from '../../config/table.ts';
import type { SourceText } from '../host-sources.ts';

/** What a running Pinhole was started with. */
export interface PinholeCommand {
  /** The file of its configuration, if it has one. */
  readonly configPath: string | undefined;
  readonly flags: Readonly<Record<string, string | string[]>>;
  readonly env: Readonly<Record<string, string>>;
}

/** Whether these are the words of `node .../pinhole run ...` or `node .../cli.js run ...`. */
export function isPinholeCommand(words: readonly string[]): boolean {
  const at = words.findIndex((word) => /(?:^|\/)(?:pinhole|cli\.js)$/.test(word));
  return at !== -1 && words[at + 1] === 'run';
}

/** Reads words as yargs does: `--listen 21 2121`, `--listen=21`, `--intercept`. */
export function readPinholeCommand({ text }: SourceText): PinholeCommand {
  const words = text.split('\n').filter((word) => word !== '');
  const env = Object.fromEntries(
    words
      .filter((word) => /^PINHOLE_[A-Z0-9_]+=/.test(word))
      .map((word) => word.split(/=(.*)/s, 2) as [string, string]),
  );
  const flags: Record<string, string | string[]> = {};
  for (let at = words.indexOf('run') + 1; at < words.length; at++) {
    const [, name = '', attached] = /^--([a-z-]+)(?:=(.*))?$/s.exec(words[at] ?? '') ?? [];
    const setting = settings.find(({ key }) => key === name);
    if (setting === undefined && name !== 'config') continue;
    const values = attached === undefined ? [] : [attached];
    const most = setting?.isSwitch === true ? 0 : setting?.many === true ? Infinity : 1;
    while (values.length < most && words[at + 1] !== undefined && words[at + 1]?.startsWith('--') !== true)
      values.push(words[++at] ?? '');
    if (setting?.many === true) flags[name] = [flags[name] ?? [], values].flat();
    else flags[name] = values[0] ?? 'true';
  }
  const { config = env['PINHOLE_CONFIG'] } = flags;
  return { configPath: typeof config === 'string' ? config : undefined, flags, env };
}

/** What it runs with; undefined where that can't be read. */
export function configOfCommand(command: SourceText, file: SourceText | undefined): Config | undefined {
  const { flags, env, configPath } = readPinholeCommand(command);
  if (configPath !== undefined && file?.file !== configPath) return undefined;
  try {
    return loadConfig({ flags, env, readFile: () => file?.text ?? '' }).config;
  } catch {
    return undefined;
  }
}
