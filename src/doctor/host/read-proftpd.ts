import { readdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { SourceText } from '../host-sources.ts';

type Read = (path: string) => Promise<SourceText | undefined>;

/**
 * The text with its `Include` lines replaced by the included files, and the origin of each line. A line without a
 * readable file stays, which shows that the settings are incomplete.
 */
export async function withIncludes(root: string, main: SourceText, read: Read): Promise<SourceText> {
  const lines = await linesOf(root, main, read, []);
  return {
    file: main.file,
    text: lines.map(({ text }) => text).join('\n'),
    origins: lines.map(({ file, line }) => ({ file, line })),
  };
}

interface Line {
  readonly text: string;
  readonly file: string;
  readonly line: number;
}

/** A file that is being read already, one of `above`, is not read in itself. */
async function linesOf(
  root: string,
  { file, text }: SourceText,
  read: Read,
  above: readonly string[],
): Promise<Line[]> {
  const open = [...above, file];
  const lines: Line[] = [];
  for (const [index, written] of text.split('\n').entries()) {
    const [, pattern] = /^\s*Include\s+"?(\/[^"\s]+)/i.exec(written) ?? [];
    const included: Line[] = [];
    if (pattern !== undefined) {
      for (const path of await filesOf(root, pattern)) {
        const found = open.includes(path) ? undefined : await read(path);
        if (found) included.push(...(await linesOf(root, found, read, open)));
      }
    }
    lines.push(...(included.length > 0 ? included : [{ text: written, file, line: index + 1 }]));
  }
  return lines;
}

/** `/etc/proftpd/conf.d/*.conf`, a folder, or a file. */
async function filesOf(root: string, pattern: string): Promise<string[]> {
  const isWild = /[*?]/.test(basename(pattern));
  const folder = isWild ? dirname(pattern) : pattern.replace(/\/$/, '');
  const names = await readdir(join(root, folder)).catch(() => undefined);
  if (names === undefined) return isWild ? [] : [pattern];
  const wanted = isWild ? wildcard(basename(pattern)) : /^[^.]/;
  return names
    .filter((name) => wanted.test(name))
    .sort()
    .map((name) => `${folder}/${name}`);
}

function wildcard(pattern: string): RegExp {
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replace(/\*+/g, '[^/]*')
    .replaceAll('?', '[^/]');
  return new RegExp(`^(?!\\.)${source}$`);
}
