import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { startScriptedServer } from '../support/doctor/scripted-server.ts';
import { runCommandLine } from '../support/relay/command-line.ts';
import { Program, runProgram } from '../support/relay/program.ts';

function article(folder: string): string[] {
  const data = `test/data/doctor/${folder}`;
  return [
    '--vsftpd-conf',
    `${data}/vsftpd.conf`,
    '--iptables',
    `${data}/iptables`,
    '--iptables-config',
    `${data}/iptables-config`,
  ];
}

test('doctor --host names the faults of files from elsewhere, and exits with 1', async (t) => {
  const { code, stdout, stderr } = await runProgram(t, ['doctor', '--host', ...article('article')]);
  assert.equal(stderr, '');
  assert.equal(code, 1);
  for (const id of [
    'passive-range-inverted',
    'modules-line-overridden',
    'source-port-for-destination',
    'rule-without-target',
  ]) {
    assert.match(stdout, new RegExp(`\\(${id}\\)`));
  }
  assert.match(stdout, /\n4 faults\.\n$/);
});

test('doctor --host exits with 0 once the remedies are applied', async (t) => {
  const { code, stdout } = await runProgram(t, ['doctor', '--host', ...article('article-mended')]);
  assert.equal(code, 0);
  assert.match(
    stdout,
    /\nNothing needs to be changed\.\nA firewall in front of the host .* run npx pinhole doctor ftp:\/\/HOST from outside too\.\n$/,
  );
});

test('doctor --host exits with 3 where nothing is wrong and something was not seen, and lists it', async (t) => {
  const alone = ['doctor', '--host', '--vsftpd-conf', 'test/data/doctor/article-mended/vsftpd.conf'];
  const { code, stdout } = await runProgram(t, [...alone, '--lang', 'en']);
  assert.equal(code, 3);
  assert.match(
    stdout,
    /\nHealthy as far as seen: .*\nNot known:\n {2}\? no rules of a firewall were read\nA firewall in front of the host .*\n$/,
  );
  const json = await runProgram(t, [...alone, '--json']);
  assert.equal(json.code, 3);
  const report = JSON.parse(json.stdout) as Record<string, unknown>;
  assert.equal(report['verdict'], 'as-far-as-seen');
  assert.equal(report['healthy'], false);
});

test('doctor prints JSON, in the language that is asked for', async (t) => {
  const { code, stdout } = await runProgram(t, [
    'doctor',
    '--host',
    '--json',
    '--lang',
    'zh',
    ...article('article'),
  ]);
  assert.equal(code, 1);
  const report = JSON.parse(stdout) as {
    findings: { id: string; seen: string; where: { file: string; line: number } }[];
  };
  assert.deepEqual(report.findings[0]?.where, { file: 'test/data/doctor/article/vsftpd.conf', line: 4 });
  assert.match(report.findings[0].seen, /被动端口范围/);
});

test('doctor speaks the language of the environment', async (t) => {
  const { stdout } = await runProgram(t, ['doctor', '--host', ...article('article')], {
    LC_ALL: 'zh_CN.UTF-8',
  });
  assert.match(stdout, /4 处故障。/);
});

for (const [name, args, message] of [
  ['neither a URL nor --host', [], /nothing to examine; allowed: ftp:/],
  ['a file without --host', ['--sysctl', 'x'], /--sysctl is a file of a host: add --host/],
  [
    'a file that is not there',
    ['--host', '--iptables', '/no/such/file'],
    /--iptables: cannot read the file: ENOENT/,
  ],
  [
    'a file that is something else',
    ['--host', '--iptables', 'LICENSE'],
    /--iptables: nothing in LICENSE was recognised; allowed: a copy of iptables-save/,
  ],
  [
    'a file of another kind',
    ['--host', '--sysctl', 'test/data/doctor/article/vsftpd.conf'],
    /--sysctl: test\/data\/doctor\/article\/vsftpd\.conf looks like a copy of vsftpd\.conf \(--vsftpd-conf\); allowed: a copy of sysctl -a's output\n/,
  ],
  [
    'a file twice',
    ['--host', '--iptables', 'a', '--iptables', 'b'],
    /flag --iptables: \["a","b"\] is not allowed \(one value, not several\); allowed: one file/,
  ],
  ['a language that it has not', ['--host', '--lang', 'tlh'], /lang/],
  [
    'a URL of something else',
    ['http://ftp.example.org/'],
    /the URL does not begin with ftp:\/\/; allowed: ftp:/,
  ],
  ['a word that is no URL', ['--host', 'extra'], /"extra" does not begin with ftp:\/\/; allowed: ftp:/],
  ['a switch that is neither true nor false', ['--host', '--json=perhaps'], /flag --json: "perhaps" is not/],
  ['a URL with a path', ['ftp://ftp.example.org/pub'], /has a path/],
  ['a URL without a host', ['ftp://anna:secret@/'], /no valid host/],
  ['a URL with a port that is none', ['ftp://ftp.example.org:ftp'], /no valid host and port/],
  [
    'a user with two lines',
    ['ftp://anna%0d%0aDELE%20x:secret@ftp.example.org'],
    /not properly percent-encoded/,
  ],
  ['half an encoding', ['ftp://anna:secret%2@ftp.example.org'], /not properly percent-encoded/],
  [
    'a user without a password',
    ['ftp://anna@ftp.example.org'],
    /no password was given; allowed: --password-file, FTP_PASSWORD/,
  ],
  [
    'a file of a password that is not there',
    ['ftp://anna@ftp.example.org', '--password-file', '/no'],
    /--password-file: cannot read/,
  ],
  [
    'no time',
    ['ftp://ftp.example.org', '--timeout', '0'],
    /flag --timeout: "0" is not allowed; allowed: seconds above 0/,
  ],
  [
    'no time in all',
    ['ftp://ftp.example.org', '--limit', '0'],
    /flag --limit: "0" is not allowed; allowed: seconds above 0/,
  ],
  [
    'a time of more than a day',
    ['ftp://ftp.example.org', '--limit', '86401'],
    /flag --limit: "86401" is not allowed; allowed: seconds above 0, up to 86400/,
  ],
  [
    'a time before now',
    ['ftp://ftp.example.org', '--idle', '-1'],
    /flag --idle: "-1" is not allowed; allowed: seconds from 0/,
  ],
] as const) {
  test(`doctor with ${name} is one line on standard error and exit code 2`, async () => {
    const { code, stdout, stderr } = await runCommandLine(['doctor', ...args]);
    assert.equal(code, 2);
    assert.equal(stdout, '');
    assert.match(stderr, /^pinhole: [^\n]+\n$/);
    assert.match(stderr, message);
    assert.doesNotMatch(stderr, /secret/);
  });
}

test('doctor --host refuses a file that is larger than any listing of a host', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'pinhole-'));
  t.after(() => {
    rmSync(folder, { recursive: true });
  });
  const file = join(folder, 'rules');
  writeFileSync(file, '');
  truncateSync(file, 64 * 1024 * 1024 + 1);
  const { code, stdout, stderr } = await runCommandLine(['doctor', '--host', '--nftables', file]);
  assert.equal(code, 2);
  assert.equal(stdout, '');
  assert.match(stderr, /--nftables: .* is too large; allowed: up to 64 MiB/);
});

test('doctor takes no password of several lines from a file', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'doctor-'));
  t.after(() => {
    rmSync(folder, { recursive: true });
  });
  const file = join(folder, 'password');
  writeFileSync(file, 'one\ntwo\n');
  const { code, stderr } = await runCommandLine([
    'doctor',
    'ftp://anna@127.0.0.1:1',
    '--password-file',
    file,
  ]);
  assert.equal(code, 2);
  assert.match(stderr, /a line break/);
});

test('doctor tells findings as they come, and on Ctrl-C ends with what is known and exit code 130', async (t) => {
  const port = await startScriptedServer(t, { USER: undefined });
  const program = new Program(t, ['doctor', `ftp://127.0.0.1:${port}`, '--timeout', '600', '--lang', 'en']);
  await program.printed('the greeting arrived after');
  program.signal('SIGINT');
  const { code, stdout } = await program.finished();
  assert.equal(code, 130);
  assert.match(
    stdout,
    /\n\? (interrupted before all tests were done)\n[^]*\n\nNo faults so far\.\nNot known:\n {2}\? \1\n$/,
  );
});

/** Loaded into a program: its standard error is a terminal. */
const terminal = `data:text/javascript,${encodeURIComponent('process.stderr.isTTY = true;')}`;

test('doctor says what takes long on standard error alone, on a terminal or with --progress', async (t) => {
  const url = `ftp://127.0.0.1:${await startScriptedServer(t, { EPSV: undefined })}`;
  const args = ['doctor', url, '--timeout', '2.5', '--lang', 'en'];
  const onTerminal = { NODE_OPTIONS: `--import ${terminal}` };
  const [plain, wanted, seen, unwanted] = await Promise.all([
    runProgram(t, args),
    runProgram(t, [...args, '--progress']),
    runProgram(t, args, onTerminal),
    runProgram(t, [...args, '--progress=false'], onTerminal),
  ]);
  assert.equal(plain.stderr, '');
  assert.equal(unwanted.stderr, '');
  for (const { stderr } of [wanted, seen]) {
    assert.match(stderr, /^… EPSV: a data connection and a listing \(1 s\)$/m);
    assert.match(stderr, /^(?:… .*\n)+$/);
  }
  // Ports and times are others.
  const bare = ({ stdout }: { stdout: string }): string => stdout.replace(/(?:port|after) [\d.]+/g, '');
  for (const other of [wanted, seen, unwanted]) assert.equal(bare(other), bare(plain));
});

test('doctor ends an examination that takes longer than --limit, and exits with 1', async (t) => {
  const port = await startScriptedServer(t, { USER: undefined });
  const url = `ftp://127.0.0.1:${port}`;
  const { code, stdout } = await runProgram(t, ['doctor', url, '--timeout', '600', '--limit', '1', '--json']);
  assert.equal(code, 1);
  const { findings } = JSON.parse(stdout) as { findings: { id: string; seen: string }[] };
  assert.equal(findings.at(-1)?.id, 'examination-too-long');
});
