import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RecentPorts } from '../../src/expectation/recent-ports.ts';
import { address } from '../data/sessions.ts';

const at = (port: number): { address: ReturnType<typeof address>; port: number } => ({
  address: address('10.77.0.1'),
  port,
});

test('tries ports last that were used of late, the longest unused first', () => {
  const ports = new RecentPorts();
  ports.used(at(3), 'server', 1000);
  ports.used(at(1), 'server', 2000);
  const order = (peer: string, now: number): number[] => [
    ...ports.inOrder([1, 2, 3, 1], at(0).address, peer, now),
  ];
  assert.deepEqual(order('server', 3000), [2, 3, 1]);
  assert.deepEqual(order('another', 3000), [1, 2, 3, 1]);
  assert.deepEqual([...ports.inOrder([3, 1, 2], at(0).address, 'server', 3000, 3)], [3, 2, 1]);
  assert.deepEqual(order('server', 61_500), [2, 3, 1]);
  assert.deepEqual(order('server', 62_500), [1, 2, 3, 1]);
});

test('counts the last use, and forgets what is long ago', () => {
  const ports = new RecentPorts();
  ports.used(at(1), 'server', 0);
  ports.used(at(2), 'server', 1);
  ports.used(at(1), 'server', 2);
  assert.deepEqual([...ports.inOrder([1, 2], at(0).address, 'server', 3)], [2, 1]);
});
