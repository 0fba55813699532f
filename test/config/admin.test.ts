import assert from 'node:assert/strict';
import { test } from 'node:test';
import { adminPathsToTry, adminPlaceOf } from '../../src/config/admin.ts';

const group = 'pinhole';
const unnamed = { admin: undefined, adminGroup: group };

test('has the socket where it is told, and nowhere where it is off', () => {
  const named = { admin: '/tmp/a.sock', adminGroup: group };
  assert.deepEqual(adminPlaceOf(named, 0, {}), { path: '/tmp/a.sock', group, isNamed: true });
  assert.equal(adminPlaceOf({ admin: 'off', adminGroup: group }, 0, {}), undefined);
});

test('has a place of its own for root, for others, and under npm start', () => {
  const pathOf = (uid: number, env: Record<string, string>): string | undefined =>
    adminPlaceOf(unnamed, uid, env)?.path;
  assert.equal(pathOf(0, { XDG_RUNTIME_DIR: '/run/user/0' }), '/run/pinhole/admin.sock');
  assert.equal(pathOf(1000, { XDG_RUNTIME_DIR: '/run/user/1000' }), '/run/user/1000/pinhole/admin.sock');
  assert.equal(pathOf(1000, {}), undefined);
  const npm = { npm_package_name: 'pinhole', npm_lifecycle_event: 'start' };
  assert.equal(pathOf(1000, npm), 'admin.sock');
  assert.equal(adminPlaceOf(unnamed, 0, npm)?.isNamed, false);
});

test('looks in all of these places for a running relay, each once', () => {
  assert.deepEqual(adminPathsToTry(0, {}), ['admin.sock', '/run/pinhole/admin.sock']);
  assert.deepEqual(adminPathsToTry(1000, { XDG_RUNTIME_DIR: '/run/user/1000' }), [
    ...['admin.sock', '/run/pinhole/admin.sock', '/run/user/1000/pinhole/admin.sock'],
  ]);
});
