import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { examineHost } from '../../../src/doctor/host.ts';
import { readHost, thisHost, type HostAccess } from '../../../src/doctor/host/read-host.ts';

function tree(t: TestContext, files: Readonly<Record<string, string>>): string {
  const root = mkdtempSync(join(tmpdir(), 'doctor-'));
  t.after(() => {
    rmSync(root, { recursive: true });
  });
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return root;
}

const printsNothing: HostAccess['run'] = () => Promise.resolve('');

test('reads what there is of a host, each under the name that findings give', async (t) => {
  const root = tree(t, {
    'etc/vsftpd/vsftpd.conf': 'pasv_min_port=9\n',
    'etc/pure-ftpd/conf/PassivePortRange': '50000 50099\n',
    'etc/pure-ftpd/conf/Bind': ',2121\n',
    'etc/sysconfig/iptables': '*filter\n-A INPUT -j\nCOMMIT\n',
    'etc/sysconfig/iptables-config': 'IPTABLES_MODULES="a"\n',
    'proc/modules': 'xt_tcpudp 1 0\n',
    'proc/sys/kernel/osrelease': '6.1.0\n',
    'lib/modules/6.1.0/modules.builtin': 'kernel/fs/ext4.ko\nkernel/net/netfilter/nf_conntrack_ftp.ko\n',
    'proc/sys/net/ipv4/ip_forward': '1\n',
    'etc/pinhole.toml': 'listen = [2121]\n',
  });
  const { sources, findings } = await readHost({
    root,
    run: (program) => Promise.resolve(`${program} says`),
  });
  assert.deepEqual(findings, []);
  assert.deepEqual(sources, {
    vsftpd: { file: '/etc/vsftpd/vsftpd.conf', text: 'pasv_min_port=9\n' },
    proftpd: undefined,
    pureFtpd: { file: '/etc/pure-ftpd/conf', text: 'Bind ,2121\nPassivePortRange 50000 50099' },
    iptables: { file: 'iptables-save', text: 'iptables-save says' },
    savedIptables: { file: '/etc/sysconfig/iptables', text: '*filter\n-A INPUT -j\nCOMMIT\n' },
    ip6tables: { file: 'ip6tables-save', text: 'ip6tables-save says' },
    nftables: { file: 'nft list ruleset', text: 'nft says' },
    nftablesJson: { file: 'nft -j list ruleset', text: 'nft says' },
    iptablesConfig: { file: '/etc/sysconfig/iptables-config', text: 'IPTABLES_MODULES="a"\n' },
    modules: { file: '/proc/modules', text: 'xt_tcpudp 1 0\nkernel/net/netfilter/nf_conntrack_ftp.ko\n' },
    sysctl: { file: 'sysctl', text: 'net.ipv4.ip_forward = 1' },
    listening: { file: 'ss -ltnpe', text: 'ss says' },
    addresses: { file: 'ip address', text: 'ip says' },
    pinhole: { file: '/etc/pinhole.toml', text: 'listen = [2121]\n' },
    pinholeCommand: undefined,
    legacyIptables: undefined,
  });
  assert.ok(examineHost(sources).length > 0);
});

test('reports what it could not examine, and why', async (t) => {
  const root = tree(t, { 'etc/sysconfig/iptables': '*filter\n' });
  const errors: Readonly<Record<string, object>> = {
    'iptables-save': { code: 'ENOENT' },
    'ip6tables-save': { code: 4, stderr: 'ip6tables-save v1.8: Permission denied (you must be root)' },
    nft: { code: 1, stderr: 'syntax error' },
    ss: { code: null, killed: true },
  };
  const { sources, findings } = await readHost({
    root,
    run: async (program) => {
      const error = errors[program];
      if (error) throw Object.assign(new Error('failed'), error);
      return printsNothing(program, []);
    },
  });
  assert.deepEqual(
    findings.map(({ id, level, values }) => [id, level, ...Object.values(values)]),
    [
      ['program-failed', 'unseen', 'ss', 'timeout'],
      ['program-missing', 'unseen', 'iptables-save'],
      ['program-failed', 'unseen', 'nft', '1'],
      ['rights-missing', 'unseen', 'ip6tables-save'],
    ],
  );
  // Rules that are not loaded are better than none.
  assert.equal(sources.iptables?.file, '/etc/sysconfig/iptables');
  assert.equal(sources.savedIptables, undefined);
});

test('reports which file it may not read', { skip: process.getuid?.() === 0 }, async (t) => {
  const root = tree(t, { 'etc/vsftpd.conf': '' });
  chmodSync(join(root, 'etc/vsftpd.conf'), 0);
  const { findings } = await readHost({ root, run: printsNothing });
  assert.deepEqual(
    findings.map(({ id, values }) => [id, values['what']]),
    [['rights-missing', '/etc/vsftpd.conf']],
  );
});

test('runs programs of this host, and hears what they say of an error', async () => {
  assert.match(await thisHost.run('uname', ['-s']), /Linux/);
  await assert.rejects(thisHost.run('no-such-program', []), { code: 'ENOENT' });
  await assert.rejects(thisHost.run('ls', ['/no-such-folder']), { code: 2, stderr: /no-such-folder/ });
});

test('follows Include of proftpd.conf, and names the file and line of what is wrong there', async (t) => {
  const root = tree(t, {
    'etc/proftpd/proftpd.conf': 'ServerName x\nInclude /etc/proftpd/conf.d/*.conf\nRootRevoke on\n',
    'etc/proftpd/conf.d/a.conf': 'Port 21\nInclude /etc/proftpd/ports\n',
    'etc/proftpd/conf.d/b.txt': 'Port 2121\n',
    'etc/proftpd/ports': '# ours\nPassivePorts 50099 50000\n',
  });
  const { sources } = await readHost({ root, run: printsNothing });
  const places = examineHost(sources).map(({ id, where }) => `${id} ${where?.file}:${where?.line}`);
  assert.ok(places.includes('passive-range-inverted /etc/proftpd/ports:2'));
  assert.ok(places.includes('port-20-unprivileged /etc/proftpd/proftpd.conf:3'));
});

test('treats a proftpd.conf as incomplete if an Include cannot be read, and stops at one that includes itself', async (t) => {
  const root = tree(t, {
    'etc/proftpd/proftpd.conf': 'Port 21\nInclude /etc/proftpd/proftpd.conf\nInclude /no/*.conf\n',
  });
  const { sources } = await readHost({ root, run: printsNothing });
  assert.match(sources.proftpd?.text ?? '', /^Include \/no\/\*\.conf$/m);
});

test('does without a program whose output another one has too', async (t) => {
  const levels = async (missing: readonly string[], modules: string): Promise<string[]> => {
    const { findings } = await readHost({
      root: tree(t, { 'proc/modules': modules }),
      run: (program) =>
        missing.includes(program)
          ? Promise.reject(Object.assign(new Error('no'), { code: 'ENOENT' }))
          : printsNothing(program, []),
    });
    return findings.map(({ level, values }) => `${level} ${values['program']}`);
  };
  assert.deepEqual(await levels(['iptables-save', 'ip6tables-save', 'ip'], ''), [
    'note iptables-save',
    'note ip6tables-save',
    'note ip',
  ]);
  assert.deepEqual(await levels(['nft'], ''), ['note nft']);
  // The older form of iptables, and rules of nftables, need their own programs.
  assert.deepEqual(await levels(['iptables-save'], 'iptable_filter 1 0\n'), ['unseen iptables-save']);
  assert.deepEqual(await levels(['nft'], 'nf_tables 1 0\n'), ['unseen nft']);
  assert.deepEqual(await levels(['nft', 'iptables-save'], ''), ['unseen iptables-save', 'unseen nft']);
});

const dropping = (ports: string): string => `*filter
:INPUT DROP [0:0]
-A INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT
-A INPUT -p tcp -m multiport --dports ${ports} -j ACCEPT
COMMIT
`;

for (const [how, words] of [
  [
    'flags',
    [
      '--server',
      '10.77.0.2',
      '--listen',
      '21',
      '--passive-ports=50000-50099',
      '--active-ports',
      '51000-51099',
    ],
  ],
  ['a file that a flag names', ['--config', '/srv/ftp.toml', '--active-ports', '51000-51099']],
] as const) {
  test(`examines a Pinhole that runs with ${how}, by its command line`, async (t) => {
    const root = tree(t, {
      'proc/9/cmdline': ['node', '/usr/bin/pinhole', 'run', ...words, ''].join('\0'),
      'proc/9/environ': 'HOME=/root\0PINHOLE_MAX_SESSIONS=10\0',
      'srv/ftp.toml': 'server = "10.77.0.2"\nlisten = [21]\npassive-ports = "50000-50099"\n',
      // Not the one that it runs with.
      'etc/pinhole.toml': 'listen = [2121]\n',
    });
    const examine = async (ports: string): Promise<string[]> => {
      const { sources } = await readHost({
        root,
        run: (program) =>
          Promise.resolve(
            program === 'ss'
              ? 'LISTEN 0 511 *:21 *:* users:(("node",pid=9,fd=20))\n'
              : program === 'iptables-save'
                ? dropping(ports)
                : '',
          ),
      });
      return examineHost(sources)
        .filter(({ level }) => level === 'fault' || level === 'unseen')
        .map(({ id, values }) => `${id} ${values['ports'] ?? ''}`.trim());
    };
    assert.deepEqual(await examine('21,51000:51099'), ['passive-range-closed 50000-50099']);
    assert.deepEqual(await examine('21,50000:50099,51000:51099'), []);
  });
}

/** Two that run, and what the firewall of their host opens. */
async function examineTwo(t: TestContext, second: string, ports: string): Promise<string[]> {
  const root = tree(t, {
    'proc/9/cmdline': 'node\0/usr/bin/pinhole\0run\0--config\0/one.toml\0',
    'proc/12/cmdline': 'node\0/usr/bin/pinhole\0run\0--config\0/two.toml\0',
    'one.toml':
      'server = "10.77.0.2"\nlisten = [21]\npassive-ports = "50000-50099"\nactive-ports = "51000-51099"\n',
    [second]:
      'server = "10.77.0.3"\nlisten = [2121]\npassive-ports = "50100-50199"\nactive-ports = "51100-51199"\n',
  });
  const { sources } = await readHost({
    root,
    run: (program) =>
      Promise.resolve(
        program === 'ss'
          ? 'LISTEN 0 511 *:21 *:* users:(("node",pid=9,fd=20))\nLISTEN 0 511 *:2121 *:* users:(("node",pid=12,fd=20))\n'
          : program === 'iptables-save'
            ? dropping(ports)
            : '',
      ),
  });
  return examineHost(sources)
    .filter(({ level }) => level === 'fault' || level === 'unseen')
    .map(({ id, values }) => `${id} ${values['ports'] ?? values['port'] ?? values['sign'] ?? ''}`.trim());
}

test('judges each Pinhole that runs', async (t) => {
  assert.deepEqual(await examineTwo(t, 'two.toml', '21,2121,50000:50199,51000:51199'), []);
  assert.deepEqual(await examineTwo(t, 'two.toml', '21,50000:50150,51000:51199'), [
    'control-port-closed 2121',
    'passive-range-closed 50151-50199',
  ]);
});

test('does not know the ports of the second Pinhole whose configuration it cannot read', async (t) => {
  assert.deepEqual(await examineTwo(t, 'three.toml', '21,2121,50000:50199,51000:51199'), [
    'pinhole-without-config /proc/12/cmdline',
  ]);
});

test('does not know the ports of a Pinhole whose command line it cannot read', async (t) => {
  const root = tree(t, { 'proc/9/cmdline': 'node\0/usr/bin/pinhole\0run\0--config\0/gone.toml\0' });
  const { sources } = await readHost({
    root,
    run: (program) =>
      Promise.resolve(program === 'ss' ? 'LISTEN 0 511 *:21 *:* users:(("node",pid=9,fd=20))\n' : ''),
  });
  assert.ok(
    examineHost(sources).some(({ id, level }) => id === 'pinhole-without-config' && level === 'unseen'),
  );
});

test('reports what ProFTPD itself rejects', async (t) => {
  const root = tree(t, { 'etc/proftpd/proftpd.conf': 'Port 21\nNonsense on\n' });
  const stderr = "x proftpd[1]: fatal: unknown configuration directive 'Nonsense' on line 2 of 'p'\n";
  const { findings } = await readHost({
    root,
    run: (program) =>
      program === 'proftpd'
        ? Promise.reject(Object.assign(new Error('failed'), { code: 1, stderr }))
        : Promise.resolve(''),
  });
  assert.deepEqual(
    findings.map(({ id, level, values }) => [id, level, values['reply']]),
    [['settings-refused', 'fault', "unknown configuration directive 'Nonsense' on line 2 of 'p'"]],
  );
});

test('reads the rules of both forms of iptables, where both have some', async (t) => {
  const root = tree(t, { 'proc/net/ip_tables_names': 'filter\n', 'etc/vsftpd.conf': 'listen=YES\n' });
  const { sources } = await readHost({
    root,
    run: (program) =>
      Promise.resolve(
        program === 'iptables-save'
          ? '# Generated by iptables-save v1.8.9 (nf_tables)\n*filter\n:INPUT ACCEPT [0:0]\nCOMMIT\n'
          : program === 'iptables-legacy-save'
            ? '*filter\n:INPUT DROP [0:0]\nCOMMIT\n'
            : '',
      ),
  });
  assert.ok(
    examineHost(sources).some(
      ({ id, where }) => id === 'control-port-closed' && where?.file === 'iptables-legacy-save',
    ),
  );
});
