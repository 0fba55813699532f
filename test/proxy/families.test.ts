import assert from 'node:assert/strict';
import { networkInterfaces } from 'node:os';
import { test } from 'node:test';
import { replies } from '../../src/helper/replies.ts';
import { address, hostPort, hosts } from '../support/relay/hosts.ts';
import { announcedIn, exchange, Lab } from '../support/relay/lab.ts';

const six = '::1';
const loopback = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
const without = loopback.some((each) => each.address === six) ? false : 'this host has no ::1';
if (without !== false && process.env['CI'] === 'true') throw new Error(without);
const options = { skip: without };

test('IPv6 on both sides: EPSV', options, async (t) => {
  const lab = await Lab.start(t, { listen: '[::1]:0' }, six);
  const { at, behind } = await lab.passive(await lab.login(six), 'EPSV');
  assert.equal(at.address, six);
  const data = await lab.dial(at, six);
  (await behind.next()).end('six to six');
  assert.equal(await data.rest(), 'six to six');
});

test('IPv6 on both sides: EPRT, and the address is written compressed', options, async (t) => {
  const lab = await Lab.start(t, { listen: '[::1]:0' }, six);
  const { client, server } = await lab.login(six);
  const listener = await lab.listen(six);
  client.send(`EPRT |2|0:0:0:0:0:0:0:1|${listener.endpoint.port}|\r\n`);
  const line = await server.line();
  const { at } = await lab.event('pinhole-opened', { command: 'EPRT' });
  assert.equal(line, `EPRT |2|::1|${at.port}|\r\n`);
  server.send('200 EPRT ok.\r\n');
  await client.expect('200 EPRT ok.\r\n');
  const data = await lab.dial(at, six);
  data.end('six to six');
  assert.equal(await (await listener.next()).rest(), 'six to six');
});

test('an IPv6 client gets 522 for an EPRT of IPv4, and 500 for a PORT', options, async (t) => {
  const lab = await Lab.start(t, { listen: '[::1]:0' }, six);
  const pair = await lab.login(six);
  pair.client.send('EPRT |1|127.0.0.1|51213|\r\n');
  await pair.client.expect(`${replies.protocolNotServed('2')}\r\n`);
  pair.client.send('PORT 127,0,0,1,200,13\r\n');
  await pair.client.expect(`${replies.notDialled('PORT')}\r\n`);
  await exchange(pair, 'NOOP', '200 Here.');
});

test('an IPv6 client of an IPv4 server: EPSV', options, async (t) => {
  const lab = await Lab.start(t, { listen: '[::1]:0' });
  const { at, behind } = await lab.passive(await lab.login(six), 'EPSV');
  const data = await lab.dial(at, six);
  const server = await behind.next();
  assert.equal(server.local.address, hosts.server);
  server.end('four to six');
  assert.equal(await data.rest(), 'four to six');
});

test('an IPv6 client of an IPv4 server: EPRT goes on with an IPv4 address', options, async (t) => {
  const lab = await Lab.start(t, { listen: '[::1]:0' });
  const { client, server } = await lab.login(six);
  const listener = await lab.listen(six);
  client.send(`EPRT |2|::1|${listener.endpoint.port}|\r\n`);
  const line = await server.line();
  const { at } = await lab.event('pinhole-opened', { command: 'EPRT' });
  assert.equal(line, `EPRT |1|${at.address}|${at.port}|\r\n`);
  assert.equal(at.address, server.remote.address);
  server.send('200 EPRT ok.\r\n');
  await client.expect('200 EPRT ok.\r\n');
  const data = await lab.dial(at, hosts.server);
  data.end('four to six');
  assert.equal(await (await listener.next()).rest(), 'four to six');
});

test('an IPv6 client that says PASV gets a 227 whose port is right', options, async (t) => {
  const lab = await Lab.start(t, { listen: '[::1]:0' });
  const { client, server } = await lab.login(six);
  const behind = await lab.listen(hosts.server);
  client.send('PASV\r\n');
  await server.expect('PASV\r\n');
  server.send(`227 Entering Passive Mode (${hostPort(behind.endpoint)}).\r\n`);
  const { at } = await lab.event('pinhole-opened');
  assert.equal(at.address, six);
  assert.equal(await client.line(), `227 Entering Passive Mode (${hostPort(at)}).\r\n`);
  const data = await lab.dial(at, six);
  (await behind.next()).end('four to six');
  assert.equal(await data.rest(), 'four to six');
});

test('an IPv4 client of an IPv6 server: EPSV', options, async (t) => {
  const lab = await Lab.start(t, {}, six);
  const { at, behind } = await lab.passive(await lab.login(), 'EPSV');
  assert.equal(at.address, hosts.relay);
  const data = await lab.dial(at);
  (await behind.next()).end('six to four');
  assert.equal(await data.rest(), 'six to four');
});

test('an IPv4 client of an IPv6 server: PORT becomes EPRT', options, async (t) => {
  const lab = await Lab.start(t, {}, six);
  const { client, server } = await lab.login();
  const listener = await lab.listen(hosts.client);
  client.send(`PORT ${hostPort(listener.endpoint)}\r\nSTOR file\r\n`);
  const line = await server.line();
  const { at } = await lab.event('pinhole-opened', { command: 'PORT' });
  assert.equal(line, `EPRT |2|::1|${at.port}|\r\n`);
  server.send('200 EPRT ok.\r\n');
  await client.expect('200 EPRT ok.\r\n');
  await server.expect('STOR file\r\n');
  const data = await lab.dial(at, six);
  data.end('six to four');
  assert.equal(await (await listener.next()).rest(), 'six to four');
});

test('an IPv4 client of an IPv6 server that answers PASV with 0,0,0,0', options, async (t) => {
  const lab = await Lab.start(t, {}, six);
  const { client, server } = await lab.login();
  const behind = await lab.listen(six);
  const { port } = behind.endpoint;
  client.send('PASV\r\n');
  await server.expect('PASV\r\n');
  server.send(`227 Entering Passive Mode (${hostPort({ address: address('0.0.0.0'), port })}).\r\n`);
  const at = announcedIn(await client.line());
  assert.equal(at.address, hosts.relay);
  const data = await lab.dial(at);
  (await behind.next()).end('six to four');
  assert.equal(await data.rest(), 'six to four');
});

test('public-address6 is for IPv6 clients alone', options, async (t) => {
  const lab = await Lab.start(t, { 'public-address6': '2001:db8::1' });
  const { at } = await lab.passive(await lab.login());
  assert.equal(at.address, hosts.relay);
});
