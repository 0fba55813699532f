import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { holderOfPort, listenersAt } from '../../src/linux/port-holder.ts';

test('reads the listening sockets at a port from the tables of the kernel', () => {
  const table = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:0015 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 53210 1 0000000000000000 100 0 0 10 0
   1: 0100007F:0015 0100007F:C001 01 00000000:00000000 00:00000000 00000000     0        0 53211 1 0000000000000000 20 0 0 10 -1
   2: 00000000000000000000000000000000:0016 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 53212 1
`;
  assert.deepEqual(listenersAt(table, 21), ['53210']);
  assert.deepEqual(listenersAt(table, 22), ['53212']);
  assert.deepEqual(listenersAt(table, 23), []);
});

test('names the process that listens at a port, and not this one', async (t) => {
  const program = `require('net').createServer().listen(0, '127.0.0.1', function () { console.log(this.address().port); })`;
  const child = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => child.kill());
  const [text] = (await once(child.stdout, 'data')) as [Buffer];
  assert.deepEqual(holderOfPort(Number(String(text))), { pid: child.pid, name: 'node' });
  const own = createServer().listen(0, '127.0.0.1');
  t.after(() => own.close());
  await once(own, 'listening');
  const address = own.address();
  assert.equal(holderOfPort(typeof address === 'object' && address ? address.port : 0), undefined);
});
