/**
 * The Debian package and the package of npm, as an administrator has them: installed, started, upgraded, removed, purged.
 * TEST_SYSTEM names the folder of an unpacked system (debootstrap, with Node, systemd, dbus, curl, procps and iproute2) to install in
 * in place of the host's.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { builder, folder, packageFile, packageTold, systemFor } from '../support/lab/debian-package.ts';
import { given, systemTrouble, written, type OwnSystem } from '../support/lab/own-system.ts';
import { runProcess } from '../support/lab/process.ts';
import { skipOrFail } from '../support/lab/provision.ts';
import { root } from '../support/project.ts';

test('the package has at most 25 MB beside Node, and the same bytes each time', (t) => {
  if (skipOrFail(t, existsSync('/usr/bin/dpkg-deb') ? [] : [{ what: 'dpkg-deb', reason: 'not there' }]))
    return;
  const before = readFileSync(packageFile());
  t.diagnostic(packageTold());
  execFileSync('sh', ['-c', 'umask 077; exec "$@"', 'sh', process.execPath, builder], { cwd: root });
  assert.ok(before.equals(readFileSync(packageFile())));
});

for (const [what, dropIn, most] of [
  ['the relay plane', undefined, 2.5],
  ['the kernel plane', 'kernel-plane.conf', 2.5],
] as const) {
  test(`systemd finds little exposed in the unit for ${what}`, (t) => {
    const trouble = systemTrouble('none');
    if (skipOrFail(t, trouble === undefined ? [] : [{ what: 'a Debian system', reason: trouble }])) return;
    const tree = join(folder, 'unpacked');
    if (!existsSync(tree)) execFileSync('dpkg-deb', ['--extract', packageFile(), tree]);
    // It reads no drop-in where no service manager runs.
    const unit = readFileSync(join(tree, 'usr/lib/systemd/system/pinhole.service'), 'utf8');
    const added =
      dropIn === undefined
        ? ''
        : readFileSync(join(tree, 'usr/share/doc/pinhole/examples', dropIn), 'utf8').replace('[Service]', '');
    const file = join(folder, 'pinhole.service');
    writeFileSync(file, unit.replace('[Install]', `${added}\n[Install]`));
    const told = execFileSync('systemd-analyze', ['security', '--offline=true', '--no-pager', file], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const [line = '', exposure] = /^.*exposure level for pinhole\.service: ([\d.]+).*$/m.exec(told) ?? [];
    t.diagnostic(line);
    assert.ok(Number(exposure) <= most, told);
  });
}

test('lintian finds no error in the package', async (t) => {
  const lintian = await packageOf('lintian', '/usr/bin/lintian');
  if (skipOrFail(t, lintian === undefined ? [] : [{ what: 'lintian', reason: lintian }])) return;
  const argv = ['lintian', '--allow-root', '--fail-on', 'error', packageFile()];
  const { code, stdout, stderr } = await runProcess(argv, { timeout: 120_000 });
  t.diagnostic(`lintian: ${stdout.trim() || 'nothing found'}`);
  assert.equal(code, 0, stdout + stderr);
});

/** Installs a package of Debian's that a test alone needs. Says why it could not be had. */
async function packageOf(name: string, program: string): Promise<string | undefined> {
  if (existsSync(program)) return undefined;
  if (process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) return 'not there, and not root on Debian';
  const argv = [
    'apt-get',
    '-q',
    '-o',
    'DPkg::Lock::Timeout=60',
    'install',
    '--yes',
    '--no-install-recommends',
  ];
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  const { code, stderr } = await runProcess([...argv, name], { timeout: 200_000, env });
  return code === 0 ? undefined : `apt-get install failed: ${stderr.trim().split('\n').at(-1) ?? ''}`;
}

test('npm installs the packed package, with its page and its interface description', async (t) => {
  // As a clone would: what npm tells the scripts that it runs is of no use to it.
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('npm_')));
  const npm = (...words: string[]): string =>
    execFileSync('npm', [...words, '--loglevel=error', '--no-audit', '--no-fund'], {
      cwd: root,
      env,
      encoding: 'utf8',
    });
  // dist is what the tests of this kind need anyway: it is not built again.
  const [{ filename, files } = { filename: '', files: [] }] = JSON.parse(
    npm('pack', '--json', '--ignore-scripts', '--pack-destination', folder),
  ) as { filename: string; files: { path: string }[] }[];
  const packed = files.map(({ path }) => path);
  for (const path of [
    'dist/cli.js',
    'dist/admin/openapi.json',
    'dist/admin/page/index.html',
    'dist/admin/page/page.js',
  ])
    assert.ok(packed.includes(path), path);
  assert.deepEqual(
    packed.filter(
      (path) =>
        !/^(?:dist|docs|rules)\/(?!.*\.(?:map|tsbuildinfo)$)|^(?:LICENSE|README\.md|package\.json)$/.test(
          path,
        ),
    ),
    [],
  );

  const prefix = join(folder, 'prefix');
  npm('install', '--global', '--prefix', prefix, join(folder, filename));
  const pinhole = join(prefix, 'bin/pinhole');
  const help = await runProcess([pinhole, '--help'], { timeout: 20_000 });
  assert.match(help.stdout, /^pinhole COMMAND \[OPTIONS\]/);
  const demo = await runProcess([pinhole, 'demo'], { timeout: 20_000 });
  assert.match(demo.stdout, /downloaded twice: 133 bytes in passive mode, 133 in active mode/);
  npm('uninstall', '--global', '--prefix', prefix, 'pinhole');
  assert.ok(!existsSync(pinhole));
  t.diagnostic(`npm: ${packed.length} files`);
});

const configuration = '/etc/pinhole/pinhole.toml';
const install = `dpkg --force-confdef --force-confold --install ${given}`;
/** The small server in memory serves where nobody else reaches it. */
const onLoopback = `sed -i 's/^listen = .*/listen = ["127.0.0.1:21"]/' ${configuration}`;
const download = 'curl -sS --max-time 5 ftp://127.0.0.1/welcome.txt';

/** What is there of the package's, by name and by what dpkg, systemd and the user database know. */
async function leftovers(system: OwnSystem): Promise<string> {
  return system.sh(`
    find ${written} -iname '*pinhole*' ! -type c
    find / -xdev -iname '*pinhole*' -path '/[euv]*' ! -path '/usr/local/*' 2>/dev/null | grep -v '^${written}' || true
    getent passwd pinhole || true
    getent group pinhole || true
    dpkg-query -W pinhole 2>/dev/null || true`);
}

test('is installed, upgraded, removed and purged by dpkg, and leaves nothing', async (t) => {
  const system = await systemFor(t, 'none');
  if (!system) return;
  const { sh, run } = system;
  assert.equal(await leftovers(system), '', 'none of it was there before');
  await sh(`${install}/pinhole.deb`);

  assert.match(await sh('pinhole --help'), /^pinhole COMMAND \[OPTIONS\]/);
  assert.match(await sh('pinhole demo'), /downloaded twice: 133 bytes in passive mode, 133 in active mode/);
  assert.match(await sh('zcat /usr/share/man/man1/pinhole-run.1.gz'), /^\.SH OPTIONS$/m);
  assert.match(await sh('getent passwd pinhole'), /^pinhole:.*:\/usr\/sbin\/nologin$/m);

  // As the unit runs it.
  const [, start = ''] =
    /^ExecStart=(.*)$/m.exec(await sh('cat /usr/lib/systemd/system/pinhole.service')) ?? [];
  const asService = `env XDG_RUNTIME_DIR=/run setpriv --reuid pinhole --regid pinhole --clear-groups --no-new-privs \\
    --inh-caps -all,+net_bind_service --ambient-caps +net_bind_service --bounding-set -all,+net_bind_service ${start}`;
  const unconfigured = await run(['sh', '-c', asService]);
  assert.equal(unconfigured.code, 2);
  assert.match(unconfigured.stderr, /^pinhole: server: not set, but needed/);
  await sh(onLoopback);
  await sh(
    `${asService} >/run/log 2>&1 & for i in $(seq 100); do ${download} 2>/dev/null && break; sleep 0.1; done`,
  );
  assert.match(await sh('pinhole status'), /^serving at 127\.0\.0\.1:21 /);
  assert.match(await sh('stat -c "%a %U %G" /run/pinhole/admin.sock'), /^660 pinhole pinhole$/m);
  await sh('kill $(pgrep -u pinhole); while pgrep -u pinhole; do sleep 0.1; done');

  await sh(`${install}/next.deb`);
  assert.match(await sh('dpkg-query -W pinhole'), /\+next$/m);
  assert.match(
    await sh(`cat ${configuration}`),
    /^listen = \["127\.0\.0\.1:21"\]$/m,
    'what was changed is kept',
  );
  assert.match(
    await sh(`cat ${configuration}.dpkg-dist`),
    /^# The next version says more\./,
    'and the new one lies beside it',
  );

  await sh('dpkg --remove pinhole');
  assert.equal((await run(['sh', '-c', 'command -v pinhole'])).code, 127);
  assert.match(await sh(`cat ${configuration}`), /^listen = /m, 'the configuration stays until it is purged');
  await sh('dpkg --purge pinhole');
  assert.equal(await leftovers(system), '');
});

test('runs under systemd: states, status line, reload, restart, sockets, upgrade, removal', async (t) => {
  const system = await systemFor(t, 'systemd');
  if (!system) return;
  const { sh, run } = system;
  const show = async (property: string): Promise<string> =>
    (await sh(`systemctl show --value --property=${property} pinhole`)).trim();
  const downloads = `for i in $(seq 50); do ${download} 2>/dev/null && exit; sleep 0.1; done; systemctl status --lines=40 --full pinhole; exit 1`;
  t.diagnostic((await sh('systemctl --version')).split('\n')[0] ?? '');

  await sh(`${install}/pinhole.deb`);
  assert.equal((await run(['systemctl', 'is-enabled', 'pinhole'])).stdout.trim(), 'disabled');
  assert.equal(await show('ActiveState'), 'inactive', 'it is not started by the package');

  assert.notEqual((await run(['systemctl', 'start', 'pinhole'])).code, 0);
  assert.equal(await show('ExecMainStatus'), '2');
  assert.equal(await show('NRestarts'), '0', 'a wrong configuration is not tried again');
  assert.match(await sh('journalctl -u pinhole --no-pager'), /server: not set, but needed/);

  await sh(`${onLoopback}; systemctl enable --now pinhole`);
  assert.match(await sh(downloads), /^Welcome\./);
  assert.equal(await show('StatusText'), '0 sessions, 0 transfers, range 0 % used');
  assert.match(await sh('systemctl status pinhole'), /Active: active \(running\)[\s\S]*Status: "0 sessions/);
  assert.match(await sh('pinhole status'), /^serving at 127\.0\.0\.1:21 /);
  assert.match(await sh('stat -c "%a %U %G" /run/pinhole/admin.sock'), /^660 pinhole pinhole$/m);
  const first = await show('MainPID');
  assert.match(await sh(`cat /proc/${first}/status`), /^CapEff:\s+0{13}400$/m, 'CAP_NET_BIND_SERVICE alone');

  await sh(
    `sed -i 's/^#max-sessions = .*/max-sessions = 11/' ${configuration}; systemctl reload pinhole; sleep 1`,
  );
  assert.match(await sh('journalctl -u pinhole --no-pager'), /"changed":\["max-sessions: 10000 -> 11"\]/);
  assert.equal(await show('ActiveState'), 'active');
  assert.equal(await show('MainPID'), first, 'a reload keeps the process');
  await sh('systemctl restart pinhole');
  const second = await show('MainPID');
  assert.notEqual(second, first);

  await sh(`${install}/next.deb`);
  assert.notEqual(await show('MainPID'), second, 'an upgrade restarts what runs');
  assert.match(await sh(downloads), /^Welcome\./);

  const running = await show('MainPID');
  await sh(`echo 'idle-timeout = "many"' >>${configuration}`);
  const upgrade = await run(['sh', '-c', `${install}/next.deb`]);
  assert.equal(upgrade.code, 0);
  assert.match(
    upgrade.stderr,
    /idle-timeout: [\s\S]*pinhole\.service is not restarted: it would not start\./,
  );
  assert.equal(await show('MainPID'), running, 'an upgrade restarts nothing that would not start');
  assert.match(await sh(downloads), /^Welcome\./);
  await sh(`sed -i '/"many"/d' ${configuration}; /usr/lib/pinhole/check`);

  // What is missing then is the host's: libnftables, the kernel's own parts.
  if ((await run(['sh', '-c', 'ldconfig -p | grep -q libnftables'])).code === 0) {
    const dropIns = '/etc/systemd/system/pinhole.service.d';
    await sh(`mkdir -p ${dropIns}; cp /usr/share/doc/pinhole/examples/kernel-plane.conf ${dropIns}/`);
    await sh(
      `echo 'plane = "kernel"' >>${configuration}; systemctl daemon-reload; systemctl restart pinhole`,
    );
    assert.match(
      await sh(`cat /proc/${await show('MainPID')}/status`),
      /^CapEff:\s+0{12}1400$/m,
      'CAP_NET_ADMIN too',
    );
    assert.match(await sh(downloads), /^Welcome\./);
    await sh(`rm -r ${dropIns}; sed -i '/^plane = /d' ${configuration}; systemctl daemon-reload`);
  }

  await sh(
    'systemctl stop pinhole; systemctl reset-failed pinhole; systemctl start pinhole.socket pinhole-admin.socket',
  );
  assert.equal(await show('ActiveState'), 'inactive');
  assert.match(await sh(downloads), /^Welcome\./, 'the first connection starts it');
  assert.equal(await show('ActiveState'), 'active');
  assert.match(await sh('pinhole status'), /^serving at \S*:21 /);

  await sh('dpkg --remove pinhole');
  assert.equal((await run(['sh', '-c', download])).code, 7, 'neither it nor its socket listens');
  await sh('dpkg --purge pinhole');
  assert.equal(await leftovers(system), '');
});
