/** Attacks on who reads the log, or on the disk that it is written to. */
import assert from 'node:assert/strict';
import { closeSync, openSync } from 'node:fs';
import { test } from 'node:test';
import { replies } from '../../src/helper/replies.ts';
import { hosts } from '../support/relay/hosts.ts';
import { exchange, Lab } from '../support/relay/lab.ts';
import { AttackedRelay } from './attacked-relay.ts';

const refused = `PORT ${'\x01'.repeat(8180)}\r\n`;

for (const [where, log] of [
  ['a disk that is full', (): number => openSync('/dev/full', 'w')],
  ['a reader that hangs', () => 'hangs' as const],
] as const) {
  test(`goes on serving while its log goes to ${where}, whatever strangers make it say`, async (t) => {
    const to = log();
    const relay = await AttackedRelay.start(t, {
      log: to,
      flags: ['--log-level', 'trace', '--max-refusals', '11'],
    });
    if (typeof to === 'number') closeSync(to);
    for (let n = 0; n < 50; n++) {
      const attacker = await relay.dial(t);
      attacker.send(refused.repeat(12));
      assert.ok((await attacker.rest()).endsWith(`${replies.tooManyRefusals}\r\n`));
      attacker.end();
    }
    await relay.serves();
  });
}

test('writes less than it is sent, however its lines are made', async (t) => {
  for (const line of [
    refused,
    `${'\x9b'.repeat(8000)}\r\n`,
    `AUTH ${'\xff'.repeat(8000)}\r\n`,
    `PORT ${'"\\'.repeat(4000)}\r\n`,
  ]) {
    const lab = await Lab.start(t, { 'log-level': 'warn', 'max-refusals': '13' });
    const { client, server } = await lab.connect();
    server.send('220 Ready.\r\n');
    await client.line();
    client.send(line.repeat(12));
    for (let n = 0; n < 12; n++) if ((await client.line()).startsWith('421 ')) break;
    client.reset();
    server.socket.destroy();
    await lab.event('session-closed');
    const written = lab.log
      .split('\n')
      .filter((each) => !each.includes('"level":"trace"'))
      .join('\n').length;
    assert.ok(written < line.length * 12, `${written} bytes for ${line.length * 12}`);
  }
});

test('writes ten lines of what repeats, and counts the others, of one client and of its sessions together', async (t) => {
  const lab = await Lab.start(t);
  for (let n = 0; n < 5; n++) {
    const pair = await lab.login(hosts.stranger);
    for (let m = 0; m < 9; m++) {
      pair.client.send('AUTH\n');
      assert.match(await pair.client.line(), /^504 /);
    }
    await exchange(pair, 'NOOP', '200 Here.');
  }
  assert.equal(lab.eventsOf('command-refused').length, 45);
  const lines = lab.log.split('\n').filter((line) => line.includes('"msg":"command refused"'));
  assert.equal(lines.length, 10);
});

test('writes ten sessions of a client that connects and goes, and all of one that logs in', async (t) => {
  const relay = await AttackedRelay.start(t);
  for (let n = 0; n < 40; n++) {
    const attacker = await relay.dial(t);
    assert.match(await attacker.line(), /^220 /);
    attacker.end();
    await attacker.rest();
  }
  await relay.serves();
  const attacker = await relay.dial(t);
  assert.match(await attacker.line(), /^220 /);
  attacker.send('USER anonymous\r\n');
  assert.match(await attacker.line(), /^331 /);
  attacker.send('PASS x\r\n');
  assert.match(await attacker.line(), /^230 /);
  attacker.send('QUIT\r\n');
  await attacker.rest();
  attacker.end();
  const { address, port } = attacker.local;
  await relay.logs(`"client":"${address}:${port}","user":"anonymous","reason":"quit"`);
  const of = (message: string): string[] =>
    relay.log
      .split('\n')
      .filter(
        (line) => line.includes(`"msg":"session ${message}"`) && line.includes(`"client":"${address}:`),
      );
  assert.equal(of('opened').length, 11);
  assert.equal(of('closed').length, 11);
});
