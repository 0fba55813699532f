/** The setups of the doctor's tests before real servers and firewalls: what it says of them is so, and what it prints helps. */
import assert from 'node:assert/strict';
import { mkdtempSync, mkdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { isFault, verdictOf } from '../../src/doctor/finding.ts';
import type { HostSources } from '../../src/doctor/host-sources.ts';
import { examineHost } from '../../src/doctor/host.ts';
import { setups, setupSources, type ReportedSetup } from '../doctor/setups.ts';
import { mended } from '../support/doctor/mended.ts';
import { runProcess, type Finished } from '../support/lab/process.ts';
import { requirements, skipOrFail, unpackedServer } from '../support/lab/provision.ts';

type Texts = ReportedSetup['broken'];

const missing = await requirements();
let folder: string;

before(() => {
  folder = mkdtempSync(join(tmpdir(), 'doctor-host-'));
  mkdirSync(join(folder, 'empty'));
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
    return isAccepted(`${file(name)}; set +e; timeout 1 ${program} ${path} ${options} </dev/null >&2`, lines);
  }
  if (texts.proftpd !== undefined) {
    const { program } = unpackedServer('proftpd-core');
    const { code } = await alone(`${file(name)}; ${program} -t -c ${path}`, texts.proftpd);
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
  ...['vsftpd-value-missing', 'vsftpd-listens-twice'],
]);

/** With these a firewall takes none of the file. */
const refusing: ReadonlySet<string> = new Set([
  'helper-object-missing',
  'chain-not-declared',
  'rule-without-target',
]);

const ofServers = setups.filter(({ what }) => /^(?:vsftpd|ProFTPD|Pure-FTPd): /.test(what));

describe('real servers', { concurrency: 2 }, () => {
  for (const { what, broken, twin, faults, isMendedElsewhere } of ofServers)
    test(what, async (t) => {
      if (skipOrFail(t, missing)) return;
      assert.equal(await starts(broken), !faults.some((id) => stopping.has(id)), 'broken');
      assert.equal(await starts(twin), true, 'twin');
      if (isMendedElsewhere) return;
      const findings = examineHost(setupSources(broken)).filter(isFault);
      assert.equal(await starts(mended(broken, findings)), true, 'mended');
    });
});

/** Stands between the two forms of a ruleset. */
const mark = '# the same as JSON';

const loading = 'ip link set lo up; ip link add eth0 type veth peer name eth1';

/** Loads the rules, runs the commands, and reads the rules again as the doctor does. */
async function loaded(texts: Texts, commands: readonly string[] = []): Promise<HostSources | undefined> {
  const isNft = texts.nftables !== undefined;
  const text = texts.nftables ?? texts.iptables ?? '';
  const isScript = /^iptables /m.test(text);
  const load = isNft ? 'nft -f -' : isScript ? 'sh -e' : 'iptables-restore';
  const script = [
    loading,
    load,
    ...commands,
    isNft ? `nft -a list ruleset; echo ${mark}; nft -j list ruleset` : 'iptables-save',
  ].join('\n');
  const { code, stdout } = await alone(script, text);
  if (code !== 0) return undefined;
  const [shown = '', json] = stdout.split(`${mark}\n`);
  return setupSources({
    ...texts,
    [isNft ? 'nftables' : 'iptables']: shown,
    ...(json !== undefined && { nftablesJson: json }),
  });
}

const isLoadable = ({ nftables, iptables }: Texts): boolean =>
  nftables !== undefined ? /^(?:add )?table/.test(nftables) : /^\*|^iptables /m.test(iptables ?? '');

/** What a reader types: commands as they are, tables by nft. */
function commandsOf(texts: Texts): string[] | undefined {
  const remedies = examineHost(setupSources(texts))
    .filter(isFault)
    .flatMap((finding) => finding.remedies.slice(0, 1));
  const commands = remedies.map(({ lines }) => {
    if (/^(?:nft|iptables) /.test(lines[0] ?? '')) return lines.join('\n');
    return lines[0]?.startsWith('table ') === true ? `nft -f - <<'END'\n${lines.join('\n')}\nEND` : undefined;
  });
  return commands.includes(undefined) ? undefined : (commands as string[]);
}

describe('real firewalls', { concurrency: 2 }, () => {
  for (const { what, broken, twin, faults, unseen, isMendedElsewhere } of setups) {
    if (ofServers.some((setup) => setup.what === what) || !isLoadable(twin)) continue;
    test(what, async (t) => {
      if (skipOrFail(t, missing)) return;
      const well = await loaded(twin);
      assert.ok(well, 'the twin is loaded');
      assert.equal(verdictOf(examineHost(well)), 'healthy', JSON.stringify(examineHost(well)));
      if (!isLoadable(broken) || unseen !== undefined) return;
      const isRefused = faults.some((id) => refusing.has(id));
      const bad = await loaded(broken);
      assert.equal(bad === undefined, isRefused, 'the broken one is loaded');
      if (bad)
        assert.deepEqual(
          examineHost(bad)
            .filter(isFault)
            .map(({ id }) => id)
            .sort(),
          [...faults].sort(),
        );
      if (isMendedElsewhere) return;
      const commands = isRefused ? undefined : commandsOf(broken);
      const after = commands
        ? await loaded(broken, commands)
        : await loaded(mended(broken, examineHost(setupSources(broken)).filter(isFault)));
      assert.ok(after, 'the remedy is taken');
      assert.deepEqual(examineHost(after).filter(isFault), []);
    });
  }
});
