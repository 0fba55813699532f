import assert from 'node:assert/strict';
import { fstatSync } from 'node:fs';
import { connect, createServer, Server, type AddressInfo, type Socket } from 'node:net';
import { once } from 'node:events';
import { test } from 'node:test';
import { keptName, noSockets } from '../../src/daemon/inherited-sockets.ts';
import { Listeners } from '../../src/daemon/listeners.ts';
import { loadLibc } from '../../src/linux/libc.ts';
import { parseAddress } from '../../src/net/address.ts';
import { descriptorOf } from '../../src/node-internals/descriptor.ts';

/** A socket that another process has bound. */
async function boundSocket(): Promise<{ readonly fd: number; readonly port: number }> {
  const bound = createServer().listen(0, '127.0.0.1');
  await once(bound, 'listening');
  const { port } = bound.address() as AddressInfo;
  const { dup } = await loadLibc('the test', ['dup']);
  const fd = dup(descriptorOf(bound) ?? assert.fail('no descriptor'));
  bound.close();
  return { fd, port };
}

test('listens on sockets that are bound already, and not where the settings say then', async (t) => {
  const { fd, port } = await boundSocket();
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

test('takes what was kept where the settings want it, and has its own kept, as long as they are wanted', async (t) => {
  const [wanted, other] = [await boundSocket(), await boundSocket()];
  const address = parseAddress('127.0.0.1') ?? assert.fail();
  const nameOf = (port: number): string => keptName({ address, port });
  const told: string[] = [];
  const keeper = {
    keep: (name: string, fd: number) => {
      assert.ok(fstatSync(fd).isSocket());
      told.push(`keep ${name}`);
    },
    forget: (name: string, fd: number | undefined) => {
      assert.ok(fstatSync(fd ?? assert.fail()).isSocket());
      told.push(`forget ${name}`);
    },
  };
  const { dup } = await loadLibc('the test', ['dup']);
  // A service manager may have the same twice.
  const twice = dup(wanted.fd);
  const sockets = [wanted, other, { fd: twice, port: wanted.port }];
  const kept = sockets.map(({ fd, port }) => ({ name: nameOf(port), fd }));
  const accept = (socket: Socket): void => void socket.destroy();
  const listeners = new Listeners(accept, { ...noSockets, kept }, keeper);
  t.after(() => {
    listeners.close();
  });
  // Before the first configuration somebody waits there.
  const early = connect(wanted.port, '127.0.0.1').resume();
  await once(early, 'connect');
  const inClear = { address, port: wanted.port };
  await listeners.configure({ listen: [inClear], listenTls: [] });
  await once(early, 'close');
  assert.deepEqual(told.splice(0), [`forget ${nameOf(other.port)}`]);
  assert.throws(() => fstatSync(twice), { code: 'EBADF' });
  await assert.rejects(once(connect(other.port, '127.0.0.1'), 'connect'), { code: 'ECONNREFUSED' });
  await listeners.configure({ listen: [inClear], listenTls: [{ address, port: other.port }] });
  assert.deepEqual(told.splice(0), [`keep ${nameOf(other.port)}`]);
  await listeners.configure({ listen: [inClear], listenTls: [] });
  assert.deepEqual(told.splice(0), [`forget ${nameOf(other.port)}`]);
  const late = listeners.configure({ listen: [inClear], listenTls: [{ address, port: other.port }] });
  listeners.forget();
  await assert.rejects(late, { message: 'the relay is stopping' });
  assert.deepEqual(told.splice(0), [`forget ${nameOf(wanted.port)}`]);
  assert.deepEqual(listeners.endpoints, []);
});

test('binds anew where what was kept is no good any more, as when its interface was replaced', async (t) => {
  const [at, elsewhere] = [await boundSocket(), await boundSocket()];
  const address = parseAddress('127.0.0.1') ?? assert.fail();
  const { close } = await loadLibc('the test', ['close']);
  // Free again.
  close(at.fd);
  const free = await boundSocket();
  close(free.fd);
  const wanted = [at, free].map(({ port }) => ({ address, port }));
  const [first, second] = wanted.map(keptName);
  const kept = [
    { name: first ?? '', fd: elsewhere.fd },
    { name: second ?? '', fd: 9999 },
  ];
  const told: string[] = [];
  const keeper = {
    keep: (name: string) => void told.push(`keep ${name}`),
    forget: (name: string, fd?: number) => void told.push(`forget ${name} ${fd !== undefined}`),
  };
  const listeners = new Listeners((socket) => socket.destroy(), { ...noSockets, kept }, keeper);
  t.after(() => {
    listeners.close();
  });
  await listeners.configure({ listen: wanted, listenTls: [] });
  assert.deepEqual(listeners.endpoints, wanted);
  assert.deepEqual(told, [
    ...[`forget ${first} true`, `forget ${second} false`],
    ...[`keep ${first}`, `keep ${second}`],
  ]);
  await assert.rejects(once(connect(elsewhere.port, '127.0.0.1'), 'connect'), { code: 'ECONNREFUSED' });
});

test('an address that the system cannot tell any more is an error, and no end of the process', async (t) => {
  const { fd } = await boundSocket();
  t.mock.method(Server.prototype, 'address', () => {
    throw new Error('ENXIO');
  });
  const listeners = new Listeners(() => undefined, { ...noSockets, clear: [fd] });
  await assert.rejects(listeners.configure({ listen: [], listenTls: [] }), { message: /ENXIO/ });
});

test('waits for a port that is kept under another address until whoever keeps it has closed it', async (t) => {
  const { fd, port } = await boundSocket();
  const { dup, close } = await loadLibc('the test', ['dup', 'close']);
  const ofManager = dup(fd);
  const kept = [{ name: keptName({ address: parseAddress('0.0.0.0') ?? assert.fail(), port }), fd }];
  const keeper = {
    keep: () => undefined,
    forget: () => void setTimeout(() => close(ofManager), 100),
  };
  const listeners = new Listeners((socket) => socket.destroy(), { ...noSockets, kept }, keeper);
  t.after(() => {
    listeners.close();
  });
  const address = parseAddress('127.0.0.1') ?? assert.fail();
  await listeners.configure({ listen: [{ address, port }], listenTls: [] });
  assert.deepEqual(listeners.endpoints, [{ address, port }]);
  const all = { address: parseAddress('0.0.0.0'), port };
  await assert.rejects(listeners.configure({ listen: [all], listenTls: [] }), {
    message: `listen 0.0.0.0:${port}: Pinhole itself listens at 127.0.0.1:${port}: that takes a restart`,
  });
  // From then on only others can be in the way.
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  const taken = { address, port: (other.address() as AddressInfo).port };
  // Who waits has the port then.
  const closing = setTimeout(() => other.close(), 2500);
  await assert.rejects(listeners.configure({ listen: [taken], listenTls: [] }), /another process is using/);
  clearTimeout(closing);
  other.close();
});
