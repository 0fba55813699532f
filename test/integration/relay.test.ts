/** What the matrix does not show of real servers and clients behind the relay. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { compareDialogues } from '../support/dialogue/compare.ts';
import { recordDialogue } from '../support/dialogue/record.ts';
import { runClient, type ClientName, type ClientResult, type Mode } from '../support/lab/clients.ts';
import { createNetwork, type Network } from '../support/lab/network.ts';
import { debianPython, requirements, skipOrFail } from '../support/lab/provision.ts';
import { startRelay, type LabRelay } from '../support/lab/relay.ts';
import { startServer, type LabServer } from '../support/lab/servers.ts';
import { sourceFolder } from '../support/project.ts';

const missing = await requirements();
const content = randomBytes(300_000);

let network: Network;
let server: LabServer;
let relay: LabRelay;

before(async () => {
  if (missing.length > 0) return;
  network = await createNetwork();
  server = await startServer(network, 'vsftpd');
  relay = await startRelay(network);
  server.put('file', content);
});

after(() => (missing.length > 0 ? undefined : network.dispose()));

function download(
  client: ClientName,
  mode: Mode,
  address: string,
  { remote = 'file', settings = [] }: { remote?: string; settings?: readonly string[] } = {},
): Promise<ClientResult> {
  const { user, password } = server;
  const local = join(network.folder, `${client} ${mode}`);
  return runClient(network, client, {
    ...{ address, user, password, mode, settings, local, remote },
    operation: 'download',
  });
}

test('the client sees an active transfer come from the public address and port 20', async (t) => {
  if (skipOrFail(t, missing)) return;
  const watch = network.spawn('client', ['tcpdump', '-n', '-l', '-i', 'eth0', 'tcp[tcpflags] == tcp-syn']);
  await watch.waitForOutput(/listening on/);
  const { ok, output } = await download('curl', 'active', relay.address);
  assert.ok(ok, output);
  await watch.waitForOutput(/IP 198\.51\.100\.1\.20 > 198\.51\.100\.10\.\d+: Flags \[S\]/);
  await watch.stop();
});

test('the server sees an active transfer go from its port 20 to the inside address', async (t) => {
  if (skipOrFail(t, missing)) return;
  const watch = network.spawn('server', ['tcpdump', '-n', '-l', '-i', 'eth0', 'tcp[tcpflags] == tcp-syn']);
  await watch.waitForOutput(/listening on/);
  const { ok, output } = await download('curl', 'active', relay.address);
  assert.ok(ok, output);
  await watch.waitForOutput(/IP 10\.77\.0\.2\.20 > 10\.77\.0\.1\.51\d\d\d: Flags \[S\]/);
  await watch.stop();
});

test('two active transfers to one client share port 20 at once', async (t) => {
  if (skipOrFail(t, missing)) return;
  const both = await Promise.all([
    download('curl', 'active', relay.address),
    download('ftplib', 'active', relay.address),
  ]);
  for (const { ok, output } of both) assert.ok(ok, output);
});

for (const mode of ['extended-passive', 'active'] as const) {
  test(`lftp with sync-mode off sends several commands in one segment, ${mode}, as without the relay`, async (t) => {
    if (skipOrFail(t, missing)) return;
    const passage = (address: string) => () =>
      download('lftp', mode, address, { settings: ['ftp:sync-mode off'] });
    await network.setForwarding(true);
    const direct = await recordDialogue(network, passage(server.address));
    await network.setForwarding(false);
    const relayed = await recordDialogue(network, passage(relay.address));
    assert.ok(relayed.result.ok, relayed.result.output);
    assert.ok(readFileSync(join(network.folder, `lftp ${mode}`)).equals(content));
    assert.equal(compareDialogues(direct.dialogue, relayed.dialogue), '');
  });
}

test('an ABOR after Telnet sequences, part of them urgent data, ends a transfer as without the relay', async (t) => {
  if (skipOrFail(t, missing)) return;
  server.put('large', Buffer.alloc(64 * 1024 * 1024));
  const script = join(sourceFolder(import.meta.dirname), 'urgent-abort.py');
  const passage = async (address: string, form: string): Promise<string> => {
    const argv = [debianPython, script, address, server.user, server.password, 'large', form];
    const { stdout, stderr, code } = await network.exec('client', argv);
    assert.equal(code, 0, stderr);
    return stdout;
  };
  for (const form of ['iac-urgent', 'dm-urgent', 'in-line']) {
    await network.setForwarding(true);
    const direct = await passage(server.address, form);
    await network.setForwarding(false);
    assert.equal(await passage(relay.address, form), direct, form);
    assert.match(direct, /^426 22[56]$/m, form);
  }
});

test('the log joins each transfer with its command, its bytes and how it ended', async (t) => {
  if (skipOrFail(t, missing)) return;
  server.put('logged', content);
  const { ok, output } = await download('ftplib', 'passive', relay.address, { remote: 'logged' });
  assert.ok(ok, output);
  const record = await relay.waitForLog((each) => each['msg'] === 'transfer' && each['path'] === 'logged');
  const { mode, command, direction, bytes, cause } = record;
  assert.deepEqual(
    { mode, command, direction, bytes, cause },
    { mode: 'passive', command: 'RETR', direction: 'download', bytes: content.length, cause: 'complete' },
  );
});

test('no password is in the log', async (t) => {
  if (skipOrFail(t, missing)) return;
  const traced = await startRelay(network, {
    listen: '198.51.100.1:2121',
    flags: ['--passive-ports', '50000-50009'],
    env: { PINHOLE_LOG_LEVEL: 'trace' },
  });
  const { user, password } = server;
  await runClient(network, 'curl', {
    ...{ address: traced.address, port: 2121, user, password },
    mode: 'passive',
    operation: 'list',
  });
  await traced.waitForLog(({ msg }) => msg === 'session closed');
  assert.match(traced.output(), /PASS \*\*\*\*/);
  assert.doesNotMatch(traced.output(), new RegExp(password));
  await traced.stop();
});
