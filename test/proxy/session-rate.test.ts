import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SessionRate } from '../../src/proxy/session-rate.ts';

const longest = 10_000;

function spent(now: () => number): SessionRate {
  const rate = new SessionRate(now);
  for (let n = 0; n < 200; n++) assert.equal(rate.begin(longest), 0);
  return rate;
}

test('lets two hundred sessions begin at once, and the next ones one after the other', () => {
  const rate = spent(() => 0);
  assert.deepEqual([rate.begin(longest), rate.begin(longest), rate.begin(longest)], [10, 20, 30]);
});

test('refuses a session that would wait too long, and does not count it', () => {
  const rate = spent(() => 0);
  assert.equal(rate.begin(9), undefined);
  assert.equal(rate.begin(9), undefined);
  assert.equal(rate.begin(10), 10);
});

test('gives back a session for each login and a hundred a second, and two hundred at most', () => {
  let now = 0;
  const rate = spent(() => now);
  rate.loggedIn();
  assert.equal(rate.begin(longest), 0);
  now = 20;
  assert.deepEqual([rate.begin(longest), rate.begin(longest), rate.begin(longest)], [0, 0, 10]);
  now = 60_000;
  rate.loggedIn();
  const waits = Array.from({ length: 201 }, () => rate.begin(longest));
  assert.deepEqual(waits.slice(199), [0, 10]);
});
