/** Who makes the process die must not make a file look whole: FIN is its end, and the system says it for the dead. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { formatEndpoint } from '../../src/net/endpoint.ts';
import { hostPort, hosts } from '../support/relay/hosts.ts';
import { announcedIn } from '../support/relay/lab.ts';
import { PeerListener } from '../support/relay/peer-listener.ts';
import { dial, type Peer } from '../support/relay/peer.ts';
import { AttackedRelay } from './attacked-relay.ts';

const thrower = `process.on('SIGWINCH', () => { throw new Error('thrown by a test'); });`;
const preload = `--import=data:text/javascript,${encodeURIComponent(thrower)}`;

/** A download and an upload under way. */
async function transfers(t: TestContext): Promise<{ relay: AttackedRelay; ends: Peer[] }> {
  const control = await PeerListener.at(hosts.server);
  const relay = await AttackedRelay.start(t, {
    server: formatEndpoint(control.endpoint),
    nodeFlags: [preload],
  });
  const behind = await PeerListener.at(hosts.server);
  t.after(() => {
    control.destroy();
    behind.destroy();
  });
  const ends: Peer[] = [];
  for (const command of ['RETR file', 'STOR file']) {
    const client = await relay.dial(t, hosts.client);
    client.send('USER anne\r\n');
    const server = await control.next();
    await server.expect('USER anne\r\n');
    server.send('220 Ready.\r\n230 Welcome.\r\n');
    await client.expect('220 Ready.\r\n230 Welcome.\r\n');
    client.send(`PASV\r\n${command}\r\n`);
    await server.expect(`PASV\r\n${command}\r\n`);
    server.send(`227 Passive (${hostPort(behind.endpoint)})\r\n150 Go on.\r\n`);
    const at = announcedIn(await client.line());
    const outer = await dial(at, hosts.client);
    t.after(() => outer.socket.destroy());
    const inner = await behind.next();
    const [from, to] = command.startsWith('RETR') ? [inner, outer] : [outer, inner];
    from.send('half of');
    await to.expect('half of');
    ends.push(from, to);
  }
  return { relay, ends };
}

for (const [how, signal] of [
  ['is killed', 'SIGKILL'],
  ['fails with an error that nobody catches', 'SIGWINCH'],
] as const) {
  test(`data connections are reset on both sides, and never ended, where the process ${how}`, async (t) => {
    const { relay, ends } = await transfers(t);
    relay.signal(signal);
    await relay.exited;
    for (const end of ends) assert.equal(await end.wasReset(), '');
  });
}
