import assert from 'node:assert/strict';
import { test } from 'node:test';
import { message } from '../support/load-config.ts';

test('names the key, the origin, the value and what is allowed', () => {
  const allowed = 'one port range like 50000-50999, from 1 to 65535';
  assert.equal(
    message({ flags: { 'passive-ports': '99999' } }),
    `passive-ports: "99999" (from flag --passive-ports) is not allowed; allowed: ${allowed}`,
  );
  assert.equal(
    message({ env: { PINHOLE_PASSIVE_PORTS: '99999' } }),
    `passive-ports: "99999" (from environment PINHOLE_PASSIVE_PORTS) is not allowed; allowed: ${allowed}`,
  );
  assert.equal(
    message({ file: 'passive-ports = 99999' }),
    `passive-ports: "99999" (from pinhole.toml: passive-ports) is not allowed; allowed: ${allowed}`,
  );
  assert.match(message({ flags: { listen: '21,192.0.2.1:21' } }), /\(21 and 192\.0\.2\.1:21 overlap\)/);
  assert.match(message({ flags: { listen: '21,2121,21' } }), /\(21 is listed twice\)/);
  assert.match(message({ flags: { 'inside-address': '::1,::2' } }), /\(two IPv6 addresses\)/);
  assert.match(message({ flags: { 'deny-ports': '1,2,x,3' } }), /^deny-ports: "x" /);
});

test('keeps an error on one short line, whatever the value', () => {
  const text = message({ flags: { 'log-level': `a\nb\u2028c\u001b[31m${'d'.repeat(10_000)}` } });
  assert.ok(text.length < 300);
  assert.doesNotMatch(text, /[\x00-\x1f\u2028]/);
});
