/**
 * The paths of the lab's network: what is set is what packets meet, and nothing is left behind.
 */
import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

import { addresses, createNetwork, isAlive, ownNamespaces } from '../support/lab/network.ts';
import type { Family, Host, Network } from '../support/lab/network.ts';
import type { PathName } from '../support/lab/path.ts';
import { mustRun, startProcess } from '../support/lab/process.ts';
import { debianPython, requirements, skipOrFail } from '../support/lab/provision.ts';
import { startServer } from '../support/lab/servers.ts';
import type { LabServer } from '../support/lab/servers.ts';
import { emittedFile, sourceFolder } from '../support/project.ts';

const missing = await requirements();
const pathNames: readonly PathName[] = ['public', 'inside'];
const families: readonly Family[] = [4, 6];
const pingProgram = join(sourceFolder(import.meta.dirname), '../support/lab/ping.py');

let network: Network;
let dispose = (): Promise<void> => Promise.resolve();

before(async () => {
  if (missing.length > 0) return;
  network = await createNetwork({ forwarding: true, paths: pathNames });
  dispose = () => network.dispose();
});

afterEach(async () => {
  if (missing.length > 0) return;
  for (const which of pathNames) await network.setPath(which, {});
});

after(() => dispose());

for (const which of pathNames) {
  for (const family of families) {
    test(`the ${which} path delays a round trip over IPv${family} by what is set, and by nothing unset`, async (t) => {
      if (skipOrFail(t, missing)) return;
      // Without delay first: neighbours are known after it.
      assert.ok(shortest(await ping(which, family, { count: 20, interval: 2 })) < 15);
      await network.setPath(which, { delay: 60 });
      const times = await ping(which, family, { count: 20, interval: 2 });
      assert.equal(times.length, 20);
      assert.ok(shortest(times) >= 60, `${shortest(times)} ms`);
      assert.ok(shortest(times) < 75, `${shortest(times)} ms`);
    });
  }
}

test('the delays of both paths add up between client and server', async (t) => {
  if (skipOrFail(t, missing)) return;
  await network.setPath('public', { delay: 40 });
  await network.setPath('inside', { delay: 20 });
  const times = await pingFrom('client', addresses[4].server, { count: 20, interval: 2 });
  assert.ok(shortest(times) >= 60 && shortest(times) < 75, `${shortest(times)} ms`);
});

test('jitter makes round trips unequal, none shorter than the delay, and changes no order', async (t) => {
  if (skipOrFail(t, missing)) return;
  await network.setPath('public', { delay: 20, jitter: 20 });
  const apart = await ping('public', 4, { count: 40, interval: 12 });
  assert.ok(shortest(apart) >= 20, `${shortest(apart)} ms`);
  assert.ok(longest(apart) - shortest(apart) > 5, `${shortest(apart)} to ${longest(apart)} ms`);
  assert.deepEqual(numbers(await ping('public', 4, { count: 200, interval: 1 })), upTo(200));
});

test('reordering lets later packets overtake, and loses none', async (t) => {
  if (skipOrFail(t, missing)) return;
  await network.setPath('public', { delay: 10, reorder: 0.1 });
  for (const family of families) {
    const arrived = numbers(await ping('public', family, { count: 200, interval: 1 }));
    assert.notDeepEqual(arrived, upTo(200));
    assert.deepEqual(
      arrived.sort((a, b) => a - b),
      upTo(200),
    );
  }
});

test('a part of the packets is lost as the probability says, the same ones again, and none without it', async (t) => {
  if (skipOrFail(t, missing)) return;
  const options = { count: 400, interval: 1 };
  assert.equal((await ping('public', 4, options)).length, 400);
  for (const family of families) {
    await network.setPath('public', { loss: 0.1 });
    const first = numbers(await ping('public', family, options));
    // Of both directions 81 %, which is 324; 50 are over six standard deviations.
    assert.ok(Math.abs(first.length - 324) < 50, `${first.length} came back`);
    await network.setPath('public', { loss: 0.1 });
    assert.deepEqual(numbers(await ping('public', family, options)), first);
    await network.setPath('public', { loss: 0.1, seed: 2 });
    assert.notDeepEqual(numbers(await ping('public', family, options)), first);
  }
});

test('neighbours find each other where every packet is lost', async (t) => {
  if (skipOrFail(t, missing)) return;
  const neighbours = async (): Promise<string> => {
    await network.must('gateway', ['ip', 'neigh', 'flush', 'dev', 'inside0']);
    for (const family of families) assert.deepEqual(await ping('inside', family, { count: 1 }), []);
    return network.must('gateway', ['ip', 'neigh', 'show', 'dev', 'inside0']);
  };
  for (const settings of [{ loss: 1 }, { down: true }]) {
    await network.setPath('inside', settings);
    const found = await neighbours();
    for (const family of families) {
      assert.match(found, new RegExp(`^${addresses[family].server} lladdr .*REACHABLE`, 'm'));
    }
  }
});

test('no transfer is faster than the rate', async (t) => {
  if (skipOrFail(t, missing)) return;
  const rate = 2_000_000;
  const size = 2_000_000;
  const server = await startServer(network, 'vsftpd');
  try {
    server.put('file', Buffer.alloc(size, 'x'));
    assert.ok((await download(server)) > rate);
    for (const which of pathNames) {
      await network.setPath(which, { rate });
      const speed = await download(server);
      assert.ok(speed < rate, `${speed} bytes a second`);
      await network.setPath(which, {});
    }
  } finally {
    await server.stop();
  }
});

test('what a burst has beyond 256 KiB is lost where the rate is low', async (t) => {
  if (skipOrFail(t, missing)) return;
  const size = 1400;
  await network.setPath('public', { rate: 1_000_000 });
  const times = await ping('public', 4, { count: 400, size });
  // While the first wait, some more leave: how many depends on how fast they are sent.
  assert.ok(times.length * size > 240_000 && times.length < 380, `${times.length} came back`);
  assert.ok(longest(times) > 200, `${longest(times)} ms`);
});

for (const [which, host, peer] of [
  ['public', 'client', 'public'],
  ['public', 'gateway', 'client'],
  ['inside', 'gateway', 'server'],
  ['inside', 'server', 'inside'],
] as const) {
  test(`on the ${which} path the MTU shows in the segment size that the ${host} announces`, async (t) => {
    if (skipOrFail(t, missing)) return;
    for (const mtu of [1280, undefined]) {
      await network.setPath(which, mtu === undefined ? {} : { mtu });
      for (const family of families) {
        const headers = family === 4 ? 40 : 60;
        assert.equal(await segmentSize(host, addresses[family][peer]), (mtu ?? 1500) - headers);
      }
    }
  });
}

test('a packet of the MTU passes, and one byte more does not', async (t) => {
  if (skipOrFail(t, missing)) return;
  await network.setPath('public', { mtu: 1400 });
  for (const [family, header] of [
    [4, 20],
    [6, 40],
  ] as const) {
    assert.equal((await ping('public', family, { count: 3, size: 1400 - header })).length, 3);
    await assert.rejects(ping('public', family, { count: 3, size: 1401 - header }), /Message too long/);
  }
});

test('an MTU below 1280 is refused, as IPv6 has none', async (t) => {
  if (skipOrFail(t, missing)) return;
  await assert.rejects(network.setPath('public', { mtu: 1279 }), /mtu 1279: IPv6 needs at least 1280/);
});

test('a path that is down takes every packet of both families in silence, and comes back', async (t) => {
  if (skipOrFail(t, missing)) return;
  for (const which of pathNames) {
    await network.setPath(which, { down: true });
    for (const family of families) assert.deepEqual(await ping(which, family, { count: 10 }), []);
    await network.setPath(which, {});
    for (const family of families) assert.equal((await ping(which, family, { count: 10 })).length, 10);
  }
});

test('a connection survives the time in which its path is down', async (t) => {
  if (skipOrFail(t, missing)) return;
  const server = await startServer(network, 'vsftpd');
  try {
    const script = `exec 3<> /dev/tcp/${server.address}/21; cat <&3 & cat >&3`;
    const session = network.spawn('client', ['bash', '-c', script], { interactive: true });
    await session.waitForOutput(/^220 /m);
    await network.setPath('public', { down: true });
    session.write('FEAT\r\n');
    await delay(300);
    assert.doesNotMatch(session.stdout(), /^211/m);
    await network.setPath('public', {});
    await session.waitForOutput(/^211 End/m);
    await session.stop();
  } finally {
    await server.stop();
  }
});

test('names the option that is missing where a network has no such path', async (t) => {
  if (skipOrFail(t, missing)) return;
  const plain = await createNetwork({ paths: ['inside'] });
  try {
    await assert.rejects(plain.setPath('public', {}), /createNetwork\(\{ paths: \['public'\] \}\)/);
  } finally {
    await plain.dispose();
  }
});

test('dispose ends the programs and leaves no namespace and no file', async (t) => {
  if (skipOrFail(t, missing)) return;
  const known = ownNamespaces();
  const other = await createNetwork({ paths: pathNames });
  const programs = await programsIn(other.namespace('link'));
  assert.equal(programs.length, 2);
  await other.dispose();
  assert.ok(!programs.some(isAlive));
  assert.deepEqual(ownNamespaces(), known);
  assert.ok(!existsSync(other.folder));
});

test('the programs end by themselves after SIGKILL of the process that made the network', async (t) => {
  if (skipOrFail(t, missing)) return;
  const code =
    `import { createNetwork } from ${JSON.stringify(emittedFile('test/support/lab/network.ts'))};` +
    `const network = await createNetwork({ paths: ['public', 'inside'] });` +
    `console.log('up', network.namespace('link')); setInterval(() => {}, 60_000);`;
  const child = startProcess([process.execPath, '--input-type=module', '-e', code]);
  const [, link = ''] = await child.waitForOutput(/^up (\S+)\n/);
  const programs = await programsIn(link);
  assert.equal(programs.length, 2);
  await child.stop('SIGKILL');
  const end = Date.now() + 5_000;
  while (programs.some(isAlive) && Date.now() < end) await delay(10);
  assert.ok(!programs.some(isAlive));
  // The next network removes what is left.
  await (await createNetwork()).dispose();
  assert.deepEqual(
    readdirSync('/run/netns').filter((name) => name.startsWith(`pinhole-${child.pid}-`)),
    [],
  );
});

/** One answer: the number of its request, and ms. In the order in which they came. */
type Answer = readonly [number: number, time: number];

interface PingOptions {
  count: number;
  /** ms, 0 unless told. */
  interval?: number;
  /** Bytes of a message. */
  size?: number;
}

/** From one end of the path to the other. */
function ping(which: PathName, family: Family, options: PingOptions): Promise<Answer[]> {
  return which === 'public'
    ? pingFrom('client', addresses[family].public, options)
    : pingFrom('gateway', addresses[family].server, options);
}

async function pingFrom(host: Host, target: string, options: PingOptions): Promise<Answer[]> {
  const { count, interval = 0, size = 64 } = options;
  const argv = [debianPython, pingProgram, target, ...[count, interval, size].map(String)];
  return JSON.parse(await network.must(host, argv)) as Answer[];
}

function numbers(answers: readonly Answer[]): number[] {
  return answers.map(([number]) => number);
}

function shortest(answers: readonly Answer[]): number {
  return Math.min(...answers.map(([, time]) => time));
}

function longest(answers: readonly Answer[]): number {
  return Math.max(...answers.map(([, time]) => time));
}

function upTo(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index);
}

/** Bytes a second of one download, the login included. */
async function download({ address, user, password }: LabServer): Promise<number> {
  const url = `ftp://${address}/file`;
  const argv = ['curl', '-sS', '--user', `${user}:${password}`, '-o', '/dev/null', '-w', '%{speed_download}'];
  return Number(await network.must('client', [...argv, url]));
}

/** The MSS of a SYN to a port where nobody listens. */
async function segmentSize(host: Host, target: string): Promise<number> {
  const filter = ['-i', 'any', `tcp dst port 9 and dst host ${target}`];
  const watch = network.spawn(host, ['tcpdump', '-n', '-l', '-c', '1', ...filter]);
  await watch.waitForOutput(/listening on/);
  await network.exec(host, ['bash', '-c', `exec 3<> /dev/tcp/${target}/9`]);
  const [, size = ''] = await watch.waitForOutput(/Flags \[S\].* options \[mss (\d+)/);
  await watch.stop();
  return Number(size);
}

/** The path programs are the only processes there. */
async function programsIn(link: string): Promise<number[]> {
  return (await mustRun(['ip', 'netns', 'pids', link])).trim().split('\n').map(Number);
}
