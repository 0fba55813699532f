/** A server, or who speaks for it, that names a port of another service: the client would get to that one through us. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { replies } from '../../src/helper/replies.ts';
import { hosts } from '../support/relay/hosts.ts';
import { exchange, Lab, type ControlPair } from '../support/relay/lab.ts';

async function asks({ client, server }: ControlPair, verb: 'PASV' | 'EPSV', port: number): Promise<string> {
  client.send(`${verb}\r\n`);
  await server.expect(`${verb}\r\n`);
  const numbers = `${hosts.server.replaceAll('.', ',')},${port >> 8},${port & 255}`;
  server.send(verb === 'PASV' ? `227 Passive (${numbers})\r\n` : `229 Passive (|||${port}|)\r\n`);
  return client.line();
}

for (const verb of ['PASV', 'EPSV'] as const) {
  test(`answers 425 where ${verb} is answered with a port below 1024 or one of deny-ports`, async (t) => {
    const lab = await Lab.start(t);
    const pair = await lab.login();
    const ports = [21, 22, 25, 80, 443, 1023, 2049, 3306, 5432, 6000, 6379];
    for (const port of ports) {
      assert.equal(await asks(pair, verb, port), `${replies.serverPortNotAllowed}\r\n`);
      await exchange(pair, 'NOOP', '200 Here.');
    }
    assert.equal(lab.eventsOf('reply-remarked', { reason: 'forbidden-port' }).length, ports.length);
    assert.deepEqual(lab.eventsOf('pinhole-opened'), []);
  });

  test(`answers 425 where ${verb} is answered with a port outside server-passive-ports`, async (t) => {
    const lab = await Lab.start(t, { 'server-passive-ports': '30000-30009' });
    const pair = await lab.login();
    for (const port of [22, 8080, 29_999, 30_010]) {
      assert.match(await asks(pair, verb, port), /^425 /);
    }
    assert.deepEqual(lab.eventsOf('pinhole-opened'), []);
    assert.match(await asks(pair, verb, 30_009), /^22[79] /);
    assert.equal(lab.eventsOf('pinhole-opened').length, 1);
  });
}
