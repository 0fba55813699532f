import assert from 'node:assert/strict';
import { test } from 'node:test';
import { descriptorLimit, descriptorsToShare } from '../../src/linux/process-limits.ts';

const limits = `Limit                     Soft Limit           Hard Limit           Units
Max cpu time              unlimited            unlimited            seconds
Max open files            1024                 524288               files
Max locked memory         8388608              8388608              bytes
`;

test('reads the limit that holds for now', () => {
  assert.equal(
    descriptorLimit(() => limits),
    1024,
  );
  assert.equal(descriptorsToShare(1024), 960);
});

test('knows no limit where the system does not tell one', () => {
  for (const read of [
    () => {
      throw new Error('ENOENT');
    },
    () => 'Max open files            unlimited            unlimited            files\n',
  ]) {
    assert.equal(descriptorLimit(read), undefined);
  }
  assert.equal(descriptorsToShare(undefined), Infinity);
});
