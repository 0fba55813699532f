import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatPortRange, parsePortRange, portIn, sizeOf } from '../../src/net/port-range.ts';

test('reads a range, and one port as a range of one', () => {
  assert.deepEqual(parsePortRange('50000-50999'), { first: 50000, last: 50999 });
  assert.deepEqual(parsePortRange('50000'), { first: 50000, last: 50000 });
  assert.deepEqual(parsePortRange('1-65535'), { first: 1, last: 65535 });
});

test('refuses what is no range', () => {
  for (const text of [
    '',
    '-',
    '0',
    '0-10',
    '10-',
    '-10',
    '10-9',
    '1-65536',
    '1-2-3',
    '1 - 2',
    '1:2',
    'ftp',
    '1,2',
  ]) {
    assert.equal(parsePortRange(text), undefined, JSON.stringify(text));
  }
});

test('holds its first and its last port, and none outside', () => {
  const ranges = [
    { first: 10, last: 12 },
    { first: 20, last: 20 },
  ];
  const held = [9, 10, 11, 12, 13, 19, 20, 21].filter((port) => portIn(ranges, port));
  assert.deepEqual(held, [10, 11, 12, 20]);
  assert.equal(portIn([], 10), false);
});

test('reads its own text again as the same range of the same size', () => {
  const ports = fc.tuple(fc.integer({ min: 1, max: 65535 }), fc.integer({ min: 1, max: 65535 }));
  fc.assert(
    fc.property(ports, (pair) => {
      const range = { first: Math.min(...pair), last: Math.max(...pair) };
      assert.deepEqual(parsePortRange(formatPortRange(range)), range);
      assert.equal(sizeOf(range), Math.abs(pair[0] - pair[1]) + 1);
    }),
  );
});
