/**
 * The attacks of docs/security.md, played against Pinhole's two planes, the kernel's own helper and ProFTPD's mod_proxy,
 * all on one gateway in front of the same scripted server. The table in the docs is what came of them:
 *
 *     UPDATE_DOCS=1 npm run integration -- attacks-compared
 */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import { createLab, type Lab } from '../bench/ways.ts';
import { missingHelper } from '../support/differential/ways.ts';
import { addresses } from '../support/lab/network.ts';
import { benchRequirements, debianPython, requirements, skipOrFail } from '../support/lab/provision.ts';
import { startRelay, type LabRelay } from '../support/lab/relay.ts';
import { root } from '../support/project.ts';

const page = join(root, 'docs/security.md');
const ways = ['relay', 'kernel', 'helper', 'mod_proxy'] as const;
type Way = (typeof ways)[number];

interface Played {
  readonly name: string;
  readonly outcome: string;
}

const lacking = await requirements();
const missing = lacking.length > 0 ? lacking : [...(await missingHelper()), ...(await benchRequirements())];

/** What the kernel's helper expects, and what bears Pinhole's marks, goes through; all else is reset. */
const firewall = `table inet filter {
  chain forward {
    type filter hook forward priority filter; policy drop;
    ct state established,related accept
    ct mark { 0x2121, 0x2123 } accept
    tcp dport 21 ct status dnat accept
    reject with tcp reset
  }
}
`;

const own = { relay: 21, kernel: 2131, 'relay-tls': 2132, 'kernel-tls': 2133 } as const;
const marks = { kernel: ['pinhole', '0x2121'], 'kernel-tls': ['pinhole_tls', '0x2123'] } as const;

describe('attacks', { concurrency: 1 }, () => {
  let lab: Lab;
  const relays: LabRelay[] = [];

  before(async () => {
    if (missing.length > 0) return;
    lab = await createLab(['helper', 'mod_proxy', 'mod_proxy-tls']);
    const { network, server, certificates } = lab;
    // The one that plays has its place.
    await server.stop();
    await network.must('gateway', ['nft', '-f', '-'], { input: firewall });
    let first = 50_000;
    for (const [name, port] of Object.entries(own)) {
      const [table = '', mark = ''] = name in marks ? marks[name as keyof typeof marks] : [];
      const plane =
        table === ''
          ? ['--plane', 'relay']
          : ['--plane', 'kernel', '--kernel-table', table, '--kernel-mark', mark];
      const { cert, key } = identityOf(certificates);
      const tls = name.endsWith('-tls') ? ['--tls', 'terminate', '--tls-cert', cert, '--tls-key', key] : [];
      const ports = [
        '--passive-ports',
        `${first}-${first + 999}`,
        '--active-ports',
        `${first + 1000}-${first + 1999}`,
      ];
      first += 2000;
      const flags = [...plane, ...tls, ...ports, '--max-refusals', '14'];
      const listen = `${addresses[4].public}:${port}`;
      relays.push(await startRelay(network, { listen, flags }));
    }
  });
  after(async () => {
    if (missing.length > 0) return;
    for (const relay of relays) await relay.stop();
    await lab.dispose();
  });

  async function play(way: Way): Promise<Played[]> {
    const { network } = lab;
    const port = way === 'relay' || way === 'kernel' ? own[way] : lab.portOf(way);
    const tlsPort = {
      relay: own['relay-tls'],
      kernel: own['kernel-tls'],
      helper: null,
      mod_proxy: lab.portOf('mod_proxy-tls'),
    }[way];
    const hosts = ['client', 'server', 'stranger'] as const;
    const namespaces = Object.fromEntries(hosts.map((host) => [host, network.namespace(host)]));
    const setting = { way, port, tlsPort, addresses: addresses[4], namespaces };
    const script = join(root, 'test/attacks/compared.py');
    const argv = [debianPython, '-B', script, JSON.stringify(setting)];
    const text = await network.must('gateway', argv, { timeout: 120_000 });
    return text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Played);
  }

  test('docs/security.md has the outcome of each', async (t) => {
    if (skipOrFail(t, missing)) return;
    const played = new Map<Way, Played[]>();
    // The server is at one port: one after the other.
    for (const way of ways) played.set(way, await play(way));
    const names = played.get('relay')?.map(({ name }) => name) ?? [];
    const cell = (way: Way, name: string): string =>
      played.get(way)?.find((each) => each.name === name)?.outcome ?? assert.fail(`${way}: ${name}`);
    const rows = names.map((name) => `| ${[name, ...ways.map((way) => cell(way, name))].join(' | ')} |`);
    const heading = ["| the attacker | relay plane | kernel plane | the kernel's helper | mod_proxy |"];
    assertTable([...heading, '| --- | --- | --- | --- | --- |', ...rows].join('\n'));
  });
});

function identityOf(certificates: Lab['certificates']): { cert: string; key: string } {
  const folder = join(certificates.ca, '..');
  return { cert: join(folder, 'server.pem'), key: join(folder, 'server.key') };
}

/** Compares the table with the page, or rewrites it. */
function assertTable(made: string): void {
  const text = readFileSync(page, 'utf8');
  const [, part] = /<!-- attacks -->\n([\s\S]*?)\n<!-- \/attacks -->/.exec(text) ?? [];
  assert.ok(part !== undefined, 'the table is marked');
  if (process.env['UPDATE_DOCS'] === '1')
    writeFileSync(
      page,
      text.replace(part, () => made),
    );
  else assert.equal(made, part, 'out of date: UPDATE_DOCS=1 npm run integration -- attacks-compared');
}
