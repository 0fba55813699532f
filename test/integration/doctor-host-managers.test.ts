/** The doctor's remedies where ufw or firewalld makes the rules: their own commands, given to the real ones. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { isFault, type Finding } from '../../src/doctor/finding.ts';
import { examineHost } from '../../src/doctor/host.ts';
import { setupSources } from '../doctor/setups.ts';
import { assertLeftOut } from '../support/doctor/left-out.ts';
import { choicesOf, type Texts } from '../support/doctor/mended.ts';
import { prepareFirewalld, prepareUfw } from '../support/lab/firewalls.ts';
import { runProcess } from '../support/lab/process.ts';
import { requirements, skipOrFail } from '../support/lab/provision.ts';

interface Managed {
  readonly manager: 'ufw' | 'firewalld';
  readonly what: string;
  /** Before the manager's rules are in force. */
  readonly prepare?: readonly string[];
  readonly texts: Texts;
  readonly ids: readonly string[];
  /** No fault, but worth knowing. */
  readonly isNoted?: true;
}

const vsftpd = 'listen=YES\npasv_min_port=50000\npasv_max_port=50099\n';
const leads = (port: string): string =>
  `iptables -t nat -A PREROUTING -p tcp --dport ${port} -j DNAT --to-destination 10.77.0.2`;
const sysctl = 'net.ipv4.ip_forward = 1\n';

const setups: readonly Managed[] = [
  {
    manager: 'ufw',
    what: 'the control port and the range are closed',
    texts: { vsftpd },
    ids: ['control-port-closed', 'related-without-helper'],
  },
  {
    manager: 'ufw',
    what: 'the range is closed',
    prepare: ['ufw allow 21/tcp'],
    texts: { vsftpd },
    ids: ['related-without-helper'],
  },
  {
    manager: 'ufw',
    what: 'more is open than the range',
    prepare: ['ufw allow 21/tcp', 'ufw allow 1024:65535/tcp'],
    texts: { vsftpd },
    ids: ['firewall-opens-too-much'],
  },
  {
    manager: 'ufw',
    what: 'the forward chain drops what is led on',
    prepare: [leads('21'), leads('50000:50099')],
    texts: { vsftpd: `${vsftpd}pasv_address=203.0.113.5\n`, sysctl },
    ids: ['forward-drops', 'related-without-helper'],
  },
  {
    manager: 'firewalld',
    what: 'the control port and the range are closed',
    texts: { vsftpd },
    ids: ['control-port-closed', 'related-without-helper'],
  },
  {
    manager: 'firewalld',
    what: 'the range is closed',
    prepare: ['firewall-cmd --permanent --add-port=21/tcp'],
    texts: { vsftpd },
    ids: ['related-without-helper'],
  },
  {
    manager: 'firewalld',
    what: 'more is open than the range',
    prepare: ['firewall-cmd --permanent --add-port=21/tcp --add-port=1024-65535/tcp'],
    texts: { vsftpd },
    ids: ['firewall-opens-too-much'],
  },
  {
    manager: 'firewalld',
    what: 'nothing is forwarded',
    prepare: ['firewall-cmd --permanent --add-port=21/tcp --add-port=50000-50099/tcp'],
    texts: { vsftpd, sysctl },
    ids: ['forward-closed'],
    isNoted: true,
  },
];

const missing = await requirements();

describe('where something makes the rules', { concurrency: 2 }, () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'doctor-managers-'));
  });
  after(() => {
    rmSync(folder, { recursive: true });
  });

  /** A host of its own, and what is read of it once the commands have been given. */
  const hostOf = async (
    { manager, prepare = [], texts }: Managed,
    commands: string[] = [],
  ): Promise<Texts> => {
    const at = mkdtempSync(join(folder, `${manager}-`));
    const script =
      manager === 'ufw' ? ufwScript(at, prepare, commands) : firewalldScript(at, prepare, commands);
    const { code, stdout, stderr } = await runProcess(['unshare', '-n', 'sh', '-ec', script], {
      timeout: 60_000,
    });
    assert.equal(code, 0, stderr);
    const [rules = '', json = ''] = stdout.split(mark);
    return {
      ...texts,
      ...(manager === 'ufw' ? { iptables: rules } : { nftables: rules, nftablesJson: json }),
    };
  };

  for (const setup of setups)
    test(`the commands of ${setup.manager} mend it: ${setup.what}`, { timeout: 120_000 }, async (t) => {
      if (skipOrFail(t, missing)) return;
      const found = examineHost(setupSources(await hostOf(setup)));
      const tried = found.filter((finding) =>
        setup.isNoted ? setup.ids.includes(finding.id) : isFault(finding),
      );
      assert.deepEqual(idsOf(tried), setup.ids);
      for (const steps of choicesOf(tried)) {
        const commands = steps.flatMap(({ remedies }) => remedies.map(({ lines }) => typed(lines)));
        const after = examineHost(setupSources(await hostOf(setup, commands)));
        assertLeftOut(found, after, setup.ids);
        assert.deepEqual(idsOf(after.filter(isFault)), [], commands.join('\n'));
      }
    });
});

const idsOf = (findings: readonly Finding[]): string[] => findings.map(({ id }) => id).sort();

const mark = '# the same as JSON\n';

const typed = (lines: readonly string[]): string =>
  lines[0]?.startsWith('table ') === true ? `nft -f - <<'END'\n${lines.join('\n')}\nEND` : lines.join('\n');

function ufwScript(at: string, prepare: readonly string[], commands: readonly string[]): string {
  const { root, command } = prepareUfw(at);
  return [
    'ip link set lo up',
    `PATH=${root}:$PATH`,
    `${command} --force enable >&2`,
    ...[...prepare, ...commands].map((each) => `{ ${each}\n} >&2`),
    'iptables-save',
  ].join('\n');
}

function firewalldScript(at: string, prepare: readonly string[], commands: readonly string[]): string {
  const { bin, start } = prepareFirewalld(at);
  return [
    'ip link set lo up',
    `PATH=${bin}:$PATH`,
    ...[...prepare, ...commands].map((each) => `{ ${each}\n} >&2`),
    `${start} >&2`,
    'nft -a list ruleset',
    `echo '${mark.trim()}'`,
    'nft -j list ruleset',
  ].join('\n');
}
