import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '../../src/log/log.ts';
import type { Shared } from '../../src/workers/messages.ts';
import { WorkerPool } from '../../src/workers/pool.ts';

const range = { first: 50_000, last: 50_009 };

/** A pool of three workers that run this program, and what is logged. */
function poolOf(t: TestContext, program: string): { readonly pool: WorkerPool; readonly logged: string[] } {
  const folder = mkdtempSync(join(tmpdir(), 'pinhole-pool-'));
  const entry = join(folder, 'worker.mjs');
  writeFileSync(entry, program);
  const logged: string[] = [];
  const log = (_: object, message: string): number => logged.push(message);
  const pool = new WorkerPool({
    ...{ count: 3, entry, runtimeDirectory: undefined },
    shared: { config: { passivePorts: range, activePorts: range } } as Shared,
    observe: () => undefined,
    logger: { info: log, error: log } as unknown as Logger,
    makeTable: () => undefined,
    lost: () => undefined,
  });
  t.after(() => {
    for (const worker of pool.all) worker.kill();
    rmSync(folder, { recursive: true });
  });
  return { pool, logged };
}

test('says once why the workers did not start', async (t) => {
  const { pool, logged } = poolOf(t, 'process.kill(process.pid, "SIGINT");');
  await assert.rejects(pool.start(), { message: 'a worker did not start: it ended with SIGINT' });
  for (let n = 0; n < 500 && pool.all.length > 0; n++) await delay(10);
  assert.deepEqual([pool.all.length, logged], [0, []]);
});
