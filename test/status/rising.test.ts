import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Rising } from '../../src/status/rising.ts';

test('a counter keeps its highest value, each by its name', () => {
  const rising = new Rising();
  assert.deepEqual(
    [5, 3, 9].map((value) => rising.of('a', value)),
    [5, 5, 9],
  );
  assert.equal(rising.of('b', 1), 1);
});
