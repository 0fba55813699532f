import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Readiness } from '../../src/admin/readiness.ts';

test('tries the server once for many who ask at once, and says what was seen', async () => {
  let tries = 0;
  const readiness = new Readiness(() => {
    tries++;
    return Promise.resolve('it answers');
  });
  const [one, other] = await Promise.all([readiness.look(), readiness.look()]);
  assert.deepEqual([one, other], Array(2).fill({ isReady: true, words: 'it answers' }));
  await readiness.look();
  assert.equal(tries, 1);
});

test('says in words why the server does not answer', async () => {
  const refused = new Readiness(() => Promise.reject(new Error('it refuses')));
  assert.deepEqual(await refused.look(), { isReady: false, words: 'it refuses' });
});
