/**
 * Programs of others that are made to connect here and to say, within their own protocol, what opens a port of their host
 * (NAT slipstreaming): browsers by HTTP, TLS and TURN, phones by SIP, mail servers by SMTP.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { replies } from '../../src/helper/replies.ts';
import { hostPort, hosts } from '../support/relay/hosts.ts';
import { Lab } from '../support/relay/lab.ts';
import { clientHello } from '../support/relay/tls-lab.ts';

/** What the attacker's page, or its TURN user name, makes them say. */
const ftp = `USER anonymous\r\nPASS x\r\nPORT ${hostPort({ address: hosts.client, port: 50_000 })}\r\nPASV\r\n`;

/** STUN's Allocate request (RFC 8656): length and cookie, then a USERNAME with whatever text. */
const turn = Buffer.concat([
  Buffer.of(0, 3, 0, ftp.length + 4, 0x21, 0x12, 0xa4, 0x42),
  Buffer.alloc(12, 7),
  Buffer.of(0, 6, 0, ftp.length),
]).toString('latin1');

for (const [what, first, reason, reply] of [
  ['a POST of a browser', 'POST / HTTP/1.1\r\nHost: x\r\n\r\n', 'http', `${replies.http}\r\n`],
  ['a GET of a browser', `GET /${'x'.repeat(3000)} HTTP/1.1\r\n`, 'http', `${replies.http}\r\n`],
  ['a PROPFIND of WebDAV', 'PROPFIND / HTTP/1.1\r\n\r\n', 'http', `${replies.http}\r\n`],
  ['HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'http', `${replies.http}\r\n`],
  ['a REGISTER of SIP', 'REGISTER sip:x SIP/2.0\r\n', 'not-ftp', undefined],
  ['an INVITE of SIP', 'INVITE sip:x@y SIP/2.0\r\n', 'not-ftp', undefined],
  ['an EHLO of SMTP', 'EHLO x\r\n', 'not-ftp', undefined],
  ['the version of SSH', 'SSH-2.0-OpenSSH_9.2\r\n', 'not-ftp', undefined],
  ['TURN', turn, 'not-ftp', undefined],
  ['SOCKS', '\x05\x01\x00', 'not-ftp', undefined],
  ['a TLS record', clientHello().toString('latin1'), 'tls-on-clear-port', ''],
] as const) {
  test(`ends a session that begins with ${what}, and opens nothing for the FTP behind it`, async (t) => {
    const lab = await Lab.start(t);
    const { client, server } = await lab.connect();
    // It would take all of it.
    server.send('220 Ready.\r\n331 Password?\r\n230 Welcome.\r\n200 Ok.\r\n');
    await client.expect('220 Ready.\r\n');
    client.send(first + ftp);
    const said = await client.rest();
    const expected = reply ?? `${replies.notFtp}\r\n`;
    assert.ok(said.endsWith(expected), said);
    assert.equal(await server.rest(), '');
    client.end();
    server.end();
    await lab.event('session-closed', { reason });
    assert.deepEqual(lab.eventsOf('pinhole-opened'), []);
  });
}

test('ends a session that begins with a line of HTTP in pieces, whose method and length hide what it is', async (t) => {
  const lab = await Lab.start(t);
  const { client, server } = await lab.connect();
  server.send('220 Ready.\r\n331 Password?\r\n230 Welcome.\r\n200 Ok.\r\n');
  await client.expect('220 Ready.\r\n');
  await client.sendApart(`NOOP /${'x'.repeat(9000)}`, `${'x'.repeat(9000)} HTTP/1.1\r\nHost: x\r\n\r\n`, ftp);
  const said = await client.rest();
  assert.ok(said.endsWith(`${replies.notFtp}\r\n`), said);
  assert.equal(await server.rest(), '');
  client.end();
  server.end();
  await lab.event('session-closed', { reason: 'not-ftp' });
  assert.deepEqual(lab.eventsOf('pinhole-opened'), []);
});
