import assert from 'node:assert/strict';
import { test } from 'node:test';
import { linesInWords, linesText, nodeLines } from '../../src/packaging/node-lines.ts';

test('reads the lines of Node that engines allows', () => {
  const lines = nodeLines('^20.19 || ^22.12 || ^24');
  assert.equal(linesText(lines), '20.19 22.12 24.0');
  assert.equal(linesInWords(lines), '20 (20.19 or later), 22 (22.12 or later) or 24');
  assert.throws(() => nodeLines('>=20'), /engines.node is >=20; allowed: ranges like \^20\.19/);
});
