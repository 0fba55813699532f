import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createCounters } from '../../src/status/counters.ts';
import { events } from '../data/events.ts';

test('counts what happened by its type and reason, and no line of the dialogue', () => {
  const counters = createCounters();
  assert.deepEqual(counters.read(), {});
  for (const event of Object.values(events)) counters.observe(event);
  counters.observe(events.pinholeRefused);
  const counts = counters.read();
  assert.deepEqual(counts, {
    'command-refused not-the-peer': 1,
    'login-failed': 1,
    'pinhole-closed expired relay': 1,
    'pinhole-opened passive relay': 1,
    'pinhole-refused stranger': 2,
    'pinhole-taken passive relay': 1,
    'public-address-failed': 1,
    'public-address-resolved': 1,
    'reply-remarked unusable-announcement': 1,
    'session-closed quit': 1,
    'session-logged-in': 1,
    'session-opened': 1,
    'session-user': 1,
    'session-refused too-many-sessions': 1,
    'table-restored': 1,
    'transfer-begun': 1,
    'transfer-ended client-reset upload relay': 1,
    'transfer-ended complete download relay': 2,
  });
  assert.deepEqual(Object.keys(counts), Object.keys(counts).sort());
});
