import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseCommand } from '../../src/ftp/command.ts';
import { isTlsHello } from '../../src/helper/tls-hello.ts';

test('knows a TLS handshake by its first byte, and takes nothing else for one', () => {
  for (let byte = 0; byte < 256; byte++) assert.equal(isTlsHello(byte), byte === 0x16, String(byte));
});

test('takes no command for a TLS handshake, whatever stands before its verb', () => {
  for (const line of [
    'USER a',
    ' USER a',
    '\tUSER a',
    '\v\fuser a',
    '\xff\xf4\xff\xf2ABOR',
    '\xf2ABOR',
    '',
    'GET /',
  ]) {
    assert.equal(isTlsHello(Buffer.from(`${line}\r\n`, 'latin1')[0] ?? -1), false, JSON.stringify(line));
  }
  assert.equal(parseCommand('\x16USER a').verb, '\x16USER');
});
