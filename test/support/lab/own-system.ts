/**
 * A system of its own over the host's files: what is written in it lands in a folder that is thrown away. With systemd as its
 * first process, or with none.
 */
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  rmdirSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { runProcess, startProcess, type Finished } from './process.ts';

export interface OwnSystem {
  /** Runs a program in it. Limit in ms; 30 s unless told. */
  run: (argv: readonly string[], limit?: number) => Promise<Finished>;
  /** The same by a shell; throws unless it exits with 0, and returns what it printed. */
  sh: (script: string, limit?: number) => Promise<string>;
  stop: () => Promise<void>;
}

export type Init = 'systemd' | 'none';

let systems = 0;

/** Why there cannot be one; undefined: there can. */
export function systemTrouble(init: Init): string | undefined {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'not root on Linux';
  if (!existsSync('/usr/bin/dpkg')) return 'not a Debian or Ubuntu system';
  if (!existsSync('/usr/bin/systemd-sysusers')) return 'no systemd-sysusers';
  if (init === 'none') return undefined;
  if (!existsSync('/sbin/init') || !readlinkSync('/sbin/init').includes('systemd'))
    return '/sbin/init is not systemd';
  return cgroupFolder() === undefined ? 'no cgroup2 file system is mounted' : undefined;
}

/** Where cgroups of version 2 are, whether or not they are the only ones. */
function cgroupFolder(): string | undefined {
  return readFileSync('/proc/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' '))
    .find(([, , type]) => type === 'cgroup2')?.[1];
}

/** In it: what was written, as a tree. */
export const written = '/run/written';
/** In it: the files that it was given. */
export const given = '/run/given';

/** Mounts it, and becomes its first process. $1: the folder, $2: that of the files; then the first process. */
const setUp = `
set -e
mount --make-rprivate /
mount -t tmpfs tmpfs "$1/mount"
mkdir "$1/mount/root" "$1/mount/upper" "$1/mount/work"
mount -t overlay overlay -o "lowerdir=$2,upperdir=$1/mount/upper,workdir=$1/mount/work" "$1/mount/root"
folder=$1
cd "$1/mount/root"
shift 2
mount -t proc proc proc
mount -t sysfs sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup || test "$1" != /sbin/init
mount -t tmpfs -o mode=755 tmpfs run
mount -t tmpfs -o mode=1777 tmpfs tmp
mount --rbind /dev dev
mkdir run/before run/written run/given
mount --bind "$folder/mount/upper" run/written
mount --bind "$folder/given" run/given
pivot_root . run/before
umount -l run/before
exec env -i container=nspawn PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin TERM=dumb "$@" </dev/null`;

/**
 * @param files that it is given, by the names that they get
 * @param lower what it starts with: the host's files, or those of an unpacked system
 */
export async function startSystem(
  init: Init,
  files: Readonly<Record<string, string>>,
  lower: string = '/',
): Promise<OwnSystem> {
  const folder = mkdtempSync(join(tmpdir(), 'pinhole-system-'));
  for (const name of ['mount', 'given']) mkdirSync(join(folder, name));
  for (const [name, file] of Object.entries(files)) copyFileSync(file, join(folder, 'given', name));
  const cgroups = cgroupFolder();
  const cgroup =
    cgroups === undefined ? undefined : join(cgroups, `pinhole-test-${process.pid}-${++systems}`);
  if (cgroup !== undefined) mkdirSync(cgroup, { recursive: true });
  const first =
    init === 'systemd'
      ? ['/sbin/init', 'systemd.unit=basic.target', 'systemd.show_status=no']
      : // What ends in it is not waited for by anybody.
        ['env', '--ignore-signal=CHLD', 'sleep', 'infinity'];
  const enter = cgroup === undefined ? '' : `echo $$ >${cgroup}/cgroup.procs;`;
  const spaces = ['--mount', '--pid', '--uts', '--ipc', '--net', '--cgroup', '--fork', '--kill-child'];
  const outer = startProcess([
    ...['sh', '-c', `${enter} exec "$@"`, 'sh', 'unshare', ...spaces],
    ...['sh', '-c', setUp, 'sh', folder, lower, ...first],
  ]);

  const stop = async (): Promise<void> => {
    await outer.stop('SIGKILL');
    await removeCgroups(cgroup);
    rmSync(folder, { recursive: true, force: true });
  };
  let pid = '';
  const run: OwnSystem['run'] = (argv, limit = 30_000) =>
    runProcess(['nsenter', '-t', pid, '--all', '--', 'sh', '-c', 'cd /; exec "$@"', 'sh', ...argv], {
      timeout: limit,
      env: {
        PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
        DEBIAN_FRONTEND: 'noninteractive',
      },
    });
  const sh: OwnSystem['sh'] = async (script, limit) => {
    const { code, stdout, stderr } = await run(['sh', '-ec', script], limit);
    if (code !== 0) throw new Error(`${script}: exit code ${code ?? 'none'}\n${stdout}${stderr}`);
    return stdout;
  };
  const isUp = async (): Promise<boolean> => {
    pid = readFileSync(`/proc/${outer.pid}/task/${outer.pid}/children`, 'utf8').trim();
    if (pid === '' || readFileSync(`/proc/${pid}/comm`, 'utf8').trim() === 'sh') return false;
    if (init === 'none') return (await run(['ip', 'link', 'set', 'lo', 'up'])).code === 0;
    // degraded: a service of the host's that cannot run in here.
    const { stdout } = await run(['systemctl', 'is-system-running']);
    return /^(?:running|degraded)$/m.test(stdout);
  };
  try {
    const end = Date.now() + 30_000;
    while (!(await isUp())) {
      if (Date.now() > end) throw new Error(`no system came up: ${outer.stdout()}${outer.stderr()}`);
      await delay(100);
    }
  } catch (error) {
    await stop();
    throw error;
  }
  return { run, sh, stop };
}

/** Those that systemd made in it first. Its processes take a moment to go. */
async function removeCgroups(folder: string | undefined): Promise<void> {
  if (folder === undefined) return;
  const remove = `find '${folder}' -depth -type d -exec rmdir {} + 2>/dev/null`;
  for (let tries = 0; existsSync(folder) && tries < 20; tries++) {
    await runProcess(['sh', '-c', remove], { timeout: 10_000 });
    if (existsSync(folder)) await delay(100);
  }
  if (existsSync(folder)) rmdirSync(folder);
}
