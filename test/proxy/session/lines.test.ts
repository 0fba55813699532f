import assert from 'node:assert/strict';
import { test } from 'node:test';
import { replies } from '../../../src/helper/replies.ts';
import { hostPort, hosts } from '../../support/relay/hosts.ts';
import { exchange, Lab } from '../../support/relay/lab.ts';
import { turns } from '../../support/relay/within.ts';

const megabyte = 1024 * 1024;

test('answers a line of 1 MiB with one 500, and the session lives on', async (t) => {
  const lab = await Lab.start(t);
  const pair = await lab.login();
  pair.client.send(`RETR ${'x'.repeat(megabyte - 5)}\r\n`);
  await pair.client.expect(`${replies.lineTooLong}\r\n`);
  await exchange(pair, 'NOOP', '200 Here.');
  assert.equal(lab.eventsOf('command-refused', { reason: 'line-too-long' }).length, 1);
  assert.equal(pair.client.unread, '');
});

test('the rest of a line that is too long is no command, wherever it is split', async (t) => {
  const lab = await Lab.start(t);
  const pair = await lab.login();
  await pair.client.sendApart('x'.repeat(8000), 'x'.repeat(500), 'DELE file', '\r', '\nNOOP', '\r\n');
  await pair.client.expect(`${replies.lineTooLong}\r\n`);
  await pair.server.expect('NOOP\r\n');
});

test('takes a line of 8192 bytes and refuses one of 8193', async (t) => {
  const lab = await Lab.start(t);
  const pair = await lab.login();
  await exchange(pair, `RETR ${'x'.repeat(8192 - 5)}`, '550 No.');
  pair.client.send(`RETR ${'x'.repeat(8193 - 5)}\r\n`);
  await pair.client.expect(`${replies.lineTooLong}\r\n`);
});

test('answers a line that is too long in its turn', async (t) => {
  const lab = await Lab.start(t);
  const { client, server } = await lab.login();
  client.send(`PWD\r\n${'x'.repeat(9000)}\r\nNOOP\r\n`);
  await server.expect('PWD\r\nNOOP\r\n');
  assert.equal(client.unread, '');
  server.send('257 "/"\r\n200 Here.\r\n');
  await client.expect(`257 "/"\r\n${replies.lineTooLong}\r\n200 Here.\r\n`);
});

for (const [name, command, reply, reason] of [
  ['a NUL', 'RETR a\0b', replies.nulByte, 'nul-byte'],
  ['a NUL in the verb', 'RE\0TR a', replies.nulByte, 'nul-byte'],
  ['a CR without LF', 'RETR a\rDELE b', replies.bareCr, 'bare-cr'],
] as const) {
  test(`refuses ${name} in a command, and the session lives on`, async (t) => {
    const lab = await Lab.start(t);
    const pair = await lab.login();
    pair.client.send(`${command}\r\n`);
    await pair.client.expect(`${reply}\r\n`);
    assert.equal(lab.eventsOf('command-refused', { reason }).length, 1);
    // No byte of the client's own reaches a log as it is.
    assert.ok(!lab.log.includes('\\u0000') && !lab.log.includes('\\r'));
    await exchange(pair, 'NOOP', '200 Here.');
  });
}

test('ends a line at LF alone, and sends CRLF on', async (t) => {
  const lab = await Lab.start(t);
  const { client, server } = await lab.login();
  client.send('PWD\nNOOP\r\n');
  await server.expect('PWD\r\nNOOP\r\n');
});

for (const [name, telnet] of [
  ['IAC IP IAC DM', '\xff\xf4\xff\xf2'],
  ['IAC IP DM, whose second IAC went as urgent data,', '\xff\xf4\xf2'],
  ['IP IAC DM, whose first IAC went as urgent data,', '\xf4\xff\xf2'],
  ['IAC IP IAC, whose DM went as urgent data,', '\xff\xf4\xff'],
] as const) {
  test(`passes ${name} on as the whole sequence in front of an ABOR`, async (t) => {
    const lab = await Lab.start(t);
    const { client, server } = await lab.login();
    client.send(`RETR file\r\n${telnet}ABOR\r\n`);
    await server.expect('RETR file\r\n\xff\xf4\xff\xf2ABOR\r\n');
    server.send('426 Cut.\r\n226 Abort ok.\r\n');
    await client.expect('426 Cut.\r\n226 Abort ok.\r\n');
    const [, abort] = lab.eventsOf('command').slice(-2);
    assert.equal(abort?.received, 'ABOR');
  });
}

test('a Telnet sequence hides no PORT', async (t) => {
  const lab = await Lab.start(t);
  const { client } = await lab.login();
  client.send(`\xff\xf4\xff\xf2PORT ${hosts.other.replaceAll('.', ',')},200,13\r\n`);
  await client.expect(`${replies.notDialled('PORT')}\r\n`);
  client.send(`PO\xff\xf1RT ${hosts.other.replaceAll('.', ',')},200,13\r\n`);
  await client.expect(`${replies.notDialled('PORT')}\r\n`);
});

test('bytes of a file name go on as they came, in either direction', async (t) => {
  const lab = await Lab.start(t);
  const pair = await lab.login();
  const name = '\xc4\xe3\xba\xc3\xff\xff\xfe\x81 \xf0\x9f\x98\x80';
  await exchange(pair, `SIZE ${name}`, `550 ${name}: no such file.`);
});

for (const verb of ['GET / HTTP/1.1', 'POST /upload HTTP/1.1', 'OPTIONS * HTTP/1.0', 'put /x HTTP/1.1']) {
  test(`closes a session whose first line is ${verb}`, async (t) => {
    const lab = await Lab.start(t);
    const { client, server } = await lab.connect();
    server.send('220 Ready.\r\n');
    await client.expect('220 Ready.\r\n');
    client.send(`${verb}\r\nHost: example\r\n\r\nPORT ${hostPort(client.local)}\r\n`);
    await client.expect(`${replies.http}\r\n`);
    await client.finished();
    await server.finished();
    await Promise.all([client.close(), server.close()]);
    await lab.event('session-closed', { reason: 'http' });
    assert.equal(lab.eventsOf('command-refused', { reason: 'http' }).length, 1);
  });
}

test('what came in one segment leaves in one segment', async (t) => {
  const lab = await Lab.start(t);
  const { client, server } = await lab.login();
  const commands = 'TYPE I\r\nSIZE file\r\nMDTM file\r\nEPSV\r\nRETR file\r\n';
  client.send(commands);
  assert.equal(await server.segment(), commands);
});

test('replies that came in one segment keep their order when one of them needs a pinhole', async (t) => {
  const lab = await Lab.start(t);
  const { client, server } = await lab.login();
  client.send('TYPE I\r\nSIZE file\r\nEPSV\r\nRETR file\r\n');
  await server.expect('TYPE I\r\nSIZE file\r\nEPSV\r\nRETR file\r\n');
  server.send('200 Binary.\r\n213 5\r\n229 Entering (|||51213|)\r\n150 Here it comes.\r\n');
  const { at } = await lab.event('pinhole-opened');
  await client.expect(`200 Binary.\r\n213 5\r\n229 Entering (|||${at.port}|)\r\n150 Here it comes.\r\n`);
});

test('replies that came in one segment leave in one segment', async (t) => {
  const lab = await Lab.start(t);
  const { client, server } = await lab.login();
  client.send('TYPE I\r\nSIZE file\r\nMDTM file\r\n');
  await server.expect('TYPE I\r\nSIZE file\r\nMDTM file\r\n');
  const answers = '200 Binary.\r\n213-5\r\n213 5\r\n550 No.\r\n';
  server.send(answers);
  assert.equal(await client.segment(), answers);
});

test('a command that comes byte by byte leaves in one segment', async (t) => {
  const lab = await Lab.start(t);
  const { client, server } = await lab.login();
  await client.sendByteByByte('PWD\r\n');
  assert.equal(await server.segment(), 'PWD\r\n');
});

test('replies of several lines go on with every line as it was', async (t) => {
  const lab = await Lab.start(t);
  const pair = await lab.login();
  await exchange(
    pair,
    'FEAT',
    '211-Features:\r\n MDTM\r\n211-EPSV\r\n2110 odd\r\n227 (1,2,3,4,5,6)\r\n211 End',
  );
});

test('a reply of 1 MiB in one line goes on whole, and the next PASV is recognised', async (t) => {
  const lab = await Lab.start(t);
  const pair = await lab.login();
  await exchange(pair, 'STAT', `211 ${'x'.repeat(megabyte)}`);
  await lab.passive(pair);
});

test('an endless reply to a PASV is not kept until its end', async (t) => {
  const lab = await Lab.start(t);
  const { client, server } = await lab.login();
  client.send('PASV\r\n');
  await server.expect('PASV\r\n');
  const lines = `227-${'x'.repeat(1000)}\r\n`.repeat(100);
  server.send(lines);
  await client.expect(lines.slice(0, 65_536));
  await lab.event('reply-remarked', { reason: 'unusable-announcement' });
});

test('a command behind a PORT waits for its reply, and order is kept', async (t) => {
  const lab = await Lab.start(t);
  const { client, server } = await lab.login();
  client.send(`TYPE I\r\nPORT ${hosts.client.replaceAll('.', ',')},200,13\r\nNOOP\r\nRETR file\r\n`);
  const { at } = await lab.event('pinhole-opened');
  await server.expect(`TYPE I\r\nPORT ${hostPort(at)}\r\n`);
  await turns();
  assert.equal(server.unread, '');
  server.send('200 Binary.\r\n200 PORT ok.\r\n');
  await server.expect('NOOP\r\nRETR file\r\n');
  await client.expect('200 Binary.\r\n200 PORT ok.\r\n');
});

test('refusals come in the order of their commands', async (t) => {
  const lab = await Lab.start(t);
  const { client, server } = await lab.login();
  client.send('PWD\r\nAUTH TLS\r\nNOOP\r\nAUTH SSL\r\n');
  await server.expect('PWD\r\nNOOP\r\n');
  server.send('257 "/"\r\n200 Here.\r\n');
  const refusal = `${replies.tlsRefused}\r\n`;
  await client.expect(`257 "/"\r\n${refusal}200 Here.\r\n${refusal}`);
});

test('an empty line, which a server may leave without a reply, does not shift the queue', async (t) => {
  const lab = await Lab.start(t);
  const pair = await lab.login();
  pair.client.send('\r\n');
  await pair.server.expect('\r\n');
  await lab.passive(pair);
});

test('no password is in the log at trace level, well written or not', async (t) => {
  const lab = await Lab.start(t);
  const pair = await lab.connect();
  pair.server.send('220 Ready.\r\n');
  await pair.client.expect('220 Ready.\r\n');
  await exchange(pair, 'USER anne', '331 Password?');
  for (const command of [
    'PASS hunter2',
    'pass  hunter2',
    'PASS\thunter2',
    'PSAS hunter2',
    'hunter2',
    ' PASS hunter2',
  ]) {
    await exchange(pair, command, `500 '${command}': not understood.`);
  }
  await exchange(pair, 'ACCT hunter2', '230 Welcome.');
  await exchange(pair, 'SITE PASSWD hunter2', '200 Changed.');
  pair.client.send('PASS hunter2\0\r\n');
  await pair.client.expect(`${replies.nulByte}\r\n`);
  pair.client.send(`PASS hunter2${'x'.repeat(9000)}\r\n`);
  await pair.client.expect(`${replies.lineTooLong}\r\n`);
  assert.match(lab.log, /"level":"trace"/);
  assert.match(lab.log, /"line":"PASS \*\*\*\*"/);
  assert.ok(!lab.log.includes('hunter2'));
  assert.ok(!JSON.stringify(lab.events).includes('hunter2'));
});

test('empty lines that the server does not answer hold back neither commands nor answers, nor the end', async (t) => {
  const lab = await Lab.start(t);
  const { client, server } = await lab.connect();
  server.send('220 Ready.\r\n');
  await client.expect('220 Ready.\r\n');
  const empty = '\n'.repeat(600);
  client.send(`${empty}NOOP\r\n`);
  await server.expect(`${'\r\n'.repeat(600)}NOOP\r\n`);
  server.send('530 Please login.\r\n');
  await client.expect('530 Please login.\r\n');
  client.send('\n\nPORT 1,2,3,4,5,6\r\n');
  await server.expect('\r\n\r\n');
  await client.expect(`${replies.notLoggedIn}\r\n`);
  client.end();
  await server.finished();
});

test('a client that goes while its next command waits for a turn, and then for a reply, is noticed', async (t) => {
  const lab = await Lab.start(t);
  const { client, server } = await lab.login();
  // More than a turn has time for, and the last of them is held back: PORT has to be answered first.
  const many = 'NOOP\r\n'.repeat(200);
  client.send(`${many}PORT ${hostPort(client.local)}\r\nSTOR x\r\n`);
  await server.expect(many);
  client.reset();
  await server.wasReset();
  await lab.event('session-closed', { reason: 'client-reset' });
});

for (const [what, code, opens] of [
  ['accepts', '200', true],
  ['refuses', '500', false],
] as const) {
  test(`an overlong reply that ${what} a PORT does so as any other`, async (t) => {
    const lab = await Lab.start(t);
    const { client, server } = await lab.login();
    const listener = await lab.listen(client.local.address);
    client.send(`PORT ${hostPort(listener.endpoint)}\r\n`);
    const { at } = await lab.event('pinhole-opened');
    await server.line();
    const reply = `${code} ${'x'.repeat(20_000)}\r\n`;
    server.send(reply);
    await client.expect(reply);
    if (opens) {
      const inner = await lab.dial(at, server.local.address);
      (await listener.next()).end('through');
      assert.equal(await inner.rest(), 'through');
    } else {
      await lab.event('pinhole-closed', { reason: 'refused-by-server' });
    }
  });
}
