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

/** What is said of SSH where --open-ports is not given depends on the host. */
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

test('one file that has a value alone is printed with its name', async () => {
  const { stdout } = await rules('--for', 'pure-ftpd', '--server', '10.77.0.2');
  assert.equal(stdout, '==> etc/pure-ftpd/conf/PassivePortRange <==\n50000 50999\n');
});

test('every format says where its lines belong, if it has one file too', async () => {
  for (const [format, place] of [
    ['nftables', /nft -f \/etc\/nftables\.d\/ftp\.nft/],
    ['pf', /\/etc\/pf\.conf/],
    ['sysctl', /^# A file of \/etc\/sysctl\.d/m],
    ['vsftpd', /^# Lines for vsftpd\.conf/m],
    ['proftpd', /^# Lines for proftpd\.conf/m],
  ] as const) {
    const { stdout } = await rules('--for', format, '--server', '10.77.0.2');
    assert.match(stdout, place);
    assert.doesNotMatch(stdout, /==>/);
  }
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

test('SSH stays open where --open-ports does not say what does, and that is told', async () => {
  const { stdout, stderr } = await rules('--for', 'nftables', '--server', '10.77.0.2');
  const [, ports] =
    /^pinhole: SSH stays open at port ([\d, ]+)[^]*; --open-ports names what does\n$/.exec(stderr) ?? [];
  assert.ok(ports !== undefined, stderr);
  for (const port of ports.trim().split(', ')) assert.match(stdout, new RegExp(`tcp dport .*\\b${port}\\b`));
});

test('rules that close SSH say so, and those that filter nothing do not', async () => {
  const server = ['--server', '10.77.0.2'];
  for (const open of ['none', '8080']) {
    const { code, stdout, stderr } = await rules('--for', 'nftables', ...server, '--open-ports', open);
    assert.equal(code, 0);
    assert.match(stderr, /^pinhole: WARNING: these rules close SSH at port /);
    assert.doesNotMatch(stdout, /\b22\b/);
  }
  assert.equal((await rules('--for', 'sysctl', ...server)).stderr, '');
  assert.equal((await rules('--for', 'nftables', ...server, '--open-ports', '1-65535')).stderr, '');
});

test('server-alone is for the server of this host, and takes nothing of Pinhole', async () => {
  const alone = ['--for', 'nftables', '--deployment', 'server-alone'];
  await refused(
    [...alone, '--server', '10.77.0.2'],
    /^pinhole: server: 10\.77\.0\.2:21, and server-alone is .* allowed: without --server/,
  );
  await refused([...alone, '--listen', '127.0.0.1:21'], /^pinhole: listen: loopback addresses alone/);
  await refused(
    [...alone, '--plane', 'kernel'],
    /^pinhole: plane kernel: not for the deployment server-alone/,
  );
  const { stdout } = await rules(...alone, '--listen', '2121', '--passive-ports', '40000-40099');
  assert.match(stdout, /^ {4}tcp dport 2121 accept$/m);
  assert.match(stdout, /^ {4}tcp dport 40000-40099 accept$/m);
  assert.doesNotMatch(stdout, /related|helper /);
});

test("server-alone sets a server's port, range, address and TLS", async () => {
  const words = ['--deployment', 'server-alone', '--listen', '2121', '--public-address', '203.0.113.9'];
  const printed = async (format: string): Promise<string> =>
    (await rules('--for', format, ...words, '--server-tls', 'explicit')).stdout;
  const vsftpd = await printed('vsftpd');
  for (const line of [
    'listen_port=2121',
    'pasv_min_port=50000',
    'pasv_max_port=50999',
    'pasv_address=203.0.113.9',
    'ssl_enable=YES',
  ]) {
    assert.ok(vsftpd.split('\n').includes(line), `${line} in ${vsftpd}`);
  }
  assert.doesNotMatch(vsftpd, /max_per_ip/);
  // vsftpd would demand TLS otherwise.
  assert.match(vsftpd, /^force_local_logins_ssl=NO$/m);
  const proftpd = await printed('proftpd');
  for (const line of [
    'Port 2121',
    'PassivePorts 50000 50999',
    'MasqueradeAddress 203.0.113.9',
    'TLSEngine on',
  ]) {
    assert.ok(proftpd.split('\n').includes(line), `${line} in ${proftpd}`);
  }
  assert.match(
    await printed('pure-ftpd'),
    /Bind <==\n,2121\n[^]*PassivePortRange <==\n50000 50999\n[^]*ForcePassiveIP <==\n203\.0\.113\.9\n[^]*TLS <==\n1\n/,
  );
});

test('commands that add name what is opened, and neither close SSH nor speak of it', async () => {
  const server = ['--server', '10.77.0.2'];
  const added = async (format: string, ...words: string[]): Promise<CommandLineAnswer> =>
    rules('--for', format, '--add', ...server, ...words);
  const { stdout, stderr } = await added('nftables');
  assert.equal(stderr, '');
  assert.match(stdout, /^nft 'insert rule inet filter input tcp dport 21 accept'$/m);
  assert.doesNotMatch(stdout, /\b22\b|drop/);
  assert.match((await added('iptables')).stdout, /^iptables -I INPUT -p tcp -m tcp --dport 50000:50999 /m);
  const { stdout: firewalld } = await added('firewalld', '--open-ports', '8080');
  assert.match(firewalld, /^firewall-cmd --permanent --add-port=8080\/tcp$/m);
  assert.match(
    firewalld,
    /^firewall-cmd --permanent --add-rich-rule='rule family="ipv4" source address="10\.77\.0\.2\/32" port/m,
  );
  assert.match((await added('ufw')).stdout, /^ufw allow proto tcp from any to any port 50000:50999$/m);
  await refused(
    ['--for', 'ufw', '--add', '--deployment', 'kernel-helper'],
    /^pinhole: ufw: its commands have neither marks nor helpers/,
  );
  await refused(
    ['--for', 'pf', '--add', ...server],
    'flag --add: not with --for pf; allowed: --for nftables, --for iptables, --for firewalld, --for ufw',
  );
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
