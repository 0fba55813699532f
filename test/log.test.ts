import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Config } from '../src/config.ts';
import { tellAll, type Event } from '../src/events.ts';
import { createLogger, logEvents } from '../src/log.ts';
import { events } from './data/events.ts';

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
      path: 'a',
      direction: 'download',
      bytes: 5,
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
      direction: 'upload',
      bytes: 9,
      cause: 'client-reset',
      error: 'read ECONNRESET',
      msg: 'transfer',
    },
  ],
  [
    events.unknownTransfer,
    { level: 'info', ...transfer, direction: 'download', bytes: 5, cause: 'complete', msg: 'transfer' },
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

test('tells every listener of every event, in order', () => {
  const told: string[] = [];
  const observe = tellAll([({ type }) => told.push(`a ${type}`), ({ type }) => told.push(`b ${type}`)]);
  observe(events.opened);
  observe(events.closed);
  assert.deepEqual(told, ['a session-opened', 'b session-opened', 'a session-closed', 'b session-closed']);
});
