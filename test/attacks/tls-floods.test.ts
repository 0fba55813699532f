/** Strangers who want the relay's time by TLS handshakes that go no further than their first message. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Duplex } from 'node:stream';
import { test, type TestContext } from 'node:test';
import { connect } from 'node:tls';
import { terminating } from '../support/relay/tls-lab.ts';
import { AttackedRelay } from './attacked-relay.ts';

function start(t: TestContext): Promise<AttackedRelay> {
  const flags = Object.entries(terminating(t)).flatMap(([name, value]) => [`--${name}`, value]);
  return AttackedRelay.start(t, { flags });
}

test('three hundred handshakes that begin at once are answered, and others are served meanwhile', async (t) => {
  const relay = await start(t);
  const attackers = await Promise.all(
    Array.from({ length: 300 }, async () => {
      const attacker = await relay.dial(t);
      await attacker.line();
      attacker.send('AUTH TLS\r\n');
      assert.match(await attacker.line(), /^234 /);
      return attacker;
    }),
  );
  const answers = attackers.map(async ({ stream }) => {
    const [chunk] = (await once(stream, 'data')) as [Buffer];
    return chunk[0];
  });
  const hello = await clientHello();
  for (const { stream } of attackers) stream.write(hello);
  await relay.serves();
  for (const answer of await Promise.all(answers)) assert.equal(answer, 0x16);
});

/** What a client says first; making one costs it nothing. */
function clientHello(): Promise<Buffer> {
  return new Promise((resolve) => {
    const wire = new Duplex({
      read: () => undefined,
      write: (chunk: Buffer, _, done) => {
        resolve(chunk);
        done();
      },
    });
    connect({ socket: wire });
  });
}
