import assert from 'node:assert/strict';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { once } from 'node:events';
import { test } from 'node:test';
import { noSockets } from '../../src/daemon/inherited-sockets.ts';
import { Listeners } from '../../src/daemon/listeners.ts';
import { loadLibc } from '../../src/linux/libc.ts';
import { descriptorOf } from '../../src/node-internals/descriptor.ts';

test('listens on sockets that are bound already, and not where the settings say then', async (t) => {
  const bound = createServer().listen(0, '127.0.0.1');
  await once(bound, 'listening');
  const { port } = bound.address() as AddressInfo;
  const { dup } = await loadLibc('the test', ['dup']);
  const fd = dup(descriptorOf(bound) ?? assert.fail('no descriptor'));
  bound.close();
  const accepted: boolean[] = [];
  const listeners = new Listeners(
    (socket: Socket, isImplicit) => {
      accepted.push(isImplicit);
      socket.destroy();
    },
    { ...noSockets, tls: [fd] },
  );
  t.after(() => {
    listeners.close();
  });
  const settings = { listen: [], listenTls: [{ address: undefined, port: 1 }] };
  await listeners.configure(settings);
  await listeners.configure(settings);
  assert.deepEqual(
    listeners.endpoints.map((endpoint) => endpoint.port),
    [port],
  );
  await once(connect(port, '127.0.0.1').resume(), 'close');
  assert.deepEqual(accepted, [true]);
});

test('names a descriptor that nobody can listen on', async () => {
  const listeners = new Listeners(() => undefined, { ...noSockets, clear: [9999] });
  await assert.rejects(listeners.configure({ listen: [], listenTls: [] }), {
    message: /^descriptor 9999 of the service manager: /,
  });
});
