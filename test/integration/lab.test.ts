/**
 * The lab itself: without a relay, over a gateway that routes, every server works. What fails here is not the product's
 * fault. That every client does is seen where its dialogue without the relay is the measure (matrix.test.ts).
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { compareDialogues } from '../support/dialogue/compare.ts';
import { render } from '../support/dialogue/dialogue.ts';
import { recordDialogue } from '../support/dialogue/record.ts';
import { operations, runClient } from '../support/lab/clients.ts';
import type { ClientName, Mode, Operation } from '../support/lab/clients.ts';
import { addresses, createNetwork, ownNamespaces } from '../support/lab/network.ts';
import type { Family, Network } from '../support/lab/network.ts';
import { startProcess } from '../support/lab/process.ts';
import { requirements, skipOrFail } from '../support/lab/provision.ts';
import { serverNames, startServer } from '../support/lab/servers.ts';
import type { LabServer, ServerName } from '../support/lab/servers.ts';
import { emittedFile } from '../support/project.ts';

const missing = await requirements();
const families: readonly Family[] = [4, 6];
const content = randomBytes(200_000);
const half = content.subarray(0, 100_000);

let network: Network;
let dispose = (): Promise<void> => Promise.resolve();
const servers = new Map<string, LabServer>();

before(async () => {
  if (missing.length > 0) return;
  network = await createNetwork({ forwarding: true });
  dispose = () => network.dispose();
  // One port for each server of a family, so that all can be up at once.
  for (const family of families) {
    for (const [index, name] of serverNames.entries()) {
      const first = 30_000 + 100 * index;
      const options = { family, port: 2100 + index, passivePorts: [first, first + 99] as const };
      servers.set(`${name} ${family}`, await startServer(network, name, options));
    }
  }
});

after(() => dispose());

for (const name of serverNames) {
  for (const family of families) {
    test(`${name} over IPv${family} lists, stores and serves a file through the routing gateway`, async (t) => {
      if (skipOrFail(t, missing)) return;
      const server = serverOf(name, family);
      for (const operation of operations) await performs('curl', server, 'extended-passive', operation);
      assert.match(server.version, /^\d+\.\d+/);
    });
  }
}

test('vsftpd dials an active transfer from port 20', async (t) => {
  if (skipOrFail(t, missing)) return;
  const server = serverOf('vsftpd', 4);
  const local = join(network.folder, 'from-port-20');
  server.put('file', content);
  const watch = network.spawn('client', ['tcpdump', '-n', '-l', '-i', 'eth0', 'tcp src port 20']);
  await watch.waitForOutput(/listening on/);
  await runClient(network, 'curl', {
    ...login(server),
    mode: 'active',
    operation: 'download',
    remote: 'file',
    local,
  });
  await watch.waitForOutput(/10\.77\.0\.2\.20 > 198\.51\.100\.10\.\d+: Flags \[S\]/);
  await watch.stop();
});

test('a stranger on the public link reaches the server by its own address', async (t) => {
  if (skipOrFail(t, missing)) return;
  const server = serverOf('vsftpd', 4);
  const run = { ...login(server), mode: 'passive', operation: 'list', host: 'stranger' } as const;
  const { ok, output } = await runClient(network, 'curl', run);
  assert.ok(ok, output);
  assert.match(server.log(), new RegExp(`CONNECT: Client "${addresses[4].stranger}"`));
});

test('two recordings of the same operation are equal, and another operation shows as a difference', async (t) => {
  if (skipOrFail(t, missing)) return;
  const server = serverOf('vsftpd', 4);
  const record = async (
    mode: Mode,
    body: Buffer,
  ): Promise<Awaited<ReturnType<typeof recordDialogue>>['dialogue']> => {
    server.put('recorded', body);
    const local = join(network.folder, 'recorded');
    const run = { ...login(server), mode, operation: 'download', remote: 'recorded', local } as const;
    const options = { controlPort: server.port };
    const { dialogue, result } = await recordDialogue(
      network,
      () => runClient(network, 'curl', run),
      options,
    );
    assert.ok(result.ok, result.output);
    return dialogue;
  };
  const first = await record('passive', content);
  assert.equal(compareDialogues(first, await record('passive', content)), '');

  const [data] = first.controls.flatMap(({ exchanges }) => exchanges.flatMap((exchange) => exchange.data));
  assert.equal(data?.mode, 'PASV');
  assert.equal(data.openedBy, 'client');
  assert.equal(data.sent.server.bytes, content.length);
  assert.deepEqual(data.ends[0], { by: 'server', kind: 'FIN' });
  assert.match(render(first).join('\n'), /> PASV\n< 227 /);

  const active = await record('active', content);
  assert.match(compareDialogues(first, active), /^-> PASV$[^]*^\+> PORT <address>,<port>$/m);
  const other = await record('passive', half);
  assert.match(
    compareDialogues(first, other),
    /^- .*server sent 200000 bytes[^]*^\+ .*server sent 100000 bytes/m,
  );
});

test('reaches no server while the gateway does not forward', async (t) => {
  if (skipOrFail(t, missing)) return;
  await network.setForwarding(false);
  try {
    const { server } = addresses[4];
    const script = `exec 3<> /dev/tcp/${server}/2100`;
    const connect = network.exec('client', ['timeout', '1', 'bash', '-c', script], { timeout: 10_000 });
    assert.notEqual((await connect).code, 0);
  } finally {
    await network.setForwarding(true);
  }
});

test('dispose ends every process, also one that left its group, and leaves no namespace and no file', async (t) => {
  if (skipOrFail(t, missing)) return;
  const before = ownNamespaces();
  const other = await createNetwork();
  const server = await startServer(other, 'vsftpd');
  const loose = other.spawn('gateway', ['setsid', 'sh', '-c', 'echo $$; exec sleep 600']);
  const [pid = ''] = await loose.waitForOutput(/^\d+/);
  assert.equal(ownNamespaces().length, before.length + 5);
  assert.ok(isRunning(server.pid) && isRunning(Number(pid)));

  await other.dispose();
  assert.deepEqual(ownNamespaces(), before);
  assert.ok(!existsSync(other.folder));
  assert.ok(!isRunning(server.pid) && !isRunning(Number(pid)));
});

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  test(`a test process ended by ${signal} takes its network down first`, async (t) => {
    if (skipOrFail(t, missing)) return;
    const code =
      `import { createNetwork } from ${JSON.stringify(emittedFile('test/support/lab/network.ts'))};` +
      `const network = await createNetwork(); network.spawn('server', ['sleep', '600']);` +
      `console.log('up', network.folder); setInterval(() => {}, 60_000);`;
    const child = startProcess([process.execPath, '--input-type=module', '-e', code]);
    const [, folder = ''] = await child.waitForOutput(/^up (\S+)\n/);
    assert.equal(namespacesOf(child.pid).length, 5);

    assert.deepEqual(await child.stop(signal), { code: null, signal });
    assert.deepEqual(namespacesOf(child.pid), []);
    assert.ok(!existsSync(folder));
  });
}

function namespacesOf(pid: number): string[] {
  return readdirSync('/run/netns').filter((name) => name.startsWith(`pinhole-${pid}-`));
}

function serverOf(name: ServerName, family: Family): LabServer {
  const server = servers.get(`${name} ${family}`);
  assert.ok(server, `${name} is not running`);
  return server;
}

function login({
  address,
  port,
  user,
  password,
}: LabServer): Pick<LabServer, 'address' | 'port' | 'user' | 'password'> {
  return { address, port, user, password };
}

/** Runs one operation and checks the bytes on the side where they should have arrived. */
async function performs(
  client: ClientName,
  server: LabServer,
  mode: Mode,
  operation: Operation,
): Promise<void> {
  const local = join(network.folder, 'local');
  const isDownload = operation === 'download' || operation === 'resume-download';
  server.put('file', isDownload ? content : operation === 'resume-upload' ? half : '');
  writeFileSync(local, isDownload ? (operation === 'download' ? '' : half) : content);
  const result = await runClient(network, client, {
    ...login(server),
    mode,
    operation,
    remote: 'file',
    local,
  });
  const context = `${client} ${operation} ${mode} ${server.name}\n${result.output}\n${server.log()}`;
  assert.ok(result.ok, context);
  if (operation === 'list')
    assert.ok(
      result.listing?.some((line) => /\bfile$/.test(line)),
      context,
    );
  else assert.ok((isDownload ? readFileSync(local) : server.read('file')).equals(content), context);
}

function isRunning(pid: number): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'latin1'));
  } catch {
    return false;
  }
}
