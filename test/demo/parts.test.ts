import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { AsciiDecoder, onWire, wireLength } from '../../src/demo/server/ascii.ts';
import { longLine } from '../../src/demo/server/listing.ts';

const bytes = (text: string): Buffer => Buffer.from(text, 'latin1');

test('writes LF as CRLF, leaves CRLF alone, and reads it back wherever it is cut', () => {
  const text = fc
    .array(fc.constantFrom('a', '\r', '\n'), { maxLength: 30 })
    .map((parts) => bytes(parts.join('')));
  fc.assert(
    fc.property(text, fc.nat(60), (content, cut) => {
      const wire = Buffer.concat([...onWire(content, 'A')]);
      assert.equal(wire.toString(), content.toString().replace(/\r?\n/g, '\r\n'));
      assert.equal(wireLength(content, 'A'), wire.length);
      const decoder = new AsciiDecoder();
      const back = [decoder.push(wire.subarray(0, cut)), decoder.push(wire.subarray(cut)), decoder.end()];
      assert.equal(Buffer.concat(back).toString(), content.toString().replaceAll('\r\n', '\n'));
      assert.deepEqual(Buffer.concat([...onWire(content, 'A', cut)]), wire.subarray(cut));
    }),
  );
});

test('converts line ends across the slices of a large file', () => {
  const content = bytes('\r\r\n\n'.repeat(200_001));
  assert.equal(
    Buffer.concat([...onWire(content, 'A')]).toString(),
    content.toString().replace(/(?<!\r)\n/g, '\r\n'),
  );
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
