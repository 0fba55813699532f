import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { LineReader, type Line } from '../../src/ftp/lines.ts';
import { linesOf, segmentations, toBytes } from '../data/cases.ts';

const longestLine = 8192;

function readAll(chunks: readonly Buffer[], longest?: number): { lines: Line[]; rest: string } {
  const reader = new LineReader(longest);
  return { lines: linesOf(chunks, reader), rest: reader.rest() };
}

/** What a reader that gives pieces says, piece by piece joined to the lines that they are of. */
function joined(lines: readonly Line[]): string {
  return lines.map(({ text, end }) => text + end).join('');
}

test('ends a line at LF, and keeps what has no end', () => {
  const wire = 'a\r\nb\n\r\n\nc\rd\r\r\n\0\xff\r\ne\r';
  const expected: Line[] = [
    { text: 'a', end: '\r\n' },
    { text: 'b', end: '\n' },
    { text: '', end: '\r\n' },
    { text: '', end: '\n' },
    { text: 'c\rd\r', end: '\r\n' },
    { text: '\0\xff', end: '\r\n' },
  ];
  for (const chunks of segmentations(wire))
    assert.deepEqual(readAll(chunks), { lines: expected, rest: 'e\r' });
});

test('reads a line of 8 KiB whole, and a longer one in pieces', () => {
  const longest = 'x'.repeat(longestLine);
  for (const end of ['\r\n', '\n'] as const) {
    assert.deepEqual(readAll([toBytes(longest + end)]).lines, [{ text: longest, end }]);
    assert.deepEqual(readAll([toBytes(`x${longest}${end}`)]).lines, [
      { text: `x${longest}`, end, piece: 'first' },
    ]);
  }
});

test('reports an overlong line once, wherever it is cut, and reads the next one whole', () => {
  for (const length of [5, 6, 7, 8, 9, 20]) {
    for (const end of ['\r\n', '\n']) {
      const wire = `ok\r\n${'x'.repeat(length)}${end}ok\r\n`;
      for (const chunks of segmentations(wire)) {
        const { lines } = readAll(chunks, 5);
        const pieces = lines.flatMap(({ piece }) => piece ?? []);
        const expected = length > 5 ? ['first'] : [];
        assert.deepEqual(pieces.slice(0, 1), expected);
        assert.ok(pieces.slice(1).every((piece) => piece === 'more'));
        assert.equal(joined(lines), wire);
        // The CR of the end is never taken for text, where the cut falls behind it neither.
        assert.doesNotMatch(lines.map(({ text }) => text).join(''), /\r/);
        assert.deepEqual(lines.at(-1), { text: 'ok', end: '\r\n' });
      }
    }
  }
});

test('holds no more than a line of 8 KiB of a line that never ends', () => {
  const reader = new LineReader();
  for (let sent = 0; sent < 1 << 20; sent += 1000) {
    linesOf([Buffer.alloc(1000, 'x')], reader);
    assert.ok(reader.size <= longestLine + 1);
  }
});

test('returns a line that was taken back again, and later input after it', () => {
  const reader = new LineReader();
  reader.push(toBytes('a\r\nb\r\nc'));
  assert.equal(reader.next()?.text, 'a');
  assert.equal(reader.next()?.text, 'b');
  reader.putBack();
  assert.equal(reader.size, 4);
  reader.push(toBytes('d\r\n'));
  assert.deepEqual([reader.next()?.text, reader.next()?.text, reader.next()], ['b', 'cd', undefined]);
  assert.equal(reader.size, 0);
});

test('gives the same lines whenever they are asked for', () => {
  const reader = new LineReader();
  for (const chunk of ['a\r', '\nb', '\nc', 'd\r\n', 'e']) reader.push(toBytes(chunk));
  assert.deepEqual(
    linesOf([toBytes('f')], reader).map(({ text }) => text),
    ['a', 'b', 'cd'],
  );
  assert.equal(reader.rest(), 'ef');
});

test('gives the same lines however they are cut', () => {
  const bytes = fc.array(fc.constantFrom(0x0a, 0x0d, 0x00, 0x41, 0xff), { maxLength: 60 });
  const cuts = fc.array(fc.nat(60), { maxLength: 8 });
  fc.assert(
    fc.property(bytes, cuts, (wire, at) => {
      const whole = Buffer.from(wire);
      const edges = [0, ...at.map((cut) => Math.min(cut, whole.length)).sort((a, b) => a - b), whole.length];
      const chunks = edges.slice(1).map((edge, index) => whole.subarray(edges[index], edge));
      assert.deepEqual(readAll(chunks), readAll([whole]));
      const pieces = readAll(chunks, 4);
      assert.equal(joined(pieces.lines) + pieces.rest, whole.toString('latin1'));
    }),
  );
});
