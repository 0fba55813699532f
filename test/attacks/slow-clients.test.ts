/** Clients that take their time: they say nothing, a byte now and then, or do not read. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { replies } from '../../src/helper/replies.ts';
import { hosts } from '../support/relay/hosts.ts';
import { exchange, Lab } from '../support/relay/lab.ts';

test('two hundred clients that say nothing are ended by login-timeout, and others are served meanwhile', async (t) => {
  const lab = await Lab.start(t, { 'login-timeout': '1s' });
  const silent = [];
  for (let n = 0; n < 200; n++) {
    const { client, server } = await lab.connect(hosts.stranger);
    server.send('220 Ready.\r\n');
    silent.push({ client, server });
  }
  const pair = await lab.login(hosts.client);
  const data = await lab.passiveChannel(pair);
  data.server.end('a file');
  assert.equal(await data.client.rest(), 'a file');
  for (const { client, server } of silent) {
    assert.equal(await client.rest(), `220 Ready.\r\n${replies.loginTimeout}\r\n`);
    client.end();
    await server.rest();
    server.end();
  }
  await lab.event('session-closed', { reason: 'login-timeout' }, 200);
  await exchange(pair, 'NOOP', '200 Here.');
});

test('a client that sends a byte now and then has no longer than login-timeout', async (t) => {
  const lab = await Lab.start(t, { 'login-timeout': '500ms' });
  const { client, server } = await lab.connect();
  server.send('220 Ready.\r\n');
  const drip = setInterval(() => {
    client.send('x');
  }, 50);
  t.after(() => {
    clearInterval(drip);
  });
  assert.equal(await client.rest(), `220 Ready.\r\n${replies.loginTimeout}\r\n`);
  assert.equal(server.unread, '');
});

test('nor one that says whole commands, which are no log in', async (t) => {
  const lab = await Lab.start(t, { 'login-timeout': '500ms' });
  const { client, server } = await lab.connect();
  server.send('220 Ready.\r\n');
  server.stream.on('data', () => {
    server.send('200 Here.\r\n');
  });
  const drip = setInterval(() => {
    client.send('NOOP\r\n');
  }, 50);
  t.after(() => {
    clearInterval(drip);
  });
  assert.ok((await client.rest()).endsWith(`\r\n${replies.loginTimeout}\r\n`));
});

test('clients of one address have no more sessions than max-sessions-per-client, and others theirs', async (t) => {
  const lab = await Lab.start(t, { 'max-sessions-per-client': '5' });
  for (let n = 0; n < 5; n++) {
    const { client, server } = await lab.connect(hosts.stranger);
    server.send('220 Ready.\r\n');
    await client.expect('220 Ready.\r\n');
  }
  for (let n = 0; n < 20; n++) {
    const refused = await lab.dial(lab.relay, hosts.stranger);
    const line = await refused.line().catch(() => 'reset');
    assert.ok(line.startsWith(replies.tooManySessionsOfClient) || line.startsWith('reset'), line);
  }
  await lab.login(hosts.client);
});
