import { replaceHarmful } from '../net/harmful-text.ts';
/** A setting or a flag that cannot be used. The message is one line: its name, what was given and what is allowed. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/** @param origin where the value came from: a flag, a variable, a file or the default */
export function wrongSetting(
  key: string,
  origin: string,
  value: unknown,
  allowed: string,
  why?: string,
): ConfigError {
  const isMissing = value === '' && origin === 'default';
  const what = isMissing ? 'not set, but needed' : `${quote(value)} (from ${origin}) is not allowed`;
  const reason = why === undefined ? '' : ` (${why})`;
  return new ConfigError(oneLine(`${key}: ${what}${reason}; allowed: ${allowed}`));
}

export function quote(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length <= 100 ? text : `${text.slice(0, 97)}...`;
}

/** Neither a terminal nor a comment of TOML 1.0 takes control characters; a file's name may have them. */
export function oneLine(text: string): string {
  return replaceHarmful(text, '\ufffd');
}
