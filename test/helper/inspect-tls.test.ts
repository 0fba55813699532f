import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseCommand } from '../../src/ftp/command.ts';
import type { CommandDecision } from '../../src/helper/decision.ts';
import { inspectCommand } from '../../src/helper/inspect-command.ts';
import { changeSecurity, settleReply, type SessionState } from '../../src/helper/session-state.ts';
import {
  isServerAsked,
  isServerDataProtected,
  noTls,
  type Security,
  type TlsPolicy,
} from '../../src/helper/tls-policy.ts';
import { exchange, greeted, loggedIn, newSession, policyWith, send, tell } from '../data/sessions.ts';

const terminate: TlsPolicy = { ...noTls, mode: 'terminate' };
const pass: TlsPolicy = { ...noTls, mode: 'pass' };

function decide(line: string, state: SessionState, tls: TlsPolicy): CommandDecision {
  return inspectCommand(parseCommand(line), state, policyWith({ tls }));
}

/** A session with these things agreed on. */
function secured(agreed: Partial<Security> = {}, state = greeted()): SessionState {
  Object.assign(state.security, { client: true, wasSecured: true, ...agreed });
  return state;
}

const sized = (): SessionState => secured({ isSizeSaid: true });

for (const [what, line, state, policy, expected] of [
  ['AUTH TLS', 'AUTH TLS', greeted(), terminate, 'secure'],
  ['AUTH in any case, with blanks', 'auth  tls ', greeted(), terminate, 'secure'],
  ['AUTH TLS-C', 'AUTH TLS-C', greeted(), terminate, 'secure'],
  ['AUTH after USER of which nothing came', 'AUTH TLS', loggingIn(), terminate, 'secure'],
  ['AUTH before the greeting', 'AUTH TLS', newSession(), terminate, 'wait'],
  ['AUTH behind a command', 'AUTH TLS', outstanding('FEAT'), terminate, 'wait'],
  ['AUTH after the log in', 'AUTH TLS', loggedIn(), terminate, 'refuse tls-out-of-order 503'],
  ['AUTH in TLS', 'AUTH TLS', secured(), terminate, 'refuse tls-out-of-order 503'],
  ['AUTH GSSAPI', 'AUTH GSSAPI', greeted(), terminate, 'refuse tls-not-understood 504'],
  ['AUTH of nothing', 'AUTH', greeted(), terminate, 'refuse tls-not-understood 504'],
  ['AUTH where TLS is refused', 'AUTH TLS', greeted(), noTls, 'refuse tls-refused 534'],
  ['AUTH SSL where TLS is refused', 'AUTH ssl', greeted(), noTls, 'refuse tls-refused 534'],
  ['AUTH GSSAPI where TLS is refused', 'AUTH GSSAPI', greeted(), noTls, 'refuse tls-not-understood 504'],
  ['AUTH of nothing where TLS is refused', 'AUTH', greeted(), noTls, 'refuse tls-not-understood 504'],
  ['AUTH after a greeting that logs in', 'AUTH TLS', greetedIn(), terminate, 'secure'],
  ['AUTH after a greeting that logs in, where it is passed', 'AUTH TLS', greetedIn(), pass, 'secure'],
  [
    'AUTH after a log in behind such a greeting',
    'AUTH TLS',
    greetedIn('USER anne'),
    terminate,
    'refuse tls-out-of-order 503',
  ],
  ['AUTH where TLS is passed', 'AUTH TLS', greeted(), pass, 'secure'],
  ['AUTH GSSAPI where TLS is passed', 'AUTH GSSAPI', greeted(), pass, 'refuse tls-not-understood 504'],
  ['PBSZ before AUTH', 'PBSZ 0', greeted(), terminate, 'refuse tls-out-of-order 503'],
  ['PBSZ 0', 'PBSZ 0', secured(), terminate, 'answer size-said 200'],
  ['PBSZ of another size', 'PBSZ 16384', secured(), terminate, 'answer size-said 200'],
  ['PBSZ of no number', 'PBSZ x', secured(), terminate, 'refuse syntax 501'],
  ['PBSZ of nothing', 'PBSZ', secured(), terminate, 'refuse syntax 501'],
  ['PROT before AUTH', 'PROT P', greeted(), terminate, 'refuse tls-out-of-order 503'],
  ['PROT before PBSZ', 'PROT P', secured(), terminate, 'refuse tls-out-of-order 503'],
  ['PROT P', 'PROT P', sized(), terminate, 'answer data-protected 200'],
  ['PROT C', 'prot c', sized(), terminate, 'answer data-clear 200'],
  ['PROT S', 'PROT S', sized(), terminate, 'refuse tls-not-understood 536'],
  ['PROT E', 'PROT E', sized(), terminate, 'refuse tls-not-understood 536'],
  ['PROT of nothing', 'PROT', sized(), terminate, 'refuse tls-not-understood 504'],
  ['PROT PP', 'PROT PP', sized(), terminate, 'refuse tls-not-understood 504'],
  ['PROT behind a command', 'PROT P', secured({ isSizeSaid: true }, outstanding('PWD')), terminate, 'wait'],
  [
    'PROT behind CCC',
    'PROT P',
    secured({ client: false, isSizeSaid: true }),
    terminate,
    'answer data-protected 200',
  ],
  ['CCC', 'CCC', secured(), terminate, 'refuse ccc-refused 533'],
  ['CCC before AUTH', 'CCC', greeted(), { ...terminate, allowsClear: true }, 'refuse tls-out-of-order 503'],
  ['CCC that is allowed', 'CCC', secured(), { ...terminate, allowsClear: true }, 'clear'],
  [
    'CCC twice',
    'CCC',
    secured({ client: false }),
    { ...terminate, allowsClear: true },
    'refuse tls-out-of-order 503',
  ],
  ['PROT where TLS is refused', 'PROT P', greeted(), noTls, 'pass'],
  ['REIN in TLS', 'REIN', secured(), terminate, 'refuse tls-out-of-order 502'],
  ['REIN behind CCC', 'REIN', secured({ client: false }), terminate, 'refuse tls-out-of-order 502'],
  [
    'REIN where the server alone has TLS',
    'REIN',
    serverSecured(),
    { ...noTls, server: 'explicit' },
    'refuse tls-out-of-order 502',
  ],
  ['REIN in clear', 'REIN', greeted(), terminate, 'pass'],
] as const) {
  test(`decides ${expected} about ${what}`, () => {
    assert.equal(tell(decide(line, state, policy)), expected);
  });
}

function outstanding(line: string): SessionState {
  const state = greeted();
  send(state, line);
  return state;
}

/** A session that the greeting has logged in, and these lines, which the server took for a log in. */
function greetedIn(...lines: string[]): SessionState {
  const state = newSession();
  settleReply(state, 230);
  state.begun = true;
  for (const line of lines) exchange(state, line, 230);
  return state;
}

function loggingIn(): SessionState {
  const state = greeted();
  exchange(state, 'USER anne', 331);
  return state;
}

function serverSecured(): SessionState {
  const state = greeted();
  changeSecurity(state, 'server-secured');
  return state;
}

for (const [mechanism, protectsData] of [
  ['TLS', false],
  ['TLS-C', false],
  ['SSL', true],
  ['TLS-P', true],
] as const) {
  test(`takes AUTH ${mechanism} for ${protectsData ? 'PROT P as well' : 'the control channel alone'}`, () => {
    const decision = decide(`AUTH ${mechanism}`, greeted(), terminate);
    assert.deepEqual(decision, { kind: 'secure', asksServer: false, protectsData });
  });
}

test('asks the server for TLS where its TLS is as the client asks, and where TLS passes', () => {
  for (const [policy, asksServer] of [
    [terminate, false],
    [{ ...terminate, server: 'explicit' }, false],
    [{ ...terminate, server: 'same' }, true],
    [pass, true],
  ] as const) {
    const decision = decide('AUTH TLS', greeted(), policy);
    assert.ok(decision.kind === 'secure');
    assert.equal(decision.asksServer, asksServer, JSON.stringify(policy));
  }
});

test('asks no server for TLS again whose channel is TLS already, as behind CCC', () => {
  const state = secured({ server: true });
  const cleared = { ...state, security: { ...state.security, client: false } };
  const decision = decide('AUTH TLS', cleared, { ...terminate, server: 'same' });
  assert.ok(decision.kind === 'secure');
  assert.equal(decision.asksServer, false);
});

test('lets the server answer PBSZ and PROT where its data channels are as the client asks', () => {
  const policy: TlsPolicy = { ...terminate, server: 'same' };
  const state = secured({ server: true });
  assert.equal(tell(decide('PBSZ 0', state, policy)), 'pass');
  assert.equal(tell(decide('PROT P', state, policy)), 'refuse tls-out-of-order 503');
  exchange(state, 'PBSZ 0', 200);
  assert.equal(tell(decide('PROT P', state, policy)), 'pass');
  exchange(state, 'PROT P', 534);
  assert.equal(state.security.isDataProtected, false, 'the server refused');
  exchange(state, 'PROT P', 200);
  assert.equal(state.security.isDataProtected, true);
  exchange(state, 'PROT C', 534);
  assert.equal(state.security.isDataProtected, true, 'the server refused');
  exchange(state, 'PROT C', 200);
  assert.equal(state.security.isDataProtected, false);
});

for (const serverData of ['clear', 'protected'] as const) {
  test(`answers PROT itself where data of the server is ${serverData} whatever the client says`, () => {
    const policy: TlsPolicy = { ...terminate, server: 'explicit', serverData };
    const state = secured({ server: true, isSizeSaid: true });
    assert.equal(tell(decide('PROT P', state, policy)), 'answer data-protected 200');
    for (const effect of ['data-clear', 'data-protected'] as const) {
      changeSecurity(state, effect);
      assert.equal(isServerDataProtected(state.security, policy), serverData === 'protected');
    }
  });
}

test('knows no protected data of a server whose control channel is in clear', () => {
  const { security } = secured({ server: false, isDataProtected: true });
  for (const serverData of ['same', 'clear', 'protected'] as const) {
    assert.equal(isServerDataProtected(security, { ...terminate, serverData }), false);
    assert.equal(isServerAsked(security, { ...terminate, serverData }), false);
  }
});

test('lets nothing that logs in through before TLS where TLS is required', () => {
  for (const policy of [terminate, pass].map((each) => ({ ...each, isRequired: true }))) {
    for (const line of ['USER anne', 'user anne', 'PASS secret', 'ACCT x', ' USER anne', 'USER\tanne']) {
      assert.equal(tell(decide(line, greeted(), policy)), 'refuse tls-required 530', line);
    }
    for (const line of ['FEAT', 'SYST', 'QUIT', 'HOST ftp.example']) {
      assert.equal(tell(decide(line, greeted(), policy)), 'pass', line);
    }
  }
});

test('lets a log in through in TLS, and after CCC, where TLS is required', () => {
  const policy = { ...terminate, isRequired: true };
  assert.equal(tell(decide('USER anne', secured(), policy)), 'pass');
  assert.equal(tell(decide('USER anne', secured({ client: false }), policy)), 'pass');
});

test('lets nothing be served before TLS where TLS is required, though the greeting has logged in', () => {
  for (const policy of [terminate, pass].map((each) => ({ ...each, isRequired: true }))) {
    for (const line of [
      'PASV',
      'EPSV',
      'PORT 198,51,100,10,200,1',
      'EPRT |1|198.51.100.10|51201|',
      'RETR a',
      'STOR a',
      'LIST',
      'MLST a',
      'STAT a',
      'CWD a',
      'PWD',
      'DELE a',
      'SITE x',
      'XYZZY',
      'USER anne',
      'PASS x',
    ]) {
      assert.equal(tell(decide(line, greetedIn(), policy)), 'refuse tls-required 530', line);
    }
    for (const line of [
      'FEAT',
      'SYST',
      'QUIT',
      'HOST ftp.example',
      'NOOP',
      'HELP',
      'OPTS UTF8 ON',
      '',
      'REIN',
    ]) {
      assert.equal(tell(decide(line, greetedIn(), policy)), 'pass', line);
    }
    assert.equal(tell(decide('AUTH TLS', greetedIn(), policy)), 'secure');
    assert.equal(tell(decide('PASV', secured({}, greetedIn()), policy)), 'pass');
    assert.equal(tell(decide('RETR a', secured({ client: false }, greetedIn()), policy)), 'pass');
  }
  for (const line of ['PASV', 'RETR a']) assert.equal(tell(decide(line, greetedIn(), terminate)), 'pass');
});

test('refuses every transfer before PROT P where protected data is required, and PROT C', () => {
  const policy = { ...terminate, isRequiredForData: true };
  const state = secured({ isSizeSaid: true }, loggedIn());
  const transfers = ['RETR a', 'STOR a', 'STOU', 'APPE a', 'LIST', 'NLST', 'MLSD'];
  for (const line of transfers) {
    assert.equal(tell(decide(line, state, policy)), 'refuse data-tls-required 521', line);
  }
  assert.equal(tell(decide('PROT C', state, policy)), 'refuse data-tls-required 534');
  assert.equal(tell(decide('MLST a', state, policy)), 'pass');
  changeSecurity(state, 'data-protected');
  for (const line of transfers) assert.equal(tell(decide(line, state, policy)), 'pass', line);
});

test('judges no transfer before the server has answered PROT', () => {
  const policy: TlsPolicy = { ...terminate, server: 'same', isRequiredForData: true };
  const state = secured({ server: true, isSizeSaid: true }, loggedIn());
  send(state, 'PROT P');
  for (const line of ['RETR a', 'PASV', 'PORT 198,51,100,10,200,1']) {
    assert.equal(tell(decide(line, state, policy)), 'wait', line);
  }
});
