import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isUsedByOthers, TableUsers } from '../../src/plane/table-users.ts';

const line = '0000000000000000: 00000002 00000000 00010000 0001 01 53210 ';
const owner = `${line}@pinhole table ftp`;
const beside = `${owner} beside 4711-09af3c12`;

for (const [what, sockets, own, expected] of [
  ['nobody', [], { serves: false, token: undefined }, false],
  ['this process, which serves', [owner], { serves: true, token: undefined }, false],
  ['a successor', [owner, beside], { serves: false, token: '4711-09af3c12' }, true],
  ['one that drains', [owner, beside], { serves: true, token: undefined }, true],
  ['this process, which drains', [beside], { serves: false, token: '4711-09af3c12' }, false],
  [
    'two that drain',
    [beside, beside.replace('4711', '4712')],
    { serves: false, token: '4711-09af3c12' },
    true,
  ],
  [
    'another table, whose name is longer',
    [`${owner}s`, `${line}@x pinhole table ftp`],
    { serves: false, token: undefined },
    false,
  ],
  ['a name that is filled up', [`${owner}@@@@`], { serves: false, token: undefined }, true],
  [
    'sockets of others',
    [`${line}/run/pinhole table ftp`, line.trim()],
    { serves: false, token: undefined },
    false,
  ],
] as const)
  test(`tells from the system's sockets whether others use a table: ${what}`, () => {
    assert.equal(isUsedByOthers(sockets.join('\n'), 'ftp', own), expected);
  });

test('one process serves with a table and a mark, and others may drain beside it', async (t) => {
  const settings = { table: `test_${process.pid}`, mark: process.pid };
  const [old, next] = [new TableUsers(settings), new TableUsers(settings)];
  t.after(() => {
    old.release();
    next.release();
  });
  await old.claim();
  await assert.rejects(next.claim(), /^Error: another Pinhole uses the table test_/);
  await assert.rejects(new TableUsers({ ...settings, table: 'test_other' }).claim(), /uses the mark/);
  assert.equal(old.areOthers(), false);
  await old.retire();
  assert.equal(old.areOthers(), false);
  await next.claim();
  assert.deepEqual([old.areOthers(), next.areOthers()], [true, true]);
  old.release();
  assert.equal(next.areOthers(), false);
});

test('of processes that end in the same moment the last one knows that it is that', async (t) => {
  const settings = { table: `test_${process.pid}_end`, mark: process.pid + 1 };
  const [old, next] = [new TableUsers(settings), new TableUsers(settings)];
  t.after(() => {
    old.release();
    next.release();
  });
  await old.claim();
  await old.retire();
  await next.claim();
  // Both have looked by now, and each has seen the other.
  const look = t.mock.method(old, 'areOthers', () => {
    look.mock.restore();
    assert.equal(next.leave(), false);
    return true;
  });
  assert.equal(old.leave(), true);
});
