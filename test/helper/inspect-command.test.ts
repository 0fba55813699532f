import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseCommand } from '../../src/ftp/command.ts';
import { inspectCommand } from '../../src/helper/inspect-command.ts';
import { replies } from '../../src/helper/replies.ts';
import { newSessionState, settleReply, type SessionState } from '../../src/helper/session-state.ts';
import { familyOf } from '../../src/net/address.ts';
import { assertSameHoweverCut, linesOf, readCases, type WireCase } from '../data/cases.ts';
import {
  address,
  exchange,
  greeted,
  loggedIn,
  network,
  newSession,
  policyWith,
  send,
  tell,
} from '../data/sessions.ts';

interface CommandCase extends WireCase {
  /** The client that sends it, where it is not the usual one. */
  readonly client?: string;
  /** As `tell` says it; absent for `pass`. */
  readonly decision?: string;
  /** The line that goes on, without its end, where it is not the one that came. */
  readonly sent?: string;
}

const policy = policyWith();

function decide(line: string, state: SessionState, changes = policy): string {
  return tell(inspectCommand(parseCommand(line), state, changes));
}

/** What is decided about each line, and the line that goes on where it is another one. */
function inspect(chunks: readonly Buffer[], client: string | undefined): string[] {
  return linesOf(chunks).map(({ text }) => {
    const state = loggedIn(client);
    const decision = inspectCommand(parseCommand(text), state, policy);
    if (decision.kind === 'pass' && decision.rewritten) return `pass ${decision.rewritten}`;
    if (decision.kind !== 'expect') return tell(decision);
    const inside = address(familyOf(state.client) === 4 ? '10.77.0.1' : 'fd00::1');
    return `${tell(decision)} ${decision.rewrite({ address: inside, port: 50001 })}`;
  });
}

test('decides the same about every command of the wire cases, however its bytes come', () => {
  const cases = readCases<CommandCase>('commands.jsonl');
  for (const client of new Set(cases.map((wireCase) => wireCase.client))) {
    assertSameHoweverCut(
      cases.filter((wireCase) => wireCase.client === client),
      (chunks) => inspect(chunks, client),
      ({ decision = 'pass', sent }) => [sent === undefined ? decision : `${decision} ${sent}`],
    );
  }
});

test('closes a session that begins with an HTTP verb, before the greeting too', () => {
  for (const verb of [
    'GET',
    'HEAD',
    'POST',
    'PUT',
    'DELETE',
    'CONNECT',
    'OPTIONS',
    'TRACE',
    'PATCH',
    'get',
  ]) {
    assert.equal(decide(`${verb} / HTTP/1.1`, newSession()), 'close http 421', verb);
  }
  const begun = greeted();
  assert.equal(decide('POST / HTTP/1.1', begun), 'pass');
});

test('refuses AUTH before the log in and after it', () => {
  assert.equal(decide('AUTH TLS', greeted()), 'refuse tls-refused 534');
  assert.equal(decide('AUTH SSL', loggedIn()), 'refuse tls-refused 534');
});

test('refuses PORT, EPRT, PASV and EPSV before the log in, whatever they say', () => {
  for (const line of [
    'PORT 198,51,100,10,195,80',
    'PORT nonsense',
    'P@RT 198,51,100,10,195,80',
    'EPRT |1|198.51.100.10|50000|',
    'PASV',
    'P@SW',
    'EPSV',
    'EPSV ALL',
    'LPRT 4,4,198,51,100,10,2,195,80',
    'LPSV',
  ]) {
    assert.equal(decide(line, greeted()), 'refuse not-logged-in 530', line);
  }
});

test('refuses them when the password was wrong, when only the name was said, and after REIN', () => {
  const wrong = greeted();
  exchange(wrong, 'USER a', 331);
  assert.equal(decide('PASV', wrong), 'refuse not-logged-in 530');
  exchange(wrong, 'PASS b', 530);
  assert.equal(decide('PASV', wrong), 'refuse not-logged-in 530');
  const again = loggedIn();
  exchange(again, 'REIN', 220);
  assert.equal(decide('PASV', again), 'refuse not-logged-in 530');
});

test('holds a PASV back until the log in is answered', () => {
  const state = greeted();
  send(state, 'USER a', 'PASS b');
  assert.equal(decide('PASV', state), 'wait');
  assert.equal(decide('PORT 198,51,100,10,195,80', state), 'wait');
  assert.equal(decide('PWD', state), 'pass');
  settleReply(state, 331);
  assert.equal(decide('PASV', state), 'wait');
  settleReply(state, 230);
  assert.equal(decide('PASV', state), 'pass');
});

test('holds a PASV back until the greeting has come, and refuses it then', () => {
  const state = newSession();
  assert.equal(decide('PASV', state), 'wait');
  settleReply(state, 220);
  assert.equal(decide('PASV', state), 'refuse not-logged-in 530');
});

test('takes PASV, EPSV, PORT and EPRT of one whom the greeting has logged in', () => {
  const state = newSession();
  assert.equal(decide('PASV', state), 'wait');
  settleReply(state, 230);
  assert.equal(decide('PASV', state), 'pass');
  assert.equal(decide('EPSV', state), 'pass');
  assert.equal(decide('PORT 198,51,100,10,195,80', state), 'expect 198.51.100.10:50000');
  assert.equal(decide('EPRT |1|198.51.100.10|50000|', state), 'expect 198.51.100.10:50000');
  exchange(state, 'USER a', 331);
  assert.equal(decide('PASV', state), 'refuse not-logged-in 530');
});

test('refuses PASV once another log in has begun or failed', () => {
  for (const [line, code] of [
    ['USER b', 331],
    ['USER b', 530],
    ['PASS b', 530],
  ] as const) {
    const state = loggedIn();
    exchange(state, line, code);
    assert.equal(decide('PASV', state), 'refuse not-logged-in 530', `${line} ${code}`);
  }
});

test('keeps the blanks around what a PORT, EPRT or HOST says, and reads what stands between', () => {
  const blanks = fc
    .array(fc.constantFrom(' ', '\t', '\v', '\f'), { maxLength: 5 })
    .map((each) => each.join(''));
  const lines = fc.constantFrom(
    ['PORT', '198,51,100,10,195,80', '10,77,0,1,195,81'],
    ['EPRT', '|1|198.51.100.10|50000|', '|1|10.77.0.1|50001|'],
    ['HOST', '203.0.113.1', '10.77.0.2'],
  );
  fc.assert(
    fc.property(lines, blanks, blanks, blanks, ([verb = '', said = '', sent = ''], first, before, behind) => {
      const command = parseCommand(`${first}${verb} ${before}${said}${behind}`);
      const decision = inspectCommand(command, loggedIn(), policy);
      const text =
        decision.kind === 'expect'
          ? decision.rewrite({ address: address('10.77.0.1'), port: 50001 })
          : decision.kind === 'pass' && decision.rewritten;
      assert.equal(text, `${first}${verb} ${before}${sent}${behind}`);
    }),
  );
});

test('comes to the end of the longest lines of blanks', () => {
  for (const argument of [' '.repeat(8187), `1${' '.repeat(8185)}1`, ' 1'.repeat(4093)]) {
    for (const verb of ['PORT', 'EPRT', 'HOST']) {
      const expected = verb === 'HOST' ? 'pass' : 'refuse syntax 501';
      assert.equal(decide(`${verb} ${argument}`, loggedIn()), expected);
    }
  }
});

test('does not hold a PASV back for another log in of one who is logged in', () => {
  const state = loggedIn();
  send(state, 'USER b');
  assert.equal(decide('PASV', state), 'pass');
});

test('holds every line back behind a PORT or EPRT that is not answered', () => {
  for (const [line, code] of [
    ['PORT 198,51,100,10,195,80', 200],
    ['EPRT |1|198.51.100.10|50000|', 522],
  ] as const) {
    const state = loggedIn();
    send(state, line);
    for (const next of ['STOR a', 'NOOP', 'QUIT', 'PORT 1,2,3,4,5,6', 'RETR a\0b', 'AUTH TLS']) {
      assert.equal(decide(next, state), 'wait', next);
    }
    settleReply(state, code);
    assert.equal(decide('STOR a', state), 'pass');
  }
});

test('lets commands be sent in one segment behind a PASV', () => {
  const state = loggedIn();
  send(state, 'TYPE I', 'SIZE a', 'EPSV');
  assert.equal(decide('RETR a', state), 'pass');
});

test('reads no further when 512 commands are outstanding', () => {
  const state = loggedIn();
  for (let n = 0; n < 511; n++) send(state, 'NOOP');
  assert.equal(decide('NOOP', state), 'pass');
  send(state, 'NOOP');
  assert.equal(decide('NOOP', state), 'wait');
  settleReply(state, 200);
  assert.equal(decide('NOOP', state), 'pass');
});

test('refuses a PORT that names another host', () => {
  assert.equal(decide('PORT 192,0,2,1,195,80', loggedIn()), 'refuse not-the-peer 500');
  assert.equal(decide('EPRT |1|192.0.2.1|50000|', loggedIn()), 'refuse not-the-peer 500');
});

test('takes a PORT that names a host of the FXP networks, and no other', () => {
  const fxp = policyWith({ fxpPeers: [network('192.0.2.0/25')] });
  assert.equal(decide('PORT 192,0,2,1,195,80', loggedIn(), fxp), 'expect 192.0.2.1:50000');
  assert.equal(decide('EPRT |1|192.0.2.1|50000|', loggedIn(), fxp), 'expect 192.0.2.1:50000');
  assert.equal(decide('PORT 192,0,2,128,195,80', loggedIn(), fxp), 'refuse not-the-peer 500');
  assert.equal(decide('PORT 192,0,2,1,0,22', loggedIn(), fxp), 'refuse port-below-1024 500');
});

test('refuses PORT, EPRT and PASV after EPSV ALL', () => {
  const state = loggedIn();
  exchange(state, 'EPSV all', 200);
  for (const line of [
    'PORT 198,51,100,10,195,80',
    'EPRT |1|198.51.100.10|50000|',
    'PASV',
    'P@SW',
    'PORT x',
  ]) {
    assert.equal(decide(line, state), 'refuse epsv-all 501', line);
  }
  assert.equal(decide('EPSV', state), 'pass');
});

test('holds a PASV back until an EPSV ALL is answered', () => {
  const state = loggedIn();
  send(state, 'EPSV ALL');
  assert.equal(decide('PASV', state), 'wait');
  settleReply(state, 200);
  assert.equal(decide('PASV', state), 'refuse epsv-all 501');
});

test('takes PASV after an EPSV ALL that the server refused, and after REIN', () => {
  const state = loggedIn();
  exchange(state, 'EPSV ALL', 501);
  assert.equal(decide('PASV', state), 'pass');
  exchange(state, 'EPSV ALL', 200);
  exchange(state, 'REIN', 220);
  exchange(state, 'USER a', 230);
  assert.equal(decide('PASV', state), 'pass');
});

test('announces an active transfer with its verb, and where the client listens', () => {
  const decision = inspectCommand(parseCommand('p@rt 198,51,100,10,195,80'), loggedIn(), policy);
  assert.ok(decision.kind === 'expect');
  assert.deepEqual(decision.announcement, {
    mode: 'active',
    verb: 'PORT',
    endpoint: { address: '198.51.100.10', port: 50000 },
  });
});

test('dials a link-local client with the zone that its EPRT can not say', () => {
  const state = loggedIn('fe80::10%eth0');
  assert.equal(decide('EPRT |2|fe80::10|50000|', state), 'expect [fe80::10%eth0]:50000');
  assert.equal(decide('EPRT |2|fe80::11|50000|', state), 'refuse not-the-peer 500');
});

test('says a PORT as EPRT to a server that is on IPv6', () => {
  const state = newSessionState({
    client: address('198.51.100.10'),
    reached: address('203.0.113.1'),
    server: address('fd00::2'),
  });
  settleReply(state, 220);
  exchange(state, 'USER a', 230);
  const decision = inspectCommand(parseCommand('PORT 198,51,100,10,195,80'), state, policy);
  assert.ok(decision.kind === 'expect');
  const sent = decision.rewrite({ address: address('fd00::1'), port: 50001 });
  assert.equal(sent, 'EPRT |2|fd00::1|50001|');
});

test('writes IPv6 addresses compressed, which an old pyftpdlib wants', () => {
  const state = loggedIn('2001:db8::10');
  const decision = inspectCommand(parseCommand('EPRT |2|2001:db8:0:0:0:0:0:10|50000|'), state, policy);
  assert.ok(decision.kind === 'expect');
  const sent = decision.rewrite({ address: address('fd00:0:0:0:0:0:0:1'), port: 50001 });
  assert.equal(sent, 'EPRT |2|fd00::1|50001|');
});

test('tells a client which protocol is served', () => {
  for (const [client, line, text] of [
    ['198.51.100.10', 'EPRT |2|2001:db8::10|50000|', replies.protocolNotServed('1')],
    ['2001:db8::10', 'EPRT |1|198.51.100.10|50000|', '522 Network protocol not supported, use (2)'],
  ] as const) {
    const decision = inspectCommand(parseCommand(line), loggedIn(client), policy);
    assert.ok(decision.kind === 'refuse');
    assert.equal(decision.reply, text);
  }
});
