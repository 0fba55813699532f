import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isCompletion, isPreliminary, ReplyReader } from '../../src/ftp/reply.ts';
import { assertSameHoweverCut, linesOf, readCases, type WireCase } from '../data/cases.ts';

interface ReplyCase extends WireCase {
  /** `single 220`, `first 211` ... and `stray`. */
  readonly parts: readonly string[];
}

test('tells the lines of every reply of the wire cases apart, however its bytes come', () => {
  assertSameHoweverCut(
    readCases<ReplyCase>('replies.jsonl'),
    (chunks) => {
      const replies = new ReplyReader();
      return linesOf(chunks)
        .map(({ text }) => replies.push(text))
        .map((part) => (part.kind === 'stray' ? part.kind : `${part.kind} ${part.code}`));
    },
    ({ parts }) => [...parts],
  );
});

test('knows a preliminary reply and a completion by the first digit', () => {
  const kinds = [120, 150, 199, 200, 226, 299, 331, 421, 550, 631].map((code) => [
    code,
    isPreliminary(code),
    isCompletion(code),
  ]);
  assert.deepEqual(kinds, [
    [120, true, false],
    [150, true, false],
    [199, true, false],
    [200, false, true],
    [226, false, true],
    [299, false, true],
    [331, false, false],
    [421, false, false],
    [550, false, false],
    [631, false, false],
  ]);
});
