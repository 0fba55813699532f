import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Config } from '../../src/config/config.ts';
import { tellAll, type Event, type Observer } from '../../src/events.ts';
import { createLogger, logEvents } from '../../src/log/log.ts';
import { Roster } from '../../src/status/roster.ts';
import { events } from '../data/events.ts';
import { address } from '../data/sessions.ts';

/** What a logger of this level writes of the events, each line without its time and process. */
function logged(level: Config['logLevel'], ...told: Event[]): unknown[] {
  const lines: string[] = [];
  const write = (line: string): void => {
    lines.push(line);
  };
  const logger = createLogger({ logLevel: level, logFormat: 'json' }, { write });
  for (const event of told) logEvents(logger)(event);
  return lines.map((line) => {
    const { time, pid, ...rest } = JSON.parse(line) as Record<string, unknown>;
    assert.match(String(time), /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
    assert.equal(pid, process.pid);
    return rest;
  });
}

const pinhole = {
  session: 1,
  expectation: 7,
  plane: 'relay',
  mode: 'passive',
  peer: '198.51.100.10',
  client: '198.51.100.10',
  at: '203.0.113.1:50000',
  to: '10.77.0.2:51213',
};

const transfer = {
  session: 1,
  expectation: 7,
  plane: 'relay',
  mode: 'passive',
  client: '198.51.100.10',
  seconds: 0.123,
};

const lines: [Event, object][] = [
  [
    events.opened,
    {
      level: 'info',
      session: 1,
      client: '198.51.100.10:40000',
      reached: '203.0.113.1:21',
      server: '10.77.0.2:21',
      msg: 'session opened',
    },
  ],
  [
    { type: 'session-opaque', session: 1, unavailable: [] },
    { level: 'info', session: 1, msg: 'session opaque' },
  ],
  [
    {
      ...{ type: 'session-opaque', session: 1 },
      unavailable: [
        { first: 50_003, last: 50_003 },
        { first: 50_007, last: 50_009 },
      ],
    },
    { level: 'warn', session: 1, unavailable: '50003, 50007-50009', msg: 'session opaque' },
  ],
  [
    events.closed,
    {
      level: 'info',
      session: 1,
      client: '198.51.100.10:40000',
      reason: 'quit',
      seconds: 1.235,
      msg: 'session closed',
    },
  ],
  [
    events.sessionRefused,
    { level: 'warn', client: '198.51.100.10:40000', reason: 'too-many-sessions', msg: 'session refused' },
  ],
  [
    events.loginFailed,
    { level: 'warn', session: 1, client: '198.51.100.10:40000', code: 530, msg: 'login failed' },
  ],
  [
    events.commandRefused,
    {
      level: 'warn',
      session: 1,
      client: '198.51.100.10:40000',
      command: 'PORT 192,0,2,1,0,22',
      reason: 'not-the-peer',
      reply: '500 Illegal PORT command',
      msg: 'command refused',
    },
  ],
  [
    events.remarked,
    { level: 'warn', session: 1, reason: 'unusable-announcement', reply: '227 x', msg: 'reply remarked' },
  ],
  [
    events.resolved,
    { level: 'info', host: 'ftp.example', address: '203.0.113.1', msg: 'public address resolved' },
  ],
  [
    events.notResolved,
    { level: 'warn', host: 'ftp.example', error: 'queryA ENOTFOUND', msg: 'public address failed' },
  ],
  [events.tableRestored, { level: 'warn', table: 'pinhole', pinholes: 3, msg: 'table restored' }],
  [events.pinholeOpened, { level: 'info', ...pinhole, command: 'PASV', msg: 'pinhole opened' }],
  [events.pinholeTaken, { level: 'info', ...pinhole, from: '198.51.100.10:40001', msg: 'pinhole taken' }],
  [events.pinholeClosed, { level: 'info', ...pinhole, reason: 'expired', msg: 'pinhole closed' }],
  [
    events.pinholeRefused,
    {
      level: 'warn',
      at: '203.0.113.1:50000',
      from: '198.51.100.10:40001',
      reason: 'stranger',
      msg: 'pinhole refused',
    },
  ],
  [
    events.download,
    {
      level: 'info',
      ...transfer,
      command: 'RETR',
      path: '/a',
      direction: 'download',
      bytes: 5,
      rate: 41,
      cause: 'complete',
      msg: 'transfer',
    },
  ],
  [
    events.upload,
    {
      level: 'info',
      ...transfer,
      command: 'STOR',
      path: 'b',
      relative: true,
      direction: 'upload',
      bytes: 9,
      rate: 73,
      cause: 'client-reset',
      error: 'read ECONNRESET',
      msg: 'transfer',
    },
  ],
  [
    events.unknownTransfer,
    {
      ...{ level: 'info', ...transfer, direction: 'download' },
      ...{ bytes: 5, rate: 41, cause: 'complete', msg: 'transfer' },
    },
  ],
];

test('writes one line of fields for each thing that happens', () => {
  for (const [event, line] of lines) assert.deepEqual(logged('info', event), [line], event.type);
});

test('writes the dialogue at the level of traces alone', () => {
  const dialogue = [events.rewrittenCommand, events.rewrittenReply];
  assert.deepEqual(logged('debug', ...dialogue), []);
  assert.deepEqual(logged('trace', ...dialogue), [
    {
      level: 'trace',
      session: 1,
      received: 'PORT 198,51,100,10,195,80',
      sent: 'PORT 10,77,0,1,195,81',
      msg: 'command',
    },
    {
      level: 'trace',
      session: 1,
      received: '227 (10,77,0,2,200,13)',
      sent: '227 (203,0,113,1,195,80)',
      msg: 'reply',
    },
  ]);
});

test('writes a line of the dialogue that goes on unchanged once', () => {
  assert.deepEqual(logged('trace', events.command, events.reply, events.ownReply, events.keptCommand), [
    { level: 'trace', session: 1, line: 'PASV', msg: 'command' },
    { level: 'trace', session: 1, line: '200 OK', msg: 'reply' },
    { level: 'trace', session: 1, sent: '421 Idle timeout.', msg: 'reply' },
    { level: 'trace', session: 1, received: 'NOOP', msg: 'command' },
  ]);
});

/** A listener that knows of events what the roster does, and its lines. */
function withRoster(level: Config['logLevel']): {
  observe: Observer;
  lines: () => Record<string, unknown>[];
} {
  const lines: string[] = [];
  const logger = createLogger(
    { logLevel: level, logFormat: 'json' },
    { write: (line: string) => lines.push(line) },
  );
  const roster = new Roster();
  return {
    observe: tellAll([roster.observe, logEvents(logger, 64, roster)]),
    lines: () => lines.map((line) => JSON.parse(line) as Record<string, unknown>),
  };
}

test('names the client in every line of a session, and the user in every line after USER', () => {
  const { observe, lines: written } = withRoster('trace');
  const { opened, named, loggedIn, command, reply, pinholeOpened, pinholeTaken, begun, closed } = events;
  for (const event of [opened, reply, named, events.loginFailed, loggedIn, command, events.remarked])
    observe(event);
  for (const event of [pinholeOpened, pinholeTaken, begun, closed, events.download]) observe(event);
  const endpoint = '198.51.100.10:40000';
  assert.deepEqual(
    written().map(({ msg, client, user }) => [msg, client, user]),
    [
      ['session opened', endpoint, undefined],
      ['reply', endpoint, undefined],
      ['session user', endpoint, 'anna'],
      ['login failed', endpoint, 'anna'],
      ['logged in', endpoint, 'anna'],
      ['command', endpoint, 'anna'],
      ['reply remarked', endpoint, 'anna'],
      ['pinhole opened', '198.51.100.10', 'anna'],
      ['pinhole taken', '198.51.100.10', 'anna'],
      ['transfer begun', endpoint, 'anna'],
      ['session closed', endpoint, 'anna'],
      // A data connection outlives its session.
      ['transfer', '198.51.100.10', 'anna'],
    ],
  );
  assert.equal(written().at(-1)?.['size'], 5);
});

test('writes of a line that was held back what was known then', () => {
  const { observe, lines: written } = withRoster('info');
  const of = (event: Event, session: number): Event => ({ ...event, ...('session' in event && { session }) });
  for (let session = 1; session <= 20; session++) {
    observe(of(events.opened, session));
    if (session < 20) observe(of(events.closed, session));
  }
  for (const event of [events.named, events.loggedIn]) observe(of(event, 20));
  const last = written().filter(({ session }) => session === 20);
  assert.deepEqual(
    last.map(({ msg, user, since }) => [msg, user, typeof since]),
    [
      ['session opened', undefined, 'string'],
      ['logged in', 'anna', 'undefined'],
    ],
  );
});

test('writes at the level of infos that a client was refused TLS and may go on without', () => {
  const refused: Event = {
    ...(events.commandRefused as Event & { type: 'command-refused' }),
    reason: 'tls-refused',
  };
  assert.equal((logged('info', refused)[0] as { level: string }).level, 'info');
});

test('writes every first login, and of a session that logs in again and again ten more', () => {
  const { tell, lines: written } = limited();
  for (let session = 1; session <= 50; session++) {
    tell({ ...(events.opened as Event & { type: 'session-opened' }), session }, 1);
    tell({ ...(events.loggedIn as Event & { type: 'session-logged-in' }), session }, 1);
  }
  assert.equal(written().length, 100);
  tell(events.loggedIn, 30);
  assert.equal(written().length, 10);
});

test('writes what was refused, and no more, at the level of warnings', () => {
  const written = logged('warn', ...Object.values(events)) as { msg: string }[];
  assert.deepEqual(written.map(({ msg }) => msg).sort(), [
    'command refused',
    'login failed',
    'pinhole refused',
    'public address failed',
    'reply remarked',
    'session refused',
    'table restored',
  ]);
});

test('hides what is called a password', () => {
  const lines: string[] = [];
  const logger = createLogger({ logLevel: 'info', logFormat: 'json' }, { write: (line) => lines.push(line) });
  logger.info({ password: 's3cret', login: { password: 's3cret' } }, 'x');
  assert.equal(lines.length, 1);
  assert.doesNotMatch(lines.join(''), /s3cret/);
});

test('passes every event to every listener, in order', () => {
  const told: string[] = [];
  const observe = tellAll([({ type }) => told.push(`a ${type}`), ({ type }) => told.push(`b ${type}`)]);
  observe(events.opened);
  observe(events.closed);
  assert.deepEqual(told, ['a session-opened', 'b session-opened', 'a session-closed', 'b session-closed']);
});

/** The listener that limits what repeats, with its lines. */
function limited(): { tell: (event: Event, times: number) => void; lines: () => unknown[] } {
  let lines: string[] = [];
  const write = (line: string): void => {
    lines.push(line);
  };
  const observe = logEvents(createLogger({ logLevel: 'trace', logFormat: 'json' }, { write }));
  return {
    tell: (event, times) => {
      for (let n = 0; n < times; n++) observe(event);
    },
    /** What was logged since it was asked last. */
    lines: () => {
      const taken = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
      lines = [];
      return taken.map(({ time, pid, ...rest }) => rest);
    },
  };
}

const repeated: [Event, object][] = [
  [
    events.commandRefused,
    { level: 'warn', client: '198.51.100.10', reason: 'not-the-peer', msg: 'command refused' },
  ],
  [
    { ...(events.commandRefused as Event & { type: 'command-refused' }), reason: 'tls-not-understood' },
    { level: 'info', client: '198.51.100.10', reason: 'tls-not-understood', msg: 'command refused' },
  ],
  [
    events.sessionRefused,
    { level: 'warn', client: '198.51.100.10', reason: 'too-many-sessions', msg: 'session refused' },
  ],
  [
    {
      type: 'session-refused',
      client: { address: address('2001:db8:1:2:3:4:5:6'), port: 1024 },
      reason: 'loop',
    },
    { level: 'warn', client: '2001:db8:1:2::/64', reason: 'loop', msg: 'session refused' },
  ],
  [
    events.pinholeRefused,
    { level: 'warn', client: '198.51.100.10', reason: 'stranger', msg: 'pinhole refused' },
  ],
  [events.loginFailed, { level: 'warn', client: '198.51.100.10', msg: 'login failed' }],
  [events.remarked, { level: 'warn', session: 1, reason: 'unusable-announcement', msg: 'reply remarked' }],
  // Of a session that has logged in before.
  [events.loggedIn, { level: 'info', session: 1, msg: 'logged in' }],
];

test('writes the first ten of the same refusal, and how many more when the process ends', () => {
  const before = new Set(process.listeners('exit'));
  const { tell, lines: written } = limited();
  for (const [event] of repeated) tell(event, 15);
  assert.equal(written().length, repeated.length * 10);
  // What a process does that ends.
  const added = process.listeners('exit').filter((listener) => !before.has(listener));
  for (const listener of added) {
    listener(0);
    process.off('exit', listener);
  }
  assert.deepEqual(
    written(),
    repeated.map(([, { msg, ...fields }]: [Event, { msg?: string }]) => ({ ...fields, repeated: 5, msg })),
  );
});

test('writes every line of what is no refusal, and of the dialogue', () => {
  const { tell, lines: written } = limited();
  const others = [events.command, events.reply, events.download];
  for (const event of others) tell(event, 50);
  for (let n = 0; n < 50; n++)
    for (const each of ['opened', 'loggedIn', 'closed'] as const) tell(events[each], 1);
  assert.equal(written().length, (others.length + 3) * 50);
});

test('takes the addresses of a network of IPv6 for one client, its ports and those of others apart', () => {
  const { tell, lines: written } = limited();
  const from = (host: string, port: number): Event => ({
    ...{ type: 'session-refused', reason: 'loop' },
    client: { address: address(host), port },
  });
  for (let n = 1; n <= 20; n++) tell(from(`2001:db8::${n}`, n), 1);
  assert.equal(written().length, 10);
  for (let n = 1; n <= 20; n++) tell(from(`2001:db8:0:${n}::1`, n), 1);
  assert.equal(written().length, 20);
});

test('writes no line of many kilobytes, and no control characters', () => {
  const event: Event = {
    ...(events.commandRefused as Event & { type: 'command-refused' }),
    ...{ command: '\\x01'.repeat(8192), detail: '\u009b2J\u200f\ufeff\ud800' },
  };
  const [fields] = logged('info', event) as { command: string; detail: string }[];
  assert.equal(fields?.command, `${'\\x01'.repeat(125)}... [32268 characters left out]`);
  assert.equal(fields.detail, '\u009b2J\u200f\ufeff\ud800');
});
