/** The Debian package, built from this project, and systems that it can be installed in. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, type TestContext } from 'node:test';
import { emittedFile, root } from '../project.ts';
import { startSystem, systemTrouble, type Init, type OwnSystem } from './own-system.ts';
import { skipOrFail } from './provision.ts';

/** For what the tests of this process write. */
export const folder: string = mkdtempSync(join(tmpdir(), 'pinhole-package-test-'));
after(() => {
  rmSync(folder, { recursive: true });
});

/** What builds it. */
export const builder: string = emittedFile('src/packaging/deb.ts');
let built: { readonly file: string; readonly told: string } | undefined;

/** The package, built once. */
export function packageFile(): string {
  built ??= ((): { file: string; told: string } => {
    const told = execFileSync(process.execPath, [builder], { cwd: root, encoding: 'utf8' });
    return { file: join(root, /^\S+\.deb/.exec(told)?.[0] ?? ''), told };
  })();
  return built.file;
}

/** The same as a higher version, whose configuration file differs. */
function nextPackage(): string {
  const tree = join(folder, 'next');
  const file = join(folder, 'next.deb');
  if (existsSync(file)) return file;
  execFileSync('dpkg-deb', ['--raw-extract', packageFile(), tree]);
  const change = (path: string, edit: (text: string) => string): void => {
    writeFileSync(join(tree, path), edit(readFileSync(join(tree, path), 'utf8')));
  };
  change('DEBIAN/control', (text) => text.replace(/^Version: .*$/m, '$&+next'));
  change('etc/pinhole/pinhole.toml', (text) => `# The next version says more.\n${text}`);
  execFileSync('dpkg-deb', ['--root-owner-group', '--build', tree, file], { stdio: 'ignore' });
  return file;
}

/** What the build said of it. */
export function packageTold(): string {
  packageFile();
  return built?.told.trim() ?? '';
}

/** A system that is given both packages. */
export async function systemFor(
  t: TestContext,
  init: Init,
  files: Readonly<Record<string, string>> = {},
): Promise<OwnSystem | undefined> {
  const trouble = systemTrouble(init);
  const missing = trouble === undefined ? [] : [{ what: 'a system to install in', reason: trouble }];
  if (skipOrFail(t, missing)) return undefined;
  const system = await startSystem(
    init,
    { 'pinhole.deb': packageFile(), 'next.deb': nextPackage(), ...files },
    process.env['TEST_SYSTEM'] ?? '/',
  );
  t.after(() => system.stop());
  // That of a container's image lets no package start or stop anything.
  await system.sh('rm -f /usr/sbin/policy-rc.d');
  return system;
}
