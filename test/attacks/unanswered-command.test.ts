/** Clients that say more than their server answers: what waits behind is bounded. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { atRest, mebibyte, pour } from '../support/relay/flood.ts';
import { hostPort, hosts } from '../support/relay/hosts.ts';
import { exchange, Lab } from '../support/relay/lab.ts';

const repeated = (line: string): Buffer => Buffer.alloc(64 * mebibyte, line, 'latin1');

for (const [what, line] of [
  ['lines of 9,000 bytes', `${'x'.repeat(9000)}\r\n`],
  ['commands that the relay refuses', 'AUTH\n'],
  ['PORT with 8 KiB of control characters', `PORT ${'\x01'.repeat(8180)}\r\n`],
  ['commands that the server is to answer', 'NOOP\r\n'],
  ['blank lines', '\r\n'],
] as const) {
  test(`reads no more of ${what} than a bounded number behind a command without an answer`, async (t) => {
    const lab = await Lab.start(t);
    const { client } = await lab.login();
    client.send('PWD\r\n');
    const said = pour(client.socket, repeated(line));
    await atRest(() => said.written());
    // What the systems on the way hold of it is a few MiB.
    assert.ok(said.written() < 32 * mebibyte, `${said.written()} bytes were taken`);
    client.socket.removeAllListeners('drain');
    const other = await lab.login(hosts.other);
    await exchange(other, 'NOOP', '200 Here.');
    client.reset();
  });
}

test('a PORT behind a PORT without an answer waits, and a thousand of them open one pinhole', async (t) => {
  const lab = await Lab.start(t);
  const { client, server } = await lab.login();
  client.send(`PORT ${hostPort({ address: hosts.client, port: 50_000 })}\r\n`.repeat(1000));
  await server.line();
  const other = await lab.login(hosts.other);
  await exchange(other, 'NOOP', '200 Here.');
  assert.equal(server.unread, '');
  assert.equal(lab.eventsOf('pinhole-opened').length, 1);
});
