/** What a control channel tells, and in which order, where its lines have to wait for their turn. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { tcpChannel } from '../../../src/net/channel.ts';
import { ControlChannel } from '../../../src/proxy/session/control-channel.ts';
import { Turns } from '../../../src/proxy/session/turns.ts';
import { hosts } from '../../support/relay/hosts.ts';
import { PeerListener } from '../../support/relay/peer-listener.ts';
import { dial, type Peer } from '../../support/relay/peer.ts';
import { turns } from '../../support/relay/within.ts';

interface Stand {
  readonly peer: Peer;
  readonly own: Peer;
  readonly channel: ControlChannel;
  readonly told: readonly string[];
  /** Gives whoever waits a turn. */
  readonly next: () => void;
}

/** A channel whose lines wait, as another one has used up the time of the turn. */
async function start(t: TestContext): Promise<Stand> {
  let now = 0;
  const later: (() => void)[] = [];
  const shared = new Turns(
    () => now,
    (work) => void later.push(work),
  );
  shared
    .share()
    .join(() => {
      now += 0.1;
      return false;
    })
    .request();
  const listener = await PeerListener.at(hosts.relay);
  const peer = await dial(listener.endpoint, hosts.client);
  const own = await listener.next();
  t.after(() => {
    peer.socket.destroy();
    own.socket.destroy();
    listener.destroy();
  });
  const told: string[] = [];
  own.socket.removeAllListeners();
  const channel = new ControlChannel(tcpChannel(own.socket), shared.share());
  channel.listen({
    line: ({ text }) => void told.push(text),
    turnEnded: () => undefined,
    ended: (rest) => void told.push(`end ${rest}`),
    failed: () => void told.push('failed'),
    drained: () => undefined,
    closed: () => void told.push('closed'),
  });
  channel.start();
  const next = (): void => {
    for (const work of later.splice(0)) work();
  };
  return { peer, own, channel, told, next };
}

test('tells nothing before its turn, and then the lines, the end and the close in their order', async (t) => {
  const { peer, own, channel, told, next } = await start(t);
  channel.end();
  peer.send('USER x\r\nQUIT\r\n');
  await turns();
  assert.deepEqual(told, []);
  peer.end('half');
  own.socket.resume();
  await new Promise((resolve) => own.socket.once('close', resolve));
  assert.deepEqual(told, []);
  next();
  assert.deepEqual(told, ['USER x', 'QUIT', 'end half', 'closed']);
});

test('tells the lines that came before a reset, and then the reset', async (t) => {
  const { peer, own, told, next } = await start(t);
  peer.send('226 Done.\r\n');
  await turns();
  peer.reset();
  own.socket.resume();
  await new Promise((resolve) => own.socket.once('close', resolve));
  assert.deepEqual(told, []);
  next();
  assert.deepEqual(told, ['226 Done.', 'failed', 'closed']);
});
