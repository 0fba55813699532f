import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { tellAll, type Event } from '../../src/events.ts';
import { createLogger, logEvents } from '../../src/log/log.ts';
import { columnsOf } from '../../src/net/columns.ts';
import { Roster } from '../../src/status/roster.ts';
import { events } from '../data/events.ts';

/** A log for people, and what it has shown; the time is cut off unless wanted. */
class Shown {
  readonly logger;
  readonly observe;
  columns;
  #text = '';

  constructor(columns = 120, isColoured = false) {
    this.columns = columns;
    const write = (line: string): void => {
      this.#text += line;
    };
    this.logger = createLogger(
      { logLevel: 'trace', logFormat: 'pretty' },
      { write },
      {
        columns: () => this.columns,
        isColoured: () => isColoured,
      },
    );
    const roster = new Roster();
    this.observe = tellAll([roster.observe, logEvents(this.logger, 64, roster)]);
  }

  get lines(): string[] {
    return this.#text.split('\n').slice(0, -1);
  }

  /** Without the time. */
  get texts(): string[] {
    return this.lines.map((line) => line.replace(/^\d\d:\d\d:\d\d\.\d{3} +/, ''));
  }
}

type Transfer = Event & { readonly type: 'transfer-ended' };
const download = events.download as Transfer;

const session: readonly Event[] = [
  ...[events.opened, events.named, events.loggedIn, events.pinholeOpened, events.pinholeTaken],
  ...[events.begun, events.download, events.upload, events.command, events.rewrittenReply, events.ownReply],
  ...[events.commandRefused, events.remarked, events.pinholeRefused, events.closed],
];

test('shows a session as a table', () => {
  const shown = new Shown();
  for (const event of session) shown.observe(event);
  assert.deepEqual(shown.texts, [
    '#1  198.51.100.10  -     session opened  at 203.0.113.1:21  server 10.77.0.2:21',
    '#1  198.51.100.10  anna  session user',
    '#1  198.51.100.10  anna  logged in',
    '#1  198.51.100.10  anna  pinhole opened  PASV  at 203.0.113.1:50000  to 10.77.0.2:51213',
    '#1  198.51.100.10  anna  pinhole taken  from 198.51.100.10:40001  at 203.0.113.1:50000',
    '#1  198.51.100.10  anna  transfer begun  RETR /a  5 B',
    '#1  198.51.100.10  anna  download /a  5 B  41 B/s  complete',
    '#1  198.51.100.10  anna  upload ./b  9 B  73 B/s  client-reset  read ECONNRESET',
    '#1  198.51.100.10  anna  > PASV',
    '#1  198.51.100.10  anna  < 227 (10,77,0,2,200,13)  => 227 (203,0,113,1,195,80)',
    '#1  198.51.100.10  anna  < 421 Idle timeout.  (of the relay)',
    '#1  198.51.100.10  anna  command refused  not-the-peer  PORT 192,0,2,1,0,22  500 Illegal PORT command',
    '#1  198.51.100.10  anna  reply remarked  unusable-announcement  227 x',
    '-   198.51.100.10  -     pinhole refused  stranger  at 203.0.113.1:50000',
    '#1  198.51.100.10  anna  session closed  quit  1.235 s',
  ]);
});

test('shows a transfer on a line of 80 columns, and of a long path both ends', () => {
  const shown = new Shown(80);
  shown.observe(events.opened);
  shown.observe(events.named);
  const big = { ...download, downloaded: 1_288_490_189, seconds: 12.5 };
  shown.observe({ ...big, command: { verb: 'RETR', path: '/pub/a.iso', isRelative: false } });
  const path = `/pub/${'deep/'.repeat(30)}last.iso`;
  shown.observe({ ...big, command: { verb: 'RETR', path, isRelative: false } });
  assert.deepEqual(shown.texts.slice(2), [
    '#1 198.51.100.10 anna download /pub/a.iso 1.2 GiB 98 MiB/s complete',
    '#1 198.51.100.10 anna download /pu…st.iso 1.2 GiB 98 MiB/s complete',
  ]);
});

test('no event is wider than the terminal, whatever names it has', () => {
  const text = fc.string({ unit: 'binary', maxLength: 200 });
  fc.assert(
    fc.property(
      text,
      text,
      fc.integer({ min: 20, max: 250 }),
      fc.boolean(),
      (user, path, columns, isLong) => {
        const shown = new Shown(columns);
        shown.observe(events.opened);
        shown.observe({ type: 'session-user', session: 1, user });
        shown.observe({
          ...download,
          command: { verb: 'RETR', path: isLong ? path.repeat(9) : path, isRelative: true },
        });
        for (const event of session.slice(2)) shown.observe(event);
        assert.equal(shown.lines.length, session.length + 1);
        for (const line of shown.lines) {
          assert.ok(columnsOf(line) <= columns, `${columnsOf(line)} of ${columns}: ${line}`);
          assert.doesNotMatch(line, /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/);
        }
      },
    ),
    { numRuns: 300 },
  );
});

test('shows wide characters in two columns, and keeps the table', () => {
  const shown = new Shown(100);
  shown.observe(events.opened);
  shown.observe({ type: 'session-user', session: 1, user: '安娜' });
  shown.observe({ ...download, command: { verb: 'RETR', path: `/${'文件'.repeat(40)}`, isRelative: false } });
  assert.equal(shown.texts[1], '#1  198.51.100.10  安娜  session user');
  assert.ok([99, 100].includes(columnsOf(shown.lines[2] ?? '')));
});

test('gives the time of a line that was held back as it was', () => {
  const shown = new Shown();
  shown.logger.info(
    { session: 1, client: '192.0.2.1:1', since: new Date(2026, 10, 28, 2, 31, 7, 123) },
    'logged in',
  );
  assert.equal(shown.lines[0], '02:31:07.123  #1  192.0.2.1  -     logged in');
});

test('wraps what is no event between words, and leaves nothing of it out', () => {
  const shown = new Shown(60);
  const text = 'max-sessions exceeds what the descriptor limit of this process allows: raise it (ulimit -n)';
  shown.logger.warn(
    { descriptors: 1024, listen: ['0.0.0.0:21', '[::]:21'], counters: { 'a b': 1, c: 2 } },
    text,
  );
  assert.deepEqual(
    shown.texts.flatMap((line) => line.trim().split(/ +/)),
    `warning: ${text} descriptors 1024 listen 0.0.0.0:21, [::]:21 counters a b 1, c 2`.split(' '),
  );
  for (const line of shown.lines.slice(1)) assert.match(line, /^ {13}\S/);
  for (const line of shown.lines) assert.ok(line.length <= 60);
});

test('tells how many more of a kind there were', () => {
  const shown = new Shown();
  shown.logger.warn({ client: '192.0.2.1', reason: 'loop', repeated: 5 }, 'session refused');
  assert.deepEqual(shown.texts, ['-   192.0.2.1  -     session refused  loop  5 times more']);
});

test('colours warnings, where colours are wanted', () => {
  const shown = new Shown(120, true);
  shown.observe(events.opened);
  shown.observe(events.loginFailed);
  shown.logger.error({ error: 'x' }, 'reload failed');
  const [opened = '', failed = '', error = ''] = shown.lines;
  assert.match(opened, /^\u001b\[2m[\d:.]+\u001b\[22m {2}#1/);
  assert.match(failed, /\u001b\[33m#1 .*login failed {2}530\u001b\[39m$/);
  assert.match(error, /\u001b\[31merror: reload failed {2}error x\u001b\[39m$/);
});

test('shows what is no text, and lets no message begin a line of its own', () => {
  const shown = new Shown(2000);
  const hostile = 'one\ntwo\u001b[2J\u009b';
  shown.logger.info({ host: 'a\u009b\u202eb', long: 'x'.repeat(600) }, hostile);
  shown.observe(events.opened);
  shown.observe({ type: 'session-user', session: 1, user: hostile });
  assert.equal(shown.lines.length, 3);
  assert.match(
    shown.texts[0] ?? '',
    /^one\\u000atwo\\u001b\[2J\\u009b {2}host a\\u009b\\u202eb {2}long x{500}\.\.\. /,
  );
  assert.match(shown.texts[2] ?? '', /one\\u000atwo\\u001b\[2J\\u009b/);
});
