import assert from 'node:assert/strict';
import { test } from 'node:test';
import { descriptorOf } from '../../../src/node-internals/descriptor.ts';
import { loadSocketCalls, socketCalls, type SocketCalls } from '../../../src/linux/socket-calls.ts';
import { exchange, Lab, type ControlPair } from '../../support/relay/lab.ts';
import type { Peer } from '../../support/relay/peer.ts';
import { relayPlaneOnly } from '../../support/relay/plane.ts';
import { authBoth, greet, logIn, terminating, towardsServer } from '../../support/relay/tls-lab.ts';
import { turns } from '../../support/relay/within.ts';

function calls(): SocketCalls {
  return socketCalls() ?? assert.fail('koffi is not there');
}

function fdOf({ socket }: Peer): number {
  return descriptorOf(socket) ?? assert.fail('closed');
}

/** Sends parts one after the other; of the urgent ones the last byte is urgent, as with MSG_OOB. */
async function sends(
  client: Peer,
  parts: readonly (readonly [text: string, kind: 'plain' | 'urgent'])[],
): Promise<void> {
  for (const [text, kind] of parts) {
    if (kind === 'plain') client.send(text);
    else assert.equal(calls().sendUrgent(fdOf(client), Buffer.from(text, 'latin1')), text.length);
    await turns();
  }
}

/** Reads urgent data in line, as servers do, and tells where in what comes it was; undefined where there was none. */
function watchUrgent(server: Peer): () => number | undefined {
  const fd = fdOf(server);
  assert.ok(calls().readUrgentInLine(fd));
  let received = 0;
  let mark: number | undefined;
  server.socket.on('data', (chunk: Buffer) => {
    received += chunk.length;
    if (calls().isAtUrgent(fd)) mark = received;
  });
  return () => mark;
}

const synch = '\xff\xf4\xff\xf2';

/** Each as a client is known to send it, and which byte of what arrives is urgent. */
const forms = [
  [
    'the IAC before DM urgent, as BSD clients and lftp have it',
    [
      ['\xff\xf4\xff', 'urgent'],
      ['\xf2ABOR\r\n', 'plain'],
    ],
    `${synch}ABOR\r\n`,
    3,
  ],
  [
    'DM urgent, to the letter of RFC 854',
    [
      ['\xff\xf4', 'plain'],
      ['\xff\xf2', 'urgent'],
      ['ABOR\r\n', 'plain'],
    ],
    `${synch}ABOR\r\n`,
    3,
  ],
  [
    'DM alone urgent',
    [
      ['\xff\xf4\xff', 'plain'],
      ['\xf2', 'urgent'],
      ['ABOR\r\n', 'plain'],
    ],
    `${synch}ABOR\r\n`,
    3,
  ],
  ['the whole line urgent, as Python has it', [['ABOR\r\n', 'urgent']], 'ABOR\r\n', 5],
  [
    'a Synch that came in line goes on in line',
    [[`${synch}ABOR\r\n`, 'plain']],
    `${synch}ABOR\r\n`,
    undefined,
  ],
  [
    'a STAT behind a Synch',
    [
      [synch, 'urgent'],
      ['STAT\r\n', 'plain'],
    ],
    `${synch}STAT\r\n`,
    3,
  ],
] as const;

for (const [name, parts, arrives, mark] of forms) {
  test(`urgent data arrives as such, and no byte of it is lost: ${name}`, async (t) => {
    const lab = await Lab.start(t);
    const { client, server } = await lab.login();
    const urgentAt = watchUrgent(server);
    await sends(client, parts);
    await server.expect(arrives);
    assert.equal(urgentAt(), mark);
  });
}

test('what is not urgent arrives as it is', async (t) => {
  const lab = await Lab.start(t);
  const { client, server } = await lab.login();
  const urgentAt = watchUrgent(server);
  client.send('ABOR\r\nNOOP\r\n');
  await server.expect('ABOR\r\nNOOP\r\n');
  assert.equal(urgentAt(), undefined);
});

/** A download whose server does not look at its control channel. */
async function downloading(lab: Lab, pair: ControlPair): Promise<Peer> {
  const data = await lab.passiveChannel(pair);
  await exchange(pair, 'RETR file', '150 Here it comes.');
  data.server.send('half of');
  await data.client.expect('half of');
  return data.server;
}

test(
  'where no urgent data can be sent, the transfer is cut off behind the ABOR',
  relayPlaneOnly('Stopping Pinhole cuts no data connection'),
  async (t) => {
    const lab = await Lab.start(t);
    await loadSocketCalls(() => Promise.reject(new Error('none')));
    t.after(() => loadSocketCalls());
    const pair = await lab.login();
    const server = await downloading(lab, pair);
    pair.client.send(`${synch}ABOR\r\n`);
    await pair.server.expect(`${synch}ABOR\r\n`);
    await server.wasReset();
    await lab.event('transfer-ended', { cause: 'aborted' });
    pair.server.send('426 Cut.\r\n226 Abort ok.\r\n');
    await pair.client.expect('426 Cut.\r\n226 Abort ok.\r\n');
  },
);

test(
  'over TLS to the server as well',
  relayPlaneOnly('Stopping Pinhole cuts no data connection'),
  async (t) => {
    const lab = await Lab.start(t, { ...terminating(t), ...towardsServer(t, 'same') });
    const pair = await authBoth(await greet(lab));
    await logIn(pair);
    const server = await downloading(lab, pair);
    pair.client.send(`${synch}ABOR\r\n`);
    await pair.server.expect(`${synch}ABOR\r\n`);
    await server.wasReset();
    await lab.event('transfer-ended', { cause: 'aborted' });
  },
);

test('a server that ends the transfer itself is left alone', async (t) => {
  const lab = await Lab.start(t);
  const pair = await lab.login();
  assert.ok(calls().readUrgentInLine(fdOf(pair.server)));
  const data = await lab.passiveChannel(pair);
  await exchange(pair, 'RETR file', '150 Here it comes.');
  pair.client.send(`${synch}ABOR\r\n`);
  await pair.server.expect(`${synch}ABOR\r\n`);
  data.server.end('what there is');
  pair.server.send('426 Cut.\r\n226 Abort ok.\r\n');
  assert.equal(await data.client.rest(), 'what there is');
  data.client.end();
  await pair.client.expect('426 Cut.\r\n226 Abort ok.\r\n');
  await lab.event('transfer-ended', { cause: 'complete' });
});
