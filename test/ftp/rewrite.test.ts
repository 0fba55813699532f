import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { replaceSpans } from '../../src/ftp/rewrite.ts';

const binary = fc.uint8Array({ maxLength: 30 }).map((bytes) => Buffer.from(bytes).toString('latin1'));

test('touches nothing but the spans', () => {
  const parts = fc.array(fc.record({ kept: binary, replaced: binary }), { maxLength: 4 });
  fc.assert(
    fc.property(parts, binary, binary, (pieces, tail, replacement) => {
      let text = '';
      const spans = pieces.map(({ kept, replaced }) => {
        const start = text.length + kept.length;
        text += kept + replaced;
        return { start, end: start + replaced.length };
      });
      const expected = pieces.map(({ kept }) => kept + replacement).join('') + tail;
      assert.equal(replaceSpans(text + tail, spans, replacement), expected);
    }),
  );
});

test('leaves a text without spans as it is', () => {
  assert.equal(replaceSpans('227 x', [], 'y'), '227 x');
});
