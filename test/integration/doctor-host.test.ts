/** The setups of the doctor's tests before real servers and firewalls: what it says of them is so, and what it prints helps. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, test, type TestContext } from 'node:test';
import { isFault, isUnseen, verdictOf, type Finding } from '../../src/doctor/finding.ts';
import type { HostSources } from '../../src/doctor/host-sources.ts';
import { examineHost } from '../../src/doctor/host.ts';
import { notedSets } from '../doctor/broken-sets.ts';
import { setups, setupSources } from '../doctor/setups.ts';
import { selfSigned } from '../support/certificates.ts';
import { assertLeftOut } from '../support/doctor/left-out.ts';
import { choicesOf, isTyped, mended, type Followed, type Texts } from '../support/doctor/mended.ts';
import { runProcess, type Finished } from '../support/lab/process.ts';
import { cli } from '../support/lab/relay.ts';
import { requirements, skipOrFail, unpackedServer } from '../support/lab/provision.ts';

const missing = await requirements();
let folder: string;

before(() => {
  folder = mkdtempSync(join(tmpdir(), 'doctor-host-'));
  mkdirSync(join(folder, 'empty'));
  const { cert, key } = selfSigned();
  writeFileSync(join(folder, 'cert.pem'), cert);
  writeFileSync(join(folder, 'key.pem'), key);
  writeFileSync(join(folder, 'both.pem'), `${cert}${key}`);
});
after(() => {
  rmSync(folder, { recursive: true });
});

/** Runs a script in a network of its own, where it is root. */
function alone(script: string, input: string): Promise<Finished> {
  return runProcess(['unshare', '-n', 'sh', '-ec', script], { input, timeout: 20_000 });
}

/** What a server or a firewall says of it: refused where the exit code is not 0; `timeout` ends with 124. */
async function isAccepted(server: string, text: string): Promise<boolean> {
  const { code } = await alone(`${server}; test $? = 124 || exit 1`, text);
  return code === 0;
}

const file = (name: string): string => `cat > ${join(folder, name)}`;

/** Whether the server starts, or keeps running for a second. */
async function starts(texts: Texts): Promise<boolean> {
  const name = `${Math.random()}.conf`;
  const path = join(folder, name);
  if (texts.vsftpd !== undefined) {
    const { program } = unpackedServer('vsftpd');
    // No name is resolved in a network of its own.
    const lines = texts.vsftpd.replaceAll(/\b(?:my|ftp)\.example\.org\b/g, '203.0.113.5');
    const options = `-obackground=NO -osecure_chroot_dir=${join(folder, 'empty')}`;
    const own = [
      ...(/^listen(?:_ipv6)?=/m.test(lines) ? [] : ['-olisten=YES']),
      ...(/^ssl_enable=YES/m.test(lines) ? [`-orsa_cert_file=${join(folder, 'both.pem')}`] : []),
    ].join(' ');
    return isAccepted(
      `${file(name)}; set +e; timeout 1 ${program} ${path} ${options} ${own} </dev/null >&2`,
      lines,
    );
  }
  if (texts.proftpd !== undefined) {
    const { program } = unpackedServer('proftpd-core');
    const modules = dirname(unpackedServer('proftpd-mod-crypto').program);
    const withTls = texts.proftpd.includes('TLSEngine')
      ? `ModulePath ${modules}\nLoadModule mod_tls.c\n`
      : '';
    const { code } = await alone(`${file(name)}; ${program} -t -c ${path}`, `${withTls}${texts.proftpd}`);
    return code === 0;
  }
  // It would take a socket on its standard input for a client.
  const { program } = unpackedServer('pure-ftpd');
  const text = texts.pureFtpd ?? '';
  const isCommand = /(?:^|\s)-/.test(text);
  const words = isCommand ? text.trim().replace(/^pure-ftpd /, '') : path;
  return isAccepted(`${file(name)}; set +e; timeout 1 ${program} ${words} </dev/null >&2`, text);
}

/** With these a server does not start. */
const stopping: ReadonlySet<string> = new Set([
  ...['switch-unreadable', 'setting-misspelt', 'setting-unknown', 'settings-bom', 'range-unreadable'],
  ...['vsftpd-value-missing', 'vsftpd-listens-twice', 'vsftpd-spaces', 'vsftpd-line-ends'],
]);

const isStopping = (what: string, faults: readonly string[]): boolean =>
  faults.some((id) => stopping.has(id) || (id === 'passive-range-inverted' && !what.startsWith('vsftpd')));

/** With these a firewall takes none of the file. */
const refusing: ReadonlySet<string> = new Set([
  ...['helper-object-missing', 'chain-not-declared', 'chain-of-other-table', 'rule-without-target'],
]);

/** Where only a part of a file was shown, the lines that it stands between. */
function whole({ nftables, iptables, ...others }: Texts): Texts {
  const isPart = iptables !== undefined && !/^\*|^\S*iptables /m.test(iptables);
  const table = /^-A PREROUTING .*-j DNAT/m.test(iptables ?? '') ? 'nat' : 'filter';
  return {
    ...others,
    ...(nftables !== undefined && {
      nftables: /^(?:add )?table/.test(nftables) ? nftables : `table inet filter {\n${nftables}}\n`,
    }),
    ...(iptables !== undefined && { iptables: isPart ? `*${table}\n${iptables}\nCOMMIT\n` : iptables }),
  };
}

const hasRules = ({ nftables, iptables }: Texts): boolean => (nftables ?? iptables) !== undefined;

const forwarding = 'net.ipv4.ip_forward';

/** A host with these files, rules and settings of the kernel: what is read of it once the commands have run. */
async function hostOf(texts: Texts, commands: readonly string[] = []): Promise<Texts | undefined> {
  const at = mkdtempSync(join(folder, 'host-'));
  for (const [name, text] of Object.entries(texts)) writeFileSync(join(at, name), text);
  const { iptables, ip6tables, legacyIptables, nftables, sysctl } = texts;
  const [, value] = /^net\.ipv4\.ip_forward = (\d)$/m.exec(sysctl ?? '') ?? [];
  const load =
    iptables === undefined
      ? ['nft -f nftables']
      : [/^\S*iptables /m.test(iptables) ? 'sh -e iptables' : 'iptables-restore iptables'];
  const script = [
    `cd ${at}`,
    'ip link set lo up; ip link add eth0 type veth peer name eth1',
    ...(value === undefined ? [] : [`sysctl -q -w ${forwarding}=${value}`]),
    ...(hasRules(texts) ? load : []),
    ...(ip6tables === undefined ? [] : ['ip6tables-restore ip6tables']),
    ...(legacyIptables === undefined ? [] : ['iptables-legacy-restore legacyIptables']),
    ...commands,
    ...(iptables === undefined ? [] : ['iptables-save > iptables']),
    ...(ip6tables === undefined ? [] : ['ip6tables-save > ip6tables']),
    ...(legacyIptables === undefined ? [] : ['iptables-legacy-save > legacyIptables']),
    ...(nftables === undefined
      ? []
      : ['nft -a list ruleset > nftables', 'nft -j list ruleset > nftablesJson']),
    `sysctl ${forwarding} > kernel`,
  ].join('\n');
  const { code, stderr } = await alone(script, '');
  if (code !== 0) {
    last = stderr;
    return undefined;
  }
  const read = (name: string): string => readFileSync(join(at, name), 'utf8');
  const names = [...Object.keys(texts), ...(nftables === undefined ? [] : ['nftablesJson'])];
  return {
    ...(Object.fromEntries(names.map((name) => [name, read(name)])) as Texts),
    ...(value !== undefined && {
      sysctl: (sysctl ?? '').replace(/^net\.ipv4\.ip_forward = \d\n/m, read('kernel')),
    }),
  };
}

/** What the last script that failed has said. */
let last = '';

/** Commands that this kernel, or this host, has nothing for: their effect is written into the texts. */
function isOutOfReach(line: string): boolean {
  if (line.startsWith('sysctl -w net.netfilter.nf_conntrack_helper='))
    return !existsSync('/proc/sys/net/netfilter/nf_conntrack_helper');
  // A module would be loaded for the whole host.
  return /^(?:modprobe|docker) /.test(line);
}

/** Does what a reader does, and reads the host again. */
async function followed(texts: Texts, steps: readonly Followed[]): Promise<Texts> {
  const typed = steps.flatMap((step) => step.remedies.filter((remedy) => isTyped(step, remedy)));
  const real = typed.filter(({ lines }) => !lines.some(isOutOfReach));
  const written = mended(
    texts,
    steps.map((step) => ({ ...step, remedies: step.remedies.filter((remedy) => !real.includes(remedy)) })),
  );
  const commands = real.map(({ lines }) =>
    lines[0]?.startsWith('table ') === true ? `nft -f - <<'END'\n${lines.join('\n')}\nEND` : lines.join('\n'),
  );
  const host = await hostOf(whole(written), commands);
  assert.ok(host, `the remedy is taken: ${last}`);
  if (isServer(texts) && !isSame(texts, host, 'vsftpd', 'proftpd', 'pureFtpd'))
    assert.equal(await starts(host), true, 'the server starts with it');
  if (!isSame(texts, host, 'savedIptables'))
    assert.ok(await hostOf({ iptables: host.savedIptables ?? '' }), `the saved rules are taken: ${last}`);
  if (!isSame(texts, host, 'pinhole'))
    assert.equal(await isPinholeConfig(host.pinhole ?? ''), true, 'Pinhole takes it');
  if (!isSame(texts, host, 'iptablesConfig')) await assertModules(texts, host);
  return host;
}

const isServer = ({ vsftpd, proftpd, pureFtpd }: Texts): boolean =>
  [vsftpd, proftpd, pureFtpd].some((text) => text !== undefined);

const isSame = (one: Texts, other: Texts, ...names: readonly (keyof HostSources)[]): boolean =>
  names.every((name) => one[name] === other[name]);

async function isPinholeConfig(text: string): Promise<boolean> {
  const config = join(mkdtempSync(join(folder, 'pinhole-')), 'pinhole.toml');
  writeFileSync(config, text.replaceAll(/"\/(cert|key)\.pem"/g, `"${folder}/$1.pem"`));
  // Then it looks for its server, which is in no network of its own.
  const { stdout, stderr } = await alone(
    `${process.execPath} ${cli} run --config ${config} --check || true`,
    '',
  );
  last = stderr;
  return stdout.includes('The configuration is valid.');
}

/** A shell reads the file, as the service does. */
async function assertModules(texts: Texts, host: Texts): Promise<void> {
  const script = `${file('iptables-config')}; . ${join(folder, 'iptables-config')}; echo $IPTABLES_MODULES`;
  const { stdout } = await alone(script, host.iptablesConfig ?? '');
  const named = `${texts.iptablesConfig ?? ''}${host.iptablesConfig ?? ''}`.match(/(?:ip|nf)_\w+/g) ?? [];
  assert.deepEqual(stdout.trim().split(' ').sort(), [...new Set(named)].sort());
}

const idsOf = (findings: readonly Finding[]): string[] => findings.map(({ id }) => id).sort();

const faultsOf = (texts: Texts): Finding[] => examineHost(setupSources(texts)).filter(isFault);

describe('real servers and firewalls', { concurrency: 2 }, () => {
  for (const { what, broken, twin, faults, unseen = [], next = [], fillings } of setups) {
    const isOfServer = /^(?:vsftpd|ProFTPD|Pure-FTPd): /.test(what);

    test(`are as it is said: ${what}`, async (t: TestContext) => {
      if (skipOrFail(t, missing)) return;
      if (isOfServer) {
        assert.equal(await starts(broken), !isStopping(what, faults), 'broken');
        assert.equal(await starts(twin), true, 'twin');
      }
      const well = await hostOf(whole(twin));
      assert.ok(well, `the twin is loaded: ${last}`);
      assert.equal(verdictOf(examineHost(setupSources(well))), 'healthy', JSON.stringify(faultsOf(well)));
      const isRefused = faults.some((id) => refusing.has(id));
      if (unseen.length > 0 && !isRefused) return;
      // What is loaded at the next start is tried as if it were now.
      const { savedIptables: saved } = broken;
      const bad = await hostOf(whole(saved === undefined ? broken : { iptables: saved }));
      assert.equal(bad === undefined, isRefused, `the broken one is loaded: ${last}`);
      if (bad) assert.deepEqual(idsOf(faultsOf(bad)), [...faults].sort());
    });

    if (faults.length > 0)
      test(`are mended by each remedy: ${what}`, async (t: TestContext) => {
        if (skipOrFail(t, missing)) return;
        for (const steps of choicesOf(faultsOf(broken), fillings)) {
          let host = await followed(broken, steps);
          assert.deepEqual(idsOf(faultsOf(host)), [...next].sort());
          if (next.length > 0) host = await followed(host, choicesOf(faultsOf(host), fillings)[0] ?? []);
          assert.deepEqual(faultsOf(host), []);
          const doubts = idsOf(examineHost(setupSources(host)).filter(isUnseen));
          assert.deepEqual(
            doubts.filter((id) => !unseen.includes(id)),
            [],
          );
        }
      });
  }

  for (const { what, broken, notes = [], fillings } of notedSets)
    test(`lose what is no fault by each remedy: ${what}`, async (t: TestContext) => {
      if (skipOrFail(t, missing)) return;
      const before = examineHost(setupSources(broken));
      const tried = before.filter(({ id }) => notes.includes(id));
      for (const steps of choicesOf(tried, fillings))
        assertLeftOut(before, examineHost(setupSources(await followed(broken, steps))), notes);
    });
});
