/**
 * Builds the Debian package from what `npm run build` has made, for the processor of this machine:
 *
 *     npm run package    ->  build/packages/pinhole_0.1.0_amd64.deb
 *
 * Needs dpkg-deb, and no root. The same sources give the same bytes: every time in it is SOURCE_DATE_EPOCH, or the date of the
 * changelog.
 */
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { bashCompletion, fishCompletion, zshCompletion } from './completions.ts';
import { describeCommands } from './commands.ts';
import { makeConfFile } from './conffile.ts';
import { makeCopyright } from './copyright.ts';
import { manPages } from './man.ts';
import { linesInWords, linesText, nodeLines } from './node-lines.ts';
import { copyProgram, productionModules } from './program.ts';

/** Debian's names of the processors that koffi is prebuilt for. */
const architectures: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' };

/** Bytes that it may take beside Node, installed. */
const mostBytes = 25_000_000;

const project = process.cwd();
const sources = join(project, 'src/packaging');

interface Manifest {
  readonly version: string;
  readonly engines: { readonly node: string };
}

async function build(): Promise<void> {
  const architecture = architectures[process.arch];
  if (process.platform !== 'linux' || architecture === undefined)
    throw new Error(
      `a package for ${process.platform} ${process.arch} cannot be made; allowed: linux x64, arm64`,
    );
  const { version, engines } = JSON.parse(readFileSync(join(project, 'package.json'), 'utf8')) as Manifest;
  const changelog = readFileSync(join(sources, 'debian/changelog'), 'utf8');
  if (!changelog.startsWith(`pinhole (${version}) `))
    throw new Error(`src/packaging/debian/changelog has no entry for version ${version} at its top`);
  const epoch = epochOf(process.env['SOURCE_DATE_EPOCH'], changelog);
  const lines = nodeLines(engines.node);
  const words: Readonly<Record<string, string>> = {
    ...{ version, architecture },
    'node-lines': linesText(lines),
    'node-words': linesInWords(lines),
    'oldest-node': linesText(lines.slice(0, 1)),
  };

  const tree = mkdtempSync(join(tmpdir(), 'pinhole-package-'));
  try {
    await install(tree, version, epoch, changelog, words);
    const size = installedSize(tree);
    if (size > mostBytes) throw new Error(`${size} bytes installed; at most ${mostBytes} are allowed`);
    writeControl(tree, { ...words, size: String(Math.ceil(size / 1024)) });
    setModes(tree);
    const file = join('build/packages', `pinhole_${version}_${architecture}.deb`);
    mkdirSync(dirname(file), { recursive: true });
    // Under its name it is whole at each moment.
    const half = `${file}.${process.pid}`;
    execFileSync('dpkg-deb', ['--root-owner-group', '-Zxz', '--build', tree, half], {
      env: { ...process.env, SOURCE_DATE_EPOCH: String(epoch) },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    renameSync(half, file);
    const packed = (lstatSync(file).size / 1e6).toFixed(1);
    process.stdout.write(`${file}: ${packed} MB, installed ${(size / 1e6).toFixed(1)} MB beside Node\n`);
  } finally {
    rmSync(tree, { recursive: true });
  }
}

/** Everything but the control files. */
async function install(
  tree: string,
  version: string,
  epoch: number,
  changelog: string,
  words: Readonly<Record<string, string>>,
): Promise<void> {
  cpSync(join(sources, 'files'), tree, { recursive: true });
  const launcher = join(tree, 'usr/bin/pinhole');
  writeFileSync(launcher, filled(readFileSync(launcher, 'utf8'), words));

  const program = join(tree, 'usr/lib/pinhole');
  const modules = productionModules(project);
  copyProgram(project, modules, program);
  // The name that it is called as: see src/commands/name.ts.
  mkdirSync(join(program, 'bin'));
  symlinkSync('../dist/cli.js', join(program, 'bin/pinhole'));

  const put = (path: string, content: string | Buffer): void => {
    mkdirSync(dirname(join(tree, path)), { recursive: true });
    writeFileSync(join(tree, path), content);
  };
  put('etc/pinhole/pinhole.toml', makeConfFile());
  const commands = await describeCommands();
  const date = new Date(epoch * 1000).toISOString().slice(0, 10);
  for (const [name, page] of manPages(commands, { version, date }))
    put(`usr/share/man/man${name.slice(-1)}/${name}.gz`, gzipSync(page, { level: 9 }));
  put('usr/share/bash-completion/completions/pinhole', bashCompletion(commands));
  put('usr/share/zsh/vendor-completions/_pinhole', zshCompletion(commands));
  put('usr/share/fish/vendor_completions.d/pinhole.fish', fishCompletion(commands));

  const documents = 'usr/share/doc/pinhole';
  put(`${documents}/changelog.gz`, gzipSync(changelog, { level: 9 }));
  put(`${documents}/copyright`, makeCopyright(project, modules));
  for (const name of ['README.md', 'SECURITY.md', 'docs', 'rules'])
    cpSync(join(project, name), join(tree, documents, name), { recursive: true });
}

function writeControl(tree: string, words: Readonly<Record<string, string>>): void {
  const control = join(tree, 'DEBIAN');
  mkdirSync(control);
  for (const name of ['postinst', 'prerm', 'postrm'])
    cpSync(join(sources, 'debian', name), join(control, name));
  writeFileSync(
    join(control, 'control'),
    filled(readFileSync(join(sources, 'debian/control'), 'utf8'), words),
  );
  const conffiles = filesIn(join(tree, 'etc')).map((file) => `/etc/${file}\n`);
  writeFileSync(join(control, 'conffiles'), conffiles.sort().join(''));
}

/** Replaces `@version@` and the like. @throws where nothing is known by a name */
function filled(text: string, words: Readonly<Record<string, string>>): string {
  return text.replace(/@([a-z-]+)@/g, (_, name: string) => {
    const word = words[name];
    if (word === undefined) throw new Error(`@${name}@ stands for nothing`);
    return word;
  });
}

/** Seconds since 1970. */
function epochOf(given: string | undefined, changelog: string): number {
  if (given !== undefined && /^\d+$/.test(given)) return Number(given);
  const [, date = ''] = /^ -- .*> {2}(.+)$/m.exec(changelog) ?? [];
  return Date.parse(date) / 1000;
}

/** As du(1) would count it: files by whole blocks of the file system. */
function installedSize(tree: string): number {
  return filesIn(tree).reduce(
    (sum, file) => sum + Math.ceil(lstatSync(join(tree, file)).size / 4096) * 4096,
    0,
  );
}

function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(
    (name) => !lstatSync(join(folder, name)).isDirectory(),
  );
}

/** Whatever the umask and the modes of the sources are. */
function setModes(tree: string): void {
  const programs =
    /^(?:usr\/bin\/pinhole|usr\/lib\/pinhole\/(?:check|reload|start|stopped)|DEBIAN\/(?:postinst|prerm|postrm)|usr\/share\/doc\/pinhole\/examples\/.*\.sh)$/;
  chmodSync(tree, 0o755);
  for (const name of readdirSync(tree, { recursive: true, encoding: 'utf8' })) {
    const stat = lstatSync(join(tree, name));
    if (!stat.isSymbolicLink())
      chmodSync(join(tree, name), stat.isDirectory() || programs.test(name) ? 0o755 : 0o644);
  }
}

await build();
