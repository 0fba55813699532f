/** A server that says more than anybody asked for: one that was taken over, or a client's own with `intercept`. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { replies } from '../../src/helper/replies.ts';
import { mebibyte, pour } from '../support/relay/flood.ts';
import { hosts } from '../support/relay/hosts.ts';
import type { ControlPair } from '../support/relay/lab.ts';
import { PeerListener } from '../support/relay/peer-listener.ts';
import { AttackedRelay, settled } from './attacked-relay.ts';

const floods = {
  'replies that nobody asked for': '200 More.\r\n',
  'announcements that nobody asked for': '227 Entering Passive Mode (10,77,0,2,200,13).\r\n',
  'a reply without an end': ' and more\r\n',
  'a line without an end': 'x',
  'lines of 20,000 bytes': `200 ${'x'.repeat(20_000)}\r\n`,
  'preliminary replies': '150 Still at it.\r\n',
} as const;

test('replies to no command come ever more slowly before the login, and end the session', async (t) => {
  const control = await PeerListener.at(hosts.server);
  t.after(() => {
    control.destroy();
  });
  const { address, port } = control.endpoint;
  const flags = ['--max-refusals', '14'];
  const relay = await AttackedRelay.start(t, { server: `${address}:${port}`, flags });
  const client = await relay.dial(t);
  const server = await control.next();
  server.send(`220 Ready.\r\n${'200 More.\r\n'.repeat(20)}`);
  await client.expect(`220 Ready.\r\n${'200 More.\r\n'.repeat(14)}${replies.tooManyRefusals}\r\n`);
  await client.finished();
});

for (const [what, line] of Object.entries(floods)) {
  test(`${what}: memory stays where the client does not read, and others are served`, async (t) => {
    const control = await PeerListener.at(hosts.server);
    t.after(() => {
      control.destroy();
    });
    const { address, port } = control.endpoint;
    const relay = await AttackedRelay.start(t, { server: `${address}:${port}` });
    const pair = async (from: string): Promise<ControlPair> => {
      const client = await relay.dial(t, from);
      const server = await control.next();
      server.send('220 Ready.\r\n');
      await client.expect('220 Ready.\r\n');
      return { client, server };
    };
    const good = await pair(hosts.client);
    const bad = await pair(hosts.stranger);
    const before = relay.memory;
    bad.client.stopReading();
    if (what === 'a reply without an end') bad.server.send('200-Begun\r\n');
    const said = pour(bad.server.socket, Buffer.alloc(128 * mebibyte, line, 'latin1'));
    await settled(() => said.written());
    assert.ok(said.written() < 64 * mebibyte, `${said.written()} bytes were taken`);
    const grown = relay.memory - before;
    assert.ok(grown < 100 * mebibyte, `${Math.round(grown / mebibyte)} MiB more`);
    good.client.send('NOOP\r\n');
    await good.server.expect('NOOP\r\n');
    good.server.send('200 Here.\r\n');
    await good.client.expect('200 Here.\r\n');
    const lines = relay.log.split('\n').length;
    assert.ok(lines < 100, `${lines} lines of log`);
  });
}
