import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { escapeHarmful, harmlessLine, visibleControls } from '../../src/log/harmless-line.ts';

const lineOf = (fields: object): string => `${JSON.stringify(fields)}\n`;

const ranges = [
  [0x7f, 0x9f],
  [0x61c, 0x61c],
  [0x200e, 0x200f],
  [0x2028, 0x202e],
  [0x2066, 0x2069],
  [0xd800, 0xdfff],
  [0xfeff, 0xfeff],
] as const;

test('escapes what a terminal or a viewer obeys, and nothing else', () => {
  for (let code = 0; code < 0x10000; code++) {
    const character = String.fromCharCode(code);
    const isHarmful = ranges.some(([first, last]) => first <= code && code <= last);
    const escaped = `\\u${code.toString(16).padStart(4, '0')}`;
    assert.equal(escapeHarmful(character), isHarmful ? escaped : character);
    assert.equal(visibleControls(character), isHarmful || code < 0x20 ? escaped : character);
  }
  assert.equal(escapeHarmful('\u{1f600} é 文'), '\u{1f600} é 文');
});

test('means the same as before where nothing is too long', () => {
  const text = fc.string({ unit: 'binary', maxLength: 100 });
  const fields = fc.record({
    level: text,
    client: text,
    names: fc.array(text, { maxLength: 10 }),
    msg: text,
  });
  fc.assert(
    fc.property(fields, (given) => {
      const line = harmlessLine(lineOf(given));
      // Those of fast-check may have no prototype.
      assert.deepEqual(JSON.parse(line), { ...given });
      assert.ok(line.endsWith('}\n'));
      assert.equal(escapeHarmful(line), line);
    }),
  );
});

test('cuts a text that is too long, wherever it is, and states how much is left out', () => {
  const long = 'x'.repeat(8192);
  const cut = `${'x'.repeat(500)}... [7692 characters left out]`;
  const line = harmlessLine(lineOf({ a: long, b: [1, { c: long }], d: null, e: 'x'.repeat(500), msg: long }));
  const expected = { a: cut, b: [1, { c: cut }], d: null, e: 'x'.repeat(500), msg: cut };
  assert.deepEqual(JSON.parse(line), expected);
});

test('does not cut a character in two', () => {
  const { msg } = JSON.parse(harmlessLine(lineOf({ msg: `x${'\u{1f600}'.repeat(300)}` }))) as { msg: string };
  assert.equal(msg, `x${'\u{1f600}'.repeat(249)}... [102 characters left out]`);
});

test('leaves out the fields that make a line too long, and keeps what every line has', () => {
  const bytes = '\u009b'.repeat(10_000);
  const many = { counters: Object.fromEntries(Array.from({ length: 3000 }, (_, n) => [`name ${n}`, n])) };
  const base = { level: 'warn', time: 'now', pid: 1 };
  const line = harmlessLine(lineOf({ ...base, a: bytes, b: bytes, ...many, c: 1, msg: 'words' }));
  assert.ok(Buffer.byteLength(line) <= 8192, `${line.length}`);
  const { a, b, ...rest } = JSON.parse(line) as Record<string, string>;
  assert.deepEqual([a, b], Array(2).fill(`${'\u009b'.repeat(500)}... [9500 characters left out]`));
  assert.deepEqual(Object.entries(rest), [...Object.entries(base), ['leftOut', 2], ['msg', 'words']]);
});

test('no line is longer than 8 KiB, whatever is logged', () => {
  const text = fc.string({ unit: 'binary', maxLength: 3000, size: 'max' });
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.oneof(text, fc.array(text))), text, (given, msg) => {
      const line = harmlessLine(lineOf({ level: 'info', ...given, msg }));
      assert.ok(Buffer.byteLength(line) <= 8192, `${Buffer.byteLength(line)}`);
      assert.equal(typeof (JSON.parse(line) as { msg: unknown }).msg, 'string');
    }),
  );
});
