import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatHostPort, parseExtended, parseHostPort, plainAddress } from '../../src/demo/server/address.ts';
import { AsciiDecoder, asciiLength, asciiSlices, skip } from '../../src/demo/server/ascii.ts';
import { CommandLines, type CommandLine } from '../../src/demo/server/command-lines.ts';
import { longLine } from '../../src/demo/server/listing.ts';

const bytes = (text: string): Buffer => Buffer.from(text, 'latin1');
const command = (verb: string, argument = ''): CommandLine => ({ kind: 'command', verb, argument });

test('reads commands the same wherever their bytes are cut', () => {
  const wire = bytes(
    'user a\r\nPASS  b c \r\n\xff\xf4\xff\xf2ABOR\r\n\xffABOR\nCWD \xff\xff\xff\xfb\x01\xc3\xa9\r\nSTOR \xffa\r\n' +
      '\r\n123\r\nRETR a\0b\r\nRETR a\rb\r\nNOOP',
  );
  const bad = (problem: string): CommandLine => ({ kind: 'bad', problem });
  const expected = [
    command('USER', 'a'),
    command('PASS', ' b c '),
    command('ABOR'),
    command('ABOR'),
    command('CWD', '\xff\xc3\xa9'),
    command('STOR', '\xffa'),
    bad('Not a command'),
    bad('Not a command'),
    bad('NUL and CR have no place in a command'),
    bad('NUL and CR have no place in a command'),
  ];
  for (let cut = 0; cut <= wire.length; cut++) {
    const lines = new CommandLines();
    assert.deepEqual([...lines.push(wire.subarray(0, cut)), ...lines.push(wire.subarray(cut))], expected);
  }
});

test('drops a line that is too long, and reads the one behind it', () => {
  const lines = new CommandLines().push(bytes(`RETR ${'x'.repeat(1 << 20)}\r\nNOOP\r\n`));
  assert.deepEqual(lines, [{ kind: 'bad', problem: 'Line too long' }, command('NOOP')]);
});

test('writes LF as CRLF, leaves CRLF alone, and reads it back wherever it is cut', () => {
  const text = fc
    .array(fc.constantFrom('a', '\r', '\n'), { maxLength: 30 })
    .map((parts) => bytes(parts.join('')));
  fc.assert(
    fc.property(text, fc.nat(60), (content, cut) => {
      const wire = Buffer.concat([...asciiSlices(content)]);
      assert.equal(wire.toString(), content.toString().replace(/\r?\n/g, '\r\n'));
      assert.equal(asciiLength(content), wire.length);
      const decoder = new AsciiDecoder();
      const back = [decoder.push(wire.subarray(0, cut)), decoder.push(wire.subarray(cut)), decoder.end()];
      assert.equal(Buffer.concat(back).toString(), content.toString().replaceAll('\r\n', '\n'));
      assert.deepEqual(Buffer.concat([...skip([wire], cut)]), wire.subarray(cut));
    }),
  );
});

test('converts line ends across the slices of a large file', () => {
  const content = bytes('\r\r\n\n'.repeat(200_001));
  assert.equal(
    Buffer.concat([...asciiSlices(content)]).toString(),
    content.toString().replace(/(?<!\r)\n/g, '\r\n'),
  );
});

test('reads the host and port of PORT strictly', () => {
  assert.deepEqual(parseHostPort('127,0,0,1,4,1'), { address: '127.0.0.1', port: 1025 });
  assert.equal(formatHostPort({ address: '127.0.0.1', port: 1025 }), '127,0,0,1,4,1');
  for (const text of [
    '',
    '1,2,3,4,5',
    '1,2,3,4,5,6,7',
    '256,0,0,1,4,1',
    '+1,0,0,1,4,1',
    '1, 0,0,1,4,1',
    '1,,0,1,4,1',
  ]) {
    assert.equal(parseHostPort(text), undefined, text);
  }
});

test('reads the endpoint of EPRT with any delimiter', () => {
  assert.deepEqual(parseExtended('|1|127.0.0.1|6000|'), { address: '127.0.0.1', port: 6000 });
  assert.deepEqual(parseExtended('!2!0:0:0:0:0:0:0:1!6000!'), { address: '::1', port: 6000 });
  assert.equal(parseExtended('|3|127.0.0.1|6000|'), 'protocol');
  const wrong = [
    '',
    '|1|127.0.0.1|6000',
    '|1|127.0.0.1||',
    '|1|::1|6000|',
    '|2|127.0.0.1|6000|',
    '|1|127.0.0.1|65536|',
  ];
  for (const text of [
    ...wrong,
    '111127.0.0.1160001',
    ' 1 127.0.0.1 6000 ',
    '|1|127.0.0.1|6000|x',
    '||127.0.0.1|6000|',
  ]) {
    assert.equal(parseExtended(text), undefined, text);
  }
  assert.equal(plainAddress('::ffff:127.0.0.1'), '127.0.0.1');
});

test('writes LIST with the time of recent files and the year of old ones', () => {
  const file = {
    kind: 'file' as const,
    id: 1,
    content: Buffer.alloc(3),
    modified: new Date('2026-01-02T03:04:05Z'),
  };
  const line = (now: string): string => longLine('a b', file, new Date(now));
  assert.match(line('2026-02-01T00:00:00Z'), /^-rw-r--r-- +1 ftp +ftp +3 Jan 02 03:04 a b$/);
  assert.match(line('2027-02-01T00:00:00Z'), /^-rw-r--r-- +1 ftp +ftp +3 Jan 02 {2}2026 a b$/);
});
