import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isLoggingIn, settleReply } from '../../src/helper/session-state.ts';
import { exchange, greeted, loggedIn, newSession, send } from '../data/sessions.ts';

test('is logged in by a 2xx to USER, PASS or ACCT, and by nothing else', () => {
  for (const [line, code, loggedInNow] of [
    ['USER a', 230, true],
    ['USER a', 232, true],
    ['USER a', 331, false],
    ['PASS a', 230, true],
    ['PASS a', 202, true],
    ['PASS a', 332, false],
    ['PASS a', 530, false],
    ['ACCT a', 230, true],
    ['ACCT a', 530, false],
    ['SITE a', 230, false],
    ['NOOP', 200, false],
  ] as const) {
    const state = greeted();
    exchange(state, line, code);
    assert.equal(state.loggedIn, loggedInNow, `${line} ${code}`);
  }
});

test('is logged in no more after REIN, unless the server refused it', () => {
  const state = loggedIn();
  exchange(state, 'REIN', 502);
  assert.equal(state.loggedIn, true);
  exchange(state, 'REIN', 120);
  assert.equal(state.loggedIn, true);
  settleReply(state, 220);
  assert.equal(state.loggedIn, false);
});

test('is logging in until the last of what a log in takes is answered', () => {
  const state = newSession();
  assert.equal(isLoggingIn(state), true);
  settleReply(state, 220);
  assert.equal(isLoggingIn(state), false);
  send(state, 'USER a', 'PASS b', 'SYST');
  for (const [code, expected] of [
    [331, true],
    [230, false],
    [215, false],
  ] as const) {
    settleReply(state, code);
    assert.equal(isLoggingIn(state), expected, String(code));
  }
});

test('knows EPSV ALL in any case, and no other EPSV for it', () => {
  for (const [line, code, all] of [
    ['EPSV ALL', 200, true],
    ['EPSV all ', 220, true],
    ['EPSV', 229, false],
    ['EPSV 1', 229, false],
    ['EPSV ALL', 522, false],
    ['PASV ALL', 227, false],
  ] as const) {
    const state = loggedIn();
    exchange(state, line, code);
    assert.equal(state.epsvAll, all, line);
  }
});

test('knows when the server has said goodbye', () => {
  const quit = loggedIn();
  exchange(quit, 'QUIT', 221);
  assert.equal(quit.goodbye, 'quit');
  const idle = loggedIn();
  settleReply(idle, 421);
  assert.equal(idle.goodbye, 'closing');
  const other = loggedIn();
  exchange(other, 'SITE', 221);
  exchange(other, 'QUIT', 500);
  assert.equal(other.goodbye, undefined);
});

test('returns the exchange that a reply ended', () => {
  const state = loggedIn();
  send(state, 'RETR a');
  assert.equal(settleReply(state, 150), undefined);
  assert.deepEqual(settleReply(state, 226), { kind: 'sent', verb: 'RETR', argument: 'a' });
});
