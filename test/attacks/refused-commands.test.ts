/** Strangers who send what is refused, as fast as it is taken, without a log in. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { replies } from '../../src/helper/replies.ts';
import { mebibyte, pour } from '../support/relay/flood.ts';
import { Lab } from '../support/relay/lab.ts';
import { AttackedRelay, settled, waitUntil } from './attacked-relay.ts';

const floods = {
  'AUTH and LF': 'AUTH\n',
  'PORT with 8 KiB of control characters': `PORT ${'\x01'.repeat(8180)}\r\n`,
  'lines of 20,000 bytes': `${'x'.repeat(20_000)}\n`,
  'blank lines': '\r\n',
  'PORT of another host': 'PORT 192,0,2,1,195,80\r\n',
} as const;

for (const [what, line] of Object.entries(floods)) {
  test(`${what}: ten who flood cost little memory, and others are served`, async (t) => {
    const relay = await AttackedRelay.start(t);
    await relay.serves();
    const before = relay.memory;
    const taken: ReturnType<typeof pour>[] = [];
    for (let n = 0; n < 10; n++) {
      const attacker = await relay.dial(t);
      attacker.socket.on('error', () => undefined);
      taken.push(pour(attacker.socket, Buffer.alloc(16 * mebibyte, line, 'latin1')));
    }
    // Until the relay reads no more of them.
    await settled(() => taken.reduce((sum, each) => sum + each.written(), 0));
    await relay.serves();
    const grown = relay.memory - before;
    assert.ok(grown < 100 * mebibyte, `${Math.round(grown / mebibyte)} MiB more`);
    const lines = relay.log.split('\n').length;
    assert.ok(lines < 200, `${lines} lines of log`);
  });
}

test('ends a session after max-refusals in a row with 421, and says so once', async (t) => {
  const relay = await AttackedRelay.start(t, { flags: ['--max-refusals', '13'] });
  const attacker = await relay.dial(t);
  await attacker.line();
  attacker.send('AUTH\n'.repeat(1000));
  const said = await attacker.rest();
  assert.equal(said.match(/^504 /gm)?.length, 13);
  assert.ok(said.endsWith(`${replies.tooManyRefusals}\r\n`), said.slice(-200));
  attacker.end();
  await relay.logs('"reason":"too-many-refusals"');
  assert.equal(relay.log.match(/"too-many-refusals"/g)?.length, 1);
  await relay.serves();
});

test('who is refused now and then is not ended', async (t) => {
  const relay = await AttackedRelay.start(t, { flags: ['--max-refusals', '3'] });
  const client = await relay.dial(t);
  await client.line();
  for (let n = 0; n < 10; n++) {
    client.send('AUTH\r\nPASV\r\nUSER anonymous\r\nPASS x\r\n');
    for (const code of n === 0 ? ['504', '530', '331', '230'] : ['504']) {
      assert.equal((await client.line()).slice(0, 3), code);
    }
    if (n === 0) continue;
    for (let rest = 0; rest < 3; rest++) await client.line();
  }
  assert.ok(!relay.log.includes('too-many-refusals'));
});

test('a hundred log ins in a row that the server refuses are slow, and one session of the attacker', async (t) => {
  const relay = await AttackedRelay.start(t, { flags: ['--max-refusals', '12'] });
  const attacker = await relay.dial(t);
  attacker.send('PASS guess\r\n'.repeat(100));
  assert.ok((await attacker.rest()).endsWith(`${replies.tooManyRefusals}\r\n`));
  attacker.end();
  await waitUntil(() => relay.log.includes('too-many-refusals'));
});

for (const [whose, line, reply] of [
  ["the relay's own", 'AUTH', replies.unknownMechanism],
  ["the server's", 'NOOP', '530 Please login.'],
  ["the server's, where it asks for a password again and again", 'USER anne', '331 Password?'],
] as const) {
  /** Those from the eleventh to the thirteenth cost 20, 40 and 80 ms. */
  test(`refusals cost their time also where all commands came at once: ${whose}`, async (t) => {
    const lab = await Lab.start(t, { 'max-refusals': '14' });
    const { client, server } = await lab.connect();
    server.send('220 Ready.\r\n');
    await client.expect('220 Ready.\r\n');
    server.stream.on('data', (chunk: Buffer) => {
      server.send(`${reply}\r\n`.repeat(chunk.toString('latin1').split('\n').length - 1));
    });
    const began = performance.now();
    client.send(`${line}\r\n`.repeat(100));
    assert.ok((await client.rest()).endsWith(`\r\n${replies.tooManyRefusals}\r\n`));
    const took = performance.now() - began;
    assert.ok(took > 130, `${took} ms`);
  });
}

// V8 of later versions collects later, and the process is larger for it: 150 KiB each with Node 22.
const memory = { skip: process.version.startsWith('v20.') ? false : 'measured with Node 20' };

test('a thousand who flood cost no more than 128 KiB each', memory, async (t) => {
  const relay = await AttackedRelay.start(t);
  await relay.serves();
  const before = relay.memory;
  const block = 'AUTH\n'.repeat(26_214);
  const count = 1000;
  for (let n = 0; n < count; n++) {
    const attacker = await relay.dial(t);
    attacker.socket.on('error', () => undefined);
    attacker.send(block);
  }
  await settled(() => Math.round(relay.memory / (8 * mebibyte)));
  await relay.serves();
  const each = (relay.memory - before) / count / 1024;
  assert.ok(each < 128, `${Math.round(each)} KiB each`);
});
