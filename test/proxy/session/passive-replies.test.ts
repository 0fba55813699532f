import assert from 'node:assert/strict';
import { test } from 'node:test';
import { replies } from '../../../src/helper/replies.ts';
import { hostPort, hosts, passivePorts } from '../../support/relay/hosts.ts';
import { announcedIn, exchange, Lab } from '../../support/relay/lab.ts';

const server = hosts.server.replaceAll('.', ',');

/** The client is told what the server said, with each `@` where the server named an endpoint of its own. */
function rewrites(name: string, verb: 'PASV' | 'EPSV', reply: string): void {
  test(`rewrites ${name}`, async (t) => {
    const lab = await Lab.start(t);
    const pair = await lab.login();
    const behind = await lab.listen(hosts.server);
    pair.client.send(`${verb}\r\n`);
    await pair.server.expect(`${verb}\r\n`);
    const hasHost = reply.startsWith('227');
    const theirs = hasHost ? hostPort(behind.endpoint) : String(behind.endpoint.port);
    pair.server.send(reply.replaceAll('@', theirs));
    const { at, to } = await lab.event('pinhole-opened', { mode: 'passive', command: verb });
    const ours = hasHost ? hostPort(at) : String(at.port);
    assert.equal(await pair.client.segment(), reply.replaceAll('@', ours));
    assert.equal(at.address, hosts.relay);
    assert.deepEqual(to, behind.endpoint);
    const data = await lab.dial(at);
    (await behind.next()).end('through');
    assert.equal(await data.rest(), 'through');
  });
}

rewrites('a 227 of the usual form', 'PASV', '227 Entering Passive Mode (@).\r\n');
rewrites('a 227 without parentheses', 'PASV', '227 Entering Passive Mode. @\r\n');
rewrites('a 227 with =', 'PASV', '227 Entering Passive Mode =@\r\n');
rewrites('a 227 with brackets', 'PASV', '227 Entering Passive Mode [@]\r\n');
rewrites('a 227 with other digits and parentheses before', 'PASV', '227 Mode 2 (of 3) on 1,2 ports (@)\r\n');
rewrites('a 227 that ends in LF alone', 'PASV', '227 Entering Passive Mode (@).\n');
rewrites('a 227 in bytes of no encoding', 'PASV', '227 \xc4\xe3\xff (@)\r\n');
rewrites(
  'a 227- of several lines, with the numbers on the last',
  'PASV',
  '227-Entering\r\n some mode\r\n227 (@)\r\n',
);
rewrites(
  'a 227- of several lines, with the numbers on a line between',
  'PASV',
  '227-Entering\r\n (@)\r\n227 Done\r\n',
);
rewrites(
  'each of several endpoints in a 227-',
  'PASV',
  '227-Entering (@)\r\n227-or @ it is\r\n227 (@) and (@)\r\n',
);
rewrites('a 229 of the usual form', 'EPSV', '229 Entering Extended Passive Mode (|||@|)\r\n');
rewrites('a 229 whose delimiter is !', 'EPSV', '229 Entering Extended Passive Mode (!!!@!)\r\n');
rewrites('a 229 whose delimiter is a comma', 'EPSV', '229 Entering Extended Passive Mode (,,,@,)\r\n');
rewrites('a 229 whose delimiter is a letter', 'EPSV', '229 Entering Extended Passive Mode (xxx@x)\r\n');
rewrites('a 229 without parentheses', 'EPSV', '229 Entering Extended Passive Mode |||@|\r\n');
rewrites('a 229 with other parentheses before', 'EPSV', '229 Entering (extended) mode (|||@|)\r\n');
rewrites('a 229 with its fields filled', 'EPSV', '229 Extended Passive Mode OK (|1|127.0.0.1|@|)\r\n');
rewrites('a 229- of several lines', 'EPSV', '229-Entering\r\n(|||@|)\r\n229 Done\r\n');
rewrites('a 229 in answer to a PASV', 'PASV', '229 Entering Extended Passive Mode (|||@|)\r\n');
rewrites('a 227 in answer to an EPSV', 'EPSV', '227 Entering Passive Mode (@).\r\n');

test('reads blanks around the commas and leading zeros as decimal', async (t) => {
  const lab = await Lab.start(t);
  const { client, server } = await lab.login();
  const octets = hosts.server.split('.').map((octet) => octet.padStart(3, '0'));
  client.send('PASV\r\n');
  await server.expect('PASV\r\n');
  server.send(`227 Entering Passive Mode (${octets.join(' , ')}, 078 ,010).\r\n`);
  const { at, to } = await lab.event('pinhole-opened');
  assert.deepEqual(to, { address: hosts.server, port: 78 * 256 + 10 });
  await client.expect(`227 Entering Passive Mode (${hostPort(at)}).\r\n`);
});

/** What goes on as it came, to the byte, and opens nothing. */
function passes(name: string, command: string, reply: string): void {
  test(`passes on ${name}, and opens nothing`, async (t) => {
    const lab = await Lab.start(t);
    const pair = await lab.login();
    await exchange(pair, command, reply.slice(0, -2));
    // The queue of exchanges is in step: the next PASV gets its own pinhole.
    assert.deepEqual(lab.eventsOf('pinhole-opened'), []);
    await lab.passive(pair);
    assert.equal(lab.eventsOf('pinhole-opened').length, 1);
  });
}

const good = `227 Entering Passive Mode (${server},200,13).`;
passes('a 227 in answer to another command', 'NOOP', `${good}\r\n`);
passes(
  'a 227 inside a multi-line reply of another command',
  'FEAT',
  `211-Features\r\n${good}\r\n211 End\r\n`,
);
passes('a 227 at the end of another multi-line reply', 'HELP', `214-Help\r\n214-${good}\r\n214 ${good}\r\n`);
passes('a 227 echoed in an error text', 'RETR x', `550 ${good}\r\n: no such file.\r\n`.replace('\r\n:', ':'));
passes('a 227 that a file name says', 'STAT .', `213-Status:\r\n${good}\r\n 229 (|||5000|)\r\n213 End\r\n`);
passes('an error in answer to a PASV that echoes a 227', 'PASV', `500-${good}\r\n500 ${good}\r\n`);

/** A reply to a PASV or EPSV that no client can use. */
function passesUnusable(name: string, verb: string, reply: string): void {
  passes(name, verb, `${reply}\r\n`);
  test(`logs ${name}`, async (t) => {
    const lab = await Lab.start(t);
    await exchange(await lab.login(), verb, reply);
    assert.equal(lab.eventsOf('reply-remarked', { reason: 'unusable-announcement' }).length, 1);
    assert.match(lab.log, /"level":"warn".*"reason":"unusable-announcement"/);
  });
}

passesUnusable('a 227 with an octet of 256', 'PASV', `227 Entering Passive Mode (256,0,0,2,200,13).`);
passesUnusable('a 227 with a port byte of 256', 'PASV', `227 Entering Passive Mode (${server},256,13).`);
passesUnusable('a 227 with five numbers', 'PASV', `227 Entering Passive Mode (${server},200).`);
passesUnusable('a 227 with port 0', 'PASV', `227 Entering Passive Mode (${server},0,0).`);
passesUnusable('a 227 without numbers', 'PASV', '227 Entering Passive Mode.');
passesUnusable('a 229 with port 65536', 'EPSV', '229 Entering Extended Passive Mode (|||65536|)');
passesUnusable('a 229 with port 0', 'EPSV', '229 Entering Extended Passive Mode (|||0|)');
passesUnusable('a 229 with two numbers', 'EPSV', '229 Entering Extended Passive Mode (||!51213|2)');
passesUnusable('a 229 without a port', 'EPSV', '229 Entering Extended Passive Mode (||||)');

test('a 227 that nobody asked for goes on as it came, and opens nothing', async (t) => {
  const lab = await Lab.start(t);
  const pair = await lab.login();
  pair.server.send(`${good}\r\n`);
  await pair.client.expect(`${good}\r\n`);
  await lab.passive(pair);
  assert.equal(lab.eventsOf('pinhole-opened').length, 1);
});

test('a second 227 in answer to one PASV goes on as it came, and opens nothing', async (t) => {
  const lab = await Lab.start(t);
  const pair = await lab.login();
  await lab.passive(pair);
  pair.server.send(`${good}\r\n`);
  await pair.client.expect(`${good}\r\n`);
  await lab.passive(pair);
  assert.equal(lab.eventsOf('pinhole-opened').length, 2);
});

for (const [name, verb, reply] of [
  ['227', 'PASV', `227 Entering Passive Mode (${server},200,13).\r\n`],
  ['227 of several lines', 'PASV', `227-Entering\r\n here\r\n227 Passive Mode (${server},200,13).\r\n`],
  ['229', 'EPSV', '229 Entering Extended Passive Mode (|||51213|)\r\n'],
] as const) {
  test(`a ${name} that comes byte by byte leaves in one segment`, async (t) => {
    const lab = await Lab.start(t);
    const { client, server } = await lab.login();
    client.send(`${verb}\r\n`);
    await server.expect(`${verb}\r\n`);
    await server.sendByteByByte(reply);
    const { at } = await lab.event('pinhole-opened');
    const ours = reply.replace(/\d+(,\d+){5}/, hostPort(at)).replace('51213', String(at.port));
    assert.equal(await client.segment(), ours);
  });
}

test('never dials the address that a 227 names, and logs it once a session', async (t) => {
  const lab = await Lab.start(t);
  const pair = await lab.login();
  const decoy = await lab.listen(hosts.other);
  const { port } = decoy.endpoint;
  const behind = await lab.listen(hosts.server, port);
  for (const round of ['first', 'second']) {
    pair.client.send('PASV\r\n');
    await pair.server.expect('PASV\r\n');
    pair.server.send(`227 Entering Passive Mode (${hostPort(decoy.endpoint)}).\r\n`);
    const data = await lab.dial(announcedIn(await pair.client.line()));
    const inside = await behind.next();
    inside.end(round);
    assert.equal(await data.rest(), round);
    data.end();
    await inside.finished();
  }
  assert.equal(decoy.count, 0);
  assert.equal(lab.eventsOf('reply-remarked', { reason: 'foreign-address' }).length, 1);
  assert.equal(lab.log.match(/"reason":"foreign-address"/g)?.length, 1);
  // Once a session, not once for all.
  const other = await lab.login(hosts.other);
  other.client.send('PASV\r\n');
  await other.server.expect('PASV\r\n');
  other.server.send(`227 Entering Passive Mode (${hostPort(decoy.endpoint)}).\r\n`);
  await other.client.line();
  assert.equal(lab.eventsOf('reply-remarked', { reason: 'foreign-address' }).length, 2);
});

test('takes 0,0,0,0 in a 227 for the server, without a remark', async (t) => {
  const lab = await Lab.start(t);
  const { client, server } = await lab.login();
  client.send('PASV\r\n');
  await server.expect('PASV\r\n');
  server.send('227 Entering Passive Mode (0,0,0,0,200,13).\r\n');
  const { at, to } = await lab.event('pinhole-opened');
  await client.expect(`227 Entering Passive Mode (${hostPort(at)}).\r\n`);
  assert.deepEqual(to, { address: hosts.server, port: 51213 });
  assert.deepEqual(lab.eventsOf('reply-remarked'), []);
});

for (const verb of ['PASV', 'EPSV'] as const) {
  test(`answers ${verb} with 425 when no passive port is free, and names the range in the log`, async (t) => {
    const lab = await Lab.start(t, { 'passive-ports': passivePorts(1) });
    // Two sessions of one client: a port is leased to a client's address once.
    const first = await lab.login();
    const second = await lab.login();
    await lab.passive(first);
    second.client.send(`${verb}\r\n`);
    await second.server.expect(`${verb}\r\n`);
    second.server.send(
      verb === 'PASV' ? `${good}\r\n` : '229 Entering Extended Passive Mode (|||51213|)\r\n',
    );
    await second.client.expect(`${replies.noFreePort}\r\n`);
    const refused = await lab.event('command-refused', { reason: 'no-free-port' });
    const [port = ''] = passivePorts(1).split('-');
    assert.match(refused.detail ?? '', new RegExp(`\\b${port}\\b`));
    assert.ok(lab.log.includes(refused.detail ?? 'no detail'));
    await exchange(second, 'NOOP', '200 Here.');
    // Another client has the whole range for itself, and a port that is free again is leased again.
    await lab.passive(await lab.login(hosts.other));
    first.client.reset();
    await lab.event('pinhole-closed', { reason: 'session-closed' });
    await lab.passive(second);
  });
}
