import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Pace } from '../../src/proxy/pace.ts';

const longest = 10_000;

function spent(now: () => number): Pace {
  const pace = new Pace(now);
  for (let n = 0; n < 200; n++) assert.equal(pace.begin(longest), 0);
  return pace;
}

test('lets two hundred sessions begin at once, and the next ones one after the other', () => {
  const pace = spent(() => 0);
  assert.deepEqual([pace.begin(longest), pace.begin(longest), pace.begin(longest)], [10, 20, 30]);
});

test('refuses a session that would wait too long, and does not count it', () => {
  const pace = spent(() => 0);
  assert.equal(pace.begin(9), undefined);
  assert.equal(pace.begin(9), undefined);
  assert.equal(pace.begin(10), 10);
});

test('gives back a session for each login and a hundred a second, and two hundred at most', () => {
  let now = 0;
  const pace = spent(() => now);
  pace.loggedIn();
  assert.equal(pace.begin(longest), 0);
  now = 20;
  assert.deepEqual([pace.begin(longest), pace.begin(longest), pace.begin(longest)], [0, 0, 10]);
  now = 60_000;
  pace.loggedIn();
  const waits = Array.from({ length: 201 }, () => pace.begin(longest));
  assert.deepEqual(waits.slice(199), [0, 10]);
});
