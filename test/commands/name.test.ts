import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nameOf } from '../../src/commands/name.ts';

test('is pinhole where it is installed, and npx pinhole in its own folder', () => {
  for (const [program, name] of [
    ['/usr/lib/pinhole/bin/pinhole', 'pinhole'],
    ['/usr/local/bin/pinhole', 'pinhole'],
    ['/home/anna/pinhole/node_modules/.bin/pinhole', 'npx pinhole'],
    ['/home/anna/pinhole/dist/cli.js', 'npx pinhole'],
    [undefined, 'npx pinhole'],
  ] as const) {
    assert.equal(nameOf(program), name, program);
  }
});
