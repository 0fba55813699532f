import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseCommand } from '../../../src/ftp/command.ts';
import { formatHostPort } from '../../../src/ftp/host-port.ts';
import { LineReader, type Line } from '../../../src/ftp/lines.ts';
import { isTransfer } from '../../../src/ftp/transfer.ts';
import { inspectCommand } from '../../../src/helper/inspect-command.ts';
import { inspectReply, isInspected } from '../../../src/helper/inspect-reply.ts';
import { settleReply, type SessionState } from '../../../src/helper/session-state.ts';
import type { Endpoint } from '../../../src/net/endpoint.ts';
import { ServerReplies, type ReplyStep } from '../../../src/proxy/session/server-replies.ts';
import { linesOf, segmentations, toBytes } from '../../data/cases.ts';
import { fillIn, heard, readDialogues, type Dialogue } from '../../data/dialogues.ts';
import { address, loggedIn, newSession, policyWith } from '../../data/sessions.ts';

const policy = policyWith();
const inside: Endpoint = { address: address('10.77.0.2'), port: 51213 };
const announced: Endpoint = { address: address('203.0.113.1'), port: 50000 };

/** A session without sockets and pinholes: what it reads, decides and says. */
class Session {
  readonly #state: SessionState;
  readonly #holdsTransfers: boolean;
  readonly #lines = new LineReader();
  readonly #replies = new ServerReplies(
    (code) => this.#begins(code),
    () => this.#state.exchanges,
  );
  /** What the client has heard. */
  heard = '';
  /** Where pinholes lead that were opened. */
  readonly opened: Endpoint[] = [];
  /** The lines that were said to be unread. */
  readonly unread: string[] = [];

  /** @param holdsTransfers whether replies to transfers are held too, for the sake of their order */
  constructor(state: SessionState, holdsTransfers: boolean) {
    this.#state = state;
    this.#holdsTransfers = holdsTransfers;
  }

  /** Takes the client's lines; returns those that go to the server. */
  client(text: string): string[] {
    return linesOf([toBytes(text)]).flatMap((line) => {
      const command = parseCommand(line.text);
      const decision = inspectCommand(command, this.#state, policy);
      this.#state.begun = true;
      if (decision.kind === 'pass' || decision.kind === 'expect') {
        this.#state.exchanges.add({ kind: 'sent', verb: command.verb, argument: command.argument });
        return [line.text];
      }
      if (decision.kind !== 'refuse') return [];
      this.#state.exchanges.add({ kind: 'answered', answer: `${decision.reply}\r\n` });
      this.heard += this.#state.exchanges.takeAnswers();
      return [];
    });
  }

  server(chunk: Buffer): void {
    for (const line of linesOf([chunk], this.#lines)) this.#take(this.#replies.push(line));
  }

  serverEnds(): void {
    this.#take(this.#replies.end());
  }

  #begins(code: number): boolean {
    this.heard += this.#state.exchanges.arrive(code);
    const exchange = this.#state.exchanges.answeredBy(code);
    const isHeld = this.#holdsTransfers && exchange !== undefined && isTransfer(exchange);
    return isInspected(code, this.#state, policy) || isHeld;
  }

  #take(steps: readonly ReplyStep[]): void {
    for (const step of steps) {
      switch (step.kind) {
        case 'unread':
          this.unread.push(step.text);
          break;
        case 'piece':
          this.heard += step.text;
          if (step.ends !== undefined) this.#settle(step.ends);
          break;
        case 'lines':
        case 'unusable':
          this.#pass(step.lines);
          break;
        case 'last':
          this.#pass(step.lines);
          this.#settle(step.code);
          break;
        case 'whole':
          this.#whole(step.code, step.lines);
          break;
      }
    }
  }

  #whole(code: number, lines: readonly Line[]): void {
    const texts = lines.map(({ text }) => text);
    if (isInspected(code, this.#state, policy)) {
      const decision = inspectReply(code, texts, this.#state, policyWith());
      if (decision.kind === 'expect') {
        this.opened.push(decision.announcement.endpoint);
        this.#pass(lines, decision.rewrite(announced));
        this.#settle(code);
        return;
      }
    }
    this.#pass(lines);
    this.#settle(code);
  }

  #pass(lines: readonly Line[], texts: readonly string[] = lines.map(({ text }) => text)): void {
    lines.forEach(({ end }, index) => {
      this.heard += `${texts[index] ?? ''}${end}`;
    });
  }

  #settle(code: number): void {
    settleReply(this.#state, code);
    this.heard += this.#state.exchanges.takeAnswers();
  }
}

const places = { inside, announced };

/** Goes through a dialogue, the bytes of the `cut`-th server step coming in these chunks and all others whole. */
function converse(dialogue: Dialogue, holdsTransfers: boolean, cut: number, chunks: readonly Buffer[]): void {
  const session = new Session(dialogue.from === 'greeting' ? newSession() : loggedIn(), holdsTransfers);
  let expected = '';
  for (const [index, step] of dialogue.steps.entries()) {
    const [who, text] = step;
    const said = fillIn(text, places, 'inside');
    if (who === 'server') for (const chunk of index === cut ? chunks : [toBytes(said)]) session.server(chunk);
    else assert.deepEqual(session.client(said), who === 'client' ? said.trimEnd().split('\r\n') : []);
    expected += heard(step, places);
    assert.equal(session.heard, expected, `behind step ${index}`);
  }
  assert.equal(session.opened.length, dialogue.opens, 'pinholes');
  assert.ok(session.opened.every(({ port }) => port === inside.port));
  assert.equal(session.unread.length, dialogue.unread, session.unread.join('\n'));
}

for (const dialogue of readDialogues()) {
  test(`reads ${dialogue.name}`, () => {
    for (const holdsTransfers of [false, true]) {
      for (const [index, [who, text]] of dialogue.steps.entries()) {
        if (who !== 'server') continue;
        for (const chunks of segmentations(fillIn(text, places, 'inside'))) {
          converse(dialogue, holdsTransfers, index, chunks);
        }
      }
    }
  });
}

const passive = `227 Entering Passive Mode (${formatHostPort(inside)}).`;
const extended = `229 Entering Extended Passive Mode (|||${inside.port}|)`;

test('finds back by the first PASV or EPSV, whatever a refusal was that did not end', () => {
  const verb = fc.constantFrom('DELE x', 'CWD x', 'STOR x', 'RETR x', 'MKD x', 'TYPE X', 'NOOP', 'PWD');
  const open = fc.constantFrom(421, 450, 500, 530, 550, 553);
  const text = fc.constantFrom('', ' No.', '400-', '4210', 'no code', '200-x', '150-y', '5530 z');
  const end = fc.constantFrom('220 x', '425 x', '551 x', '200', '215 y', '631 z');
  const asked = fc.constantFrom(['PASV', passive], ['EPSV', extended], ['PASV', extended], ['EPSV', passive]);
  fc.assert(
    fc.property(
      verb,
      open,
      fc.array(text, { maxLength: 4 }),
      end,
      asked,
      fc.boolean(),
      (command, code, texts, last, [announcing = '', reply = ''], holdsTransfers) => {
        const session = new Session(loggedIn(), holdsTransfers);
        session.client(`${command}\r\n`);
        for (const line of [`${code}-`, ...texts, last]) session.server(toBytes(`${line}\r\n`));
        assert.ok(session.heard.endsWith(`${last}\r\n`), 'who takes it for the end waits for it');
        session.client(`${announcing}\r\n`);
        session.server(toBytes(`${reply}\r\n`));
        assert.equal(session.opened.length, 1);
        assert.deepEqual(session.unread, []);
        // It is in step again.
        session.client('EPSV\r\n');
        session.server(toBytes(`${extended}\r\n`));
        assert.equal(session.opened.length, 2);
      },
    ),
  );
});

test('opens nothing for text that a user may have written, whatever is sent while it comes', () => {
  const opens = fc.constantFrom(
    ...[
      ['STAT x', 211],
      ['STAT x', 213],
      ['STAT x', 550],
      ['HELP', 214],
      ['SITE x', 200],
      ['SITE x', 500],
      ['FEAT', 211],
      ['MLST x', 250],
      ['LIST', 226],
      ['LIST', 550],
      ['CWD x', 250],
      ['PASS x', 230],
      ['RETR x', 226],
      ['XYZZY x', 500],
      ['TYPE I', 200],
    ],
  );
  const line = fc.constantFrom(
    ...[passive, extended, `227-x (${formatHostPort(inside)})`, '150 a', '200 b', '257 c', '230 d', '331 e'],
    ...['500 f', '226', '150-g', '200-h', 'text', '', ' 227 i', '229-', '631 j'],
  );
  const command = fc.constantFrom(
    ...['PASV', 'EPSV', 'TYPE I', 'NOOP', 'PWD', 'RETR y', 'ABOR', 'STAT', 'USER z', 'CWD y', 'QUIT', ''],
  );
  const steps = fc.array(fc.tuple(fc.option(line), fc.option(command)), { maxLength: 12 });
  fc.assert(
    fc.property(opens, steps, fc.boolean(), ([verb = '', code = ''], said, holdsTransfers) => {
      const session = new Session(loggedIn(), holdsTransfers);
      session.client(`${verb}\r\n`);
      session.server(toBytes(`${code}-Text\r\n`));
      const own = new RegExp(`^${code}(?:$|[ \t:])`);
      for (const [text, next] of said) {
        if (text !== null && !own.test(text)) session.server(toBytes(`${text}\r\n`));
        if (next !== null) session.client(`${next}\r\n`);
      }
      session.serverEnds();
      assert.deepEqual(session.opened, []);
    }),
    { numRuns: 1000 },
  );
});

/** The replies to one command, each of which is held. */
function holding(verb: string): ServerReplies {
  const state = loggedIn();
  state.exchanges.add({ kind: 'sent', verb, argument: '' });
  return new ServerReplies(
    (code) => {
      state.exchanges.arrive(code);
      return true;
    },
    () => state.exchanges,
  );
}

test('gives up an announcement that does not end, and other replies that are held without a word', () => {
  for (const [verb, text, kind] of [
    ['PASV', '227-Entering', 'unusable'],
    ['EPSV', '229-Entering', 'unusable'],
    ['RETR', '226-Done', 'lines'],
    ['FEAT', '211-Features', 'lines'],
  ] as const) {
    const replies = holding(verb);
    const line: Line = { text, end: '\r\n' };
    assert.deepEqual(replies.push(line), []);
    assert.deepEqual(replies.end(), [{ kind, lines: [line] }]);
    assert.deepEqual(replies.end(), []);
  }
});

test('keeps features of which others may go on in their place to their end', () => {
  const replies = holding('FEAT');
  const lines = ['211-Features', '500 x', ' SIZE', '211 End'].map((text): Line => ({ text, end: '\r\n' }));
  assert.deepEqual(
    lines.flatMap((line) => replies.push(line)),
    [{ kind: 'whole', code: 211, lines }],
  );
});

test('keeps an announcement of several lines to its end, whatever code a line of it has', () => {
  const session = new Session(loggedIn(), true);
  session.client('PASV\r\n');
  session.server(toBytes('227-Entering\r\n200 users, 150 files\r\n'));
  assert.equal(session.heard, '');
  session.server(toBytes(`${passive}\r\n`));
  assert.deepEqual(session.opened, [inside]);
});

test('passes on what was held of a reply to a transfer when a line seems to end it', () => {
  const session = new Session(loggedIn(), true);
  session.client('RETR x\r\n');
  session.server(toBytes('226-Done\r\n 5 bytes\r\n'));
  assert.equal(session.heard, '');
  session.server(toBytes('200 That was it.\r\n'));
  assert.equal(session.heard, '226-Done\r\n 5 bytes\r\n200 That was it.\r\n');
  session.server(toBytes('more\r\n226 End\r\n'));
  assert.equal(session.heard, '226-Done\r\n 5 bytes\r\n200 That was it.\r\nmore\r\n226 End\r\n');
});

for (const [where, command, before, numbers] of [
  ['its first piece', 'STAT', '', `(${formatHostPort(inside)})${'x'.repeat(9000)}`],
  ['a later piece', 'STAT', '', `${'x'.repeat(9000)}(${formatHostPort(inside)})`],
  [
    'its first piece, within another reply',
    'STAT',
    '211-\r\n',
    `${formatHostPort(inside)}${'x'.repeat(9000)}`,
  ],
  ['its first piece, in answer to PASV', 'PASV', '', `(${formatHostPort(inside)})${'x'.repeat(9000)}`],
] as const) {
  test(`says that an announcement in an overlong line goes on unread, with its numbers in ${where}`, () => {
    const session = new Session(loggedIn(), true);
    session.client(`${command}\r\n`);
    const wire = `${before}227 ${numbers}\r\n`;
    const bytes = toBytes(wire);
    for (let at = 0; at < bytes.length; at += 8500) session.server(bytes.subarray(at, at + 8500));
    assert.equal(session.heard, wire);
    assert.deepEqual(session.opened, []);
    assert.equal(session.unread.length, 1);
  });
}

test('says nothing of an overlong line that is no announcement', () => {
  const session = new Session(loggedIn(), true);
  session.client('STAT\r\n');
  const wire = `211 227 (${formatHostPort(inside)})${'x'.repeat(9000)}\r\n`;
  for (const byte of toBytes(wire)) session.server(Buffer.of(byte));
  assert.equal(session.heard, wire);
  assert.deepEqual(session.unread, []);
});
