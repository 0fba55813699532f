import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WholeReplies } from '../../src/ftp/whole-replies.ts';
import { assertSameHoweverCut, readCases, type WireCase } from '../data/cases.ts';

interface ReplyCase extends WireCase {
  /** `single 220`, `first 211` ... and `stray`. */
  readonly parts: readonly string[];
}

/** The codes of the replies that end, 0 for a stray line, and how many lines each has. */
function wholeOf(parts: readonly string[]): [code: number, lines: number][] {
  const whole: [number, number][] = [];
  let lines = 0;
  for (const part of parts) {
    const [kind, code] = part.split(' ');
    lines++;
    if (kind === 'first' || kind === 'middle') continue;
    whole.push([Number(code ?? 0), lines]);
    lines = 0;
  }
  return whole;
}

test('joins the lines of every reply of the wire cases, however its bytes come', () => {
  assertSameHoweverCut(
    readCases<ReplyCase>('replies.jsonl'),
    (chunks) => {
      const replies = new WholeReplies();
      return chunks
        .flatMap((chunk) => replies.push(chunk))
        .map(({ code, lines }): [number, number] => [code, lines.length]);
    },
    ({ parts }) => wholeOf(parts),
  );
});

test('counts the lines of a reply that has not ended, and keeps the first piece of an overlong one', () => {
  const replies = new WholeReplies();
  assert.deepEqual(replies.push(Buffer.from('211-a\r\n b\r\n')), []);
  assert.equal(replies.openLines, 2);
  assert.deepEqual(replies.push(Buffer.from('211 c\r\n')), [{ code: 211, lines: ['211-a', ' b', '211 c'] }]);
  assert.equal(replies.openLines, 0);
  const [reply] = replies.push(Buffer.from(`220 ${'x'.repeat(20_000)}\r\n`));
  assert.equal(reply?.code, 220);
  assert.equal(reply.lines.length, 1);
});
