import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatTable, type Column } from '../../../src/commands/operate/table.ts';
import { columnsOf } from '../../../src/net/columns.ts';
import { formatBytes } from '../../../src/net/size-text.ts';
import { formatSeconds, percentOf } from '../../../src/commands/operate/units.ts';

test('says sizes, ages and shares in a few characters', () => {
  assert.deepEqual([0, 999, 1000, 12_345, 102_340, 1_023_486, 1_023_488, 3.2e9].map(formatBytes), [
    '0 B',
    '999 B',
    '1.0 KiB',
    '12 KiB',
    '100 KiB',
    '999 KiB',
    '1.0 MiB',
    '3.0 GiB',
  ]);
  assert.deepEqual([0.4, 59.9, 60, 303, 3600, 11_520, 187_200].map(formatSeconds), [
    '0 s',
    '59 s',
    '1 min',
    '5 min 3 s',
    '1 h',
    '3 h 12 min',
    '2 d 4 h',
  ]);
  assert.deepEqual([percentOf(1, 3), percentOf(5, 4), percentOf(1, 0)], ['33 %', '100 %', '0 %']);
});

const columns: readonly Column[] = [
  { title: 'ID', rank: 0, isNumber: true, cells: ['1', '12'] },
  { title: 'CLIENT', rank: 2, cells: ['198.51.100.7', '2001:db8::7'] },
  { title: 'PATH', rank: 1, least: 10, cells: ['/pub/a/long/path/file.bin', '-'] },
];

test('a table is as wide as it takes in a pipe', () => {
  assert.deepEqual(formatTable(columns, undefined), [
    'ID  CLIENT        PATH',
    ' 1  198.51.100.7  /pub/a/long/path/file.bin',
    '12  2001:db8::7   -',
  ]);
});

test('a narrow terminal costs the middle of long names first, and then columns', () => {
  const at = (width: number): string => formatTable(columns, width).join('\n');
  assert.match(at(32), /^ID {2}CLIENT {8}PATH\n 1 {2}198\.51\.100\.7 {2}\/pub…\S+bin\n/);
  assert.match(at(20), /^ID {2}PATH\n 1 {2}\/pub\/…\S+file\.bin\n12 {2}-$/);
  for (const width of [60, 40, 32, 27, 20, 10, 3]) {
    for (const line of formatTable(columns, width)) assert.ok(columnsOf(line) <= width, `${width}: ${line}`);
  }
});
