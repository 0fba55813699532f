import assert from 'node:assert/strict';
import { test } from 'node:test';

import { libraryPackages } from './lab/provision.ts';

test('takes the libraries alone from what a server package depends on', () => {
  const depends =
    'adduser, libpam-runtime, debconf (>= 0.5) | debconf-2.0, libc6 (>= 2.34), libwrap0 (>= 7.6-4~)';
  assert.deepEqual(libraryPackages(depends), ['libc6', 'libwrap0']);
});

test('takes the first of several alternatives', () => {
  assert.deepEqual(libraryPackages('libssl3t64 (>= 3.0.0) | libssl3, libpcre2-8-0:any'), [
    'libssl3t64',
    'libpcre2-8-0',
  ]);
});
