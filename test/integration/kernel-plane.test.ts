/** The kernel plane on a gateway, with real clients and a real server on both sides of it. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

import { capability, modes, runClient, type ClientResult, type Mode } from '../support/lab/clients.ts';
import { connectFrom, ControlConnection } from '../support/lab/control-connection.ts';
import { addresses, createNetwork, type Family, type Host, type Network } from '../support/lab/network.ts';
import type { Finished } from '../support/lab/process.ts';
import { passage } from '../support/lab/passage.ts';
import { debianPython, requirements, skipOrFail } from '../support/lab/provision.ts';
import { cli, startRelay, type LabRelay } from '../support/lab/relay.ts';
import { startServer, type LabServer } from '../support/lab/servers.ts';
import { noElementIsLeft } from '../support/lab/table.ts';
import { emittedFile, root } from '../support/project.ts';

const missing = await requirements();
const families: readonly Family[] = [4, 6];
const content = randomBytes(300_000);
const kernel = ['--plane', 'kernel'];
/** Every byte of a data channel passes the forward chain: what is not marked is dropped. */
const firewall = `table inet filter {
  chain forward {
    type filter hook forward priority filter; policy drop;
    ct state established accept
    ct mark 0x2121 accept
    counter
  }
}
`;

let network: Network;
const servers = new Map<Family, LabServer>();

before(async () => {
  if (missing.length > 0) return;
  network = await createNetwork({ forwarding: true });
  await onGateway(['sh', '-c', 'echo 1 > /proc/sys/net/netfilter/nf_conntrack_acct']);
  await onGateway(['nft', '-f', '-'], firewall);
  for (const family of families) {
    const server = await startServer(network, 'vsftpd', { family });
    server.put('file', content);
    servers.set(family, server);
  }
});

after(() => (missing.length > 0 ? undefined : network.dispose()));

function serverOf(family: Family): LabServer {
  return servers.get(family) ?? assert.fail('no server');
}

function onGateway(argv: readonly string[], input?: string): Promise<string> {
  return network.must('gateway', argv, input === undefined ? {} : { input });
}

function start(family: Family = 4, flags: readonly string[] = []): Promise<LabRelay> {
  return startRelay(network, { family, flags: [...kernel, ...flags] });
}

async function tables(): Promise<string[]> {
  const listed = await onGateway(['nft', 'list', 'tables']);
  return listed.split('\n').filter((line) => line !== '' && line !== 'table inet filter');
}

/** The elements of a set of the table, as nft prints them. */
async function elements(kind: 'set' | 'map', name: string): Promise<string> {
  const text = await onGateway(['nft', 'list', kind, 'inet', 'pinhole', name]);
  return /elements = \{([^}]*)\}/.exec(text)?.[1]?.trim() ?? '';
}

/** With curl, over IPv4. */
function download(mode: Mode): Promise<ClientResult> {
  const { user, password } = serverOf(4);
  const local = join(network.folder, 'local');
  const session = { address: addresses[4].public, user, password, mode };
  return runClient(network, 'curl', { ...session, operation: 'download', remote: 'file', local });
}

describe(
  'with the kernel plane, behind a forward chain that drops all but its mark',
  { concurrency: 1 },
  () => {
    for (const family of families) {
      describe(`over IPv${family}`, { concurrency: 1 }, () => {
        let relay: LabRelay | undefined;
        before(async () => {
          if (missing.length === 0) relay = await start(family);
        });
        after(() => relay?.stop());

        for (const client of ['curl', 'ftplib', 'tnftp'] as const) {
          for (const mode of modes) {
            if (capability(client, mode, family, 'download') !== true) continue;
            test(`${client} lists, uploads and downloads in ${mode} mode`, async (t) => {
              if (skipOrFail(t, missing)) return;
              const session = { address: addresses[family].public, mode };
              const context = (): string => relay?.output() ?? '';
              await passage(network, client, session, serverOf(family), content, context);
            });
          }
        }

        test('leaves no element behind when all are taken', async (t) => {
          if (skipOrFail(t, missing)) return;
          assert.equal(await elements('set', `expect${family}`), '');
          await noElementIsLeft(network);
        });

        test('logs each transfer with its command and its bytes', async (t) => {
          if (skipOrFail(t, missing)) return;
          assert.ok(relay);
          const record = await relay.waitForLog(
            ({ msg, command, cause }) => msg === 'transfer' && command === 'RETR' && cause === 'complete',
          );
          assert.ok(Number(record['bytes']) >= content.length, JSON.stringify(record));
          assert.equal(record['path'], '/file');
        });
      });
    }
  },
);

describe('a pinhole in the kernel', { concurrency: 1 }, () => {
  let relay: LabRelay;
  before(async () => {
    if (missing.length === 0) relay = await start(4);
  });
  after(() => (missing.length > 0 ? undefined : relay.stop()));

  test('a stranger does not use it up, the client gets one connection and no second one', async (t) => {
    if (skipOrFail(t, missing)) return;
    const session = await login();
    const at = await session.passive();
    const [expected] = (await elements('set', 'expect4')).split(' timeout');
    assert.equal(expected, `${addresses[4].client} . ${addresses[4].public} . ${at}`);

    assert.match(await connectTo('stranger', at), /refused/);
    session.send('RETR file');
    // Reads what there is, and tries again while the first is still open.
    const data = network.spawn('client', [debianPython, '-u', '-c', twice, addresses[4].public, String(at)]);
    await data.waitForOutput(new RegExp(`^refused\\n${content.length}\\n$`, 'm'));
    await session.expect(/^226 /m);
    assert.match(await connectTo('client', at), /refused/);
    await session.quit();
  });

  test('is gone with its session', async (t) => {
    if (skipOrFail(t, missing)) return;
    const session = await login();
    const at = await session.passive();
    await session.quit();
    const { reason } = await relay.waitForLog(
      (each) => each['msg'] === 'pinhole closed' && String(each['at']).endsWith(`:${at}`),
    );
    assert.equal(reason, 'session-closed');
    await noElementIsLeft(network);
    assert.match(await connectTo('client', at), /refused/);
  });

  test('the client sees an active connection come from the public address and port 20', async (t) => {
    if (skipOrFail(t, missing)) return;
    const watch = network.spawn('client', ['tcpdump', '-n', '-l', '-i', 'eth0', 'tcp[tcpflags] == tcp-syn']);
    await watch.waitForOutput(/listening on/);
    const { ok, output } = await download('active');
    assert.ok(ok, output);
    await watch.waitForOutput(/IP 198\.51\.100\.1\.20 > 198\.51\.100\.10\.\d+: Flags \[S\]/);
    await watch.stop();
  });

  test('an active connection comes from another port where one that has ended had port 20', async (t) => {
    if (skipOrFail(t, missing)) return;
    const { client, public: gateway } = addresses[4];
    const port = '46000';
    const listener = network.spawn('client', [debianPython, '-u', '-c', acceptOne, client, port]);
    await listener.waitForOutput(/^listening$/m);
    await onGateway([debianPython, '-c', connectFrom20, gateway, client, port]);
    await listener.exited;
    const ends = ['-s', gateway, '-d', client, '-p', 'tcp', '--sport', '20', '--dport', port];
    await isTracked(ends, 'TIME_WAIT');

    const { user, password } = serverOf(4);
    const argv = ['curl', '-sS', '--max-time', '20', '-P', `${client}:${port}`, '--disable-eprt'];
    const listing = await network.must('client', [...argv, '-u', `${user}:${password}`, `ftp://${gateway}/`]);
    assert.match(listing, / file$/m);
  });

  test('the server sees a passive connection come from where the control connection does', async (t) => {
    if (skipOrFail(t, missing)) return;
    const watch = network.spawn('server', ['tcpdump', '-n', '-l', '-i', 'eth0', 'tcp[tcpflags] == tcp-syn']);
    await watch.waitForOutput(/listening on/);
    const { ok, output } = await download('passive');
    assert.ok(ok, output);
    await watch.waitForOutput(/IP 10\.77\.0\.1\.\d+ > 10\.77\.0\.2\.30\d\d\d: Flags \[S\]/);
    await watch.stop();
  });

  test('the table is made again where somebody has deleted it', async (t) => {
    if (skipOrFail(t, missing)) return;
    const from = relay.log().length;
    await onGateway(['nft', 'delete', 'table', 'inet', 'pinhole']);
    const { ok, output } = await download('passive');
    assert.ok(ok, output);
    await relay.waitForLog(({ msg }) => msg === 'table restored', { from });
  });

  test('if it cannot be recreated the client gets 425, the log has the reason, and the next pinhole tries again', async (t) => {
    if (skipOrFail(t, missing)) return;
    const from = relay.log().length;
    const session = await login();
    await onGateway(['nft', 'delete', 'table', 'inet', 'pinhole']);
    // A table with an owner is nobody else's to change, and is gone with its owner.
    const owner = network.spawn('gateway', ['nft', '-i'], { interactive: true });
    t.after(() => owner.stop());
    owner.write('add table inet pinhole { flags owner; }\nlist tables\n');
    await owner.waitForOutput(/^table inet pinhole/m);
    session.send('PASV');
    await session.expect(/^425 Cannot open data connection\.\r?$/m);
    await owner.stop();
    await session.passive();
    const said = await saidUntilOpened(relay, from);
    assert.deepEqual(
      said.map(({ msg }) => msg),
      ['session opened', 'logged in', 'command refused', 'table restored', 'pinhole opened'],
    );
    assert.equal(said[2]?.['reason'], 'plane-failed');
    assert.match(String(said[2]['detail']), /^nftables: .*Operation not permitted/);
    await session.quit();
  });

  test('if a set is full the client gets 425, the log has the reason, and pinholes open when there is room again', async (t) => {
    if (skipOrFail(t, missing)) return;
    const from = relay.log().length;
    const session = await login();
    const others = Array.from({ length: 65_536 }, (_, n) => `192.0.2.1 . 10.0.${n >> 8}.${n & 255} . 1`);
    const fill = `add element inet pinhole expect4 { ${others.join(', ')} }\n`;
    await onGateway(['nft', '-f', '-'], fill);
    session.send('PASV');
    await session.expect(/^425 Cannot open data connection\.\r?$/m);
    await onGateway(['nft', 'flush', 'set', 'inet', 'pinhole', 'expect4']);
    await session.passive();
    const said = await saidUntilOpened(relay, from);
    assert.deepEqual(
      said.map(({ msg }) => msg),
      ['session opened', 'logged in', 'command refused', 'pinhole opened'],
    );
    assert.deepEqual(
      [said[2]?.['reason'], said[2]?.['detail']],
      ['plane-failed', 'nftables: a set is full, too many pinholes are pending'],
    );
    await session.quit();
  });

  test('a second Pinhole with the same table or the same mark does not start, and changes nothing', async (t) => {
    if (skipOrFail(t, missing)) return;
    for (const [flags, words] of [
      [['--kernel-mark', '7'], 'another Pinhole uses the table pinhole; choose another --kernel-table'],
      [['--kernel-table', 'other'], 'another Pinhole uses the mark 8481; choose another --kernel-mark'],
    ] as const) {
      const { code, stderr } = await pinhole(['--listen', `${addresses[4].public}:2121`, ...flags]);
      assert.deepEqual([code, stderr], [1, `pinhole: ${words}\n`]);
    }
    assert.deepEqual(await tables(), ['table inet pinhole']);
    const { ok, output } = await download('passive');
    assert.ok(ok, output);
  });
});

test('what holds on the relay plane holds here, but for what the docs say', async (t) => {
  if (skipOrFail(t, missing)) return;
  const files = [
    ...readdirSync(join(root, 'test/proxy'), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.test.ts'))
      .map((name) => `proxy/${name}`),
    ...['plane/contract.test.ts', 'plane/pinhole.test.ts', 'plane/active.test.ts', 'daemon/daemon.test.ts'],
  ].map((name) => emittedFile(join('test', name)));
  // A runner that finds itself inside another one tests nothing.
  const runner = ['env', '-u', 'NODE_TEST_CONTEXT', process.execPath];
  const flags = ['--enable-source-maps', '--test', '--test-concurrency', '2', '--test-reporter', 'spec'];
  const { code, stdout, stderr } = await network.exec('gateway', [...runner, ...flags, ...files], {
    env: { PINHOLE_TEST_PLANE: 'kernel' },
    timeout: 5 * 60_000,
  });
  const [failed = stdout] = /^\S* ?failing tests:[^]*/m.exec(stdout) ?? [];
  assert.equal(code, 0, failed + stderr);
  const count = (what: string): number => Number(new RegExp(`^. ${what} (\\d+)$`, 'm').exec(stdout)?.[1]);
  assert.ok(count('pass') >= 230, stdout);
  assert.ok(count('skipped') <= 12, stdout);
});

test('an IPv6 client of an IPv4 server has its data channels carried by the relay plane', async (t) => {
  if (skipOrFail(t, missing)) return;
  const listen = `[${addresses[6].public}]:21`;
  const relay = await startRelay(network, { listen, flags: kernel });
  const { user, password } = serverOf(4);
  for (const mode of ['extended-passive', 'extended-active'] as const) {
    const local = join(network.folder, 'local');
    rmSync(local, { force: true });
    const run = { address: addresses[6].public, user, password, mode, remote: 'file', local };
    const { ok, output } = await runClient(network, 'curl', { ...run, operation: 'download' });
    assert.ok(ok, output);
    assert.ok(readFileSync(local).equals(content));
  }
  for (const expectation of [1, 2]) {
    const record = await relay.waitForLog((each) => each['expectation'] === expectation && 'cause' in each);
    assert.deepEqual([record['plane'], record['cause']], ['relay', 'complete']);
  }
  await relay.stop();
});

test('serves IPv4 where the gateway has no IPv6', async (t) => {
  if (skipOrFail(t, missing)) return;
  const own = await createNetwork({ forwarding: true });
  t.after(() => own.dispose());
  const off =
    'for each in all default lo public0 inside0; do echo 1 > /proc/sys/net/ipv6/conf/$each/disable_ipv6; done';
  const { code, stderr } = await own.exec('gateway', ['sh', '-ec', off]);
  assert.equal(code, 0, stderr);
  const server = await startServer(own, 'vsftpd');
  server.put('file', content);
  const relay = await startRelay(own, { listen: '21', flags: kernel });
  for (const mode of ['passive', 'active'] as const) {
    const local = join(own.folder, mode);
    const { user, password } = server;
    const run = { address: addresses[4].public, user, password, mode, remote: 'file', local };
    const { ok, output } = await runClient(own, 'curl', { ...run, operation: 'download' });
    assert.ok(ok, output + relay.output());
    assert.ok(readFileSync(local).equals(content));
    const record = await relay.waitForLog((each) => each['mode'] === mode && 'cause' in each);
    assert.deepEqual([record['plane'], record['cause']], ['kernel', 'complete']);
  }
  await relay.stop();
});

test('the table is deleted at the end', async (t) => {
  if (skipOrFail(t, missing)) return;
  const relay = await start();
  assert.deepEqual(await tables(), ['table inet pinhole']);
  assert.deepEqual(await relay.stop(), { code: 0, signal: null });
  assert.deepEqual(await tables(), []);
});

test('kill -9 in the middle of a transfer costs no byte, and the next start finds the table clean', async (t) => {
  if (skipOrFail(t, missing)) return;
  const big = randomBytes(20_000_000);
  serverOf(4).put('big', big);
  const relay = await start();
  const session = await login();
  const at = await session.passive();
  session.send('RETR big');
  const local = join(network.folder, 'big');
  const reader = network.spawn(
    'client',
    [debianPython, '-u', '-c', slowly, addresses[4].public, String(at), local],
    {
      interactive: true,
    },
  );
  await reader.waitForOutput(/^begun\n/);
  // Another that nobody will take: its element is what the crash leaves.
  const other = await login();
  await other.passive();

  assert.deepEqual(await relay.stop('SIGKILL'), { code: null, signal: 'SIGKILL' });
  assert.notEqual(await elements('set', 'expect4'), '');
  reader.write('go on\n');
  assert.deepEqual(await reader.exited, { code: 0, signal: null }, reader.stderr());
  assert.ok(readFileSync(local).equals(big));
  await Promise.all([session.end(), other.end()]);

  const next = await start();
  assert.deepEqual(await tables(), ['table inet pinhole']);
  assert.equal(await elements('set', 'expect4'), '');
  for (const mode of ['passive', 'active'] as const) {
    const { ok, output } = await download(mode);
    assert.ok(ok, output);
  }
  await next.stop();
});

test('--check=config reports what is missing, and changes nothing', async (t) => {
  if (skipOrFail(t, missing)) return;
  const before = await tables();
  const fine = await pinhole(['--check=config', '--kernel-table', 'unheard_of']);
  assert.deepEqual([fine.code, fine.stderr, fine.stdout], [0, '', 'The configuration is valid.\n']);
  const noCapability = await pinhole(['--check=config'], ['setpriv', '--bounding-set', '-net_admin']);
  assert.equal(noCapability.code, 1);
  assert.match(noCapability.stderr, /^pinhole: the kernel plane needs CAP_NET_ADMIN: [^\n]+\n$/);
  const noForwarding = await pinhole(['--check=config'], [], 'client');
  assert.match(noForwarding.stdout, /while net\.ipv4\.ip_forward is 0: sysctl -w net\.ipv4\.ip_forward=1\n/);
  assert.deepEqual(await tables(), before);
});

test('it does not start without the capability, and reports what to grant', async (t) => {
  if (skipOrFail(t, missing)) return;
  const { code, stderr } = await pinhole([], ['setpriv', '--bounding-set', '-net_admin']);
  assert.equal(code, 1);
  assert.match(stderr, /^pinhole: the kernel plane needs CAP_NET_ADMIN: [^\n]+\n$/);
});

/** What the log says from a record on of the session that is opened then, and of none, until it has a pinhole. */
async function saidUntilOpened(relay: LabRelay, from: number): Promise<ReturnType<LabRelay['log']>> {
  const { session } = await relay.waitForLog(({ msg }) => msg === 'session opened', { from });
  const isOpened = (record: Readonly<Record<string, unknown>>): boolean =>
    record['msg'] === 'pinhole opened' && record['session'] === session;
  await relay.waitForLog(isOpened, { from });
  const said = relay.log().slice(from);
  return said
    .slice(0, said.findIndex(isOpened) + 1)
    .filter((record) => [session, undefined].includes(record['session']));
}

/** Waits until the gateway tracks a connection in this state. Fails after 5 s. */
async function isTracked(ends: readonly string[], state: string): Promise<void> {
  const end = Date.now() + 5_000;
  for (;;) {
    const listed = await onGateway(['conntrack', '-L', ...ends]);
    if (listed.includes(` ${state} `)) return;
    assert.ok(Date.now() < end, listed);
    await delay(20);
  }
}

/** Runs `pinhole run --plane kernel` to its end. */
function pinhole(
  flags: readonly string[],
  before: readonly string[] = [],
  host: Host = 'gateway',
): Promise<Finished> {
  const named = ['--server', addresses[4].server, ...kernel, '--log-level', 'silent'];
  return network.exec(host, [...before, process.execPath, cli, 'run', '--admin', 'off', ...named, ...flags]);
}

/** Prints how connecting to a port of the public address went. */
function connectTo(host: 'client' | 'stranger', port: number): Promise<string> {
  return connectFrom(network, host, addresses[4].public, port);
}

function login(): Promise<ControlConnection> {
  return ControlConnection.login(network, serverOf(4));
}

/** Connects, tries to connect once more, and reads the first connection to its end. */
const twice = `
import socket, sys
where = (sys.argv[1], int(sys.argv[2]))
first = socket.create_connection(where, 5)
try:
    socket.create_connection(where, 5)
    print('connected twice')
except ConnectionRefusedError:
    print('refused')
total = 0
while chunk := first.recv(65536):
    total += len(chunk)
print(total)
`;

/** Takes one connection and ends behind its other side. */
const acceptOne = `
import socket, sys
server = socket.create_server((sys.argv[1], int(sys.argv[2])))
print('listening')
connection, _ = server.accept()
connection.recv(1)
`;

/** Connects from port 20 and closes first. */
const connectFrom20 = `
import socket, sys
data = socket.socket()
data.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
data.bind((sys.argv[1], 20))
data.connect((sys.argv[2], int(sys.argv[3])))
data.close()
`;

/** Reads a little, waits for a line, and writes all of it to a file. */
const slowly = `
import socket, sys
data = socket.create_connection((sys.argv[1], int(sys.argv[2])), 5)
with open(sys.argv[3], 'wb') as file:
    file.write(data.recv(1000))
    print('begun')
    sys.stdin.readline()
    while chunk := data.recv(65536):
        file.write(chunk)
`;
