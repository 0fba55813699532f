import { ConfigError, oneLine, quote } from '../config/error.ts';
import { readValue, type Readable } from '../config/kinds.ts';

/**
 * Reads a flag that is not a setting, in the way settings are read.
 *
 * @throws {ConfigError} that says its name, what was given and what is allowed
 */
export function readFlag<T>(flag: string, given: unknown, kind: Readable<T>): T {
  return readNamed(`flag --${flag}`, given, kind);
}

/**
 * The same for a word of the command line that is no flag.
 *
 * @param name as --help has it: SESSION
 * @throws {ConfigError}
 */
export function readNamed<T>(name: string, given: unknown, kind: Readable<T>): T {
  const result = readValue(given, kind);
  if ('value' in result) return result.value;
  const reason = result.why === undefined ? '' : ` (${result.why})`;
  throw new ConfigError(
    oneLine(`${name}: ${quote(result.wrong)} is not allowed${reason}; allowed: ${kind.allowed}`),
  );
}
