/** Strangers who want the relay's time and memory by TLS: tiny records, and handshakes that go no further. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Duplex } from 'node:stream';
import { test, type TestContext } from 'node:test';
import { connect } from 'node:tls';
import { mebibyte } from '../helpers/relay/flood.ts';
import { terminating } from '../helpers/relay/tls-lab.ts';
import { secureAsClient } from '../helpers/relay/tls-peer.ts';
import { AttackedRelay, settled } from './attacked-relay.ts';

function start(t: TestContext): Promise<AttackedRelay> {
  const settings = Object.entries(terminating(t));
  return AttackedRelay.start(t, { flags: settings.flatMap(([name, value]) => [`--${name}`, value]) });
}

test('ten who send records of one byte cost little memory, and others are served', async (t) => {
  const relay = await start(t);
  await relay.serves();
  const before = relay.memory;
  const written: (() => number)[] = [];
  for (let n = 0; n < 10; n++) {
    const attacker = await relay.dial(t);
    await attacker.line();
    attacker.send('AUTH TLS\r\n');
    assert.match(await attacker.line(), /^234 /);
    const { stream } = await secureAsClient(attacker);
    stream.on('error', () => undefined);
    // A line without an end: it is read on and on, and forgotten.
    for (let byte = 0; byte < 16_000; byte++) stream.write('a');
    written.push(() => stream.bytesWritten);
  }
  await settled(() => written.reduce((sum, each) => sum + each(), 0));
  await relay.serves();
  const grown = relay.memory - before;
  assert.ok(grown < 50 * mebibyte, `${Math.round(grown / mebibyte)} MiB more`);
});

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
