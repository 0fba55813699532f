import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Descriptors } from '../../src/net/descriptors.ts';

test('gives descriptors out up to a share of all, and takes each back once', () => {
  const descriptors = new Descriptors(10);
  const give = descriptors.take(4, 0.5);
  assert.ok(give);
  assert.equal(descriptors.take(2, 0.5), undefined);
  assert.ok(descriptors.take(6));
  assert.equal(descriptors.take(1), undefined);
  give();
  give();
  assert.equal(descriptors.taken, 6);
});
