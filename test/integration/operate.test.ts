/** The commands that ask a running relay, on both planes, with a real client and a real server. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

import { ControlConnection } from '../support/lab/control-connection.ts';
import { addresses, createNetwork, type Family, type Network } from '../support/lab/network.ts';
import { requirements, skipOrFail } from '../support/lab/provision.ts';
import { cli, startRelay, withPort } from '../support/lab/relay.ts';
import { startServer, type LabServer } from '../support/lab/servers.ts';

const missing = await requirements();
let network: Network;
const servers = new Map<Family, LabServer>();

before(async () => {
  if (missing.length > 0) return;
  network = await createNetwork({ forwarding: true });
  await network.must('gateway', ['sh', '-c', 'echo 1 > /proc/sys/net/netfilter/nf_conntrack_acct']);
  for (const family of [4, 6] as const) {
    const server = await startServer(network, 'vsftpd', { family });
    server.put('backup.tar', randomBytes(60_000_000));
    servers.set(family, server);
  }
});

after(() => (missing.length > 0 ? undefined : network.dispose()));

for (const [plane, family] of [
  ['relay', 4],
  ['kernel', 4],
  ['kernel', 6],
] as const) {
  test(`a download by curl is listed, told and traced on the ${plane} plane, over IPv${family}`, async (t) => {
    if (skipOrFail(t, missing)) return;
    const admin = join(network.folder, `${plane}-${family}.sock`);
    const relay = await startRelay(network, { family, flags: ['--plane', plane, '--admin', admin] });
    t.after(() => relay.stop());
    const ask = (...words: string[]): Promise<string> =>
      network.must('gateway', [process.execPath, cli, ...words, '--admin', admin]);
    const follow = (...words: string[]): ReturnType<Network['spawn']> =>
      network.spawn('gateway', [process.execPath, cli, ...words, '--admin', admin]);
    const events = follow('events');
    const trace = follow('trace', '--client', addresses[family].client);
    const server = servers.get(family) ?? assert.fail();
    const { user, password } = server;
    const url = `ftp://${withPort(addresses[family].public, 21)}/backup.tar`;
    await delay(1500);
    const curl = network.spawn('client', [
      'curl',
      '-sS',
      '--limit-rate',
      '10M',
      '-u',
      `${user}:${password}`,
      '-o',
      '/dev/null',
      url,
    ]);
    await events.waitForOutput(/begun: RETR/);
    await delay(700);

    assert.match(
      await ask('list'),
      new RegExp(`^ID .*\\n 1 .* ${user} .* RETR .*backup\\.tar .* ${plane}\\n$`),
    );
    const data = await ask('list', 'data');
    assert.match(data, new RegExp(` RETR .*backup\\.tar .* 57 MiB .* passive +${plane}\\n$`));
    assert.match(await ask('status'), /^serving at .*: 1 session, 1 data connection, /);
    assert.equal((await curl.exited).code, 0);
    // Where the kernel counts, what was sent again counts again.
    await events.waitForOutput(/transfer: RETR .*backup\.tar: complete, 5\d MiB/);
    await events.waitForOutput(/session closed: quit/);
    await trace.waitForOutput(/data connection closed: complete, 6\d{7} bytes \(RETR\)/);
    assert.match(
      events.stdout(),
      /^ {4}\[NEW\] 300 proto=6 src=\S+ dst=\S+ sport=0 .* dport=21 class=0 helper=ftp$/m,
    );
    assert.match(events.stdout(), /^\[DESTROY\] \d+ proto=6 .* helper=ftp$/m);
    assert.match(trace.stdout(), /^PASS \*{4} +--> PASS \*{4}$/m);
    assert.ok(!trace.stdout().includes(password));
    const control = await ControlConnection.login(network, server, { family });
    const port = await control.extendedPassive();
    const { client, public: outside } = addresses[family];
    assert.match(
      await ask('list', 'expect'),
      new RegExp(
        `^29\\d proto=6 src=${client} dst=${outside} sport=0 dport=${port} mask-src=(\\S+) mask-dst=\\1 sport=0 dport=65535 ` +
          `master-src=${client} master-dst=${outside} sport=\\d+ dport=21 class=0 helper=ftp\\n$`,
      ),
    );
    assert.equal(await ask('close', '2'), 'closed session 2\n');
    await control.expect(/^421 Closed by the administrator/m);
    await relay.stop();
    await events.exited;
    assert.match(events.stderr(), /the relay has ended/);
  });
}
