import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readFlag } from '../../src/commands/flags.ts';
import { ConfigError } from '../../src/config/error.ts';
import { choice, portRanges, whole } from '../../src/config/kinds.ts';

test('reads flags as settings are read', () => {
  assert.equal(readFlag('rate', '60', whole(1, 100)), 60);
  const ports = portRanges('ports');
  assert.deepEqual(readFlag('open-ports', ['22', '8000-8010, 9000'], ports), [
    { first: 22, last: 22 },
    { first: 8000, last: 8010 },
    { first: 9000, last: 9000 },
  ]);
  assert.deepEqual(readFlag('open-ports', '', ports), []);
});

test('says in one line the name of a wrong flag, what was given and what is allowed', () => {
  for (const [given, kind, expected] of [
    ['0', whole(1, 9), 'flag --it: "0" is not allowed; allowed: a whole number from 1 to 9'],
    [
      ['1', '2'],
      whole(1, 9),
      'flag --it: ["1","2"] is not allowed (one value, not several); allowed: a whole number from 1 to 9',
    ],
    ['22,', portRanges('ports'), 'flag --it: "" is not allowed; allowed: ports'],
    ['a\nb', choice(['x', 'y']), 'flag --it: "a\\nb" is not allowed; allowed: x, y'],
  ] as const) {
    assert.throws(
      () => readFlag<unknown>('it', given, kind),
      (error) => error instanceof ConfigError && error.message === expected,
      expected,
    );
  }
});
