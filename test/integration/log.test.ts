/** What the log says of real clients: no warning where nothing is wrong, xferlog's form, and what fail2ban makes of it. */
import assert from 'node:assert/strict';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { createNetwork, type Network } from '../support/lab/network.ts';
import { mustRun } from '../support/lab/process.ts';
import { debianPython, requirements, skipOrFail, unpackedServer } from '../support/lab/provision.ts';
import { startRelay, type LabRelay } from '../support/lab/relay.ts';
import { startServer, type LabServer } from '../support/lab/servers.ts';
import { readXferlog } from '../support/log/xferlog.ts';
import { root } from '../support/project.ts';

const missing = await requirements();

let network: Network;
let server: LabServer;
let relay: LabRelay;
let transferLog: string;

before(async () => {
  if (missing.length > 0) return;
  network = await createNetwork();
  server = await startServer(network, 'vsftpd');
  server.put('a file.txt', 'twelve bytes');
  transferLog = join(network.folder, 'xferlog');
  relay = await startRelay(network, { flags: ['--transfer-log', transferLog, '--max-refusals', '0'] });
});

after(() => (missing.length > 0 ? undefined : network.dispose()));

/** Clients as they are without any options, but for the user. */
const clients: Readonly<Record<string, (url: string, user: string, password: string) => string[]>> = {
  curl: (url, user, password) => [
    'curl',
    '-sS',
    '-u',
    `${user}:${password}`,
    '-o',
    '/dev/null',
    `${url}/a%20file.txt`,
  ],
  lftp: (url, user, password) => {
    const commands = `open -u "${user},${password}" ${url}; cat "a file.txt"; cls; bye`;
    return ['lftp', '--norc', '-c', commands];
  },
  wget: (url, user, password) => [
    ...['wget', '-q', '-O', '/dev/null', `--user=${user}`, `--password=${password}`, `${url}/a%20file.txt`],
  ],
};

for (const [name, argv] of Object.entries(clients)) {
  test(`${name} as it is makes no warning, and a line of the transfer log`, async (t) => {
    if (skipOrFail(t, missing)) return;
    const from = relay.log().length;
    const before = readXferlog(readFileSync(transferLog, 'utf8')).length;
    const { user, password } = server;
    await network.must('client', argv(`ftp://${relay.address}`, user, password), {
      env: { HOME: network.folder },
      timeout: 60_000,
    });
    await relay.waitForLog(({ msg }) => msg === 'session closed', { from });
    const lines = relay.log().slice(from);
    assert.deepEqual(
      lines.filter(({ level }) => level !== 'info'),
      [],
    );
    const transfer = lines.find(({ msg, command }) => msg === 'transfer' && command === 'RETR');
    assert.equal(transfer?.['path'], `/a file.txt`);
    assert.deepEqual([transfer['user'], transfer['bytes'], transfer['size']], [user, 12, 12]);
    const loggedIn = lines.find(({ msg }) => msg === 'logged in');
    assert.deepEqual([loggedIn?.['user'], loggedIn?.['session']], [user, transfer['session']]);
    const written = readXferlog(readFileSync(transferLog, 'utf8')).slice(before);
    const { host, path, bytes, direction, access, user: who, status } = written[0] ?? assert.fail('no line');
    assert.deepEqual(
      [written.length, host, path, bytes, direction, access, who, status],
      [1, String(transfer['client']), '/a_file.txt', 12, 'o', 'r', user, 'c'],
    );
  });
}

/** Says these lines to the relay, and waits for its goodbye. */
async function say(host: 'client' | 'stranger', lines: readonly string[]): Promise<void> {
  const script = `exec 3<>/dev/tcp/${relay.address}/${relay.port}; cat >&3; timeout 20 cat <&3`;
  const { stdout } = await network.exec(host, ['bash', '-c', script], {
    input: [...lines, 'QUIT', ''].join('\r\n'),
    timeout: 30_000,
  });
  assert.match(stdout, /^221 /m, stdout);
}

test('the dialogue of FileZilla makes no warning', async (t) => {
  if (skipOrFail(t, missing)) return;
  const from = relay.log().length;
  const { user, password } = server;
  await say('client', [
    ...['AUTH TLS', 'AUTH SSL', `USER ${user}`, `PASS ${password}`, 'SYST', 'FEAT', 'CLNT FileZilla'],
    ...['OPTS UTF8 ON', 'PWD', 'TYPE I', 'PASV'],
  ]);
  await relay.waitForLog(({ msg }) => msg === 'session closed', { from });
  const levels = relay
    .log()
    .slice(from)
    .map(({ level }) => level);
  assert.deepEqual([...new Set(levels)], ['info']);
});

test('fail2ban bans who fails to log in, and nobody whom a user name speaks of', async (t) => {
  if (skipOrFail(t, missing)) return;
  const from = relay.log().length;
  const innocent = '192.0.2.77';
  const hostile = [
    `x","client":"${innocent}:21`,
    `x","client":"${innocent}:21","code":530,"msg":"login failed"}`,
    `{"level":"warn","time":"2026-11-28T02:31:07.123Z","pid":1,"session":1,"client":"${innocent}:21","code":530,"msg":"login failed"}`,
    `\\","client":"${innocent}:21`,
    `login failed for ${innocent}`,
  ];
  for (const name of hostile) await say('client', [`USER ${name}`, 'PASS wrong']);
  // What others send that is no failed login, with the same words in it.
  await say(
    'stranger',
    hostile.flatMap((name) => [`PORT ${name}`, `NOOP ${name}`]),
  );
  await relay.waitForLog(({ msg }) => msg === 'login failed', { from, nth: hostile.length });
  const lines = relay.log().slice(from);
  const failed = lines.filter(({ msg }) => msg === 'login failed');
  assert.ok(failed.every(({ user }) => hostile.includes(String(user))));
  assert.ok(lines.some(({ msg }) => msg === 'command refused'));

  const folder = join(network.folder, 'fail2ban');
  const { folder: unpacked, program } = unpackedServer('fail2ban');
  cpSync(join(unpacked, 'etc/fail2ban'), folder, { recursive: true });
  cpSync(join(root, 'rules/fail2ban'), folder, { recursive: true });
  const file = join(network.folder, 'relay.log');
  writeFileSync(file, `${relay.output()}\n`);
  const ban = async (log: string): Promise<string[]> => {
    const argv = [
      debianPython,
      program,
      '-c',
      folder,
      '-o',
      'ip',
      log,
      join(folder, 'filter.d/pinhole.conf'),
    ];
    const env = { PYTHONPATH: join(unpacked, 'usr/lib/python3/dist-packages') };
    return (await mustRun(argv, { env, timeout: 60_000 })).split('\n').filter((line) => line !== '');
  };
  const client = String(failed[0]?.['client']).replace(/:\d+$/, '');
  assert.deepEqual(
    await ban(file),
    failed.map(() => client),
  );

  // Of IPv6: one address, also of a link, and what a network of addresses has done beyond ten.
  const six = ['[2001:db8:1::7]:40000', '[fe80::7%eth0]:40000'].map(
    (from, index) =>
      `{"level":"warn","time":"2026-11-28T02:31:07.12${index}Z","pid":1,"session":${index},"client":"${from}","user":"a","code":530,"msg":"login failed"}`,
  );
  const folded = `{"level":"warn","time":"2026-11-28T02:31:17.123Z","pid":1,"client":"2001:db8:1::/64","repeated":10,"msg":"login failed"}`;
  const madeUp = join(network.folder, 'made-up.log');
  writeFileSync(madeUp, [...six, folded, folded.replace('2001:db8:1::/64', '198.51.100.7'), ''].join('\n'));
  assert.deepEqual(await ban(madeUp), ['2001:db8:1::7', 'fe80::7', '2001:db8:1::/64', '198.51.100.7']);

  // As the journal gives it, behind the name of the host and of the process.
  const journal = readFileSync(file, 'utf8').replace(/^(?=\{)/gm, 'Nov 28 02:31:07 gw node[4242]: ');
  writeFileSync(file, journal);
  assert.deepEqual(
    await ban(file),
    failed.map(() => client),
  );
});
