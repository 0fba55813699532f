/** Attacks that concern the kernel plane, or that take addresses of several hosts: what test/attacks plays over loopback. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import { connectFrom, ControlConnection } from '../support/lab/control-connection.ts';
import { addresses, createNetwork, type Network } from '../support/lab/network.ts';
import { debianPython, requirements, skipOrFail } from '../support/lab/provision.ts';
import { startRelay, type LabRelay } from '../support/lab/relay.ts';
import { startServer, type LabServer } from '../support/lab/servers.ts';
import { noElementIsLeft } from '../support/lab/table.ts';
import { emittedFile, root } from '../support/project.ts';

const missing = await requirements();
let network: Network;
let server: LabServer;

before(async () => {
  if (missing.length > 0) return;
  network = await createNetwork({ forwarding: true });
  server = await startServer(network, 'vsftpd');
  server.put('file', 'the file');
});
after(() => (missing.length > 0 ? undefined : network.dispose()));

test('what is promised of attacks on the relay plane holds on the kernel plane', async (t) => {
  if (skipOrFail(t, missing)) return;
  const folder = 'test/attacks';
  // Those of a process of its own are of its control channels, its log and its descriptors: the plane has no part in it.
  const ofProcess = [
    'descriptors',
    'killed',
    'log',
    'refused-commands',
    'served-by-accident',
    'server-flood',
  ];
  const files = readdirSync(join(root, folder))
    .filter((name) => name.endsWith('.test.ts') && !ofProcess.includes(name.replace('.test.ts', '')))
    .map((name) => emittedFile(join(folder, name)));
  // A runner that finds itself inside another one tests nothing.
  const runner = ['env', '-u', 'NODE_TEST_CONTEXT', process.execPath];
  const flags = ['--enable-source-maps', '--test', '--test-concurrency', '2', '--test-reporter', 'spec'];
  const { code, stdout, stderr } = await network.exec('gateway', [...runner, ...flags, ...files], {
    env: { PINHOLE_TEST_PLANE: 'kernel' },
    timeout: 2 * 60_000,
  });
  const [failed = stdout] = /^\S* ?failing tests:[^]*/m.exec(stdout) ?? [];
  assert.equal(code, 0, failed + stderr);
  assert.ok(Number(/^. pass (\d+)$/m.exec(stdout)?.[1]) >= 95, stdout);
});

for (const plane of ['relay', 'kernel'] as const) {
  describe(`on the ${plane} plane`, { concurrency: 1 }, () => {
    let relay: LabRelay;
    before(async () => {
      if (missing.length === 0) relay = await startRelay(network, { flags: ['--plane', plane] });
    });
    after(() => (missing.length > 0 ? undefined : relay.stop()));

    for (const [what, from, times] of [
      ["one SYN under the client's own address, sent by somebody else,", addresses[4].client, 1],
      ['ten of them', addresses[4].client, 10],
      ["one under a stranger's address", addresses[4].stranger, 1],
    ] as const) {
      test(`${what} does not use a pinhole up: the client has its file, once`, async (t) => {
        if (skipOrFail(t, missing)) return;
        const session = await ControlConnection.login(network, server);
        const at = await session.passive();
        const words = [from, addresses[4].public, String(at), String(times)];
        await network.must('stranger', [debianPython, '-c', sendSyn, ...words]);
        session.send('RETR file');
        const got = await network.must('client', [debianPython, '-c', read, addresses[4].public, String(at)]);
        assert.equal(got, 'the file');
        await session.expect(/^226 /m);
        assert.match(await connectFrom(network, 'client', addresses[4].public, at), /refused|reset/i);
        await session.quit();
        if (plane === 'kernel') await noElementIsLeft(network);
      });
    }
  });
}

test('all addresses of one IPv6 network are one client, which takes no session from others', async (t) => {
  if (skipOrFail(t, missing)) return;
  const six = await startServer(network, 'vsftpd', { family: 6, port: 2121 });
  const listen = `[${addresses[6].public}]:21`;
  const flags = ['--max-sessions-per-client', '5', '--max-sessions', '20'];
  const relay = await startRelay(network, { server: `[${six.address}]:2121`, listen, flags });
  // Another network's: all of the lab's are in one.
  const other = '2001:db8:52::10';
  await network.must('stranger', ['ip', 'addr', 'add', `${other}/64`, 'dev', 'eth0', 'nodad']);
  await network.must('gateway', ['ip', 'route', 'add', '2001:db8:52::/64', 'dev', 'public0']);
  const own = Array.from({ length: 40 }, (_, n) => `2001:db8:51::beef:${(n + 1).toString(16)}`);
  const added = own.map((address) => `addr add ${address}/64 dev eth0 nodad\n`).join('');
  await network.must('client', ['ip', '-batch', '-'], { input: added });

  const attack = [debianPython, '-u', '-c', greetedFrom, addresses[6].public, ...own];
  const attacker = network.spawn('client', attack, { interactive: true });
  const [, greeted] = await attacker.waitForOutput(/^(\d+) greeted$/m);
  assert.equal(Number(greeted), 5);
  const record = await relay.waitForLog(({ msg }) => msg === 'session refused');
  assert.equal(record['reason'], 'too-many-sessions-of-client');
  const another = network.spawn(
    'stranger',
    [debianPython, '-u', '-c', greetedFrom, addresses[6].public, other],
    {
      interactive: true,
    },
  );
  assert.equal((await another.waitForOutput(/^(\d+) greeted$/m))[1], '1');
  await Promise.all([attacker.stop(), another.stop()]);
  await relay.stop();
  await six.stop();
});

/** SYN alone: SOURCE TARGET PORT TIMES. What comes back goes to SOURCE, which knows nothing of it and says RST. */
const sendSyn = `
import socket, struct, sys
source, target, port, times = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
pair = socket.inet_aton(source) + socket.inet_aton(target)
raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
for n in range(times):
    segment = bytearray(struct.pack('!HHIIBBHHH', 61000 + n, port, 1, 0, 5 << 4, 2, 64240, 0, 0))
    total = sum(struct.unpack('!16H', pair + struct.pack('!BBH', 0, 6, 20) + bytes(segment)))
    total = (total >> 16) + (total & 0xffff)
    struct.pack_into('!H', segment, 16, ~(total + (total >> 16)) & 0xffff)
    header = struct.pack('!BBHHHBBH', 0x45, 0, 40, 0, 0, 64, 6, 0) + pair
    raw.sendto(header + bytes(segment), (target, 0))
`;

/** Reads a connection to its end. It is tried again for a while, as who was led astray is forgotten soon. */
const read = `
import socket, sys, time
end = time.monotonic() + 5
while True:
    try:
        connection = socket.create_connection((sys.argv[1], int(sys.argv[2])), 5)
        break
    except ConnectionRefusedError:
        if time.monotonic() > end:
            raise
        time.sleep(0.05)
while chunk := connection.recv(65536):
    sys.stdout.write(chunk.decode())
`;

/** Connects from each address, and holds what it has until it is told to end. */
const greetedFrom = `
import socket, sys
greeted = []
for address in sys.argv[2:]:
    connection = socket.create_connection((sys.argv[1], 21), 5, (address, 0))
    try:
        if connection.recv(100).startswith(b'220'):
            greeted.append(connection)
    except ConnectionResetError:
        pass
print(len(greeted), 'greeted')
sys.stdin.read()
`;
