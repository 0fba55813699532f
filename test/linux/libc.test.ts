import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadLibc } from '../../src/linux/libc.ts';

test('calls the C library, and names the error of a call that failed', async () => {
  const { dup, close, lastError } = await loadLibc('the test', ['dup', 'close']);
  const copy = dup(0);
  assert.ok(copy > 0);
  assert.equal(close(copy), 0);
  assert.equal(close(copy), -1);
  assert.equal(lastError(), 'EBADF');
});

test('declares a function once, whoever asks for it', async () => {
  const [one, other] = [await loadLibc('the test', ['dup']), await loadLibc('another', ['dup', 'close'])];
  assert.equal(one.dup, other.dup);
});
