import assert from 'node:assert/strict';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import { createSecureContext } from 'node:tls';
import { messageOf } from '../../src/net/error.ts';

const place = '../deps/openssl/openssl/ssl/record/ssl3_record.c:354:\n';
const said = (what: string): string => `805C6C0F347F0000:error:0A00010B:SSL routines:${what}:${place}`;

test('returns the message of an error, or the text of anything else that is thrown', () => {
  assert.equal(
    messageOf(new Error('connect ECONNREFUSED 192.0.2.1:21')),
    'connect ECONNREFUSED 192.0.2.1:21',
  );
  assert.equal(messageOf('words'), 'words');
  assert.equal(messageOf(undefined), 'undefined');
});

test('returns the reason of a TLS error, without its place in OpenSSL', () => {
  const error = new Error(said('ssl3_get_record:bad record type'));
  Object.assign(error, { code: 'ERR_SSL_BAD_RECORD_TYPE', reason: 'bad record type' });
  assert.equal(messageOf(error), 'bad record type');
});

test('reports bytes that are not TLS records as such', () => {
  const error = new Error(said('ssl3_get_record:wrong version number'));
  Object.assign(error, { code: 'ERR_SSL_WRONG_VERSION_NUMBER', reason: 'wrong version number' });
  assert.equal(messageOf(error), 'received data that is not TLS');
  const newer = new Error(said('tls13_validate_record_header:bad record type'));
  Object.assign(newer, { code: 'ERR_SSL_BAD_RECORD_TYPE', reason: 'bad record type' });
  assert.equal(messageOf(newer), 'received data that is not TLS');
});

test('finds the reason in the message where the error has none', () => {
  const error = new Error(`write EPROTO ${said('ssl3_read_bytes:tlsv1 alert unknown ca')}`);
  assert.equal(messageOf(Object.assign(error, { code: 'EPROTO' })), 'tlsv1 alert unknown ca');
});

test('leaves an error of TLS that is not of OpenSSL as it is', () => {
  const error = new Error('received more than 262144 bytes of empty TLS records');
  assert.equal(messageOf(Object.assign(error, { code: 'ERR_SSL_EMPTY_RECORDS' })), error.message);
});

for (const [what, make] of [
  ['a key', () => createPrivateKey('no key')],
  ['a certificate', () => new X509Certificate('no certificate')],
  ['ciphers', () => createSecureContext({ ciphers: 'none' })],
] as const) {
  test(`says in words why OpenSSL does not take ${what}`, () => {
    assert.throws(make, (error) => {
      assert.match(messageOf(error), /^[a-z][a-z ]+$/);
      return true;
    });
  });
}
