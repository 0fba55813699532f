import assert from 'node:assert/strict';
import { chmodSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { Event } from '../../src/events.ts';
import { TransferLog, xferlogLine } from '../../src/log/transfer-log.ts';
import { address } from '../data/sessions.ts';
import { events } from '../data/events.ts';
import { temporaryFolder } from '../support/log/logging-process.ts';
import { readXferlog } from '../support/log/xferlog.ts';

type Transfer = Event & { readonly type: 'transfer-ended' };
const download = events.download as Transfer;
const upload = events.upload as Transfer;
const isRoot = process.getuid?.() === 0;
const time = new Date(2026, 10, 7, 2, 31, 7);

const of = (verb: string, path: string): Pick<Transfer, 'command'> => ({
  command: { verb, path, isRelative: false },
});

test('writes what vsftpd and ProFTPD write', () => {
  const cases: [Transfer, string | undefined, string][] = [
    [
      { ...download, ...of('RETR', '/pub/a.iso'), downloaded: 1234, seconds: 12.4 },
      'anna',
      'Sat Nov  7 02:31:07 2026 12 198.51.100.10 1234 /pub/a.iso b _ o r anna ftp 0 * c',
    ],
    [upload, 'anna', 'Sat Nov  7 02:31:07 2026 1 198.51.100.10 9 b b _ i r anna ftp 0 * i'],
    [
      { ...download, ...of('RETR', '/a file\u2028.txt'), seconds: 0 },
      'Anonymous',
      'Sat Nov  7 02:31:07 2026 1 198.51.100.10 5 /a_file_.txt b _ o a ? ftp 0 * c',
    ],
    [
      {
        ...{ ...download, mode: 'active', to: { address: address('2001:db8::1'), port: 2000 } },
        command: { verb: 'RETR', path: '/a', isRelative: false, isText: true },
      },
      'a b',
      'Sat Nov  7 02:31:07 2026 1 2001:db8::1 5 /a a _ o r a_b ftp 0 * c',
    ],
    [
      { ...upload, ...of('STOU', '') },
      undefined,
      'Sat Nov  7 02:31:07 2026 1 198.51.100.10 9 ? b _ i r ? ftp 0 * i',
    ],
  ];
  for (const [event, user, line] of cases) {
    assert.equal(xferlogLine(event, user, time), line);
    assert.equal(readXferlog(`${line}\n`).length, 1);
  }
});

interface Stand {
  readonly log: TransferLog;
  readonly path: string;
  readonly told: string[];
}

function start(t: TestContext, path = join(temporaryFolder(t), 'xferlog')): Stand {
  const told: string[] = [];
  const log = new TransferLog(path, {
    userOf: () => 'anna',
    failed: (code) => told.push(`failed ${code}`),
    lost: (lines, code) => told.push(`lost ${lines} ${code}`),
  });
  return { log, path, told };
}

const pathsIn = (file: string): string[] => readXferlog(readFileSync(file, 'utf8')).map(({ path }) => path);

test('writes files alone, no listings, and nothing whose command is not known', (t) => {
  const { log, path } = start(t);
  for (const verb of ['RETR', 'STOR', 'APPE', 'STOU', 'LIST', 'NLST', 'MLSD'])
    log.observe({ ...download, ...of(verb, `/${verb}`) });
  log.observe(events.unknownTransfer);
  for (const event of Object.values(events)) if (event.type !== 'transfer-ended') log.observe(event);
  log.close();
  assert.deepEqual(pathsIn(path), ['/RETR', '/STOR', '/APPE', '/STOU']);
  assert.equal(statSync(path).mode & 0o777, 0o640);
});

test('appends, and goes on in the file that has the name after logrotate', async (t) => {
  const { log, path } = start(t);
  log.observe({ ...download, ...of('RETR', '/1') });
  renameSync(path, `${path}.1`);
  log.reopen();
  log.observe({ ...download, ...of('RETR', '/2') });
  log.close();
  assert.deepEqual([pathsIn(`${path}.1`), pathsIn(path)], [['/1'], ['/2']]);
  const again = start(t, path);
  again.log.observe({ ...download, ...of('RETR', '/3') });
  // Nobody tells of it: it is noticed within a second.
  await delay(20);
  rmSync(path);
  await delay(1100);
  again.log.observe({ ...download, ...of('RETR', '/4') });
  again.log.close();
  assert.deepEqual(pathsIn(path), ['/4']);
  assert.deepEqual(again.told, []);
});

test('says that a disk is full, and keeps what there is room for', async (t) => {
  const { log, told } = start(t, '/dev/full');
  const path = `/${'x'.repeat(400)}`;
  for (let n = 0; n < 5000; n++) log.observe({ ...download, ...of('RETR', path) });
  await delay(600);
  assert.deepEqual(told, ['failed ENOSPC']);
  log.close();
});

test('goes on where its folder may not be looked into any more', { skip: !isRoot }, async (t) => {
  const folder = temporaryFolder(t);
  const { log, path, told } = start(t, join(folder, 'xferlog'));
  chmodSync(folder, 0o700);
  process.seteuid?.(65_534);
  t.after(() => process.seteuid?.(0));
  await delay(1100);
  log.observe({ ...download, ...of('RETR', '/1') });
  log.flush();
  log.reopen();
  log.observe({ ...download, ...of('RETR', '/2') });
  log.close();
  process.seteuid?.(0);
  assert.deepEqual([pathsIn(path), told], [['/1', '/2'], ['failed EACCES']]);
});

test('cannot be had where its file cannot', (t) => {
  assert.throws(() => start(t, '/nowhere/xferlog'), { code: 'ENOENT' });
});
