import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseCommand } from '../../src/ftp/command.ts';
import { isBinary, otherProtocol } from '../../src/helper/other-protocols.ts';

for (const [line, protocol] of [
  ['GET / HTTP/1.1', 'http'],
  ['get / http/1.1', 'http'],
  ['POST /x HTTP/1.1', 'http'],
  ['PRI * HTTP/2.0', 'http'],
  ['PROPFIND / HTTP/1.1', 'http'],
  ['USER / HTTP/1.1', 'http'],
  ['MKCOL /x', 'not-ftp'],
  ['EHLO example.net', 'not-ftp'],
  ['HELO example.net', 'not-ftp'],
  ['MAIL FROM:<a@example.net>', 'not-ftp'],
  ['REGISTER sip:example.net SIP/2.0', 'not-ftp'],
  ['ACK sip:x SIP/2.0', 'not-ftp'],
  ['PLAY rtsp://x/ RTSP/1.0', 'not-ftp'],
  ['SSH-2.0-OpenSSH_9', 'not-ftp'],
  ['a001 LOGIN x y', 'not-ftp'],
  ['*1', 'not-ftp'],
  ['{"method":"x"}', 'not-ftp'],
  ['<stream:stream>', 'not-ftp'],
  ['\u0080\u0001\u0002', 'not-ftp'],
  ['PASSWORD', 'not-ftp'],
  ['220 hello', 'not-ftp'],
] as const) {
  test(`takes a session that begins with ${JSON.stringify(line)} for another protocol's`, () => {
    assert.equal(otherProtocol(parseCommand(line)), protocol);
  });
}

for (const line of [
  ...['USER anonymous', 'user x', 'AUTH TLS', 'FEAT', 'HOST ftp.example.net', 'SYST', 'QUIT', 'OPTS UTF8 ON'],
  ...['CLNT x', 'HELP', 'STAT', 'NOOP', 'CCC', 'XYZZ', 'FOO', '', '   ', 'PORT 1,2,3,4,5,6', 'P@SW'],
  ...['\xff\xf4\xff\xf2ABOR', '\xff\xfb\x01USER x', 'US\xffER x'],
]) {
  test(`takes a session that begins with ${JSON.stringify(line)} for FTP's`, () => {
    assert.equal(otherProtocol(parseCommand(line)), undefined);
  });
}

test('takes a first byte that is no text, no blank and no Telnet for a binary protocol', () => {
  const binary = Array.from({ length: 256 }, (_, byte) => byte).filter(isBinary);
  assert.deepEqual(
    binary,
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 127],
  );
});
