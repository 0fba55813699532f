import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { runCommandLine, type CommandLineAnswer } from '../support/relay/command-line.ts';

const rules = (...words: readonly string[]): Promise<CommandLineAnswer> =>
  runCommandLine(['rules', ...words]);

async function refused(words: readonly string[], line: string | RegExp): Promise<void> {
  const { code, stdout, stderr } = await rules(...words);
  assert.equal(code, 2, stderr);
  assert.equal(stdout, '');
  if (typeof line === 'string') assert.equal(stderr, `pinhole: ${line}\n`);
  else assert.match(stderr, line);
}

test('one file is printed as it is, several with their names', async () => {
  const one = await rules('--for', 'nftables', '--server', '10.77.0.2');
  assert.match(one.stdout, /^# Pinhole in front of an FTP server, relay plane\./);
  const several = await rules('--for', 'iptables', '--server', '10.77.0.2');
  assert.match(several.stdout, /^==> etc\/iptables\/rules\.v4 <==\n# Pinhole/);
  assert.match(several.stdout, /\nCOMMIT\n\n==> etc\/iptables\/rules\.v6 <==\n/);
});

test('of iptables and redhat one family is printed as it is, so that it can be piped on', async () => {
  for (const [format, family, words] of [
    ['iptables', 'ipv4', /^# Pinhole[^]*Load: iptables-restore </],
    ['iptables', 'ipv6', /^# Pinhole[^]*Load: ip6tables-restore </],
    ['redhat', 'ipv6', /^# Pinhole[^]*Load: service ip6tables restart/],
  ] as const) {
    const { stdout } = await rules('--for', format, '--family', family, '--server', '10.77.0.2');
    assert.match(stdout, words);
    assert.match(stdout, /COMMIT\n$/);
    assert.doesNotMatch(stdout, /==>/);
  }
});

test('a file that is there is kept, and nothing is written, unless --force replaces it', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'pinhole-rules-'));
  try {
    const kept = join(folder, 'etc/vsftpd.conf');
    mkdirSync(join(folder, 'etc'));
    writeFileSync(kept, 'anonymous_enable=NO\n');
    const words = ['--for', 'vsftpd', '--server', '10.77.0.2', '--out', folder];
    const { code, stdout, stderr } = await rules(...words);
    assert.equal(code, 1);
    assert.equal(stdout, '');
    assert.equal(
      stderr,
      `pinhole: ${kept} already exists, and nothing was written; allowed: another --out, or --force to replace it\n`,
    );
    assert.equal(readFileSync(kept, 'utf8'), 'anonymous_enable=NO\n');
    assert.equal((await rules(...words, '--force')).stdout, `${kept}\n`);
    assert.match(readFileSync(kept, 'utf8'), /^pasv_enable=YES$/m);
    assert.deepEqual(readdirSync(join(folder, 'etc')), ['vsftpd.conf']);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('where one file of several cannot be written, none is', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'pinhole-rules-'));
  try {
    const blocked = join(folder, 'etc/iptables/rules.v6');
    mkdirSync(blocked, { recursive: true });
    const words = ['--for', 'iptables', '--server', '10.77.0.2', '--out', folder, '--force'];
    const { code, stderr } = await rules(...words);
    assert.equal(code, 1);
    assert.equal(stderr, `pinhole: ${blocked} cannot be written: it is a folder\n`);
    assert.deepEqual(readdirSync(join(folder, 'etc/iptables')), ['rules.v6']);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('the configuration of run decides, and its own flags beside it', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'pinhole-rules-'));
  try {
    const file = join(folder, 'pinhole.toml');
    writeFileSync(
      file,
      'server = "10.77.0.2"\nlisten = ["203.0.113.1:21"]\nplane = "kernel"\npassive-ports = "40000-40099"\n',
    );
    const { stdout } = await rules(
      '--for',
      'nftables',
      '--config',
      file,
      '--open-ports',
      '22,8000-8010',
      '--session-rate',
      '5',
    );
    assert.match(stdout, /on the gateway in front of an FTP server, kernel plane/);
    assert.match(stdout, /limit rate over 5\/minute burst 5 packets/);
    assert.match(stdout, /tcp dport \{ 22, 8000-8010 \} accept/);
    const out = join(folder, 'made');
    const all = await rules('--for', 'all', '--config', file, '--out', out);
    const files = all.stdout.trimEnd().split('\n');
    assert.ok(files.includes(join(out, 'nftables/etc/nftables.d/ftp.nft')), all.stdout);
    for (const made of files) assert.ok(existsSync(made), made);
    assert.match(readFileSync(join(out, 'vsftpd/etc/vsftpd.conf'), 'utf8'), /^pasv_min_port=40000$/m);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('wrong words get one line that names what and what is allowed, and exit code 2', async () => {
  const server = ['--server', '10.77.0.2'];
  await refused(
    ['--for', 'nftables'],
    'server is not named, and the rules depend on it; allowed: --server ADDRESS[:PORT]',
  );
  await refused(
    ['--for', 'pf', '--server', 'ftp.example'],
    'server: ftp.example is a host name, and rules need an address; allowed: --server ADDRESS[:PORT]',
  );
  await refused(['--for', 'ipfw', ...server], /^pinhole: Invalid values:[^]*"nftables"/);
  await refused(
    ['--for', 'nftables', ...server, '--session-rate', '0'],
    'flag --session-rate: "0" is not allowed; allowed: a whole number from 1 to 10000',
  );
  await refused(
    ['--for', 'nftables', ...server, '--open-ports', 'ssh'],
    'flag --open-ports: "ssh" is not allowed; allowed: TCP ports and port ranges like 22,8000-8010, no service names; UDP needs rules of your own',
  );
  await refused(
    ['--for', 'nftables', ...server, '--open-ports', '22,53/udp'],
    /^pinhole: flag --open-ports: "53\/udp" is not allowed; allowed: TCP ports .* UDP needs rules of your own$/m,
  );
  await refused(
    ['--for', 'nftables', ...server, '--client-networks', '10.77.0.0/24'],
    'flag --client-networks: the deployment in-front intercepts nothing; allowed: only with --intercept',
  );
  await refused(
    ['--for', 'nftables', ...server, '--family', 'ipv4'],
    'flag --family: --for nftables has no file for each family; allowed: --for iptables, --for redhat',
  );
  await refused(
    ['--for', 'nftables', ...server, '--listen', '[fe80::1%eth0]:21'],
    'listen: fe80::1%eth0 has a zone, which rules cannot name; allowed: an address without a zone',
  );
  await refused(
    ['--for', 'nftables', ...server, '--listen', '203.0.113.1:0'],
    'listen: port 0 means any free port, and rules need port numbers; allowed: 1 to 65535',
  );
  await refused(
    ['--for', 'nftables', '--intercept', '--client-networks', 'lan'],
    'flag --client-networks: "lan" is not allowed; allowed: networks like 10.77.0.0/24',
  );
  await refused(
    ['--for', 'nftables', ...server, '--session-rate', '5', '--session-rate', '6'],
    'flag --session-rate: ["5","6"] is not allowed (one value, not several); allowed: a whole number from 1 to 10000',
  );
  await refused(
    ['--for', 'nftables', ...server, '--out', ''],
    'flag --out: "" is not allowed; allowed: a folder',
  );
  await refused(
    ['--for', 'pf', '--intercept', '--client-networks', '10.77.0.0/24'],
    /^pinhole: pf: not for the deployment/,
  );
});

test(
  'a folder that cannot be made is named, with exit code 1',
  { skip: !existsSync('/proc/self') },
  async () => {
    const { code, stderr } = await rules('--for', 'nftables', '--server', '10.77.0.2', '--out', '/proc/none');
    assert.equal(code, 1);
    assert.match(
      stderr,
      /^pinhole: \/proc\/none\/etc\/nftables\.d\/ftp\.nft cannot be written: ENOENT[^\n]*\n$/,
    );
  },
);
