import assert from 'node:assert/strict';
import { test } from 'node:test';
import { replies } from '../../../src/helper/replies.ts';
import { activePorts, hostPort, hosts } from '../../support/relay/hosts.ts';
import { announcedIn, exchange, Lab } from '../../support/relay/lab.ts';
import { onRelayPlane } from '../../support/relay/plane.ts';

const comma = (address: string): string => address.replaceAll('.', ',');

/** Sends what must be refused: the client gets the reply, the log its reason, the server nothing. */
function refuses(name: string, command: string, reply: string, reason: string, settings = {}): void {
  test(`refuses ${name}`, async (t) => {
    const lab = await Lab.start(t, settings);
    const pair = await lab.login();
    pair.client.send(`${command}\r\n`);
    await pair.client.expect(`${reply}\r\n`);
    const [refused] = lab.eventsOf('command-refused');
    assert.equal(refused?.reason, reason);
    // It is a question that clients ask every server.
    const level = reason === 'tls-refused' ? 'info' : 'warn';
    assert.match(lab.log, new RegExp(`"level":"${level}".*"reason":"${reason}".*"msg":"command refused"`));
    // The server sees the next command as the first since the log in, and the session works.
    await exchange(pair, 'NOOP', '200 Here.');
    assert.deepEqual(lab.eventsOf('pinhole-opened'), []);
  });
}

const illegalPort = replies.notDialled('PORT');
const syntaxPort = replies.portSyntax;
const client = comma(hosts.client);

refuses('a PORT that names a third host', `PORT ${comma(hosts.other)},200,13`, illegalPort, 'not-the-peer');
refuses('a PORT that names the server', `PORT ${comma(hosts.server)},200,13`, illegalPort, 'not-the-peer');
refuses('a PORT below 1024', `PORT ${client},3,255`, illegalPort, 'port-below-1024');
refuses('a PORT to a denied port', `PORT ${client},23,112`, illegalPort, 'denied-port');
refuses('a PORT to port 0', `PORT ${client},0,0`, syntaxPort, 'syntax');
refuses('a PORT with an octet of 256', `PORT 256${client.slice(3)},200,13`, syntaxPort, 'syntax');
refuses('a PORT with a port byte of 256', `PORT ${client},256,13`, syntaxPort, 'syntax');
refuses('a PORT with five numbers', `PORT ${client},200`, syntaxPort, 'syntax');
refuses('a PORT with seven numbers', `PORT ${client},200,13,1`, syntaxPort, 'syntax');
refuses('a PORT with a plus sign', `PORT ${client},+200,13`, syntaxPort, 'syntax');
refuses('a PORT with a minus sign', `PORT ${client},-200,13`, syntaxPort, 'syntax');
refuses('a PORT with a space between numbers', `PORT ${client}, 200,13`, syntaxPort, 'syntax');
refuses('a PORT with a word behind its numbers', `PORT ${client},200,13 x`, syntaxPort, 'syntax');
refuses('a PORT with an empty number', `PORT ${client},,13`, syntaxPort, 'syntax');
refuses('a PORT with hexadecimal numbers', `PORT ${client},0xc8,13`, syntaxPort, 'syntax');
refuses('a PORT without an argument', 'PORT', syntaxPort, 'syntax');
refuses('PORT by its other name', `P@RT ${comma(hosts.other)},200,13`, illegalPort, 'not-the-peer');

const syntaxEprt = replies.eprtSyntax;
const notServed = replies.protocolNotServed('1');

refuses('an EPRT of the other family', 'EPRT |2|::1|51213|', notServed, 'protocol-not-served');
refuses('an EPRT of an unknown protocol', 'EPRT |3|1.2.3.4|51213|', notServed, 'protocol-not-served');
refuses('an EPRT with an empty port', `EPRT |1|${hosts.client}||`, syntaxEprt, 'syntax');
refuses('an EPRT with an empty address', 'EPRT |1||51213|', syntaxEprt, 'syntax');
refuses('an EPRT with two delimiters', `EPRT |1|${hosts.client}!51213|`, syntaxEprt, 'syntax');
refuses('an EPRT with a digit for a delimiter', `EPRT 0100${hosts.client}0512130`, syntaxEprt, 'syntax');
refuses('an EPRT with a space for a delimiter', `EPRT  1 ${hosts.client} 51213 `, syntaxEprt, 'syntax');
refuses('an EPRT with a port over 65535', `EPRT |1|${hosts.client}|65536|`, syntaxEprt, 'syntax');
refuses('an EPRT with a signed port', `EPRT |1|${hosts.client}|+5121|`, syntaxEprt, 'syntax');
refuses('an EPRT that says IPv4 and names an IPv6 address', 'EPRT |1|::1|51213|', syntaxEprt, 'syntax');
refuses(
  'an EPRT that names a third host',
  `EPRT |1|${hosts.other}|51213|`,
  replies.notDialled('EPRT'),
  'not-the-peer',
);
refuses('an EPRT below 1024', `EPRT |1|${hosts.client}|1023|`, replies.notDialled('EPRT'), 'port-below-1024');
refuses('the old LPRT', 'LPRT 4,4,127,0,0,1,2,200,13', replies.setUpNotServed('LPRT'), 'protocol-not-served');
refuses('the old LPSV', 'LPSV', replies.setUpNotServed('LPSV'), 'protocol-not-served');
refuses('AUTH TLS', 'AUTH TLS', replies.tlsRefused, 'tls-refused');

for (const [delimiter, name] of [
  ['!', 'an exclamation mark'],
  ['~', 'a tilde'],
  ['.', 'a dot, which stands in the address too'],
  ['A', 'a letter'],
] as const) {
  test(`rewrites an EPRT whose delimiter is ${name}`, async (t) => {
    const lab = await Lab.start(t);
    const { client, server } = await lab.login();
    const fields = ['', '1', hosts.client, '51213', ''];
    client.send(`EPRT ${fields.join(delimiter)}\r\n`);
    const line = await server.line();
    const { at } = await lab.event('pinhole-opened', { mode: 'active' });
    const sent = delimiter === '.' ? '|' : delimiter;
    assert.equal(line, `EPRT ${['', '1', at.address, at.port, ''].join(sent)}\r\n`);
  });
}

test('passes on a PORT with the address and a port of its own, and the verb as it was written', async (t) => {
  const lab = await Lab.start(t);
  const { client, server } = await lab.login();
  client.send(`port ${comma(hosts.client)},200,13\r\n`);
  const line = await server.line();
  const { at, to, peer } = await lab.event('pinhole-opened', { mode: 'active', command: 'PORT' });
  assert.equal(line, `port ${hostPort(at)}\r\n`);
  assert.equal(at.address, server.remote.address);
  assert.deepEqual(to, { address: hosts.client, port: 51213 });
  assert.equal(peer, hosts.server);
});

for (const command of [`PORT ${client},200,13`, `EPRT |1|${hosts.client}|51213|`, 'PASV', 'EPSV']) {
  const verb = command.slice(0, 4);

  test(`refuses ${verb} before login with 530, and the server never sees it`, async (t) => {
    const lab = await Lab.start(t);
    const pair = await lab.connect();
    pair.server.send('220 Ready.\r\n');
    await pair.client.expect('220 Ready.\r\n');
    pair.client.send(`${command}\r\n`);
    await pair.client.expect(`${replies.notLoggedIn}\r\n`);
    await exchange(pair, 'USER anne', '331 Password?');
    pair.client.send(`${command}\r\n`);
    await pair.client.expect(`${replies.notLoggedIn}\r\n`);
    await exchange(pair, 'PASS wrong', '530 Login incorrect.');
    pair.client.send(`${command}\r\n`);
    await pair.client.expect(`${replies.notLoggedIn}\r\n`);
    await exchange(pair, 'NOOP', '200 Here.');
    assert.deepEqual(
      lab.eventsOf('command-refused').map(({ reason }) => reason),
      ['not-logged-in', 'not-logged-in', 'not-logged-in'],
    );
    assert.deepEqual(lab.eventsOf('pinhole-opened'), []);
  });

  test(`refuses ${verb} after REIN until the next login`, async (t) => {
    const lab = await Lab.start(t);
    const pair = await lab.login();
    await exchange(pair, 'REIN', '220 Again.');
    pair.client.send(`${command}\r\n`);
    await pair.client.expect(`${replies.notLoggedIn}\r\n`);
    await exchange(pair, 'USER anne', '230 Welcome.');
    pair.client.send(`${command}\r\n`);
    assert.equal((await pair.server.line()).slice(0, 4), verb);
  });
}

test('holds a PASV that came with USER and PASS in one segment until the login is answered', async (t) => {
  const lab = await Lab.start(t);
  const { client, server } = await lab.connect();
  client.send('USER anne\r\nPASS secret\r\nPASV\r\n');
  await server.expect('USER anne\r\nPASS secret\r\n');
  server.send('220 Ready.\r\n331 Password?\r\n');
  await client.expect('220 Ready.\r\n331 Password?\r\n');
  assert.equal(server.unread, '');
  server.send('230 Welcome.\r\n');
  await client.expect('230 Welcome.\r\n');
  await server.expect('PASV\r\n');
  server.send(`227 Entering Passive Mode (${comma(hosts.server)},200,13).\r\n`);
  const line = await client.line();
  const { at } = await lab.event('pinhole-opened');
  assert.equal(line, `227 Entering Passive Mode (${hostPort(at)}).\r\n`);
});

test('answers a PASV that came with USER and a wrong PASS in one segment in its turn', async (t) => {
  const lab = await Lab.start(t);
  const { client, server } = await lab.connect();
  client.send('USER anne\r\nPASS wrong\r\nPASV\r\nNOOP\r\n');
  await server.expect('USER anne\r\nPASS wrong\r\n');
  server.send('220 Ready.\r\n331 Password?\r\n530 Login incorrect.\r\n');
  await client.expect(`220 Ready.\r\n331 Password?\r\n530 Login incorrect.\r\n${replies.notLoggedIn}\r\n`);
  await server.expect('NOOP\r\n');
  server.send('200 Here.\r\n');
  await client.expect('200 Here.\r\n');
});

test('takes the pinhole of a PORT back that the server refuses', async (t) => {
  const lab = await Lab.start(t);
  const { client, server } = await lab.login();
  client.send(`PORT ${comma(hosts.client)},200,13\r\n`);
  const told = announcedIn(await server.line());
  server.send('500 Illegal PORT command.\r\n');
  await client.expect('500 Illegal PORT command.\r\n');
  await lab.event('pinhole-closed', { mode: 'active', reason: 'refused-by-server' });
  await lab.isClosed(told, hosts.server);
});

test('keeps the pending pinhole of a PASV when the server refuses a PORT after it', async (t) => {
  const lab = await Lab.start(t);
  const pair = await lab.login();
  const { at, behind } = await lab.passive(pair);
  pair.client.send(`PORT ${comma(hosts.client)},200,13\r\n`);
  await pair.server.line();
  pair.server.send('502 No.\r\n');
  await pair.client.expect('502 No.\r\n');
  const data = await lab.dial(at);
  (await behind.next()).send('still open');
  await data.expect('still open');
});

test('sends a STOR that came with its PORT in one segment when the pinhole is armed', async (t) => {
  const lab = await Lab.start(t);
  const pair = await lab.login();
  const { client, server } = pair;
  const listener = await lab.listen(hosts.client);
  client.send(`PORT ${hostPort(listener.endpoint)}\r\nSTOR file\r\n`);
  const told = announcedIn(await server.line());
  assert.equal(server.unread, '');
  server.send('200 PORT command successful.\r\n');
  await server.expect('STOR file\r\n');
  await client.expect('200 PORT command successful.\r\n');
  const data = await lab.dial(told, hosts.server);
  const file = await listener.next();
  file.end('content');
  assert.equal(await data.rest(), 'content');
  data.end();
  const { command, uploaded } = await lab.event('transfer-ended');
  assert.deepEqual(command, { verb: 'STOR', path: 'file', isRelative: true });
  if (onRelayPlane('The log has less about a transfer')) assert.equal(uploaded, 'content'.length);
});

test('answers 425 when no active port is free, and names the range in the log', async (t) => {
  const lab = await Lab.start(t, { 'active-ports': activePorts(1) });
  const first = await lab.login();
  const second = await lab.login(hosts.other);
  await lab.active(first);
  second.client.send(`PORT ${comma(hosts.other)},200,13\r\n`);
  await second.client.expect(`${replies.noFreePort}\r\n`);
  const refused = await lab.event('command-refused', { reason: 'no-free-port' });
  const [port] = activePorts(1).split('-');
  assert.match(refused.detail ?? '', new RegExp(`\\b${port ?? ''}\\b`));
  assert.ok(lab.log.includes(refused.detail ?? 'no detail'));
  await exchange(second, 'NOOP', '200 Here.');
});

test('lets a client name a host of fxp-peers, and still no port below 1024', async (t) => {
  const lab = await Lab.start(t, { 'fxp-peers': `${hosts.other}/32` });
  const pair = await lab.login();
  pair.client.send(`PORT ${comma(hosts.other)},0,21\r\n`);
  await pair.client.expect(`${illegalPort}\r\n`);
  pair.client.send(`PORT ${comma(hosts.stranger)},200,13\r\n`);
  await pair.client.expect(`${illegalPort}\r\n`);
  const third = await lab.listen(hosts.other);
  pair.client.send(`PORT ${hostPort(third.endpoint)}\r\n`);
  const told = announcedIn(await pair.server.line());
  pair.server.send('200 PORT command successful.\r\n');
  await pair.client.expect('200 PORT command successful.\r\n');
  const data = await lab.dial(told, hosts.server);
  data.end('to the third host');
  assert.equal(await (await third.next()).rest(), 'to the third host');
});

test('tells the server the inside-address', async (t) => {
  const lab = await Lab.start(t, { 'inside-address': '192.0.2.7' });
  const { client, server } = await lab.login();
  client.send(`PORT ${comma(hosts.client)},200,13\r\n`);
  const { at } = await lab.event('pinhole-opened');
  assert.equal(await server.line(), `PORT 192,0,2,7,${at.port >> 8},${at.port & 255}\r\n`);
  assert.equal(at.address, server.remote.address);
});

test('refuses PORT, PASV and EPRT after EPSV ALL, and lets EPSV through', async (t) => {
  const lab = await Lab.start(t);
  const pair = await lab.login();
  await exchange(pair, 'EPSV ALL', '200 EPSV ALL ok.');
  for (const command of [`PORT ${client},200,13`, 'PASV', `EPRT |1|${hosts.client}|51213|`]) {
    pair.client.send(`${command}\r\n`);
    await pair.client.expect(`${replies.afterEpsvAll(command.slice(0, 4))}\r\n`);
  }
  assert.equal(lab.eventsOf('command-refused', { reason: 'epsv-all' }).length, 3);
  const { at, behind } = await lab.passive(pair, 'EPSV');
  const data = await lab.dial(at);
  (await behind.next()).send('data');
  await data.expect('data');
});

test('an EPSV ALL that the server refuses changes nothing', async (t) => {
  const lab = await Lab.start(t);
  const pair = await lab.login();
  await exchange(pair, 'EPSV ALL', '500 Unknown.');
  await lab.passive(pair);
});
