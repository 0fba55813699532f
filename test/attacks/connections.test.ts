/** Strangers who open connection after connection, and do not log in. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test, type TestContext } from 'node:test';
import { firstActivePort, hosts } from '../support/relay/hosts.ts';
import { terminating } from '../support/relay/tls-lab.ts';
import { within } from '../support/relay/within.ts';
import { AttackedRelay } from './attacked-relay.ts';

const count = 600;

/** The code of the first reply of each connection. */
async function greetings({ endpoint: { address, port } }: AttackedRelay, t: TestContext): Promise<string[]> {
  const all = Array.from({ length: count }, async () => {
    const socket = connect({ host: address, port, localAddress: hosts.stranger });
    t.after(() => socket.destroy());
    const [line] = (await once(socket.setEncoding('latin1'), 'data')) as [string];
    return line.slice(0, 3);
  });
  return await Promise.all(all);
}

test('sessions that do not log in begin at a pace where others have sessions: those beyond it are refused', async (t) => {
  const relay = await AttackedRelay.start(t, { flags: ['--connect-timeout', '1s'] });
  const other = await relay.dial(t, hosts.client);
  assert.match(await other.line(), /^220 /);
  const codes = await greetings(relay, t);
  const refused = codes.filter((code) => code === '421').length;
  assert.ok(refused > 0 && refused <= count - 300, `${refused} of ${count} were refused`);
  assert.equal(codes.filter((code) => code === '220').length, count - refused);
  await relay.serves();
});

test('a client alone opens as many as it likes', async (t) => {
  const relay = await AttackedRelay.start(t, { flags: ['--connect-timeout', '5s'] });
  const codes = await greetings(relay, t);
  assert.deepEqual(new Set(codes), new Set(['220']));
});

test('connections that wait for their handshake, or for their turn to begin, hold up no end of the process', async (t) => {
  const tlsPort = firstActivePort + 98;
  const tls = Object.entries(terminating(t)).flatMap(([name, value]) => [`--${name}`, value]);
  const flags = [...tls, '--listen-tls', `${hosts.relay}:${tlsPort}`, '--grace', '1s'];
  const relay = await AttackedRelay.start(t, { flags });
  const other = await relay.dial(t, hosts.client);
  assert.match(await other.line(), /^220 /);
  const silent = Array.from({ length: 230 }, async () => {
    const socket = connect({ host: hosts.relay, port: tlsPort, localAddress: hosts.stranger });
    t.after(() => socket.destroy());
    await once(socket, 'connect');
    // They are reset with the process.
    socket.on('error', () => undefined);
  });
  await Promise.all(silent);
  relay.signal('SIGTERM');
  assert.deepEqual(await within(relay.exited, 'its end'), { code: 0, signal: null });
});
