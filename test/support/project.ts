/** Where the project's files are: the tests run from `build`, where tsc emits them, and what is no code stays in `test`. */
import { join, relative } from 'node:path';

/** The folder of package.json; tests run in it. */
export const root: string = join(import.meta.dirname, '../../..');

const emitted = join(root, 'build');

/** `pinhole` as tsc emitted it beside the tests, so that what it runs counts as covered. */
export const program: readonly string[] = [process.execPath, join(emitted, 'src/cli.js')];

/**
 * The folder that an emitted folder was emitted from.
 *
 *     /project/build/test/support/lab  ->  /project/test/support/lab
 */
export function sourceFolder(folder: string): string {
  return join(root, relative(emitted, folder));
}

/** The emitted file of a source file, both from the project's root: `test/docs.test.ts` -> `/project/build/test/docs.test.js` */
export function emittedFile(source: string): string {
  return join(emitted, source.replace(/\.ts$/, '.js'));
}
