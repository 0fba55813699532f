/** What `pinhole rules --for ufw` puts into ufw comes in once, however often it is loaded, and goes out whole. */
import assert from 'node:assert/strict';
import { readFileSync, rmSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import { prepareUfw, type Ufw } from '../support/lab/firewalls.ts';
import { createNetwork, type Network } from '../support/lab/network.ts';
import { mustRun } from '../support/lab/process.ts';
import { requirements, skipOrFail } from '../support/lab/provision.ts';
import { cli } from '../support/lab/relay.ts';

const missing = await requirements();
const slow = { timeout: 180_000 };
const server = '10.77.0.2';
const other = '10.77.0.99';
const files = ['before.rules', 'before6.rules', 'before.init'] as const;

describe('the rules of ufw', { concurrency: 1 }, () => {
  let network: Network;
  let ufw: Ufw;
  let stock: readonly string[];
  before(async () => {
    if (missing.length > 0) return;
    network = await createNetwork({ forwarding: true });
    ufw = prepareUfw(network.folder);
    stock = contents();
  });
  after(() => (missing.length > 0 ? undefined : network.dispose()));

  const contents = (): string[] => files.map((file) => readFileSync(join(ufw.root, 'etc/ufw', file), 'utf8'));
  const make = async (address: string): Promise<string> => {
    const folder = join(network.folder, address);
    const words = ['--deployment', 'kernel-helper', '--server', address, '--listen', '198.51.100.1:21'];
    await mustRun([process.execPath, cli, 'rules', '--for', 'ufw', '--out', folder, '--force', ...words]);
    return join(folder, 'ftp-ufw.sh');
  };
  const call = (
    script: string,
    ...words: string[]
  ): Promise<{ code: number | null; stdout: string; stderr: string }> =>
    network.exec('gateway', ['sh', script, ...words], {
      ...slow,
      env: { ...process.env, UFW_ROOT: ufw.root, UFW: ufw.command },
    });
  const load = async (address: string): Promise<string> => {
    const { code, stdout, stderr } = await call(await make(address));
    assert.equal(code, 0, stderr);
    return stdout;
  };
  /** Of these tables of both families, without counters. */
  const rulesOf = async (...tables: string[]): Promise<string[]> => {
    const saved: string[] = [];
    for (const program of ['iptables-save', 'ip6tables-save']) {
      for (const table of tables) {
        const text = await network.must('gateway', [program, '-t', table]);
        saved.push(...text.split('\n').filter((line) => /^(\*|-A|:\S+ - )/.test(line)));
      }
    }
    return saved.map((line) => line.replace(/ \[\d+:\d+\]$/, ''));
  };
  const everything = (): Promise<string[]> => rulesOf('raw', 'nat', 'filter');

  test('are not in force while ufw is inactive, and the script reports that', async (t) => {
    if (skipOrFail(t, missing)) return;
    assert.match(await load(server), /ufw is inactive: ufw enable puts the rules in force/);
    assert.deepEqual(
      (await rulesOf('raw', 'nat')).filter((line) => !line.startsWith('*')),
      [],
    );
  });

  test('are the same after a second load and a reload, and of changed settings only the new are left', async (t) => {
    if (skipOrFail(t, missing)) return;
    await network.must('gateway', [ufw.command, '--force', 'enable'], slow);
    assert.doesNotMatch(await load(server), /inactive/);
    const first = await everything();
    const jumps = first.filter((line) => line === '-A PREROUTING -j ftp-rules');
    assert.equal(jumps.length, 3, 'raw of both families, nat of IPv4');
    assert.ok(first.some((line) => line.includes(`--to-destination ${server}:21`)));
    await load(server);
    assert.deepEqual(await everything(), first);
    await network.must('gateway', [ufw.command, 'reload'], slow);
    assert.deepEqual(await everything(), first);
    await load(other);
    assert.deepEqual(
      await everything(),
      first.map((line) => line.replaceAll(server, other)),
    );
  });

  test('are gone from every table once ufw is disabled', async (t) => {
    if (skipOrFail(t, missing)) return;
    await network.must('gateway', [ufw.command, 'disable'], slow);
    assert.deepEqual(
      (await rulesOf('raw', 'nat')).filter((line) => !line.startsWith('*')),
      [],
    );
    assert.deepEqual(
      (await rulesOf('filter')).filter((line) => line.includes('ftp')),
      [],
    );
  });

  test('are removed from an active ufw and from its files by "remove"', async (t) => {
    if (skipOrFail(t, missing)) return;
    await network.must('gateway', [ufw.command, '--force', 'enable'], slow);
    const { code, stderr } = await call(await make(other), 'remove');
    assert.equal(code, 0, stderr);
    assert.deepEqual(contents(), stock);
    assert.ok(!existsSync(join(ufw.root, 'etc/ufw/ftp.init')));
    const left = await everything();
    assert.deepEqual(
      left.filter((line) => /ftp|10\.77/.test(line)),
      [],
    );
    assert.ok(left.includes('-A INPUT -j ufw-before-input'), 'ufw is active');
  });

  test('are refused where a file of them is missing, and no file of ufw is touched', async (t) => {
    if (skipOrFail(t, missing)) return;
    const script = await make(server);
    rmSync(join(network.folder, server, 'etc/ufw/ftp.filter'));
    const { code, stderr } = await call(script);
    assert.equal(code, 1);
    assert.match(
      stderr,
      /^ftp-ufw\.sh: \S+\/etc\/ufw\/ftp\.filter is missing: --out writes it beside this script$/m,
    );
    assert.deepEqual(contents(), stock);
    const unknown = await call(await make(server), 'uninstall');
    assert.match(unknown.stderr, /^ftp-ufw\.sh: uninstall: allowed: nothing, or remove$/m);
  });
});
