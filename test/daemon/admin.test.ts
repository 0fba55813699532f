import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Inside } from '../../src/admin/inside.ts';
import { startAdmin } from '../../src/daemon/admin.ts';
import type { Logger } from '../../src/log/log.ts';
import { temporaryFolder } from '../support/log/logging-process.ts';

test('warns where the socket cannot be had that nobody has named, and does not start where it was named', async (t) => {
  const path = join(temporaryFolder(t), 'admin.sock');
  writeFileSync(path, '');
  const warnings: unknown[] = [];
  const logger = { warn: (message: unknown) => warnings.push(message) } as unknown as Logger;
  const place = { path, group: 'pinhole' };
  const start = (isNamed: boolean): ReturnType<typeof startAdmin> =>
    startAdmin({} as Inside, { adminListen: [] }, { ...place, isNamed }, undefined, logger);
  (await start(false)).close();
  const why = `${path} is there and is no socket; allowed: a path that is free`;
  assert.deepEqual(warnings, [`no admin socket: ${why}`]);
  await assert.rejects(start(true), { message: `admin: ${why}` });
});
