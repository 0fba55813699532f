import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { startTransferLog } from '../../src/daemon/transfer-log.ts';
import { createLogger } from '../../src/log/log.ts';
import { Roster } from '../../src/status/roster.ts';
import { load } from '../support/load-config.ts';

const logger = createLogger({ logLevel: 'silent', logFormat: 'json' });

test('opens the transfer log that is named, and none where none is', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'pinhole-xferlog-'));
  t.after(() => {
    rmSync(folder, { recursive: true });
  });
  assert.equal(startTransferLog(load({}).config, logger, new Roster()), undefined);
  const file = join(folder, 'xferlog');
  const { config } = load({ flags: { 'transfer-log': file } });
  const log = startTransferLog(config, logger, new Roster());
  assert.ok(log);
  log.close();
  assert.equal(readFileSync(file, 'utf8'), '');
});

test('names the transfer log that cannot be opened', () => {
  const { config } = load({ flags: { 'transfer-log': '/nowhere/xferlog' } });
  assert.throws(() => startTransferLog(config, logger, new Roster()), /^Error: transfer-log: .*nowhere/);
});
