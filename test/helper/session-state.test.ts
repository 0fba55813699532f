import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isLoggingIn, isLoginFailure, settleReply } from '../../src/helper/session-state.ts';
import { exchange, greeted, loggedIn, newSession, send } from '../data/sessions.ts';

test('is logged in by 230 or 232 to USER, PASS or ACCT, and by nothing else', () => {
  for (const [line, code, loggedInNow] of [
    ['USER a', 230, true],
    ['USER a', 232, true],
    ['USER a', 331, false],
    ['PASS a', 230, true],
    ['USER a', 202, false],
    ['USER a', 220, false],
    ['PASS a', 232, true],
    ['PASS a', 200, false],
    ['PASS a', 202, false],
    ['PASS a', 332, false],
    ['PASS a', 530, false],
    ['ACCT a', 230, true],
    ['ACCT a', 232, true],
    ['ACCT a', 202, false],
    ['ACCT a', 530, false],
    ['SITE a', 230, false],
    ['SITE a', 232, false],
    ['AUTH TLS', 232, false],
    ['NOOP', 200, false],
  ] as const) {
    const state = greeted();
    exchange(state, line, code);
    assert.equal(state.loggedIn, loggedInNow, `${line} ${code}`);
  }
});

test('takes 530 and its like for the failure of a login, and nothing that was not understood or is not over', () => {
  for (const [line, code, isFailure] of [
    ['PASS a', 530, true],
    ['USER a', 530, true],
    ['ACCT a', 532, true],
    ['PASS a', 430, true],
    ['PASS a', 550, true],
    ['PASS a', 421, false],
    ['PASS a', 331, false],
    ['PASS a', 503, false],
    ['ACCT a', 502, false],
    ['CWD a', 550, false],
    ['LIST', 530, false],
  ] as const) {
    const state = greeted();
    send(state, line);
    assert.equal(isLoginFailure(settleReply(state, code), code), isFailure, `${line} ${code}`);
  }
});

test('forgets the size of a file where its path means another one', () => {
  const state = loggedIn();
  const size = (): void => {
    send(state, 'SIZE a');
    settleReply(state, 213, '213 77');
    assert.deepEqual(state.fileSize, { path: 'a', size: 77 });
  };
  size();
  exchange(state, 'PWD', 257);
  exchange(state, 'CWD pub', 550);
  assert.deepEqual(state.fileSize, { path: 'a', size: 77 });
  exchange(state, 'CWD pub', 250);
  assert.equal(state.fileSize, undefined);
  size();
  exchange(state, 'CDUP', 200);
  assert.equal(state.fileSize, undefined);
});

test('is logged in by 230 or 232 as the greeting, and no name has been said then', () => {
  for (const [codes, expected] of [
    [[230], true],
    [[232], true],
    [[120, 230], true],
    [[220], false],
    [[200], false],
    [[220, 230], false],
    [[421], false],
  ] as const) {
    const state = newSession();
    for (const code of codes) settleReply(state, code);
    assert.deepEqual([state.loggedIn, state.greetedIn], [expected, expected], codes.join());
  }
});

test('is logged in by somebody once a log in behind the greeting was accepted, and by nobody once it was not', () => {
  for (const [line, code, loggedIn, greetedIn] of [
    ['USER a', 230, true, false],
    ['USER a', 331, false, false],
    ['USER a', 530, false, false],
    ['USER a', 503, true, true],
    ['PASS a', 230, true, false],
    ['PASS a', 530, false, false],
    ['REIN', 220, false, false],
    ['NOOP', 200, true, true],
  ] as const) {
    const state = newSession();
    settleReply(state, 230);
    exchange(state, line, code);
    assert.deepEqual([state.loggedIn, state.greetedIn], [loggedIn, greetedIn], `${line} ${code}`);
  }
});

test('is logged in no more once another log in has begun or failed, and as before where it was not understood', () => {
  for (const [line, code, expected] of [
    ['USER b', 331, false],
    ['USER b', 332, false],
    ['USER b', 530, false],
    ['USER b', 430, false],
    ['USER b', 230, true],
    ['USER b', 500, true],
    ['USER b', 501, true],
    ['USER b', 503, true],
    ['PASS b', 530, false],
    ['PASS b', 332, false],
    ['PASS b', 202, true],
    ['PASS b', 230, true],
    ['PASS b', 503, true],
    ['ACCT b', 202, true],
    ['ACCT b', 530, true],
    ['STOR b', 532, true],
    ['CWD b', 530, true],
  ] as const) {
    const state = loggedIn();
    exchange(state, line, code);
    assert.equal(state.loggedIn, expected, `${line} ${code}`);
  }
  const again = loggedIn();
  exchange(again, 'USER b', 331);
  exchange(again, 'PASS b', 230);
  assert.equal(again.loggedIn, true);
});

test('is not logged in by a USER or PASS that the server never answers', () => {
  const state = greeted();
  send(state, 'USER a', 'PASS b', 'PASV');
  assert.equal(state.exchanges.arrive(227), '');
  assert.equal(settleReply(state, 227)?.verb, 'PASV');
  assert.deepEqual([state.loggedIn, isLoggingIn(state)], [false, false]);
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

test('knows whether text was asked for last', () => {
  const state = loggedIn();
  const steps = [
    ['TYPE A', 200, true],
    ['TYPE I', 500, true],
    ['TYPE I', 200, false],
    ['TYPE a n', 200, true],
    ['REIN', 220, false],
    ['TYPE A', 501, false],
  ] as const;
  for (const [line, code, isText] of steps) {
    exchange(state, line, code);
    assert.equal(state.isText, isText, `${line} ${code}`);
  }
});
