/** Peers that go away without a word, cancel with urgent data, or end TLS by FIN alone: with real servers, on a real path. */
import assert from 'node:assert/strict';
import { closeSync, ftruncateSync, openSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

import { certifiedName, makeCertificates, type Certificates } from '../support/lab/certificates.ts';
import { ControlConnection } from '../support/lab/control-connection.ts';
import { createNetwork, type Network } from '../support/lab/network.ts';
import { debianPython, requirements, skipOrFail } from '../support/lab/provision.ts';
import { startRelay, type LabRelay } from '../support/lab/relay.ts';
import { startServer, type LabServer } from '../support/lab/servers.ts';
import { sourceFolder } from '../support/project.ts';

const missing = await requirements();

let network: Network;
let server: LabServer;
let certificates: Certificates;

before(async () => {
  if (missing.length > 0) return;
  network = await createNetwork({ forwarding: true, paths: ['public', 'inside'] });
  certificates = await makeCertificates(network.folder);
  server = await startServer(network, 'vsftpd', { extra: ['async_abor_enable=YES'] });
  server.put('large', '');
  // Sparse: it takes no room.
  const large = openSync(join(server.root, 'large'), 'r+');
  ftruncateSync(large, 1024 ** 3);
  closeSync(large);
});

after(() => (missing.length > 0 ? undefined : network.dispose()));

function script(name: string): string {
  return join(sourceFolder(import.meta.dirname), '../support/lab', name);
}

for (const plane of ['relay', 'kernel'] as const) {
  for (const form of ['iac-urgent', 'dm-urgent', 'dm-alone']) {
    test(`a cancel that is urgent, ${form}, ends a transfer of vsftpd as without the relay, ${plane} plane`, async (t) => {
      if (skipOrFail(t, missing)) return;
      const relay = await startRelay(network, { flags: ['--plane', plane] });
      await network.setPath('public', { delay: 60, rate: 12_500_000 });
      try {
        const cancel = async (address: string): Promise<{ codes: string; came: number }> => {
          const argv = [debianPython, script('cancel.py'), address, '21', server.user, server.password];
          const { stdout, stderr, code } = await network.exec('client', [...argv, 'large', '5000000', form], {
            timeout: 60_000,
          });
          assert.equal(code, 0, stderr);
          const [first, second, came] = stdout.trim().split(' ');
          return { codes: `${first} ${second}`, came: Number(came) };
        };
        const direct = await cancel(server.address);
        const relayed = await cancel(relay.address);
        assert.equal(relayed.codes, direct.codes);
        // What was in the buffers of two connections in the place of one, and no more of the gibibyte.
        assert.ok(
          relayed.came < 32 * 1024 ** 2,
          `${relayed.came} bytes came after it, ${direct.came} directly`,
        );
      } finally {
        await network.setPath('public', {});
        await relay.stop();
      }
    });
  }
}

/** The timers of established connections, as `ss` tells of them: `timer:(keepalive,1min58sec,0)`. */
async function timersOf(port: string): Promise<string[]> {
  const stdout = await network.must('gateway', ['ss', '-Htno', 'state', 'established', port]);
  return stdout.split('\n').filter((line) => line !== '');
}

/**
 * Waits until nothing is on its way, and for a data channel half a minute, until it is worth the while: then the next thing
 * to happen is a probe, in less than three minutes.
 */
async function probed(connection: string): Promise<void> {
  const end = Date.now() + 45_000;
  for (;;) {
    const lines = await timersOf(connection);
    assert.equal(lines.length, 1, lines.join('\n'));
    if (/timer:\(keepalive,(?:[12]min)?(?:\d+(?:\.\d+)?(?:sec|ms))?,0\)/.test(lines[0] ?? '')) return;
    if (Date.now() > end) assert.fail(lines[0]);
    await delay(50);
  }
}

test('every connection of a session is probed below five minutes of silence, unless told otherwise', async (t) => {
  if (skipOrFail(t, missing)) return;
  const relay = await startRelay(network);
  const control = await ControlConnection.login(network, server);
  try {
    const port = await control.passive();
    const data = network.spawn(
      'client',
      ['bash', '-c', `exec 3<>/dev/tcp/${relay.address}/${port}; cat >&3`],
      {
        interactive: true,
      },
    );
    control.send('STOR silent');
    await control.expect(/^150 /m);
    await relay.waitForLog(({ msg }) => msg === 'pinhole taken');
    for (const connection of [
      '( sport = :21 )',
      '( dport = :21 )',
      `( sport = :${port} )`,
      '( dport >= :30000 and dport <= :30099 )',
    ]) {
      await probed(connection);
    }
    await data.stop();
  } finally {
    await control.end();
    await relay.stop();
  }
});

test('a client that is gone without a word ends its session, and the server is told', async (t) => {
  if (skipOrFail(t, missing)) return;
  const relay = await startRelay(network, { flags: ['--keepalive', '1s'] });
  const control = await ControlConnection.login(network, server);
  try {
    await network.setPath('public', { down: true });
    await relay.waitForLog(
      ({ msg, reason }) => msg === 'session closed' && reason === 'client-unresponsive',
      { limit: 30_000 },
    );
    assert.deepEqual(await timersOf('( dport = :21 )'), []);
  } finally {
    await network.setPath('public', {});
    await control.end();
    await relay.stop();
  }
});

test('a server that is gone without a word ends its sessions, and the clients hear so', async (t) => {
  if (skipOrFail(t, missing)) return;
  const relay = await startRelay(network, { flags: ['--keepalive', '1s'] });
  const control = await ControlConnection.login(network, server);
  try {
    await network.setPath('inside', { down: true });
    await control.expect(/^421 /m);
    await relay.waitForLog(({ reason }) => reason === 'server-unresponsive', { limit: 30_000 });
  } finally {
    await network.setPath('inside', {});
    await control.end();
    await relay.stop();
  }
});

for (const [verb, file] of [
  ['RETR', 'large'],
  ['STOR', 'stored'],
] as const) {
  test(`a client that is gone in the middle of ${verb} ends its transfer, and the log says so`, async (t) => {
    if (skipOrFail(t, missing)) return;
    const relay = await startRelay(network, { flags: ['--keepalive', '2s'] });
    const control = await ControlConnection.login(network, server);
    try {
      await network.setPath('public', { delay: 20, rate: 1_000_000 });
      const port = await control.passive();
      const moves = verb === 'RETR' ? 'cat <&3 >/dev/null' : 'cat /dev/zero >&3';
      const data = network.spawn('client', [
        'bash',
        '-c',
        `exec 3<>/dev/tcp/${relay.address}/${port}; ${moves}`,
      ]);
      control.send(`${verb} ${file}`);
      await control.expect(/^150 /m);
      await relay.waitForLog(({ msg }) => msg === 'pinhole taken');
      await network.setPath('public', { down: true });
      const ended = await relay.waitForLog(({ msg }) => msg === 'transfer', { limit: 60_000 });
      assert.equal(ended['cause'], 'client-unresponsive');
      await data.stop();
    } finally {
      await network.setPath('public', {});
      await control.end();
      await relay.stop();
    }
  });
}

test('a client that reads nothing for longer than that, and is there, keeps its transfer', async (t) => {
  if (skipOrFail(t, missing)) return;
  const relay = await startRelay(network, { flags: ['--keepalive', '1s'] });
  const control = await ControlConnection.login(network, server);
  try {
    const port = await control.passive();
    // Reads some, pauses for several times twice the keepalive, and reads on.
    const reads = 'head -c 1000000 <&3 >/dev/null; sleep 8; head -c 1000000 <&3 | wc -c';
    const data = network.spawn('client', [
      'bash',
      '-c',
      `exec 3<>/dev/tcp/${relay.address}/${port}; ${reads}`,
    ]);
    control.send('RETR large');
    await control.expect(/^150 /m);
    await data.waitForOutput(/^1000000$/m, 30_000);
    await data.stop();
    const { cause } = await relay.waitForLog(({ msg }) => msg === 'transfer');
    assert.equal(cause, 'client-reset');
  } finally {
    await control.end();
    await relay.stop();
  }
});

const size = 300_000;
const times = 40;

for (const name of ['vsftpd', 'proftpd'] as const) {
  for (const version of ['1.3', '1.2']) {
    for (const [way, expected] of [
      ['both', '226'],
      ['client', '426'],
      ['client, tls-truncated end', '226'],
    ] as const) {
      test(`uploads whose TLS ${version} ends by FIN alone arrive whole at ${name}, TLS: ${way}; said ${expected}`, async (t) => {
        if (skipOrFail(t, missing)) return;
        const { ca, server: identity } = certificates;
        const tls = way === 'both' ? { tls: { identity } } : {};
        const behind = await startServer(network, name, { port: 2100, ...tls });
        const flags = ['--tls', 'terminate', '--tls-cert', identity.cert, '--tls-key', identity.key];
        if (way === 'both') {
          flags.push('--server-tls', 'same', '--server-tls-ca', ca, '--server-tls-name', certifiedName);
        }
        if (way.endsWith('end')) flags.push('--tls-truncated', 'end');
        const relay = await startRelay(network, { server: `${behind.address}:2100`, flags });
        try {
          const words = [relay.address, '21', behind.user, behind.password, ca].map(String);
          const argv = [
            debianPython,
            script('cut-upload.py'),
            ...words,
            String(size),
            String(times),
            version,
          ];
          const { stdout, stderr, code } = await network.exec('client', argv, { timeout: 120_000 });
          assert.equal(code, 0, stderr + relay.output());
          assert.deepEqual(stdout.trim().split('\n'), Array<string>(times).fill(expected));
          await truncatedWhole(relay);
          for (let n = 0; n < times; n++) assert.equal(statSync(join(behind.root, `cut-${n}`)).size, size);
        } finally {
          await relay.stop();
          await behind.stop();
        }
      });
    }
  }
}

/** The log says of each what became of it, and that all of it has arrived. */
async function truncatedWhole(relay: LabRelay): Promise<void> {
  const isOne = ({ msg, cause, bytes }: Readonly<Record<string, unknown>>): boolean =>
    msg === 'transfer' && cause === 'client-truncated' && bytes === size;
  await relay.waitForLog(isOne, { nth: times });
}
