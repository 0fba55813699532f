import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mayHaveLoggedIn, TlsRecords } from '../../src/helper/tls-records.ts';

const record = (type: number, length: number): Buffer =>
  Buffer.concat([Buffer.from([type, 3, 3, length >> 8, length & 0xff]), Buffer.alloc(length, 23)]);

const hello = record(22, 300);
const change = record(20, 1);
const finished = record(22, 40);
const secret = record(23, 2000);

/** However the bytes are cut. */
function seenOf(bytes: Buffer): (readonly [boolean, boolean])[] {
  return [1, 2, 5, 7, 1000, bytes.length].map((size) => {
    const records = new TlsRecords();
    const answers = new TlsRecords();
    answers.push(Buffer.concat([secret, secret]));
    for (let at = 0; at < bytes.length; at += size) records.push(bytes.subarray(at, at + size));
    return [records.hasHandshake, mayHaveLoggedIn(records, answers)] as const;
  });
}

for (const [what, pieces, handshake, login] of [
  ['nothing', [], false, false],
  ['a ClientHello', [hello], false, false],
  ['a handshake of TLS 1.2', [hello, change, finished], true, false],
  ['a handshake and two secrets', [hello, change, secret, secret], true, false],
  ['a handshake and three secrets', [hello, change, secret, secret, secret], true, true],
  ['text', [Buffer.from('USER x\r\nPASS y\r\n'.repeat(1000))], false, false],
  [
    'text behind a record',
    [hello, Buffer.from('PORT 1,2,3,4,5,6\r\n'), secret, secret, secret],
    false,
    false,
  ],
  ['half a secret behind two', [secret, secret, secret.subarray(0, 4)], true, false],
] as const) {
  test(`sees what ${what} may mean, however it is cut`, () => {
    for (const seen of seenOf(Buffer.concat(pieces))) assert.deepEqual(seen, [handshake, login]);
  });
}

test('takes no records of a client for a log in that the server has answered with an alert', () => {
  const client = new TlsRecords();
  for (let count = 0; count < 10; count++) client.push(secret);
  const server = new TlsRecords();
  server.push(record(21, 2));
  assert.equal(mayHaveLoggedIn(client, server), false);
  server.push(secret);
  assert.equal(mayHaveLoggedIn(client, server), false);
  server.push(secret);
  assert.equal(mayHaveLoggedIn(client, server), true);
});
