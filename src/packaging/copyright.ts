import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Module } from './program.ts';

/** debian/copyright (machine-readable, format 1.0): the program's licence, and that of each module in it. */
export function makeCopyright(project: string, modules: readonly Module[]): string {
  const own = licenseOf(project) ?? '';
  const stanzas = modules.map(({ name, version, license, folder }) => {
    const text = licenseOf(join(project, folder));
    // A prebuilt library is part of the package that loads it.
    const isPart = text === undefined;
    return [
      `Files: usr/lib/pinhole/${folder}/*`,
      `Copyright: ${isPart ? 'as of koffi' : holder(text)}`,
      `License: ${license}-${name.replace(/^@/, '').replaceAll('/', '-')}`,
      indented(isPart ? `See the licence of koffi.` : text),
      `Comment: ${name} ${version}, https://www.npmjs.com/package/${name}`,
    ].join('\n');
  });
  return `Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: Pinhole

Files: *
Copyright: ${holder(own)}
License: MIT
${indented(own)}

${stanzas.join('\n\n')}
`;
}

function licenseOf(folder: string): string | undefined {
  const name = readdirSync(folder).find((file) => /^(?:licen[cs]e|copying)/i.test(file));
  return name === undefined ? undefined : readFileSync(join(folder, name), 'utf8').trim();
}

function holder(text: string): string {
  const lines = text.match(/^.*copyright \(c\).*$|^.*copyright .*\d{4}.*$/gim) ?? [];
  const [line = 'see the licence'] = lines;
  return line.replace(/^[\s*#]*copyright\s*(?:\(c\)|©)?\s*/i, '').trim();
}

function indented(text: string): string {
  return text
    .split('\n')
    .map((line) => (line.trim() === '' ? ' .' : ` ${line.trimEnd()}`))
    .join('\n');
}
