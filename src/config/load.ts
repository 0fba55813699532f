import { stringify } from 'smol-toml';
import type { Config } from './config.ts';
import { checkConsistency } from './consistency.ts';
import { oneLine, wrongSetting } from './error.ts';
import { readValue, type Readable } from './kinds.ts';
import { readSources, type ConfigSources, type Given } from './sources.ts';
import { keyOf, names, table, writeSetting } from './table.ts';

export interface LoadedConfig {
  readonly config: Config;
  /** For each key: `default`, `flag --listen`, `environment PINHOLE_LISTEN` or `pinhole.toml: listen`. */
  readonly origins: ReadonlyMap<string, string>;
}

/**
 * Reads the configuration: flags override the environment, the environment the file, the file the defaults. An empty
 * text means "none" for settings that allow none, so that a flag can override the file.
 *
 * @throws {ConfigError} for a value that is not allowed, a name that is not known, a file that cannot be read
 */
export function loadConfig(sources: ConfigSources): LoadedConfig {
  const givenFor = readSources(sources);
  const origins = new Map<string, string>();
  const values = names.map((name) => {
    const key = keyOf(name);
    const given = givenFor(key) ?? { value: table[name].initial, origin: 'default' };
    origins.set(key, given.origin);
    return [name, readSetting(name, given)] as const;
  });
  // `table` has a setting for each member of Config, and each reads its member's type.
  const config = deepFreeze(Object.fromEntries(values)) as unknown as Config;
  checkConsistency(config, origins);
  return { config, origins };
}

function readSetting(name: keyof Config, { value, origin }: Given): unknown {
  const kind: Readable<unknown> = table[name].kind;
  const result = readValue(value, kind);
  if ('value' in result) return result.value;
  throw wrongSetting(keyOf(name), origin, result.wrong, kind.allowed, result.why);
}

/**
 * The configuration as a file, each line with a comment that names the source of its value:
 *
 *     passive-ports = "50000-50999"  # default
 */
export function formatConfig(config: Config, origins: ReadonlyMap<string, string>): string {
  const lines = names.flatMap((name, index) => {
    const key = keyOf(name);
    const { group } = table[name];
    const previous = names[index - 1];
    const heading = previous !== undefined && table[previous].group === group ? [] : ['', `# ${group}`];
    const line = stringify({ [key]: writeSetting(name, config) }).trimEnd();
    return [...heading, `${line}  # ${oneLine(origins.get(key) ?? 'default')}`];
  });
  return `${lines.join('\n').trimStart()}\n`;
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.values(value).forEach(deepFreeze);
    Object.freeze(value);
  }
  return value;
}
