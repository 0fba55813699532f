/** A client that names a host or a port in PORT or EPRT that is not its own (RFC 2577 section 3). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatHostPort } from '../../src/ftp/host-port.ts';
import { replies } from '../../src/helper/replies.ts';
import type { Address } from '../../src/net/address.ts';
import { address, hosts } from '../support/relay/hosts.ts';
import { exchange, Lab } from '../support/relay/lab.ts';

const illegal = { PORT: replies.notDialled('PORT'), EPRT: replies.notDialled('EPRT') } as const;
const port = (host: Address, number: number): string =>
  `PORT ${formatHostPort({ address: host, port: number })}`;
const eprt = (host: string, number: number): string => `EPRT |1|${host}|${number}|`;

/** Each of these gets its answer from the relay; the NOOP behind it shows that the server has heard of none. */
async function isRefused(
  lab: Lab,
  pair: Awaited<ReturnType<Lab['login']>>,
  command: string,
  reply: string,
): Promise<void> {
  pair.client.send(`${command}\r\n`);
  const line = await pair.client.line();
  assert.ok(line.startsWith(reply), `${command}: ${line}`);
  await exchange(pair, 'NOOP', '200 Here.');
  assert.deepEqual(lab.eventsOf('pinhole-opened'), [], command);
}

for (const [whose, host] of [
  ["another host's", hosts.other],
  ["the server's", hosts.server],
  ["the relay's own", hosts.relay],
  ["this host's, 127.0.0.1,", address('127.0.0.1')],
  ['a private', address('10.0.0.1')],
  ["nobody's, 0.0.0.0,", '0.0.0.0' as Address],
  ["everybody's, 255.255.255.255,", '255.255.255.255' as Address],
] as const) {
  test(`refuses PORT and EPRT with ${whose} address, and the server hears of neither`, async (t) => {
    const lab = await Lab.start(t);
    const pair = await lab.login();
    const listener = host === hosts.other ? await lab.listen(host) : undefined;
    const number = listener?.endpoint.port ?? 50_000;
    await isRefused(lab, pair, port(host, number), illegal.PORT);
    await isRefused(lab, pair, eprt(host, number), illegal.EPRT);
    assert.equal(listener?.count ?? 0, 0);
    assert.equal(lab.eventsOf('command-refused', { reason: 'not-the-peer' }).length, 2);
  });
}

test('refuses ports below 1024 and those of deny-ports, though the address is right', async (t) => {
  const lab = await Lab.start(t);
  const pair = await lab.login();
  for (const number of [1, 22, 25, 80, 1023]) {
    await isRefused(lab, pair, port(hosts.client, number), illegal.PORT);
    await isRefused(lab, pair, eprt(hosts.client, number), illegal.EPRT);
  }
  for (const number of [2049, 3306, 3389, 5060, 5432, 6000, 6063, 6379]) {
    await isRefused(lab, pair, port(hosts.client, number), illegal.PORT);
    await isRefused(lab, pair, eprt(hosts.client, number), illegal.EPRT);
  }
  assert.equal(lab.eventsOf('command-refused', { reason: 'port-below-1024' }).length, 10);
  assert.equal(lab.eventsOf('command-refused', { reason: 'denied-port' }).length, 16);
});

test('lets no number wrap: those above 255 and ports above 65535 are refused', async (t) => {
  const lab = await Lab.start(t);
  const pair = await lab.login();
  const own = hosts.client.replaceAll('.', ',');
  for (const numbers of [
    // As a byte each: 22 of a host that is the client.
    `${own},256,22`,
    `${own},0,65558`,
    `${own},256,278`,
    `${own},-1,80`,
    `${own},0,0`,
    `${own.replace(/^127/, '383')},195,80`,
    `${own},195`,
    `${own},195,80,1`,
    `${own},0xc3,80`,
    `${own},+195,80`,
    `${own.replaceAll(',', '.')},195,80`,
  ]) {
    await isRefused(lab, pair, `PORT ${numbers}`, '501 Illegal PORT command');
  }
  for (const number of ['0', '65536', '65558', '4294967318', '-1', '0x1f90', '1e4', '']) {
    await isRefused(lab, pair, `EPRT |1|${hosts.client}|${number}|`, '501 Illegal EPRT command');
  }
});

test('reads an EPRT to the letter: no other family, name, form of an address, or delimiters of two kinds', async (t) => {
  const lab = await Lab.start(t);
  const pair = await lab.login();
  for (const [argument, code] of [
    ['|2|::1|50000|', '522'],
    [`|2|::ffff:${hosts.client}|50000|`, '522'],
    [`|2|${hosts.client}|50000|`, '501'],
    [`|1|::ffff:${hosts.client}|50000|`, '501'],
    ['|3|x|50000|', '522'],
    ['|1|localhost|50000|', '501'],
    ['|1|2130706433|50000|', '501'],
    ['|1|0x7f.0.0.1|50000|', '501'],
    ['|1|127.1|50000|', '501'],
    [`|1|${hosts.client}|50000`, '501'],
    [`|1|${hosts.client}|50000|22|`, '501'],
    [`|1!${hosts.client}|50000!`, '501'],
    [`111${hosts.client}1500001`, '501'],
  ] as const) {
    await isRefused(lab, pair, `EPRT ${argument}`, code);
  }
});
