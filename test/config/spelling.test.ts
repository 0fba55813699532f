import assert from 'node:assert/strict';
import { test } from 'node:test';
import { message } from '../support/load-config.ts';

test('names the nearest known key for one that it does not know', () => {
  assert.equal(
    message({ file: 'pasive-ports = "1-2"' }),
    'unknown key "pasive-ports" in pinhole.toml; did you mean passive-ports?',
  );
  assert.match(message({ file: 'passive_ports = "1-2"' }), /did you mean passive-ports\?$/);
  assert.match(message({ file: '[limits]\nmax-sessions = 1' }), /key "limits"/);
  assert.match(message({ file: 'config = "other.toml"' }), /key "config"/);
  assert.match(message({ file: '__proto__ = 1' }), /key "__proto__"/);
  assert.equal(
    message({ env: { PINHOLE_MAX_SESSION: '1' } }),
    'unknown environment variable PINHOLE_MAX_SESSION; did you mean PINHOLE_MAX_SESSIONS?',
  );
  assert.match(message({ flags: { servers: 'a' } }), /^unknown flag --servers; did you mean --server\?$/);
});
