import assert from 'node:assert/strict';
import { test } from 'node:test';
import { languages, progressText } from '../../../src/doctor/report.ts';
import { startProgress, type Step } from '../../../src/doctor/server/progress.ts';

test('a step is told after a second, and every five seconds after that, until the next', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const told: [Step['word'], number][] = [];
  const progress = startProgress(({ word }, seconds) => {
    told.push([word, seconds]);
  });
  progress.now('tryLogin', { user: 'anna' });
  t.mock.timers.tick(999);
  assert.deepEqual(told, []);
  t.mock.timers.tick(1);
  t.mock.timers.tick(5000);
  t.mock.timers.tick(4999);
  assert.deepEqual(told.splice(0), [
    ['tryLogin', 1],
    ['tryLogin', 6],
  ]);
  progress.now('tryData', { command: 'PASV' });
  t.mock.timers.tick(1000);
  assert.deepEqual(told.splice(0), [['tryData', 1]]);
  progress.end();
  progress.now('tryLogin', { user: 'anna' });
  t.mock.timers.tick(60_000);
  assert.deepEqual(told, []);
});

test('a step breaks between words on a narrow terminal', () => {
  const step = { word: 'tryRange', values: {} } as const;
  const whole = progressText(step, 6, 'en').trimEnd();
  const lines = progressText(step, 6, 'en', { width: 40 }).trimEnd().split('\n');
  assert.ok(lines.length > 1);
  assert.ok(lines.every(({ length }) => length <= 40));
  assert.equal(lines.map((line) => line.trim()).join(' '), whole);
});

test('a step is one line in every language, without what a terminal would act on', () => {
  for (const language of languages) {
    const text = progressText({ word: 'tryLogin', values: { user: 'an\x1b[2Jna' } }, 6, language);
    assert.match(text, /^… .*\ufffd.*\(6 s\)\n$/);
  }
});
