import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Roster } from '../../src/status/roster.ts';
import { events } from '../data/events.ts';

function rosterAfter(...names: readonly (keyof typeof events)[]): Roster {
  const roster = new Roster(() => 1000);
  for (const name of names) roster.observe(events[name]);
  return roster;
}

test('knows a session, whom it is for, and what it has carried', () => {
  const roster = rosterAfter(
    'opened',
    'named',
    'loggedIn',
    'pinholeOpened',
    'pinholeTaken',
    'begun',
    'download',
  );
  const [session] = [...roster.sessions];
  assert.equal(session?.user, 'anna');
  assert.deepEqual([session.isLoggedIn, session.transfers, session.downloaded], [true, 1, 5]);
  assert.equal(session.command?.path, '/a');
  assert.deepEqual([roster.pendingCount, roster.openCount], [0, 0]);
});

test('knows what is expected, until when, and takes it out when somebody comes', () => {
  const roster = rosterAfter('opened', 'named', 'pinholeOpened');
  const [pinhole] = [...roster.pending];
  assert.deepEqual([pinhole?.announcedBy, pinhole?.expires, pinhole?.user], ['PASV', 301_000, 'anna']);
  roster.observe(events.pinholeTaken);
  assert.equal(roster.pendingCount, 0);
  roster.observe(events.begun);
  const [data] = [...roster.open];
  assert.deepEqual([data?.command?.verb, data?.size, data?.from?.port], ['RETR', 5, 40001]);
});

test('forgets a session that is over, and can be asked about the event that ended it', () => {
  const roster = rosterAfter('opened', 'named', 'closed');
  assert.equal(roster.userOf(events.closed), 'anna');
  assert.equal(roster.sessionCount, 0);
  assert.equal(roster.userOf(events.closed), undefined);
});

test('still knows the user of a data connection that outlives its session', () => {
  const roster = rosterAfter('opened', 'named', 'pinholeOpened', 'pinholeTaken', 'closed', 'download');
  assert.equal(roster.userOf(events.download), 'anna');
  assert.equal(roster.openCount, 0);
});
