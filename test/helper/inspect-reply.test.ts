import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { findExtendedPorts } from '../../src/ftp/extended-host-port.ts';
import { formatHostPort } from '../../src/ftp/host-port.ts';
import type { Line } from '../../src/ftp/lines.ts';
import { ReplyReader } from '../../src/ftp/reply.ts';
import {
  announcingVerb,
  inspectReply,
  isInspected,
  isUnreadAnnouncement,
} from '../../src/helper/inspect-reply.ts';
import { settleReply, type SessionState } from '../../src/helper/session-state.ts';
import type { Endpoint } from '../../src/net/endpoint.ts';
import { formatEndpoint } from '../../src/net/endpoint.ts';
import { assertSameHoweverCut, linesOf, readCases, toBytes, type WireCase } from '../data/cases.ts';
import { address, exchange, greeted, loggedIn, send, policyWith } from '../data/sessions.ts';

/** What is announced is read, whatever port it is. */
const anyPort = policyWith({ serverPassivePorts: [{ first: 1, last: 65_535 }] });
const announced: Endpoint = { address: address('203.0.113.1'), port: 50000 };

/** What became of a reply: the endpoint that a pinhole leads to, a remark for the log, the bytes that go on. */
interface Seen {
  readonly opens?: string;
  readonly remark?: string;
  readonly sent: string;
}

/**
 * The way of a server's bytes through lines, replies and inspection, without sockets and pinholes. With `verb`,
 * each reply answers such a command; else those that are outstanding in `state`.
 */
function relay(chunks: readonly Buffer[], state: SessionState, verb?: string): Seen[] {
  const replies = new ReplyReader();
  const seen: Seen[] = [];
  let held: Line[] = [];
  let opening = false;
  for (const line of linesOf(chunks)) {
    if (verb !== undefined && state.exchanges.size === 0) send(state, verb);
    const part = replies.push(line.text);
    assert.ok(part.kind !== 'stray', line.text);
    if (held.length === 0) assert.equal(state.exchanges.arrive(part.code), '');
    if (held.length === 0) opening = isInspected(part.code, state, policyWith());
    held.push(line);
    if (part.kind !== 'single' && part.kind !== 'last') continue;
    seen.push(opening ? inspectAndRewrite(part.code, held, state) : { sent: joined(held) });
    settleReply(state, part.code);
    if (verb !== undefined) state.exchanges.settle(500);
    held = [];
  }
  return seen;
}

function inspectAndRewrite(code: number, lines: readonly Line[], state: SessionState): Seen {
  const texts = lines.map(({ text }) => text);
  const asked = state.exchanges.find(({ verb }) => verb === 'PASV' || verb === 'EPSV')?.verb;
  const decision = inspectReply(code, texts, state, anyPort);
  const remark = decision.remark === undefined ? {} : { remark: decision.remark };
  if (decision.kind === 'pass') return { ...remark, sent: joined(lines) };
  assert.ok(decision.kind === 'expect');
  const { mode, verb, endpoint } = decision.announcement;
  assert.deepEqual([mode, verb], ['passive', asked]);
  return { ...remark, opens: formatEndpoint(endpoint), sent: joined(lines, decision.rewrite(announced)) };
}

function joined(lines: readonly Line[], texts: readonly string[] = lines.map(({ text }) => text)): string {
  return lines.map(({ end }, index) => `${texts[index] ?? ''}${end}`).join('');
}

interface PassiveCase extends WireCase {
  readonly opens?: string;
  readonly remark?: string;
  /** Absent where the bytes go on as they came. */
  readonly sent?: string;
}

interface ExtendedPassiveCase extends Omit<PassiveCase, 'opens'> {
  readonly opens?: number;
}

test('finds in a 227 what clients find, wherever it stands, and nothing that they would not', () => {
  assertSameHoweverCut(
    readCases<PassiveCase>('passive-replies.jsonl'),
    (chunks) => relay(chunks, loggedIn(), 'PASV'),
    ({ name, bytes, opens, remark, sent = bytes }) => {
      assert.equal(opens === undefined, sent === bytes, name);
      return [{ ...(opens !== undefined && { opens }), ...(remark !== undefined && { remark }), sent }];
    },
  );
});

test('finds in a 229 what clients find, wherever it stands, and leads to the server alone', () => {
  assertSameHoweverCut(
    readCases<ExtendedPassiveCase>('extended-passive-replies.jsonl'),
    (chunks) => relay(chunks, loggedIn(), 'EPSV'),
    ({ name, bytes, opens, remark, sent = bytes }) => {
      assert.equal(opens === undefined, sent === bytes, name);
      const to = opens === undefined ? {} : { opens: `10.77.0.2:${opens}` };
      return [{ ...to, ...(remark !== undefined && { remark }), sent }];
    },
  );
});

test('replaces the span of numbers and no other byte', () => {
  const text = fc.uint8Array({ maxLength: 30 }).map((bytes) =>
    Buffer.from(bytes)
      .toString('latin1')
      .replace(/[\r\n\d,]/g, ''),
  );
  const port = fc.integer({ min: 1, max: 65535 });
  fc.assert(
    fc.property(text, text, port, (before, behind, number) => {
      const numbers = formatHostPort({ address: address('10.77.0.2'), port: number });
      const seen = relay([toBytes(`227 ${before}${numbers}${behind}\r\n`)], loggedIn(), 'PASV');
      assert.deepEqual(seen, [
        { opens: `10.77.0.2:${number}`, sent: `227 ${before}203,0,113,1,195,80${behind}\r\n` },
      ]);
    }),
  );
});

const passive = toBytes('227 Entering Passive Mode (10,77,0,2,200,13)\r\n');
const extended = toBytes('229 Entering Extended Passive Mode (|||6446|)\r\n');

test('does not take a 227 or 229 for one when nothing was asked', () => {
  for (const chunk of [passive, extended]) {
    assert.deepEqual(relay([chunk], loggedIn()), [{ sent: chunk.toString() }]);
    assert.deepEqual(relay([chunk], greeted()), [{ sent: chunk.toString() }]);
  }
});

test('does not take a 227 for one that answers another command', () => {
  const state = loggedIn();
  send(state, 'SITE x');
  assert.deepEqual(relay([passive], state), [{ sent: passive.toString() }]);
});

test('takes a 227 that answers EPSV, and a 229 that answers PASV', () => {
  assert.deepEqual(relay([passive], loggedIn(), 'EPSV'), [
    { opens: '10.77.0.2:51213', sent: '227 Entering Passive Mode (203,0,113,1,195,80)\r\n' },
  ]);
  assert.deepEqual(relay([extended], loggedIn(), 'PASV'), [
    { opens: '10.77.0.2:6446', sent: '229 Entering Extended Passive Mode (|||50000|)\r\n' },
  ]);
});

test('takes the first final reply of an EPSV alone, whichever of the two it is', () => {
  const state = loggedIn();
  send(state, 'EPSV');
  const seen = relay([passive, extended, passive], state);
  assert.deepEqual(
    seen.map(({ opens }) => opens),
    ['10.77.0.2:51213', undefined, undefined],
  );
});

test('does not take a 227 for one where the server answers EPSV ALL with its consent', () => {
  const state = loggedIn();
  send(state, 'EPSV ALL');
  const seen = relay([toBytes('200 EPSV ALL ok (|||6446|)\r\n'), passive], state);
  assert.deepEqual(
    seen.map(({ opens }) => opens),
    [undefined, undefined],
  );
});

test('writes the endpoint without a host in a 227 that answers the EPSV of a client on IPv6', () => {
  const state = loggedIn('2001:db8::10');
  send(state, 'EPSV');
  const decision = inspectReply(227, ['227 Entering Passive Mode (10,77,0,2,200,13)'], state, anyPort);
  assert.ok(decision.kind === 'expect');
  assert.deepEqual(decision.rewrite({ address: address('2001:db8::1'), port: 50000 }), [
    '227 Entering Passive Mode (0,0,0,0,195,80)',
  ]);
});

test('finds the port of a 229 that clients read loosely wherever it stands, and writes it for all', () => {
  const mark = fc.constantFrom('|', '!', ' ', '\t', ':', '/', '#');
  const marks = fc.array(mark, { maxLength: 8 }).map((each) => each.join(''));
  const text = fc.string({ unit: fc.constantFrom('a', ' ', '7', '.', '\xff', '|'), maxLength: 10 });
  const port = fc.integer({ min: 1, max: 65535 });
  fc.assert(
    fc.property(text, text, marks, marks, port, (before, behind, left, right, number) => {
      const inner = `(${left}${number}${right})`;
      fc.pre(findExtendedPorts(`${before}${inner}${behind}`).length === 0);
      const seen = relay([toBytes(`229 ${before}${inner}${behind}\r\n`)], loggedIn(), 'EPSV');
      assert.deepEqual(seen, [
        { opens: `10.77.0.2:${number}`, sent: `229 ${before}(|||50000|)${behind}\r\n` },
      ]);
    }),
  );
});

test('takes the first final reply of a PASV alone', () => {
  const state = loggedIn();
  send(state, 'PASV');
  const seen = relay([passive, passive], state);
  assert.deepEqual(
    seen.map(({ opens }) => opens),
    ['10.77.0.2:51213', undefined],
  );
});

test('takes a 227 behind a preliminary reply', () => {
  const state = loggedIn();
  send(state, 'PASV');
  const seen = relay([toBytes('120 wait\r\n'), passive], state);
  assert.deepEqual(
    seen.map(({ opens }) => opens),
    [undefined, '10.77.0.2:51213'],
  );
});

test('finds the 227 of a PASV that came in one segment with other commands', () => {
  const state = loggedIn();
  send(state, 'TYPE I', 'SIZE a', 'MDTM a', 'PASV', 'RETR a');
  const wire = toBytes('200 ok\r\n213 5\r\n550 no\r\n227 x (10,77,0,2,200,13)\r\n150 ok\r\n226 ok\r\n');
  const seen = relay([wire], state);
  assert.deepEqual(
    seen.map(({ opens }) => opens),
    [undefined, undefined, undefined, '10.77.0.2:51213', undefined, undefined],
  );
  assert.equal(state.exchanges.size, 0);
});

test('does not take the text of the greeting or of a log in for a 227', () => {
  const text = '230-\r\n227 Entering Passive Mode (10,77,0,2,200,13)\r\n230 ok\r\n';
  const state = greeted();
  send(state, 'PASS x', 'PASV');
  assert.deepEqual(relay([toBytes(text)], state), [{ sent: text }]);
});

test('waits for no announcement once the PASV is answered', () => {
  const state = loggedIn();
  exchange(state, 'PASV', 227);
  assert.equal(isInspected(227, state, policyWith()), false);
  assert.equal(isInspected(229, state, policyWith()), false);
});

test('knows for which command a reply announces a data connection', () => {
  for (const [line, code, expected] of [
    ['PASV', 227, 'PASV'],
    ['PASV', 229, 'PASV'],
    ['EPSV', 229, 'EPSV'],
    ['EPSV', 227, 'EPSV'],
    ['EPSV', 200, undefined],
    ['PASV', 500, undefined],
    ['NOOP', 227, undefined],
    ['SITE x', 229, undefined],
  ] as const) {
    const state = loggedIn();
    send(state, line);
    assert.equal(announcingVerb(code, state.exchanges), expected, `${line} ${code}`);
  }
  assert.equal(announcingVerb(227, loggedIn().exchanges), undefined);
});

test('knows a line in which clients read an announcement, where nobody here has', () => {
  for (const line of [
    '227 Entering Passive Mode (10,77,0,2,200,13).',
    '227-10,77,0,2,200,13',
    '227=10, 77, 0, 2, 200, 13',
    '227 10,77,0,2,200,13',
    '229 Entering Extended Passive Mode (|||6446|)',
    '229-|||6446|',
    '229 (||| 6446 |)',
    '229\t(|1|10.77.0.2|6446|)',
  ]) {
    assert.equal(isUnreadAnnouncement(line), true, line);
  }
  for (const line of [
    '',
    '227',
    '227 Entering Passive Mode',
    '227 (10,77,0,256,200,13)',
    '227 (10,77,0,2,0,0)',
    '227 (|||6446|)',
    '229 (10,77,0,2,200,13)',
    '229 (|||0|)',
    '2270,0,0,2,200,13',
    ' 227 (10,77,0,2,200,13)',
    '550 227 (10,77,0,2,200,13)',
    '211-227 (10,77,0,2,200,13)',
    '200 (10,77,0,2,200,13)',
  ]) {
    assert.equal(isUnreadAnnouncement(line), false, line);
  }
});

test('knows every announcement that it would rewrite for one that goes on unread elsewhere', () => {
  const cases = [
    ...readCases<PassiveCase>('passive-replies.jsonl'),
    ...readCases<ExtendedPassiveCase>('extended-passive-replies.jsonl'),
  ];
  for (const { name, bytes, opens } of cases) {
    const lines = bytes.trimEnd().split(/\r?\n/);
    if (opens === undefined) assert.ok(!lines.some(isUnreadAnnouncement) || /^[24]1\d-/.test(bytes), name);
    else if (lines.length === 1) assert.ok(isUnreadAnnouncement(lines[0] ?? ''), name);
  }
});

for (const [port, reason] of [
  [1, 'port-below-1024'],
  [22, 'port-below-1024'],
  [1023, 'port-below-1024'],
  [1024, undefined],
  [6000, 'denied-port'],
  [6064, undefined],
  [65_535, undefined],
] as const) {
  const what = reason === undefined ? 'opens a pinhole' : `refuses (${reason})`;
  test(`${what} where the server announces port ${port}`, () => {
    const replies = {
      PASV: [227, `227 Entering Passive Mode (10,77,0,2,${port >> 8},${port & 0xff})`],
      EPSV: [229, `229 Entering Extended Passive Mode (|||${port}|)`],
    } as const;
    for (const [verb, [code, reply]] of Object.entries(replies)) {
      const state = loggedIn();
      send(state, verb);
      const decision = inspectReply(code, [reply], state, policyWith());
      assert.equal(decision.kind, reason === undefined ? 'expect' : 'refuse');
      assert.equal('reason' in decision ? decision.reason : undefined, reason);
      assert.equal(decision.remark, reason === undefined ? undefined : 'forbidden-port');
    }
  });
}

test('opens pinholes to the ports that the server is known to use, and to no other', () => {
  const policy = policyWith({ serverPassivePorts: [{ first: 990, last: 6000 }] });
  for (const [port, kind] of [
    [989, 'refuse'],
    [990, 'expect'],
    [6000, 'expect'],
    [6001, 'refuse'],
  ] as const) {
    const state = loggedIn();
    send(state, 'EPSV');
    const reply = `229 Entering Extended Passive Mode (|||${port}|)`;
    assert.equal(inspectReply(229, [reply], state, policy).kind, kind, `${port}`);
  }
});
