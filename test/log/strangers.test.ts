import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Level } from 'pino';
import type { Event } from '../../src/events.ts';
import { createLogger, logEvents } from '../../src/log/log.ts';
import { events } from '../data/events.ts';
import { address } from '../data/sessions.ts';

type EventOf<T extends Event['type']> = Event & { readonly type: T };

const facts = {
  protocol: 'TLSv1.3',
  cipher: 'x',
  isResumed: false,
  subject: undefined,
  serverName: undefined,
};

/** What is written of sessions, and of their client as a whole. */
class Stand {
  readonly written: Readonly<Record<string, unknown>>[] = [];
  readonly #observe;
  #last = 0;

  constructor(logLevel: Level = 'info') {
    const write = (line: string): void => {
      this.written.push(JSON.parse(line) as Record<string, unknown>);
    };
    this.#observe = logEvents(createLogger({ logLevel, logFormat: 'json' }, { write }));
  }

  open(client = '198.51.100.10'): Told {
    const session = ++this.#last;
    const told = new Told(session, this.#observe, address(client));
    told.opened();
    return told;
  }

  /** A client that connects and goes, so many times. */
  comeAndGo(count: number, client?: string): void {
    for (let n = 0; n < count; n++) this.open(client).closed();
  }

  /** The messages of a session, in order. */
  of({ session }: Told): unknown[] {
    return this.written.filter((line) => line['session'] === session).map(({ msg }) => msg);
  }

  count(message: string): number {
    return this.written.filter(({ msg }) => msg === message).length;
  }
}

class Told {
  readonly session: number;
  readonly #observe: (event: Event) => void;
  readonly #client;

  constructor(session: number, observe: (event: Event) => void, host: ReturnType<typeof address>) {
    this.session = session;
    this.#observe = observe;
    this.#client = { address: host, port: 1024 + session };
  }

  opened(): void {
    this.tell({ ...(events.opened as EventOf<'session-opened'>), client: this.#client });
  }

  secured(side: 'client' | 'server' = 'client'): void {
    this.tell({ type: 'session-secured', session: 0, side, ...facts });
  }

  loggedIn(): void {
    this.tell(events.loggedIn);
  }

  closed(reason: EventOf<'session-closed'>['reason'] = 'client-closed'): void {
    this.tell({ ...(events.closed as EventOf<'session-closed'>), client: this.#client, reason });
  }

  /** Tells of an event as one of this session. */
  tell(event: Event): void {
    this.#observe({ ...event, ...('session' in event && { session: this.session }) });
  }
}

test('writes the lines of ten sessions that end without a log in, and counts the others of their client', () => {
  const before = new Set(process.listeners('exit'));
  const stand = new Stand();
  stand.comeAndGo(500);
  assert.equal(stand.written.length, 20);
  assert.deepEqual(
    stand.written.slice(0, 2).map(({ msg }) => msg),
    ['session opened', 'session closed'],
  );
  stand.comeAndGo(1, '198.51.100.11');
  assert.equal(stand.written.length, 22);
  // What a process does that ends.
  const added = process.listeners('exit').filter((listener) => !before.has(listener));
  for (const listener of added) {
    listener(0);
    process.off('exit', listener);
  }
  const { time, pid, ...last } = stand.written.at(-1) ?? {};
  assert.deepEqual(last, { level: 'info', client: '198.51.100.10', repeated: 490, msg: 'session closed' });
});

test('writes every line of a session that logs in, the first ones first, and when those were', () => {
  const stand = new Stand();
  stand.comeAndGo(20);
  const start = Date.now();
  const session = stand.open();
  session.secured('server');
  session.secured('client');
  assert.deepEqual(stand.of(session), []);
  session.loggedIn();
  const opened = ['session opened', 'session secured', 'session secured', 'logged in'];
  assert.deepEqual(stand.of(session), opened);
  session.tell(events.pinholeOpened);
  session.tell(events.download);
  session.closed('quit');
  assert.deepEqual(stand.of(session), [...opened, 'pinhole opened', 'transfer', 'session closed']);
  const [first, , , ...later] = stand.written.filter((line) => line['session'] === session.session);
  assert.equal(first?.['client'], `198.51.100.10:${1024 + session.session}`);
  const since = Date.parse(String(first['since']));
  assert.ok(since >= start && since <= Date.now());
  assert.ok(later.every((line) => !('since' in line)));
});

test('takes those that log in for none of the ten', () => {
  const stand = new Stand();
  for (let n = 0; n < 100; n++) {
    const session = stand.open();
    assert.deepEqual(stand.of(session), ['session opened']);
    session.loggedIn();
    session.closed('quit');
  }
  stand.comeAndGo(20);
  assert.equal(stand.count('session opened'), 110);
  assert.equal(stand.count('session closed'), 110);
});

test('writes what was held back of a session before the next line of it, and its end', () => {
  const stand = new Stand();
  stand.comeAndGo(20);
  const session = stand.open();
  session.tell(events.commandRefused);
  session.closed();
  assert.deepEqual(stand.of(session), ['session opened', 'command refused', 'session closed']);
});

test('holds nothing back before a line that is not written, and nothing for those that are open at once', () => {
  const stand = new Stand();
  const sessions = Array.from({ length: 50 }, () => stand.open());
  for (const session of sessions) session.tell(events.command);
  assert.equal(stand.count('session opened'), 10);
  for (const session of sessions.slice(30)) session.loggedIn();
  for (const session of sessions) session.closed();
  assert.equal(stand.count('session opened'), 30);
  assert.equal(stand.count('session closed'), 30);
  for (const session of sessions.slice(30)) {
    assert.deepEqual(stand.of(session), ['session opened', 'logged in', 'session closed']);
  }
});

test('writes whole sessions where the dialogue is written', () => {
  const stand = new Stand('trace');
  for (let n = 0; n < 20; n++) {
    const session = stand.open();
    session.tell(events.reply);
    session.closed();
    assert.deepEqual(stand.of(session), ['session opened', 'reply', 'session closed']);
  }
});

test('limits how often a session that has not logged in may say that TLS begins and ends', () => {
  const stand = new Stand();
  const session = stand.open();
  for (let n = 0; n < 1000; n++) {
    session.secured();
    session.tell({ type: 'session-cleared', session: 0 });
  }
  assert.equal(stand.of(session).length, 11);
  session.loggedIn();
  for (let n = 0; n < 20; n++) session.secured();
  assert.equal(stand.of(session).length, 32);
});

test('writes at the level of warnings the first of those that somebody has set wrong', () => {
  for (const [level, opened] of [
    ['warn', 0],
    ['info', 10],
  ] as const) {
    const stand = new Stand(level);
    for (let n = 0; n < 50; n++) stand.open().closed('tls-on-clear-port');
    assert.equal(stand.count('session opened'), opened);
    assert.equal(stand.count('session closed'), 10);
  }
});
