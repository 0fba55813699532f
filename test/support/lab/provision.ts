/**
 * Makes the programs that the lab needs present: clients and tools as Debian packages, the FTP servers and firewalls
 * and what reads logs unpacked into a cache folder. Those conflict with each other and would start services, so they are never installed.
 *
 * Does nothing, and needs no network, where all is there already.
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';

import { messageOf } from '../../../src/net/error.ts';
import { namespaceTrouble } from './network.ts';
import { mustRun, runProcess } from './process.ts';

export interface Missing {
  what: string;
  reason: string;
}

/** Debian's Python: pyftpdlib is installed for it, and another `python3` may stand before it in PATH. */
export const debianPython = '/usr/bin/python3';

/** A file that shows the package to be there -> the package. */
const installed: Readonly<Record<string, string>> = {
  '/usr/bin/curl': 'curl',
  '/usr/bin/lftp': 'lftp',
  '/usr/bin/wget': 'wget',
  '/usr/bin/ncftpget': 'ncftp',
  '/usr/bin/tnftp': 'tnftp',
  '/usr/bin/tcpdump': 'tcpdump',
  '/usr/sbin/nft': 'nftables',
  '/usr/sbin/iptables-legacy': 'iptables',
  '/usr/sbin/conntrack': 'conntrack',
  '/usr/bin/openssl': 'openssl',
  '/usr/bin/strace': 'strace',
  '/usr/bin/python3': 'python3',
  '/usr/lib/python3/dist-packages/pyftpdlib/__init__.py': 'python3-pyftpdlib',
  // Without it pyftpdlib has no TLS.
  '/usr/lib/python3/dist-packages/OpenSSL/__init__.py': 'python3-openssl',
  '/usr/lib/python3/dist-packages/firewall/__init__.py': 'python3-firewall',
  '/usr/lib/python3/dist-packages/nftables/__init__.py': 'python3-nftables',
};

/** Package to unpack -> the program in it, or what else of it is loaded. */
const servers = {
  vsftpd: 'usr/sbin/vsftpd',
  'proftpd-core': 'usr/sbin/proftpd',
  'pure-ftpd': 'usr/sbin/pure-ftpd',
  'proftpd-mod-crypto': 'usr/lib/proftpd/mod_tls.so',
} as const;
/** Their packages would take the host's own firewall over. */
const firewalls = { ufw: 'usr/sbin/ufw', firewalld: 'usr/bin/firewall-offline-cmd' } as const;
/** It would start its service. Its package depends on Python alone. */
const readers = { fail2ban: 'usr/bin/fail2ban-regex' } as const;
/** What the benchmark alone needs. HAProxy as well: its package starts a service. */
const rivals = {
  haproxy: 'usr/sbin/haproxy',
  'ftp-proxy': 'usr/sbin/ftp-proxy',
  // It names symbols of libssl and leaves it to mod_tls.so of the lab's proftpd-mod-crypto to load that.
  'proftpd-mod-proxy': 'usr/lib/proftpd/mod_proxy.so',
} as const;
/** What reads the metrics; its package starts a service too. */
const monitors = { prometheus: 'usr/bin/prometheus' } as const;
type UnpackedPackage =
  | keyof typeof servers
  | keyof typeof firewalls
  | keyof typeof readers
  | keyof typeof rivals
  | keyof typeof monitors;
const unpacked: Readonly<Record<UnpackedPackage, string>> = {
  ...servers,
  ...firewalls,
  ...readers,
  ...rivals,
  ...monitors,
};
/** Of a large package, what is kept: prometheus and promtool. */
const kept: Readonly<Partial<Record<UnpackedPackage, string>>> = { prometheus: 'usr/bin' };
const labPackages = Object.keys({ ...servers, ...firewalls, ...readers }) as UnpackedPackage[];
const rivalPackages = Object.keys(rivals) as UnpackedPackage[];
const monitorPackages = Object.keys(monitors) as UnpackedPackage[];

const aptLimit = 300_000;
const lookupLimit = 60_000;

/** $XDG_CACHE_HOME/pinhole-test, or ~/.cache/pinhole-test. */
export function cacheFolder(): string {
  const base = process.env['XDG_CACHE_HOME'];
  return join(base === undefined || base === '' ? join(homedir(), '.cache') : base, 'pinhole-test');
}

/** Where an unpacked package and the named file of it lie, with the version that it has. Throws where it was not provisioned. */
export function unpackedServer(name: UnpackedPackage): { program: string; folder: string; version: string } {
  const folder = join(cacheFolder(), name);
  const manifest = readManifest(folder);
  if (manifest === undefined) throw new Error(`${name} is not unpacked in ${folder}`);
  return { program: join(folder, unpacked[name]), folder, version: manifest.version };
}

let answer: Promise<Missing[]> | undefined;

/**
 * Provisions once a process, and says what the lab still lacks; an empty list means that it can be built. Never
 * throws for something that is missing.
 */
export function requirements(): Promise<Missing[]> {
  answer ??= provision();
  return answer;
}

/**
 * As `requirements`, and then the programs that the benchmark compares with. What cannot be had is in the list by its
 * package's name, and the others can be used.
 */
export function benchRequirements(): Promise<Missing[]> {
  return requirementsWith(rivalPackages);
}

/** As `requirements`, and then Prometheus. */
export function monitoringRequirements(): Promise<Missing[]> {
  return requirementsWith(monitorPackages);
}

async function requirementsWith(packages: readonly UnpackedPackage[]): Promise<Missing[]> {
  const missing = await requirements();
  if (missing.length > 0) return missing;
  const reasons = new Map<string, string>();
  if (packages.some(isMissing)) {
    await withLock(async () => {
      for (const name of packages.filter(isMissing)) {
        await install([name]).catch((error: unknown) => reasons.set(name, messageOf(error)));
      }
    });
  }
  return packages
    .filter(isMissing)
    .map((what) => ({ what, reason: reasons.get(what) ?? 'apt-get succeeded without it' }));
}

/** Chromium itself, or what leans on it. */
const browsers = ['/usr/bin/chromium', '/usr/bin/google-chrome'];

/** The path of the browser. Throws where it was not provisioned. */
export function browserProgram(): string {
  const found = browsers.find((file) => existsSync(file));
  if (found === undefined) throw new Error(`none of ${browsers.join(', ')} is there`);
  return found;
}

/** As `requirements`, and then the browser: it is large, and one test alone needs it. */
export async function browserRequirements(): Promise<Missing[]> {
  const missing = await requirements();
  const hasBrowser = (): boolean => browsers.some((file) => existsSync(file));
  if (missing.length > 0 || hasBrowser()) return missing;
  let reason = 'apt-get succeeded without it';
  try {
    await withLock(async () => {
      if (!hasBrowser()) await installPackage('chromium');
    });
  } catch (error) {
    reason = messageOf(error);
  }
  return hasBrowser() ? [] : [{ what: 'chromium', reason }];
}

/**
 * For the first line of a test: true where it has to return. With CI=true a missing part is a failure, otherwise the
 * test is skipped with one line that says why.
 */
export function skipOrFail(t: TestContext, missing: readonly Missing[]): boolean {
  if (missing.length === 0) return false;
  const reason = missing.map((each) => `${each.what}: ${each.reason}`).join('; ');
  if (process.env['CI'] === 'true') throw new Error(`the lab is incomplete: ${reason}`);
  t.skip(reason);
  return true;
}

async function provision(): Promise<Missing[]> {
  if (process.platform !== 'linux')
    return [{ what: 'network namespaces', reason: `${process.platform} has none` }];
  if (process.getuid?.() !== 0) return [{ what: 'network namespaces', reason: 'not root' }];

  let trouble: string | undefined;
  if (!isComplete()) {
    if (!existsSync('/etc/debian_version') || !existsSync('/usr/bin/apt-get')) {
      return [...stillMissing('not a Debian or Ubuntu system, install it by hand')];
    }
    try {
      await withLock(async () => {
        // Another test file may have done it while this one waited.
        if (!isComplete()) await install(labPackages);
      });
    } catch (error) {
      trouble = messageOf(error);
    }
  }
  const missing = stillMissing(trouble ?? 'apt-get succeeded without it');
  if (missing.length > 0) return missing;
  const noNamespace = namespaceTrouble();
  return noNamespace === undefined ? [] : [{ what: 'network namespaces', reason: noNamespace }];
}

function stillMissing(reason: string): Missing[] {
  return [...missingPackages(), ...missingUnpacked()].map((what) => ({ what, reason }));
}

function isComplete(): boolean {
  return missingPackages().length === 0 && missingUnpacked().length === 0;
}

function missingPackages(): string[] {
  const files = Object.keys(installed).filter((file) => !existsSync(file));
  const packages = files.map((file) => installed[file] ?? file);
  // /sbin, /usr/sbin or /usr/bin, as the release has it.
  const ip = spawnSync('ip', ['-V'], { timeout: 10_000 });
  return ip.error === undefined ? packages : [...packages, 'iproute2'];
}

function missingUnpacked(): UnpackedPackage[] {
  return labPackages.filter(isMissing);
}

function isMissing(name: UnpackedPackage): boolean {
  return !isWhole(join(cacheFolder(), name)) || lacksLibraries(name);
}

function lacksLibraries(name: UnpackedPackage): boolean {
  const isScript = readFileSync(join(cacheFolder(), name, unpacked[name]), 'latin1').startsWith('#!');
  if (isScript) return false;
  const { stdout, status } = spawnSync('ldd', [join(cacheFolder(), name, unpacked[name])], {
    encoding: 'utf8',
    timeout: 10_000,
  });
  return status !== 0 || stdout.includes('not found');
}

/** Unpacks what is missing of these, and installs what they and the lab lack. */
async function install(packages: readonly UnpackedPackage[]): Promise<void> {
  if (!hasPackageLists()) await aptGet(['update']);
  try {
    await installOnce(packages);
  } catch {
    // Stale lists name versions that the mirror has dropped.
    await aptGet(['update']);
    await installOnce(packages);
  }
}

async function installPackage(name: string): Promise<void> {
  const wanted = ['install', '--yes', '--no-install-recommends', name];
  if (!hasPackageLists()) await aptGet(['update']);
  try {
    await aptGet(wanted);
  } catch {
    await aptGet(['update']);
    await aptGet(wanted);
  }
}

async function installOnce(packages: readonly UnpackedPackage[]): Promise<void> {
  const lacking = packages.filter(isMissing);
  for (const name of lacking) await unpack(name);
  const libraries = lacking.flatMap((name) => readManifest(join(cacheFolder(), name))?.libraries ?? []);
  const wanted = [...new Set([...missingPackages(), ...libraries])];
  if (wanted.length > 0) await aptGet(['install', '--yes', '--no-install-recommends', ...wanted]);
}

interface Manifest {
  version: string;
  /** The library packages that it depends on. */
  libraries: string[];
  /** Path inside the folder -> size in bytes, written last: a folder without it is not whole. */
  files: Record<string, number>;
}

const manifestName = 'pinhole-manifest.json';

async function unpack(name: UnpackedPackage): Promise<void> {
  const cache = cacheFolder();
  mkdirSync(cache, { recursive: true });
  const work = mkdtempSync(join(cache, 'unpacking-'));
  try {
    // APT::Sandbox::User: the download user may not reach a folder below root's home.
    await aptGet(['download', '-o', 'APT::Sandbox::User=root', name], work);
    const archive = readdirSync(work).find((file) => file.endsWith('.deb'));
    if (archive === undefined) throw new Error(`apt-get download ${name} left no package`);
    const tree = join(work, 'tree');
    await mustRun(['dpkg-deb', '-x', join(work, archive), tree], { timeout: lookupLimit });
    const part = kept[name];
    if (part !== undefined) keepOnly(tree, part);
    const field = async (which: string): Promise<string> =>
      (await mustRun(['dpkg-deb', '-f', join(work, archive), which], { timeout: lookupLimit })).trim();
    const manifest: Manifest = {
      version: await field('Version'),
      libraries: libraryPackages(await field('Depends')),
      files: sizes(tree),
    };
    writeFileSync(join(tree, manifestName), JSON.stringify(manifest));
    rmSync(join(cache, name), { recursive: true, force: true });
    renameSync(tree, join(cache, name));
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** Removes all of a tree but one folder. */
function keepOnly(tree: string, part: string): void {
  const aside = `${tree}-kept`;
  renameSync(join(tree, part), aside);
  rmSync(tree, { recursive: true });
  mkdirSync(dirname(join(tree, part)), { recursive: true });
  renameSync(aside, join(tree, part));
}

/**
 * The libraries of a Depends field; the rest of it (PAM's configuration, an inetd, adduser, what a page loads) serves an installed
 * service, which this is not.
 *
 *     adduser, libc6 (>= 2.34), debconf (>= 0.5) | debconf-2.0, libwrap0 (>= 7.6-4~)  ->  libc6, libwrap0
 */
export function libraryPackages(depends: string): string[] {
  return depends
    .split(',')
    .map((alternative) => /^\s*([a-z0-9.+-]+)/.exec(alternative)?.[1] ?? '')
    .filter((name) => name.startsWith('lib') && !/^lib(pam|js)-/.test(name));
}

function sizes(folder: string): Record<string, number> {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  return Object.fromEntries(
    files
      .map((file) => [file, statSync(join(folder, file), { throwIfNoEntry: false })] as const)
      .flatMap(([file, stat]) => (stat?.isFile() === true ? [[file, stat.size]] : [])),
  );
}

function readManifest(folder: string): Manifest | undefined {
  try {
    return JSON.parse(readFileSync(join(folder, manifestName), 'utf8')) as Manifest;
  } catch {
    return undefined;
  }
}

function isWhole(folder: string): boolean {
  const manifest = readManifest(folder);
  if (manifest === undefined) return false;
  return Object.entries(manifest.files).every(
    ([file, size]) => statSync(join(folder, file), { throwIfNoEntry: false })?.size === size,
  );
}

function hasPackageLists(): boolean {
  const lists = '/var/lib/apt/lists';
  return existsSync(lists) && readdirSync(lists).some((name) => name.includes('_Packages'));
}

async function aptGet(args: readonly string[], cwd?: string): Promise<void> {
  const argv = [
    'apt-get',
    '-q',
    '-o',
    'DPkg::Lock::Timeout=120',
    '-o',
    'Acquire::Retries=2',
    '-o',
    'Acquire::http::Timeout=30',
    ...args,
  ];
  const { code, stdout, stderr } = await runProcess(argv, {
    env: { DEBIAN_FRONTEND: 'noninteractive' },
    timeout: aptLimit,
    ...(cwd === undefined ? {} : { cwd }),
  });
  if (code !== 0) {
    const said = stderr.trim() === '' ? stdout : stderr;
    const lines = said.trim().split('\n').slice(-3);
    throw new Error(`apt-get ${args.join(' ')} failed: ${lines.join(' / ')}`);
  }
}

/**
 * One provisioning at a time on this machine. flock(1) holds the lock as long as its standard input is open, so the
 * kernel gives it back even when this process is killed.
 */
async function withLock(work: () => Promise<void>): Promise<void> {
  mkdirSync(cacheFolder(), { recursive: true });
  const limit = 2 * aptLimit;
  const holder = spawn(
    'flock',
    ['-w', String(limit / 1000), join(cacheFolder(), 'lock'), 'sh', '-c', 'echo held; exec cat'],
    {
      stdio: ['pipe', 'pipe', 'ignore'],
    },
  );
  const exited = once(holder, 'exit');
  try {
    const first = await Promise.race([once(holder.stdout, 'data'), exited.then(() => undefined)]);
    if (first === undefined) throw new Error(`another run has been installing for over ${limit / 1000} s`);
    await work();
  } finally {
    holder.stdin.end();
    await exited;
  }
}
