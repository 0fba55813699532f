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
    iptablesConfig: { file: '/etc/sysconfig/iptables-config', text: 'IPTABLES_MODULES="a"\n' },
    modules: { file: '/proc/modules', text: 'xt_tcpudp 1 0\nkernel/net/netfilter/nf_conntrack_ftp.ko\n' },
    sysctl: { file: 'sysctl', text: 'net.ipv4.ip_forward = 1' },
    listening: { file: 'ss -ltnpe', text: 'ss says' },
    addresses: { file: 'ip address', text: 'ip says' },
    pinhole: { file: '/etc/pinhole.toml', text: 'listen = [2121]\n' },
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
      ['program-missing', 'note', 'iptables-save'],
      ['rights-missing', 'note', 'ip6tables-save'],
      ['program-failed', 'note', 'nft', '1'],
      ['program-failed', 'note', 'ss', 'timeout'],
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
