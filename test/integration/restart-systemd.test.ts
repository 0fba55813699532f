/** Restarts under a real systemd: sessions go on beside the successor, and nothing is left when they are over. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { systemFor } from '../support/lab/debian-package.ts';
import { given, type OwnSystem } from '../support/lab/own-system.ts';
import { sourceFolder } from '../support/project.ts';

const session = join(sourceFolder(import.meta.dirname), '../support/lab/lasting-session.py');
const configuration = '/etc/pinhole/pinhole.toml';
const dropIns = '/etc/systemd/system/pinhole.service.d';
const download = 'curl -sS --max-time 20 ftp://127.0.0.1/welcome.txt';

/**
 * A system with Pinhole behind its sockets, in front of the server in memory.
 *
 * @param settings lines of its configuration, as words of a shell
 * @param dropIn the example that is used
 * @param before what is run before its start
 */
async function withSockets(
  t: TestContext,
  settings: string,
  dropIn?: string,
  before: string = '',
): Promise<OwnSystem | undefined> {
  const system = await systemFor(t, 'systemd', { 'lasting-session.py': session });
  if (!system) return undefined;
  await system.sh(`
    dpkg --force-confold --install ${given}/pinhole.deb
    printf '%s\n' 'listen = ["127.0.0.1:21"]' ${settings} >${configuration}
    mkdir -p ${dropIns}
    ${dropIn === undefined ? '' : `cp /usr/share/doc/pinhole/examples/${dropIn} ${dropIns}/; systemctl daemon-reload`}
    systemctl start pinhole.socket pinhole-admin.socket
    ${before}
    systemctl start pinhole || { journalctl -u pinhole --no-pager | cut -c1-300; exit 1; }`);
  return system;
}

class Service {
  readonly #system: OwnSystem;
  #sessions = 0;

  constructor(system: OwnSystem) {
    this.#system = system;
  }

  sh(script: string): Promise<string> {
    return this.#system.sh(script);
  }

  async show(property: string): Promise<string> {
    return (await this.sh(`systemctl show --value --property=${property} pinhole`)).trim();
  }

  /** The process ids of Pinhole's processes, the eldest first. */
  async processes(): Promise<string[]> {
    return (await this.sh('pgrep -u pinhole -x node || true')).trim().split(/\s+/).filter(Boolean);
  }

  /** Resolves with the value once it is as wanted. */
  async until<T>(
    what: string,
    look: () => Promise<T>,
    isWanted: (value: T) => boolean,
    limit = 15_000,
  ): Promise<T> {
    const end = Date.now() + limit;
    for (;;) {
      const value = await look();
      if (isWanted(value)) return value;
      if (Date.now() > end)
        assert.fail(
          `${what}: ${String(value)}\n${await this.sh('journalctl -u pinhole --no-pager | tail -30; ps axo pid,ppid,stat,args | grep -v ps')}`,
        );
      await delay(100);
    }
  }

  /** A session with a download under way: what lets it go on, and says how it went. */
  async lastingSession(): Promise<() => Promise<void>> {
    const file = `/run/session-${++this.#sessions}`;
    await this.sh(`python3 ${given}/lasting-session.py 21 ${file} >/dev/null 2>&1 &`);
    const look = async (): Promise<string> => (await this.sh(`cat ${file} 2>/dev/null || true`)).trim();
    await this.until('a session', look, (words) => words === 'begun');
    return async () => {
      await this.sh(`touch ${file}.go`);
      await this.until('the end of a session', look, (words) => words === 'whole');
    };
  }
}

test('systemctl restart leaves sessions to the old process, which ends with them', async (t) => {
  const system = await withSockets(t, `'drain-timeout = "1h"'`);
  if (!system) return;
  const service = new Service(system);
  const finish = await service.lastingSession();
  const [first = ''] = await service.processes();
  const begun = Date.now();
  await service.sh('systemctl restart pinhole');
  t.diagnostic(`a restart takes ${Date.now() - begun} ms`);
  assert.equal(await service.show('ActiveState'), 'active');
  const both = await service.processes();
  assert.equal(both.length, 2);
  assert.ok(both.includes(first));
  assert.match(await service.sh(download), /^Welcome/);
  // Again, beside two: as an upgrade does it, with a configuration file that both sides have changed.
  await service.sh(`dpkg --force-confdef --force-confold --install ${given}/next.deb`);
  assert.match(await service.sh('ls /etc/pinhole'), /pinhole\.toml\.dpkg-dist/);
  assert.equal(await service.show('NRestarts'), '0');
  await service.until(
    'the end of the second',
    () => service.processes(),
    ({ length }) => length === 2,
  );
  await service.until(
    'the status line',
    () => service.show('StatusText'),
    (text) => text.startsWith('0 sessions, 0 transfers'),
  );
  await finish();
  const left = await service.until(
    'the end of the first',
    () => service.processes(),
    ({ length }) => length === 1,
  );
  assert.ok(!left.includes(first));
  assert.equal(await service.sh("ps axo stat,comm | grep '^Z' || true"), '', 'no zombie');
  assert.match(await service.sh(download), /^Welcome/);
});

test('without pinhole.socket the listening sockets of the unit itself are handed over', async (t) => {
  const system = await withSockets(t, `'drain-timeout = "1h"'`, undefined, 'systemctl stop pinhole.socket');
  if (!system) return;
  const service = new Service(system);
  const finish = await service.lastingSession();
  await service.sh(`
    ( while [ ! -e /run/over ]; do ${download} || echo "FAULT $?"; done ) >/run/clients 2>&1 &
    for n in 1 2 3; do sleep 0.5; systemctl restart pinhole; done
    sleep 0.5; touch /run/over`);
  assert.ok((await service.processes()).length > 1);
  const heard = await service.sh('sleep 1; sort /run/clients | uniq -c');
  t.diagnostic(heard.trim().split('\n')[0] ?? '');
  assert.doesNotMatch(heard, /FAULT|curl/);
  assert.match(heard, /^ +\d+ Welcome/m);
  // Stopped, and then elsewhere: nothing is left of what was kept.
  await finish();
  await service.sh('systemctl stop pinhole');
  assert.equal((await system.run(['sh', '-c', download])).code, 7, 'connection refused');
  await service.sh('systemctl start pinhole');
  assert.match(await service.sh(download), /^Welcome/);
  await service.sh(`sed -i 's/127.0.0.1:21/127.0.0.1:2121/' ${configuration}; systemctl restart pinhole`);
  assert.equal((await system.run(['sh', '-c', download])).code, 7, 'connection refused');
  assert.match(await service.sh(download.replace('127.0.0.1/', '127.0.0.1:2121/')), /^Welcome/);
});

test('systemctl stop ends sessions within grace, whatever drain-timeout is', async (t) => {
  const system = await withSockets(t, `'drain-timeout = "1h"' 'grace = "2s"'`);
  if (!system) return;
  const service = new Service(system);
  await service.lastingSession();
  await service.sh('systemctl restart pinhole');
  await service.lastingSession();
  const begun = Date.now();
  await service.sh('systemctl stop pinhole.socket pinhole-admin.socket pinhole');
  t.diagnostic(`a stop with grace 2 s takes ${Date.now() - begun} ms`);
  assert.equal(await service.show('Result'), 'success');
  const [draining = '', ...others] = await service.processes();
  assert.deepEqual(others, [], 'the one that drains goes on');
  // And how it is ended.
  await service.sh(`pinhole drain --grace 0 --pid ${draining}`);
  await service.until(
    'its end',
    () => service.processes(),
    ({ length }) => length === 0,
  );
});

test('what ends without being told is started again, and nothing of it is left', async (t) => {
  const system = await withSockets(t, `'drain-timeout = "1h"'`);
  if (!system) return;
  const service = new Service(system);
  await service.sh(`
    mkdir -p /run/systemd/system/pinhole.service.d
    printf '[Service]\nWatchdogSec=2\nTimeoutAbortSec=1\n' >/run/systemd/system/pinhole.service.d/fast.conf
    systemctl daemon-reload; systemctl restart pinhole`);
  for (const [what, script] of [
    // What the watchdog sends the main process.
    ['an event loop that hangs', 'kill -ABRT $(systemctl show --value --property=MainPID pinhole)'],
    ['a process that does not even take that signal', 'kill -STOP $(pgrep -u pinhole -x node)'],
    ['a crash', 'kill -SEGV $(pgrep -u pinhole -x node)'],
    ['the end of the shell', 'kill -KILL $(systemctl show --value --property=MainPID pinhole)'],
  ] as const) {
    const before = await service.processes();
    assert.equal(before.length, 1, what);
    const restarts = await service.show('NRestarts');
    await service.sh(script);
    await service.until(
      what,
      () => service.show('NRestarts'),
      (count) => count !== restarts,
    );
    await service.until(
      what,
      () => service.show('ActiveState'),
      (state) => state === 'active',
    );
    const after = await service.processes();
    assert.equal(after.length, 1, what);
    assert.notDeepEqual(after, before, what);
    assert.match(await service.sh(download), /^Welcome/, what);
  }
});

test('clients wait at the socket while the new version or configuration does not start, and old sessions go on', async (t) => {
  const system = await withSockets(t, `'drain-timeout = "1h"'`);
  if (!system) return;
  const service = new Service(system);
  const finish = await service.lastingSession();
  const program = '/usr/lib/pinhole/dist/cli.js';
  await service.sh(`cp ${program} /run/cli.js; echo 'is no program' >${program}`);
  await assert.rejects(service.sh('timeout 10 systemctl restart pinhole'));
  await service.sh(`${download} >/run/first 2>&1 &`);
  await delay(1000);
  await service.sh(`cat /run/cli.js >${program}`);
  const waits = (file: string): Promise<string> => service.sh(`cat ${file}`);
  await service.until(
    'a client',
    () => waits('/run/first'),
    (text) => text.startsWith('Welcome'),
  );
  await service.sh(`echo 'max-sessions = "many"' >>${configuration}`);
  await assert.rejects(service.sh('systemctl restart pinhole'));
  assert.match(await service.sh('journalctl -u pinhole --no-pager'), /max-sessions: .*many/);
  await service.sh(`${download} >/run/waited 2>&1 &`);
  await delay(8000);
  const starts = (
    await service.sh('journalctl -u pinhole --no-pager | grep -c "max-sessions: " || true')
  ).trim();
  t.diagnostic(`${starts} starts in 8 s with a client that waits`);
  assert.ok(Number(starts) < 12);
  await service.sh(`sed -i '/^max-sessions/d' ${configuration}`);
  await service.until(
    'the client that waited',
    () => waits('/run/waited'),
    (text) => text.startsWith('Welcome'),
  );
  await finish();
});

test('on the kernel plane both processes share the table, and the last one removes it', async (t) => {
  const system = await withSockets(t, `'drain-timeout = "1h"' 'plane = "kernel"'`, 'kernel-plane.conf');
  if (!system) return;
  const service = new Service(system);
  if ((await system.run(['sh', '-c', 'ldconfig -p | grep -q libnftables && command -v nft'])).code !== 0) {
    t.skip('no libnftables or nft in that system');
    return;
  }
  const finish = await service.lastingSession();
  await service.sh('systemctl restart pinhole');
  assert.equal((await service.processes()).length, 2);
  assert.match(await service.sh(download), /^Welcome/);
  await finish();
  await service.until(
    'the end of the first',
    () => service.processes(),
    ({ length }) => length === 1,
  );
  assert.match(await service.sh('nft list tables'), /inet pinhole/);
  await service.sh('systemctl stop pinhole.socket pinhole-admin.socket pinhole');
  assert.equal(await service.sh('nft list tables'), '');
});

test('workers serve under the unit, go on beside those of the successor, and end with their process', async (t) => {
  const system = await withSockets(t, `'drain-timeout = "1h"' 'workers = 2'`);
  if (!system) return;
  const service = new Service(system);
  const finish = await service.lastingSession();
  const old = await service.processes();
  assert.equal(old.length, 3);
  await service.sh('systemctl restart pinhole');
  assert.equal((await service.processes()).length, 6);
  for (let n = 0; n < 4; n++) assert.match(await service.sh(download), /^Welcome/);
  await finish();
  const threeNew = async (): Promise<string[]> => {
    const processes = await service.processes();
    return processes.length === 3 && !processes.some((pid) => old.includes(pid)) ? processes : [];
  };
  const [first = '', worker = ''] = await service.until(
    'the end of the first three',
    threeNew,
    ({ length }) => length === 3,
  );
  await service.sh(`kill -KILL ${worker}`);
  await service.until(
    'another worker',
    threeNew,
    (processes) => processes.length === 3 && !processes.includes(worker),
  );
  assert.equal(await service.show('NRestarts'), '0');
  await service.sh(`kill -KILL ${first}`);
  const restarted = await service.until(
    'a start of all',
    threeNew,
    (processes) => processes.length === 3 && !processes.includes(first),
  );
  assert.ok(!restarted.includes(worker));
  await service.until(
    'its state',
    () => service.show('ActiveState'),
    (state) => state === 'active',
  );
  assert.match(await service.sh(download), /^Welcome/);
  await service.sh('systemctl stop pinhole.socket pinhole-admin.socket pinhole');
  assert.deepEqual(await service.processes(), []);
  assert.equal(await service.show('Result'), 'success');
});

test('keys come by the hook of certbot or by LoadCredential=, also at the socket for FTPS, and logrotate rotates', async (t) => {
  const lineage = '/etc/letsencrypt/live/ftp.example.org';
  const renew = `
    mkdir -p ${lineage}
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj /CN=ftp.example.org \\
      -keyout ${lineage}/privkey.pem -out ${lineage}/fullchain.pem 2>/dev/null
    chmod 600 ${lineage}/privkey.pem`;
  const hook = '/etc/letsencrypt/renewal-hooks/deploy/pinhole';
  const keys = '/etc/pinhole/tls';
  const system = await withSockets(
    t,
    `'tls = "terminate"' 'tls-cert = ["${keys}/fullchain.pem"]' 'tls-key = ["${keys}/privkey.pem"]' \\
      'transfer-log = "/var/log/pinhole/xferlog"'`,
    undefined,
    `${renew}
    install -D -m 755 /usr/share/doc/pinhole/examples/certbot-hook.sh ${hook}
    ${hook}
    systemctl start pinhole-ftps.socket`,
  );
  if (!system) return;
  const service = new Service(system);
  const implicit = 'curl -sS -k --max-time 20 ftps://127.0.0.1:990/welcome.txt';
  assert.match(await service.sh(implicit), /^Welcome/);
  assert.match(await service.sh(`${download} -k --ssl-reqd`), /^Welcome/);

  const served = 'echo | openssl s_client -connect 127.0.0.1:990 2>/dev/null | openssl x509 -noout -serial';
  const serial = `openssl x509 -noout -serial -in ${lineage}/fullchain.pem`;
  assert.equal(await service.sh(served), await service.sh(serial));
  const before = await service.processes();
  await service.sh(`${renew}; RENEWED_LINEAGE=${lineage} ${hook}`);
  const renewed = await service.sh(serial);
  await service.until(
    'the renewed certificate',
    () => service.sh(served),
    (text) => text === renewed,
  );
  assert.deepEqual(await service.processes(), before, 'without a restart');

  // In some containers systemd gives no credential to anybody but root.
  const credential = 'systemd-run --quiet --wait --pipe -p User=pinhole -p LoadCredential=a:/etc/hostname';
  const given = await system.run(['sh', '-c', `${credential} sh -c 'cat "$CREDENTIALS_DIRECTORY/a"'`]);
  if (given.code === 0) {
    const folder = '/run/credentials/pinhole.service';
    await service.sh(`
      cp /usr/share/doc/pinhole/examples/credentials.conf ${dropIns}/; systemctl daemon-reload
      sed -i 's,${keys}/fullchain.pem,${folder}/ftp.pem,; s,${keys}/privkey.pem,${folder}/ftp.key,' ${configuration}
      systemctl restart pinhole`);
    assert.equal(await service.sh(served), renewed);
  } else t.diagnostic(`LoadCredential= is not tried: ${given.stderr.trim()}`);

  if ((await system.run(['sh', '-c', 'command -v logrotate'])).code !== 0) {
    t.diagnostic('logrotate is not tried: it is not there');
    return;
  }
  const log = '/var/log/pinhole/xferlog';
  const lines = (file: string): Promise<string> => service.sh(`grep -c /welcome.txt ${file} || true`);
  await service.until(
    'the transfers before',
    () => lines(log),
    (text) => text === '2\n',
  );
  await service.sh('logrotate --force /etc/logrotate.d/pinhole');
  await service.sh(implicit);
  await service.until(
    'the transfer behind it',
    () => lines(log),
    (text) => text === '1\n',
  );
  assert.equal(await lines(`${log}.1`), '2\n');
  assert.match(await service.sh(`stat -c '%a %U %G' ${log}`), /^640 pinhole pinhole$/m);
});
