import { basename, dirname } from 'node:path';

/**
 * What the program was called as: `pinhole` where it is installed, `npx pinhole` in its own folder.
 *
 *     /usr/lib/pinhole/bin/pinhole   ->  pinhole
 *     node_modules/.bin/pinhole      ->  npx pinhole
 *     dist/cli.js                    ->  npx pinhole
 */
export function nameOf(program: string = ''): string {
  const isInstalled = basename(program) === 'pinhole' && basename(dirname(program)) !== '.bin';
  return isInstalled ? 'pinhole' : 'npx pinhole';
}
