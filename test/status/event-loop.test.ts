import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { watchEventLoop } from '../../src/status/event-loop.ts';

test('measures how late the process handled an event', async (t) => {
  const watch = watchEventLoop();
  t.after(() => {
    watch.stop();
  });
  await setTimeout(120);
  const begin = performance.now();
  while (performance.now() - begin < 400);
  await setTimeout(120);
  const { median, p99, worst } = watch.read();
  assert.ok(worst > 200, `worst ${worst} ms`);
  for (const each of [median, p99, worst]) assert.match(String(each), /^\d+(\.\d)?$/);
  assert.ok(median >= 0 && median <= p99 && p99 <= worst, `${median}, ${p99}, ${worst}`);
  // A look of the same moment: one of 350 ms late or more, and none of a second.
  const { bounds, counts, sum } = watch.delays();
  const beyond = (bound: number): number =>
    counts.slice(bounds.indexOf(bound) + 1).reduce((a, b) => a + b, 0);
  assert.ok(beyond(0.1) >= 1, counts.join(' '));
  assert.ok(sum > 0.2, String(sum));
});
