import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Lab } from '../../support/relay/lab.ts';
import { clientHello, terminating } from '../../support/relay/tls-lab.ts';

for (const mode of ['refuse', 'terminate'] as const) {
  test(`a TLS handshake on a clear port ends the session without a word, and one warning says what to set, tls ${mode}`, async (t) => {
    const lab = await Lab.start(t, mode === 'refuse' ? {} : terminating(t));
    const { client, server } = await lab.connect();
    server.send('220 Ready.\r\n');
    await client.expect('220 Ready.\r\n');
    const hello = clientHello();
    hello.fill('\n\0', 20);
    await client.sendApart(hello.toString('latin1', 0, 1), hello.toString('latin1', 1));
    await client.finished();
    await server.finished();
    server.end();
    client.end();
    const { error } = await lab.event('session-closed', { reason: 'tls-on-clear-port' });
    assert.match(error ?? '', /AUTH TLS.*listen-tls/);
    assert.deepEqual(lab.eventsOf('command-refused'), []);
    assert.deepEqual(lab.eventsOf('command'), []);
    assert.match(lab.log, /"level":"warn"[^\n]*"tls-on-clear-port"/);
  });
}
