/**
 * Two workers on the kernel plane: one table, whose elements are gone with the worker that they were of. And two that
 * intercept.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import { modes, runClient } from '../support/lab/clients.ts';
import { ControlConnection } from '../support/lab/control-connection.ts';
import { addresses, createNetwork, type Network } from '../support/lab/network.ts';
import { requirements, skipOrFail } from '../support/lab/provision.ts';
import { startRelay, type LabRelay } from '../support/lab/relay.ts';
import { startServer, type LabServer } from '../support/lab/servers.ts';

const missing = await requirements();
const content = randomBytes(300_000);

/** Clients on the public side mean the server, and are led to the relay. */
const redirect = `table inet intercepted {
  chain prerouting {
    type nat hook prerouting priority dstnat;
    iifname public0 tcp dport 21 redirect to :2121
  }
}
`;

let network: Network;
let server: LabServer;
let relay: LabRelay;

before(async () => {
  if (missing.length > 0) return;
  network = await createNetwork({ forwarding: true });
  await onGateway(['sh', '-c', 'echo 1 > /proc/sys/net/netfilter/nf_conntrack_acct']);
  server = await startServer(network, 'vsftpd', { family: 4 });
  server.put('file', content);
  relay = await startRelay(network, { flags: ['--plane', 'kernel', '--workers', '2'] });
});

after(() => (missing.length > 0 ? undefined : network.dispose()));

function onGateway(argv: readonly string[], input?: string): Promise<string> {
  return network.must('gateway', argv, input === undefined ? {} : { input });
}

async function elements(kind: 'set' | 'map', name: string): Promise<string> {
  const text = await onGateway(['nft', 'list', kind, 'inet', 'pinhole', name]);
  return /elements = \{([^}]*)\}/.exec(text)?.[1]?.trim() ?? '';
}

function login(): Promise<ControlConnection> {
  return ControlConnection.login(network, server);
}

describe('two workers on the kernel plane', { concurrency: 1 }, () => {
  for (const mode of modes) {
    test(`transfers go on by the kernel, whichever worker has the session: ${mode}`, async (t) => {
      if (skipOrFail(t, missing)) return;
      const { user, password } = server;
      for (let n = 0; n < 3; n++) {
        const local = join(network.folder, `local-${mode}-${n}`);
        const session = { address: addresses[4].public, user, password, mode };
        const before = relay.log().length;
        const result = await runClient(network, 'curl', {
          ...{ ...session, operation: 'download', remote: 'file', local },
        });
        assert.ok(result.ok, result.output);
        assert.ok(readFileSync(local).equals(content));
        const line = await relay.waitForLog(({ msg }) => msg === 'transfer', { from: before });
        assert.deepEqual([line['plane'], line['cause']], ['kernel', 'complete']);
      }
    });
  }

  test('a table that was deleted is made again, with the pinholes of all workers', async (t) => {
    if (skipOrFail(t, missing)) return;
    const controls = [await login(), await login()];
    for (const control of controls) await control.extendedPassive();
    await onGateway(['nft', 'delete', 'table', 'inet', 'pinhole']);
    const third = await login();
    await third.extendedPassive();
    const line = await relay.waitForLog(({ msg }) => msg === 'table restored');
    assert.ok(Number(line['pinholes']) >= 2);
    assert.equal((await elements('set', 'expect4')).split(',').length, 3);
    for (const control of [...controls, third]) await control.end();
  });

  test('the pinholes of a worker that dies are gone, and those of the other one are not', async (t) => {
    if (skipOrFail(t, missing)) return;
    const controls = [await login(), await login()];
    for (const control of controls) await control.extendedPassive();
    assert.equal((await elements('set', 'expect4')).split(',').length, 2);
    const started = relay.log().filter(({ msg }) => msg === 'worker started');
    process.kill(Number(started[0]?.['workerPid']), 'SIGKILL');
    await relay.waitForLog(({ msg }) => msg === 'worker died');
    await relay.waitForLog(({ msg, reason }) => msg === 'session closed' && reason === 'worker-died');
    assert.equal((await elements('set', 'expect4')).split(',').length, 1);
    assert.equal((await elements('map', 'to4')).split(',').length, 1);
    for (const control of controls) await control.end();
  });

  test('the table is deleted at the end', async (t) => {
    if (skipOrFail(t, missing)) return;
    await relay.stop();
    assert.doesNotMatch(await onGateway(['nft', 'list', 'tables']), /pinhole/);
  });
});

describe('two workers that intercept', { concurrency: 1 }, () => {
  test('keep the ports that the server announces, whatever ports they have themselves', async (t) => {
    if (skipOrFail(t, missing)) return;
    await onGateway(['nft', '-f', '-'], redirect);
    const ranges = ['--passive-ports', '50000', '--active-ports', '51000'];
    const flags = ['--intercept', '--workers', '2', ...ranges];
    const intercepting = await startRelay(network, { listen: '0.0.0.0:2121', server: null, flags });
    const { server: address } = addresses[4];
    const controls: ControlConnection[] = [];
    for (let n = 0; n < 4; n++) controls.push(await ControlConnection.login(network, server, { address }));
    for (const control of controls) await control.extendedPassive();
    const isOpened = ({ msg }: Readonly<Record<string, unknown>>): boolean => msg === 'pinhole opened';
    await intercepting.waitForLog(isOpened, { nth: 4 });
    for (const { at, to } of intercepting.log().filter(isOpened)) assert.equal(at, to);
    for (const control of controls) await control.end();
    await intercepting.stop();
    await onGateway(['nft', 'delete', 'table', 'inet', 'intercepted']);
  });
});
