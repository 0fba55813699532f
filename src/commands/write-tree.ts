import { existsSync, lstatSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { messageOf } from '../net/error.ts';

interface TreeFile {
  readonly path: string;
  readonly text: string;
}

/**
 * Writes all files below the folder, or none of them.
 *
 * @param isForced whether files that are there already are replaced
 * @returns where they are
 * @throws where one is there already or cannot be written, with its name
 */
export function writeTree(files: readonly TreeFile[], folder: string, isForced: boolean): string[] {
  const targets = files.map(({ path, text }) => ({ file: join(folder, path), text }));
  const present = targets.find(({ file }) => isThere(file));
  if (present && !isForced) {
    throw new Error(
      `${present.file} already exists, and nothing was written; allowed: another --out, or --force to replace it`,
    );
  }
  writeAll(targets);
  return targets.map(({ file }) => file);
}

/** Beside their places first: what fails then has changed nothing. */
function writeAll(targets: readonly { readonly file: string; readonly text: string }[]): void {
  const beside = (file: string): string => `${file}.new-${process.pid}`;
  for (const [index, { file, text }] of targets.entries()) {
    try {
      makeFolder(dirname(file));
      if (isThere(file) && lstatSync(file).isDirectory()) throw new Error('it is a folder');
      writeFileSync(beside(file), text, { flag: 'wx' });
    } catch (error) {
      for (const written of targets.slice(0, index)) rmSync(beside(written.file), { force: true });
      throw new Error(`${file} cannot be written: ${messageOf(error)}`, { cause: error });
    }
  }
  for (const { file } of targets) renameSync(beside(file), file);
}

/** A link that leads nowhere is there too. */
function isThere(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}

/** Not mkdir's `recursive`, which on Node 20 never ends where a file system has no new folders, as /proc. */
function makeFolder(path: string): void {
  if (existsSync(path)) return;
  makeFolder(dirname(path));
  mkdirSync(path);
}
