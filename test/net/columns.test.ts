import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { columnsOf, cutEnd, cutMiddle, fold, padEnd, wrapWords } from '../../src/net/columns.ts';

test('counts what a terminal shows in two columns, and what it shows over another', () => {
  const widths: [string, number][] = [
    ['', 0],
    ['/pub/a.iso', 10],
    ['naïve', 5],
    ['nai\u0308ve', 5],
    ['文件', 4],
    ['ｆｔｐ', 6],
    ['한글', 4],
    ['🎵.mp3', 6],
    ['❤\ufe0f', 2],
  ];
  for (const [text, columns] of widths) assert.equal(columnsOf(text), columns, text);
});

test('cuts at the end, or leaves both ends', () => {
  assert.equal(cutEnd('download', 8), 'download');
  assert.equal(cutEnd('download', 5), 'down…');
  assert.equal(cutEnd('文件文件', 4), '文…');
  assert.equal(cutMiddle('/pub/debian-12-amd64.iso', 12), '/pub…d64.iso');
  assert.equal(cutMiddle('/pub', 0), '');
});

test('never takes more room than there is, and pads to all of it', () => {
  const text = fc.string({ unit: fc.constantFrom('a', '文', '\u0308', '🎵', ' ', '\ufe0f') });
  fc.assert(
    fc.property(text, fc.integer({ min: 0, max: 40 }), (given, room) => {
      for (const cut of [cutEnd, cutMiddle]) {
        assert.ok(columnsOf(cut(given, room)) <= room);
        assert.equal(columnsOf(padEnd(cut(given, room), room)), room);
      }
    }),
  );
});

test('wraps between words, and loses nothing', () => {
  assert.deepEqual(wrapWords('raise it (ulimit -n), or lower it', 12), [
    'raise it',
    '(ulimit -n),',
    'or lower it',
  ]);
  assert.deepEqual(wrapWords('abcdefgh ij', 3), ['abc', 'def', 'gh', 'ij']);
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom('a', '文', ' ') }),
      fc.integer({ min: 2, max: 20 }),
      (text, room) => {
        const lines = wrapWords(text, room);
        assert.equal(lines.join('').replaceAll(' ', ''), text.replaceAll(' ', ''));
        for (const line of lines) assert.ok(columnsOf(line) <= room);
      },
    ),
  );
});

test('counts one column for letters with marks, and two for wide ones among others', () => {
  assert.deepEqual(['name', '中文', 'e\u0301', '한글.txt', 'ÿ', ''].map(columnsOf), [4, 4, 1, 8, 1, 0]);
});

test('cuts with a mark, and not within a wide character', () => {
  assert.deepEqual([cutEnd('welcome.txt', 11), cutEnd('welcome.txt', 5)], ['welcome.txt', 'welc…']);
  assert.equal(cutMiddle('/pub/a/long/path/file.bin', 13), '/pub…file.bin');
  assert.equal(cutEnd('中文文件', 4), '中…');
  assert.deepEqual([cutEnd('ab', 0), cutMiddle('abcdef', 2)], ['', 'a…']);
});

test('folds at blanks, and within a word that is too long', () => {
  assert.deepEqual(fold('150 Opening BINARY mode', 12), ['150 Opening', 'BINARY mode']);
  assert.deepEqual(fold('x'.repeat(10), 4), ['xxxx', 'xxxx', 'xx']);
});
