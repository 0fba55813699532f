import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Event, PinholeFacts } from '../../src/events.ts';
import { EventBook } from '../../src/workers/event-book.ts';
import { address } from '../data/sessions.ts';

const client = { address: address('198.51.100.10'), port: 4000 };
const at = { address: address('203.0.113.1'), port: 50_000 };
const to = { address: address('10.77.0.2'), port: 30_000 };
const command = { verb: 'RETR', path: 'file', isRelative: true };

function facts(session: number, expectation: number): PinholeFacts {
  return { session, expectation, plane: 'relay', mode: 'passive', peer: client.address, at, to };
}

function opened(session: number): Event {
  return { type: 'session-opened', session, client, reached: at, server: to };
}

function pinhole(session: number, expectation: number): Event {
  return {
    type: 'pinhole-opened',
    command: 'PASV',
    seconds: 0,
    timeout: 1000,
    ...facts(session, expectation),
  };
}

function taken(session: number, expectation: number): Event {
  return { type: 'pinhole-taken', from: client, ...facts(session, expectation) };
}

function numbers(): () => number {
  let last = 0;
  return () => ++last;
}

test('gives the expectations of several workers numbers of one row', () => {
  const next = numbers();
  const [one, other] = [new EventBook(next), new EventBook(next)];
  const told = [one.enter(pinhole(1, 1)), other.enter(pinhole(2, 1)), one.enter(pinhole(1, 2))];
  assert.deepEqual(
    told.map((event) => 'expectation' in event && event.expectation),
    [1, 2, 3],
  );
  const again = other.enter(taken(2, 1));
  assert.equal('expectation' in again && again.expectation, 2);
  other.told([{ expectation: 1, uploaded: 1, downloaded: 2 }]);
  assert.deepEqual(other.progress, [{ expectation: 2, uploaded: 1, downloaded: 2 }]);
});

test('ends what a worker had when it died: data connections first, with their bytes as far as they were told', () => {
  let now = 0;
  const book = new EventBook(numbers(), () => now);
  for (const event of [
    ...[opened(1), pinhole(1, 1), taken(1, 1), opened(2), pinhole(2, 2), opened(3), pinhole(3, 3)],
    ...[taken(3, 3), opened(4)],
  ])
    book.enter(event);
  book.enter({ type: 'transfer-begun', session: 1, command, size: undefined });
  book.enter({ type: 'session-closed', session: 4, client, reason: 'quit', seconds: 1 });
  book.told([{ expectation: 1, uploaded: 0, downloaded: 4096 }]);
  assert.equal(book.channels, 2);
  now = 2000;
  const ends = book.ends();
  assert.deepEqual(ends, [
    {
      ...{ type: 'transfer-ended', command, seconds: 2, cause: 'worker-died', ...facts(1, 1) },
      ...{ uploaded: 0, downloaded: 4096 },
    },
    { type: 'pinhole-closed', reason: 'session-closed', ...facts(2, 2) },
    { type: 'data-channel-closed', command: undefined, seconds: 2, cause: 'worker-died', ...facts(3, 3) },
    ...[1, 2, 3].map((session) => {
      return { type: 'session-closed', session, client, reason: 'worker-died', seconds: 2 };
    }),
  ]);
  assert.deepEqual([book.channels, book.ends()], [0, []]);
});

test('has nothing to end of what has ended', () => {
  const book = new EventBook(numbers());
  for (const event of [opened(1), pinhole(1, 1), taken(1, 1)]) book.enter(event);
  book.enter({
    ...{ type: 'transfer-ended', uploaded: 0, downloaded: 1, seconds: 1, cause: 'complete' },
    ...facts(1, 1),
  });
  book.enter({ type: 'session-closed', session: 1, client, reason: 'quit', seconds: 1 });
  assert.deepEqual(book.ends(), []);
});

test('ends by `shutdown` what a worker had that was told to reset it', () => {
  const book = new EventBook(numbers());
  for (const event of [opened(1), pinhole(1, 1), taken(1, 1)]) book.enter(event);
  const causes = book.ends('shutdown').map((event) => ('cause' in event ? event.cause : event.type));
  assert.deepEqual(causes, ['shutdown', 'session-closed']);
});
