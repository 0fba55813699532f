import assert from 'node:assert/strict';
import { test } from 'node:test';
import { limitRepeats } from '../../src/log/limit-repeats.ts';
import { Repeats, type Kind, type Repetition } from '../../src/log/repeats.ts';
import { Changes } from '../support/relay/within.ts';

const kind: Kind = { level: 'warn', words: 'login failed', client: '192.0.2.1' };

test('reports at the end of a period what was not logged, and then leaves no timer or listener', async () => {
  const before = process.listenerCount('exit');
  const changes = new Changes();
  const told: Repetition[] = [];
  const limit = limitRepeats(
    (repetition) => {
      told.push(repetition);
      changes.wake();
    },
    new Repeats({ first: 2, period: 500, kinds: 10 }),
  );
  const answers = Array.from({ length: 5 }, () => limit.admit(kind));
  assert.deepEqual(answers, [true, true, false, false, false]);
  assert.equal(process.listenerCount('exit'), before + 1);
  await changes.until('a line', () => told[0]);
  assert.deepEqual(told, [{ ...kind, repeated: 3 }]);
  // The timer goes on after it has told.
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(process.listenerCount('exit'), before);
});
