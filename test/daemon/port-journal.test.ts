import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openPortJournal, PortJournal } from '../../src/daemon/port-journal.ts';
import { RecentPorts } from '../../src/expectation/recent-ports.ts';
import { address } from '../support/relay/hosts.ts';

test('processes learn which ports the others have used, and begin the file anew before it grows', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'pinhole-ports-'));
  t.after(() => {
    rmSync(folder, { recursive: true });
  });
  const journals = [new PortJournal(folder), new PortJournal(folder)] as const;
  const [old, next] = journals.map((journal) => new RecentPorts(journal));
  t.after(() => {
    for (const journal of journals) journal.close();
  });
  const here = address('10.77.0.1');
  const server = '10.77.0.2';
  const order = (of: RecentPorts | undefined): number[] => [
    ...(of?.inOrder([1, 2, 3], here, server, performance.now()) ?? []),
  ];
  old?.used({ address: here, port: 1 }, server, performance.now());
  assert.deepEqual(order(next), [2, 3, 1]);
  next?.used({ address: here, port: 2 }, server, performance.now() + 5);
  assert.deepEqual(order(old), [3, 1, 2]);
  for (let n = 0; n < 40_000; n++) journals[0].tell('10.77.0.2 10.77.0.1:51000', 0);
  order(next);
  assert.equal(statSync(join(folder, 'active-ports')).size, 0);
  old?.used({ address: here, port: 3 }, server, performance.now() + 9);
  assert.deepEqual(order(next), [1, 2, 3]);
});

test('where there is no folder, nothing is shared', () => {
  assert.equal(openPortJournal(undefined), undefined);
  assert.equal(openPortJournal('/nowhere'), undefined);
});
