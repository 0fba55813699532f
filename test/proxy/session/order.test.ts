import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { hostPort, hosts } from '../../support/relay/hosts.ts';
import { announcedIn, exchange, Lab } from '../../support/relay/lab.ts';
import { turns } from '../../support/relay/within.ts';

const server = hosts.server.replaceAll('.', ',');

test('a greeting that comes in two replies does not shift the queue', async (t) => {
  const lab = await Lab.start(t);
  const pair = await lab.connect();
  pair.server.send('120 Ready in a minute.\r\n');
  await pair.client.expect('120 Ready in a minute.\r\n');
  pair.server.send('220-Welcome\r\n to this server\r\n220 Ready.\r\n');
  await pair.client.expect('220-Welcome\r\n to this server\r\n220 Ready.\r\n');
  await exchange(pair, 'USER anne', '230 Welcome.');
  await lab.passive(pair);
});

test('a PASV behind a whole transfer in one segment gets its own 227', async (t) => {
  const lab = await Lab.start(t);
  const { client, server: inside } = await lab.login();
  client.send('RETR file\r\nPASV\r\n');
  await inside.expect('RETR file\r\nPASV\r\n');
  inside.send('150 Here it comes.\r\n226 Done.\r\n');
  inside.send(`227 Entering Passive Mode (${server},200,13).\r\n`);
  await client.expect('150 Here it comes.\r\n226 Done.\r\n');
  const line = await client.line();
  const { at } = await lab.event('pinhole-opened');
  assert.deepEqual(announcedIn(line), at);
});

test('of two PASV in one segment the second has the pinhole', async (t) => {
  const lab = await Lab.start(t);
  const { client, server: inside } = await lab.login();
  client.send('PASV\r\nPASV\r\n');
  await inside.expect('PASV\r\nPASV\r\n');
  const behind = await lab.listen(hosts.server);
  inside.send(
    `227 Entering Passive Mode (${server},200,13).\r\n` +
      `227 Entering Passive Mode (${hostPort(behind.endpoint)}).\r\n`,
  );
  const first = announcedIn(await client.line());
  const second = announcedIn(await client.line());
  await lab.event('pinhole-closed', { reason: 'replaced' });
  await lab.isClosed(first);
  const data = await lab.dial(second);
  (await behind.next()).end('the second');
  assert.equal(await data.rest(), 'the second');
});

test('a STAT in the middle of a transfer is answered in between, and the queue stays in step', async (t) => {
  const lab = await Lab.start(t);
  const pair = await lab.login();
  const { client, server: inside } = pair;
  client.send('RETR file\r\n');
  await inside.expect('RETR file\r\n');
  inside.send('150 Here it comes.\r\n');
  await client.expect('150 Here it comes.\r\n');
  client.send('STAT\r\n');
  await inside.expect('STAT\r\n');
  inside.send(`211-Status\r\n227 (${server},200,13)\r\n211 End\r\n226 Done.\r\n`);
  await client.expect(`211-Status\r\n227 (${server},200,13)\r\n211 End\r\n226 Done.\r\n`);
  await lab.passive(pair);
  assert.equal(lab.eventsOf('pinhole-opened').length, 1);
});

for (const [name, replies] of [
  ['two replies', '426 Cut.\r\n226 Abort ok.\r\n'],
  ['one reply', '226 Done, nothing to abort.\r\n'],
] as const) {
  test(`an ABOR that gets ${name} together with its transfer leaves the queue in step`, async (t) => {
    const lab = await Lab.start(t);
    const pair = await lab.login();
    pair.client.send('RETR file\r\nABOR\r\n');
    await pair.server.expect('RETR file\r\nABOR\r\n');
    pair.server.send(`150 Here it comes.\r\n${replies}`);
    await pair.client.expect(`150 Here it comes.\r\n${replies}`);
    await lab.passive(pair);
  });
}

test('a client whose commands are not answered is read no further', async (t) => {
  const lab = await Lab.start(t);
  const { client, server: inside } = await lab.login();
  inside.stopReading();
  const largest = (kind: string): number =>
    Number(readFileSync(`/proc/sys/net/ipv4/tcp_${kind}`, 'utf8').trim().split(/\s+/)[2]);
  // One connection's two buffers, 512 commands that are outstanding, and what a stream of Node holds.
  const bound = largest('rmem') + largest('wmem') + 512 * 8192 + 1024 * 1024;
  const command = `RETR ${'x'.repeat(8000)}\r\n`;
  const segment = Buffer.from(command.repeat(100));
  let left = Math.ceil((1.5 * bound) / segment.length);
  const write = (): void => {
    while (left-- > 0) if (!client.socket.write(segment)) return;
  };
  client.socket.on('drain', write);
  write();
  let pushed = -1;
  for (let still = 0; still < 200; still++) {
    await turns(1);
    const now = client.socket.bytesWritten - client.socket.writableLength;
    if (now !== pushed) still = 0;
    pushed = now;
  }
  assert.ok(pushed < bound, `${pushed} bytes were taken off the client, ${bound} are the bound`);
  assert.ok(lab.eventsOf('command').length <= 512 + 2);
});
