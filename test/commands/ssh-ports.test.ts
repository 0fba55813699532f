import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sshPortsIn } from '../../src/commands/ssh-ports.ts';

const listing = [
  'LISTEN 0 128 0.0.0.0:2222 0.0.0.0:* users:(("systemd",pid=1,fd=90),("sshd",pid=812,fd=3))',
  'LISTEN 0 128 [::]:2222 [::]:* users:(("sshd",pid=812,fd=4))',
  'LISTEN 0 128 127.0.0.1:6010 0.0.0.0:* users:(("sshd",pid=900,fd=9))',
  'LISTEN 0 32 *:21 *:* users:(("vsftpd",pid=700,fd=3))',
].join('\n');

test('finds where sshd waits for other hosts, and not where it forwards for itself', () => {
  assert.deepEqual(sshPortsIn(listing, undefined), { ports: [2222], isSeen: true });
});

test('adds the port by which the present session came in', () => {
  assert.deepEqual(sshPortsIn(listing, '203.0.113.7 50022 10.0.0.1 22'), { ports: [22, 2222], isSeen: true });
  assert.deepEqual(sshPortsIn('', '2001:db8::1 50022 2001:db8::2 8022'), { ports: [8022], isSeen: true });
});

test('takes the usual port where nothing is seen', () => {
  assert.deepEqual(sshPortsIn('', undefined), { ports: [22], isSeen: false });
  assert.deepEqual(sshPortsIn('what is no listing', 'nor a session'), { ports: [22], isSeen: false });
});
