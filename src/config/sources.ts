import { parse, TomlError } from 'smol-toml';
import { ConfigError, oneLine, quote, wrongSetting } from './error.ts';
import { optional, path, readValue } from './kinds.ts';
import { unknownName } from './spelling.ts';
import { settings, variableOf } from './table.ts';

export interface ConfigSources {
  /** Flags by kebab-case key, `config` (the file) among them; an undefined one was not given. */
  readonly flags: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Reads the file as text, or throws. */
  readonly readFile: (path: string) => string;
}

/** A value before it is read, and where it is from: `flag --listen`, `environment PINHOLE_LISTEN`, `pinhole.toml: listen`. */
export interface Given {
  readonly value: unknown;
  readonly origin: string;
}

/** What one source gives, by key. */
type Layer = ReadonlyMap<string, Given>;

const keys: readonly string[] = settings.map(({ key }) => key);

/** The file is named by a flag or by a variable, and not by a file. */
const keysBesideFile: readonly string[] = [...keys, 'config'];

/**
 * What is given for a key by the first source that has it: flags, then environment, then the file.
 *
 * @throws {ConfigError} for a name that is not known, a file that cannot be read
 */
export function readSources({ flags, env, readFile }: ConfigSources): (key: string) => Given | undefined {
  const layers = [flagsLayer(flags), environmentLayer(env)];
  const given = (key: string): Given | undefined =>
    layers.map((layer) => layer.get(key)).find((found) => found !== undefined);
  const file = given('config');
  const path = file && pathOf(file);
  if (file && path !== undefined) layers.push(fileLayer(path, file.origin, readFile));
  return given;
}

const configFile = optional(path('the path of a TOML file'));

function pathOf({ value, origin }: Given): string | undefined {
  const result = readValue(value, configFile);
  if ('value' in result) return result.value;
  throw wrongSetting('config', origin, result.wrong, configFile.allowed, result.why);
}

function flagsLayer(flags: ConfigSources['flags']): Layer {
  const layer = new Map<string, Given>();
  for (const [key, value] of Object.entries(flags)) {
    if (value === undefined) continue;
    if (!keysBesideFile.includes(key)) {
      throw unknownName(
        `flag --${key}`,
        `--${key}`,
        keysBesideFile.map((known) => `--${known}`),
      );
    }
    layer.set(key, { value, origin: `flag --${key}` });
  }
  return layer;
}

/** Variables that Kubernetes sets in every container if a service is named `pinhole`; they are ignored. */
const fromKubernetes = /^PINHOLE_(?:SERVICE_|PORT$|PORT_)/;

function environmentLayer(env: ConfigSources['env']): Layer {
  const layer = new Map<string, Given>();
  for (const [variable, value] of Object.entries(env)) {
    if (!variable.startsWith('PINHOLE_') || fromKubernetes.test(variable) || value === undefined) continue;
    const key = keysBesideFile.find((known) => variableOf(known) === variable);
    if (key === undefined) {
      throw unknownName(`environment variable ${variable}`, variable, keysBesideFile.map(variableOf));
    }
    layer.set(key, { value, origin: `environment ${variable}` });
  }
  return layer;
}

function fileLayer(path: string, origin: string, readFile: ConfigSources['readFile']): Layer {
  const layer = new Map<string, Given>();
  for (const [key, value] of Object.entries(parseFile(path, origin, readFile))) {
    if (!keys.includes(key)) throw unknownName(`key ${quote(key)} in ${path}`, key, keys);
    layer.set(key, { value, origin: `${path}: ${key}` });
  }
  return layer;
}

function parseFile(path: string, origin: string, readFile: ConfigSources['readFile']): object {
  try {
    return parse(readFile(path));
  } catch (cause) {
    const reason = cause instanceof Error ? (cause.message.split('\n')[0] ?? '') : String(cause);
    const problem =
      cause instanceof TomlError
        ? `line ${cause.line}, column ${cause.column}: ${reason}`
        : `cannot be read: ${reason}`;
    throw new ConfigError(
      oneLine(`config: ${quote(path)} from ${origin}: ${problem}; allowed: a TOML file`),
      { cause },
    );
  }
}
