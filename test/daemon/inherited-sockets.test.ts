import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keptName, noSockets, readInheritedSockets } from '../../src/daemon/inherited-sockets.ts';
import { parseAddress } from '../../src/net/address.ts';

const read = (fds: string, names: string, pid = '7'): unknown =>
  readInheritedSockets({ LISTEN_PID: pid, LISTEN_FDS: fds, LISTEN_FDNAMES: names }, 7, (fd) => fd < 6);

test('takes the sockets of a service manager by their names', () => {
  assert.deepEqual(read('3', 'ftp:ftps:admin'), { ...noSockets, clear: [3], tls: [4], admin: 5 });
  assert.deepEqual(read('2', 'ftp:ftp'), { ...noSockets, clear: [3, 4] });
});

test('takes those that a process before it has had kept, each by its endpoint', () => {
  const names = ['0.0.0.0', '::', '2001:db8::1'].map((text) => {
    return keptName({ address: parseAddress(text) ?? assert.fail(), port: 21 });
  });
  assert.deepEqual(names, ['listen-21-0.0.0.0', 'listen-21-__', 'listen-21-2001_db8__1']);
  const kept = [
    { name: 'listen-21-0.0.0.0', fd: 3 },
    { name: 'listen-21-__', fd: 5 },
  ];
  assert.deepEqual(read('3', 'listen-21-0.0.0.0:admin:listen-21-__'), { ...noSockets, admin: 4, kept });
});

test('takes none that are for another process, or where there are none', () => {
  assert.deepEqual(read('3', 'ftp:ftps:admin', '8'), noSockets);
  assert.deepEqual(readInheritedSockets({}, 7), noSockets);
  assert.deepEqual(read('0', ''), noSockets);
});

test('refuses what is not as it is said to be', () => {
  assert.throws(() => read('x', 'ftp'), /^Error: LISTEN_FDS is x; allowed: a number of sockets$/);
  assert.throws(() => read('2', 'ftp'), /2 sockets with 1 names/);
  assert.throws(() => read('1', 'pinhole.socket'), /pinhole\.socket of the service manager is for nothing/);
  assert.throws(() => read('2', 'admin:admin'), /2 admin sockets; allowed: one/);
  assert.throws(
    () => read('4', 'ftp:ftp:ftp:ftp'),
    /descriptor 6 \(ftp\) of the service manager is no socket/,
  );
});

test('looks whether a descriptor is a socket', () => {
  const env = { LISTEN_PID: '7', LISTEN_FDS: '1', LISTEN_FDNAMES: 'ftp' };
  // Whatever it is in this process: it is looked at.
  const read = (): unknown => readInheritedSockets(env, 7);
  try {
    assert.deepEqual(read(), { ...noSockets, clear: [3] });
  } catch (error) {
    assert.match(String(error), /descriptor 3 \(ftp\) of the service manager is no socket/);
  }
});
