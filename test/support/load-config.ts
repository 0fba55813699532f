import assert from 'node:assert/strict';
import { ConfigError } from '../../src/config/error.ts';
import { loadConfig, type LoadedConfig } from '../../src/config/load.ts';
import type { ConfigSources } from '../../src/config/sources.ts';

/** The configuration of these flags and variables, and of a file with this text. */
export function load({
  flags = {},
  env = {},
  file,
}: Partial<ConfigSources> & { file?: string }): LoadedConfig {
  return loadConfig({
    flags: file === undefined ? flags : { config: 'pinhole.toml', ...flags },
    env,
    readFile: (path) => {
      assert.equal(path, 'pinhole.toml');
      return file ?? '';
    },
  });
}

/** The error for what is not allowed. */
export function message(sources: Parameters<typeof load>[0]): string {
  try {
    load(sources);
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error));
    assert.doesNotMatch(error.message, /[\r\n]/);
    return error.message;
  }
  assert.fail(`accepted ${JSON.stringify(sources)}`);
}
