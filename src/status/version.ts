import { readFileSync } from 'node:fs';

/** The version in the package.json above this file; `unknown` where there is none. */
export function programVersion(): string {
  for (const up of ['../../package.json', '../../../package.json']) {
    try {
      const { name, version } = JSON.parse(readFileSync(new URL(up, import.meta.url), 'utf8')) as {
        readonly name?: unknown;
        readonly version?: unknown;
      };
      if (name === 'pinhole' && typeof version === 'string') return version;
    } catch {
      // One folder further up, then.
    }
  }
  return 'unknown';
}
