/** Clients that want pinholes without a log in that the server has accepted. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { replies } from '../../src/helper/replies.ts';
import { hostPort, hosts } from '../support/relay/hosts.ts';
import { exchange, Lab, type ControlPair } from '../support/relay/lab.ts';

const commands = [
  'PASV',
  'EPSV',
  `PORT ${hostPort({ address: hosts.client, port: 50_000 })}`,
  `EPRT |1|${hosts.client}|50000|`,
];

/** All four are refused, and the server hears of none. */
async function opensNothing(lab: Lab, pair: ControlPair): Promise<void> {
  const before = lab.eventsOf('pinhole-opened').length;
  for (const command of commands) {
    pair.client.send(`${command}\r\n`);
    await pair.client.expect(`${replies.notLoggedIn}\r\n`);
  }
  await exchange(pair, 'NOOP', '200 Here.');
  assert.equal(lab.eventsOf('pinhole-opened').length, before);
}

type Step = readonly [command: string, reply: string];
const user: Step = ['USER anne', '331 Password?'];
const pass: Step = ['PASS secret', '230 Welcome.'];

const histories: Readonly<Record<string, readonly Step[]>> = {
  'nothing said': [],
  'USER alone': [user],
  'a PASS that was refused': [user, ['PASS wrong', '530 No.']],
  'a PASS that wants an account, and the 202 to its ACCT': [
    user,
    ['PASS secret', '332 Account?'],
    ['ACCT x', '202 Superfluous.'],
  ],
  'a 230 to NOOP': [user, ['NOOP', '230 Welcome.']],
  'a 230 to SITE': [['SITE LOGIN', '230 Welcome.']],
  'a 230 within a refusal': [user, ['PASS wrong', '530-No.\r\n230 Welcome.\r\n530 No.']],
  'a 230 within the answer to HELP': [['HELP', '214-Help\r\n230 Welcome.\r\n214 End']],
  'REIN behind a log in': [user, pass, ['REIN', '220 Anew.']],
  'another USER behind a log in': [user, pass, ['USER root', '331 Password?']],
  'another USER that was refused': [user, pass, ['USER root', '530 No.']],
  'another PASS that was refused': [user, pass, ['USER root', '331 Password?'], ['PASS x', '530 No.']],
};

for (const [name, steps] of Object.entries(histories)) {
  test(`opens nothing after ${name}`, async (t) => {
    const lab = await Lab.start(t);
    const pair = await lab.connect();
    pair.server.send('220 Ready.\r\n');
    await pair.client.expect('220 Ready.\r\n');
    for (const [command, reply] of steps) await exchange(pair, command, reply);
    await opensNothing(lab, pair);
  });
}

test('opens nothing for a PASV that came in one segment with a log in that is refused', async (t) => {
  const lab = await Lab.start(t);
  const { client, server } = await lab.connect();
  server.send('220 Ready.\r\n');
  await client.expect('220 Ready.\r\n');
  client.send(`USER anne\r\nPASS wrong\r\n${commands.join('\r\n')}\r\n`);
  await server.expect('USER anne\r\n');
  server.send('331 Password?\r\n530 No.\r\n');
  await client.expect('331 Password?\r\n530 No.\r\n');
  for (const command of commands) {
    const line = await client.line();
    assert.match(line, /^530 /, command);
  }
  assert.deepEqual(lab.eventsOf('pinhole-opened'), []);
});
