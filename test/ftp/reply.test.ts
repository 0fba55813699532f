import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isCompletion, isPreliminary, ReplyReader } from '../../src/ftp/reply.ts';
import { assertSameHoweverCut, linesOf, readCases, segmentations, type WireCase } from '../data/cases.ts';

interface ReplyCase extends WireCase {
  /** `single 220`, `first 211` ... and `stray`. */
  readonly parts: readonly string[];
}

test('separates the lines of every reply of the wire cases, however its bytes arrive', () => {
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

/** The parts of a server's lines where these codes end an open reply; `?` marks a line that seems to end another. */
function partsOf(chunks: readonly Buffer[], ends: readonly number[]): string[] {
  const replies = new ReplyReader();
  return linesOf(chunks).map(({ text }) => {
    const part = replies.push(text, (open, code) => open === 553 && ends.includes(code));
    if (part.kind === 'stray') return part.kind;
    return `${part.kind} ${part.code}${part.kind === 'middle' && part.seemsLast ? '?' : ''}`;
  });
}

for (const [what, wire, ends, parts] of [
  [
    'by one line',
    '553-\r\n553- No.\r\n150 Opening\r\n227 x\r\n200 OK\r\n',
    [227],
    ['first 553', 'middle 553', 'middle 553?', 'single 227', 'single 200'],
  ],
  [
    'by the first of several',
    '553-\n150 Opening\n227-x\n200 y\n227 z\n',
    [227],
    ['first 553', 'middle 553?', 'first 227', 'middle 227?', 'last 227'],
  ],
  [
    'by a bare code',
    '553-\r\n150\r\n257\r\n553 x\r\n',
    [257],
    ['first 553', 'middle 553?', 'single 257', 'single 553'],
  ],
  [
    'by no line that only begins with such a code',
    '553-\r\n2270 files\r\n227th\r\n 227 x\r\n227(x)\r\n627 x\r\n727 x\r\n553 End\r\n',
    [227, 627],
    ['first 553', ...Array<string>(4).fill('middle 553'), 'single 627', 'stray', 'single 553'],
  ],
  [
    'by none of another reply',
    '211-\r\n150 a\r\n227 b\r\n211 c\r\n',
    [227],
    ['first 211', 'middle 211?', 'middle 211?', 'last 211'],
  ],
  ['by its own code all the same', '553-\r\n227-x\r\n553 y\r\n', [], ['first 553', 'middle 553', 'last 553']],
] as const) {
  test(`ends an open reply ${what}, where it is told that such a code ends it`, () => {
    for (const chunks of segmentations(wire)) assert.deepEqual(partsOf(chunks, ends), parts);
  });
}

test('asks about the code of a line within a reply and no other line, and says which reply is open', () => {
  const asked: string[] = [];
  const replies = new ReplyReader();
  const lines = ['220 a', '553-b', 'text', '553-c', '150 d', '200-e', '553 f', '226 g'];
  for (const line of lines) {
    replies.push(line, (open, code) => {
      asked.push(`${open} ${code}`);
      return false;
    });
  }
  assert.deepEqual(asked, ['553 150', '553 200']);
});
