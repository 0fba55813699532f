import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ClientShares } from '../../src/proxy/client-shares.ts';

test('gives the sessions of one client one share, and each client its own', () => {
  const shares = new ClientShares();
  const share = shares.enter('a');
  assert.equal(shares.enter('a'), share);
  assert.notEqual(shares.enter('b'), share);
});

test('remembers a client for a while after its last session, and forgets it then', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const shares = new ClientShares();
  const share = shares.enter('a');
  shares.leave('a');
  t.mock.timers.tick(1000);
  assert.equal(shares.enter('a'), share, 'who comes again has used what it had used');
  t.mock.timers.tick(10_000);
  assert.equal(shares.enter('a'), share, 'it has sessions');
  shares.leave('a');
  shares.leave('a');
  t.mock.timers.tick(10_000);
  assert.notEqual(shares.enter('a'), share);
});

test('says whether more than one client has sessions, or had them a moment ago', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const shares = new ClientShares();
  shares.enter('a');
  shares.enter('a');
  assert.equal(shares.isContended, false);
  shares.enter('b');
  assert.equal(shares.isContended, true);
  shares.leave('b');
  assert.equal(shares.isContended, true);
  t.mock.timers.tick(2000);
  assert.equal(shares.isContended, false);
});

test('knows a client that comes and goes from its last session on, not from an earlier one', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const shares = new ClientShares();
  const share = shares.enter('a');
  shares.leave('a');
  t.mock.timers.tick(1900);
  shares.enter('a');
  shares.leave('a');
  t.mock.timers.tick(1900);
  assert.equal(shares.enter('a'), share);
});
