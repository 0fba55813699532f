import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load, message } from '../support/load-config.ts';

test('refuses a relay that would be its own server', () => {
  for (const [server, listen] of [
    ['192.0.2.1:21', '192.0.2.1:21'],
    ['127.0.0.1:2121', '2121'],
    ['[::1]:21', '2121,[::]:21'],
  ] as const) {
    assert.match(
      message({ flags: { server }, env: { PINHOLE_LISTEN: listen } }),
      /^server: .* \(from flag --server\) is not allowed \(the relay itself listens there: listen is .* from environment/,
    );
  }
  load({ flags: { server: '127.0.0.2:21', listen: '127.0.0.1:21' } });
  load({ flags: { server: '192.168.1.10', listen: '21' } });
});

test('allows more sessions of a client than sessions', () => {
  const flags = { 'max-sessions': '10', 'max-sessions-per-client': '20' };
  assert.equal(load({ flags }).config.maxSessionsPerClient, 20);
});

test('refuses to keep the address of clients where the server could not see it', () => {
  const keep = { 'keep-client-address': 'true' };
  assert.equal(
    message({ flags: { ...keep, 'inside-address': '10.0.0.1' } }),
    'keep-client-address: true (from flag --keep-client-address) is not allowed (inside-address is set from flag ' +
      '--inside-address; the server can be shown only one address); allowed: false, or no inside-address',
  );
  for (const server of ['127.0.0.1', '127.0.0.5:2100', '[::1]:2100', 'localhost']) {
    assert.match(
      message({ flags: { ...keep, server, listen: '2121' } }),
      /a loopback address, which packets from other hosts' addresses do not reach/,
    );
  }
  load({ flags: { ...keep, server: '10.77.0.2' } });
});

const ends = { tls: 'terminate', 'tls-cert': 'a.pem', 'tls-key': 'a.key' };

for (const [what, flags, expected] of [
  ['TLS that ends here without a certificate', { tls: 'terminate' }, /^tls: "terminate" .*no certificate/],
  ['a certificate without its key', { ...ends, 'tls-key': '' }, /^tls-key: .*1 certificates and 0 keys/],
  [
    'more keys than certificates',
    { ...ends, 'tls-key': 'a.key,b.key' },
    /^tls-key: .*1 certificates and 2 keys/,
  ],
  [
    'a certificate where TLS is refused',
    { 'tls-cert': 'a.pem', 'tls-key': 'a.key' },
    /^tls-cert: .*tls terminate/,
  ],
  ['implicit FTPS where TLS does not end here', { 'listen-tls': '990' }, /^listen-tls: .*tls terminate/],
  [
    'implicit FTPS on a port in clear',
    { ...ends, listen: '990', 'listen-tls': '990' },
    /^listen-tls: .*ports that listen does not use/,
  ],
  ['to require TLS that is refused', { 'require-tls': 'true' }, /^require-tls: .*terminate or pass/],
  [
    'to require PROT P where nobody sees it',
    { tls: 'pass', 'require-data-tls': 'true' },
    /^require-data-tls: /,
  ],
  [
    'to require reuse where TLS does not end',
    { 'require-session-reuse': 'true' },
    /^require-session-reuse: /,
  ],
  ['trust for a server in clear', { 'server-tls-ca': 'ca.pem' }, /^server-tls-ca: .*server-tls explicit/],
  ['protected data of a server in clear', { 'server-data-tls': 'protected' }, /^server-data-tls: /],
  [
    "the server's TLS as the client's where that is nowhere",
    { 'server-tls': 'same' },
    /^server-tls: .*tls is refuse/,
  ],
  [
    'TLS of its own with a server that TLS passes to',
    { tls: 'pass', 'server-tls': 'explicit' },
    /^server-tls: /,
  ],
  ['to pass TLS of an intercepted session', { tls: 'pass', intercept: 'true' }, /^tls: .*intercept is set/],
  ['to pass data of a server in clear', { ...ends, 'tls-data': 'server' }, /^tls-data: /],
  [
    'to pass data whose session it would have to know',
    { ...ends, 'server-tls': 'same', 'tls-data': 'server', 'require-session-reuse': 'true' },
    /^tls-data: .*require-session-reuse/,
  ],
] as const) {
  test(`refuses ${what}`, () => {
    assert.match(message({ flags }), expected);
  });
}

test('takes settings of TLS that say their default where there is no TLS', () => {
  const flags = { 'server-data-tls': 'same', 'require-tls': 'false', 'tls-cert': '', 'listen-tls': '' };
  assert.deepEqual(load({ flags }).config, load({}).config);
});
