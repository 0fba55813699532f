/** Strangers and one client who want all file descriptors that the process may have. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { replies } from '../../src/helper/replies.ts';
import { hosts } from '../support/relay/hosts.ts';
import { announcedIn } from '../support/relay/lab.ts';
import type { Peer } from '../support/relay/peer.ts';
import { dial } from '../support/relay/peer.ts';
import { terminating } from '../support/relay/tls-lab.ts';
import { secureAsClient } from '../support/relay/tls-peer.ts';
import { AttackedRelay, waitUntil } from './attacked-relay.ts';

const limit = 256;
const through = ['prlimit', `--nofile=${limit}:${limit}`];

test('sessions beyond what descriptors are for get 421, and one that is there has its transfers', async (t) => {
  const relay = await AttackedRelay.start(t, { through });
  const first = await relay.dial(t, hosts.client);
  assert.match(await first.line(), /^220/);
  const refused: Peer[] = [];
  const taken: Peer[] = [];
  for (let n = 0; n < limit; n++) {
    // One of them has half of the sessions at most.
    const peer = await relay.dial(t, hosts.stranger.replace(/\d+$/, String(100 + (n % 4))));
    const line = await peer.line().catch(() => 'reset');
    (line.startsWith('220') ? taken : refused).push(peer);
    if (line.startsWith('421')) assert.equal(line, `${replies.tooManyDescriptors}\r\n`);
  }
  assert.ok(
    taken.length > 20 && refused.length > 100,
    `${taken.length} were taken, ${refused.length} refused`,
  );
  await relay.logs('"too-many-descriptors"');
  assert.ok(relay.descriptors < limit, `${relay.descriptors} descriptors`);
  for (const command of ['USER demo', 'PASS demo', 'PASV', 'RETR file']) first.send(`${command}\r\n`);
  await first.line();
  await first.line();
  const data = await dial(announcedIn(await first.line()), hosts.client);
  t.after(() => data.socket.destroy());
  assert.match(await first.line(), /^150 /);
  data.end();
  assert.equal((await data.rest()).length, 300_000);
  assert.match(await first.line(), /^226 /);
  for (const peer of taken) peer.reset();
  await waitUntil(
    () => relay.descriptors < 60,
    () => `${relay.descriptors} descriptors`,
  );
  await relay.serves();
});

test('refused connections that are never closed do not add up', async (t) => {
  const relay = await AttackedRelay.start(t, { through, flags: ['--max-sessions', '1'] });
  const first = await relay.dial(t, hosts.client);
  await first.line();
  const before = relay.descriptors;
  for (let n = 0; n < 300; n++) {
    const peer = await relay.dial(t);
    // Its reply, or a reset; it never says its own end.
    await peer.line().catch(() => undefined);
  }
  assert.ok(relay.descriptors - before <= 10, `${relay.descriptors - before} descriptors more`);
  first.send('NOOP\r\n');
  await first.line();
});

test('a session that asks for one data connection after the other, and makes no handshake, has one', async (t) => {
  const tls = Object.entries(terminating(t)).flatMap(([key, value]) => [`--${key}`, value]);
  const relay = await AttackedRelay.start(t, { through, flags: tls });
  const raw = await relay.dial(t);
  await raw.line();
  raw.send('AUTH TLS\r\n');
  await raw.line();
  const client = await secureAsClient(raw);
  for (const command of ['USER demo', 'PASS demo', 'PBSZ 0', 'PROT P']) {
    client.send(`${command}\r\n`);
    await client.line();
  }
  const before = relay.descriptors;
  for (let n = 0; n < limit; n++) {
    client.send('PASV\r\n');
    const line = await client.line();
    assert.match(line, /^227 /, `the ${n}th`);
    const data = await dial(announcedIn(line), hosts.stranger).catch((error: unknown) =>
      assert.fail(`the ${n}th: ${String(error)} ${relay.log.slice(-3000)}`),
    );
    t.after(() => data.socket.destroy());
  }
  assert.ok(relay.descriptors - before < 20, `${relay.descriptors - before} descriptors more`);
  await relay.serves();
});
