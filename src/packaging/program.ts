import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, extname, join, relative } from 'node:path';

/** A package of the npm registry that runs with the program. */
export interface Module {
  readonly name: string;
  readonly version: string;
  readonly license: string;
  /** Below the project: `node_modules/pino-pretty/node_modules/sonic-boom`. */
  readonly folder: string;
}

/** What a program loads; declarations, maps, sources in C and documents are left out. */
const loaded = new Set(['.js', '.cjs', '.mjs', '.json', '.node']);
/** What the admin interface serves. */
const served = new Set([...loaded, '.html', '.css']);

/** Folders that nothing is loaded from, and the prebuilt libraries for another C library. */
const unused =
  /^(?:node_modules|tests?|__tests__|docs?|examples?|bench(?:mark)?s?|coverage|vendor|\.github|musl_\w+)$/;

/** The packages that the program runs with, as they are installed here. */
export function productionModules(project: string): Module[] {
  const list = execFileSync('npm', ['ls', '--omit=dev', '--all', '--parseable'], {
    cwd: project,
    encoding: 'utf8',
  });
  const folders = list.trim().split('\n').slice(1);
  return [...new Set(folders)].sort().map((path) => {
    const { name, version, license } = JSON.parse(readFileSync(join(path, 'package.json'), 'utf8')) as {
      readonly name: string;
      readonly version: string;
      readonly license?: string;
    };
    return { name, version, license: license ?? 'unknown', folder: relative(project, path) };
  });
}

/** Copies the compiled program and its modules, as far as they are loaded. */
export function copyProgram(project: string, modules: readonly Module[], to: string): void {
  // What was compiled from a file that is gone may still lie in dist.
  const isCurrent = (file: string): boolean => {
    const source = join(project, 'src', relative(join(project, 'dist'), file));
    return existsSync(source) || existsSync(source.replace(/\.js$/, '.ts'));
  };
  copyFiles(join(project, 'dist'), join(to, 'dist'), (file) => served.has(extname(file)) && isCurrent(file));
  for (const { folder } of modules) copyFiles(join(project, folder), join(to, folder), isLoaded);
  const { name, version, type } = JSON.parse(readFileSync(join(project, 'package.json'), 'utf8')) as Record<
    'name' | 'version' | 'type',
    string
  >;
  writeFileSync(join(to, 'package.json'), `${JSON.stringify({ name, version, type }, undefined, 2)}\n`);
}

/** A file that begins with `#!` is a program of its own: pino's, koffi's compiler. */
function isLoaded(file: string): boolean {
  return loaded.has(extname(file)) && !readFileSync(file).subarray(0, 2).equals(Buffer.from('#!'));
}

function copyFiles(from: string, to: string, isWanted: (file: string) => boolean): void {
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const source = join(from, entry.name);
    const target = join(to, entry.name);
    if (entry.isDirectory()) {
      if (!unused.test(entry.name)) copyFiles(source, target, isWanted);
    } else if (isWanted(source)) {
      mkdirSync(dirname(target), { recursive: true });
      if (extname(entry.name) === '.js') writeFileSync(target, codeOf(readFileSync(source, 'utf8')));
      else copyFileSync(source, target);
    }
  }
}

/** Without the name of the map, which is not there, and of an interpreter: /usr/bin/pinhole looks for one. */
function codeOf(text: string): string {
  return text.replace(/^#!.*\n/, '').replace(/\n\/\/# sourceMappingURL=\S+\s*$/, '\n');
}
