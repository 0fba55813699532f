import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stdTimeFunctions } from 'pino';
import { timeField } from '../../src/log/time-field.ts';

test('says the time of a line as pino does', () => {
  const times = [0, 1, 999, 1000, 1_799_999_999_999, 1_800_000_000_000, 1_800_000_000_007, 1_799_999_999_060];
  for (const time of times) {
    assert.equal(timeField(time), `,"time":"${new Date(time).toISOString()}"`);
  }
  const before = Date.now();
  const [, text = ''] = /^,"time":"(.*)"$/.exec(timeField()) ?? [];
  const told = Date.parse(text);
  assert.ok(told >= before && told <= Date.now());
  assert.equal(timeField(told).length, stdTimeFunctions.isoTime().length);
});
