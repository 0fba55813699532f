import assert from 'node:assert/strict';
import { test } from 'node:test';
import { absolutePath, directoryAfter, pathOf } from '../../src/helper/directory.ts';

type Step = readonly [verb: string, argument: string, code: number, text?: string];

function after(...steps: readonly Step[]): string | undefined {
  return steps.reduce<string | undefined>(
    (directory, [verb, argument, code, text = '']) =>
      directoryAfter(directory, { verb, argument }, code, text),
    undefined,
  );
}

const home: Step = ['PWD', '', 257, '257 "/home/anna" is the current directory'];

test('knows the directory that PWD has told, with its doubled quotation marks', () => {
  assert.equal(after(home), '/home/anna');
  assert.equal(after(['XPWD', '', 257, '257 "/a ""b"" c"']), '/a "b" c');
  assert.equal(after(['PWD', '', 257, '257-"/pub" is']), '/pub');
});

test('follows CWD and CDUP from there, and not those that were refused', () => {
  assert.equal(after(home, ['CWD', 'in', 250]), '/home/anna/in');
  assert.equal(after(home, ['CWD', '../in/./x/', 250]), '/home/in/x');
  assert.equal(after(home, ['CDUP', '', 250]), '/home');
  assert.equal(after(home, ['XCUP', 'ignored', 200]), '/home');
  assert.equal(after(['CWD', '/', 250], ['CDUP', '', 250]), '/');
  assert.equal(after(home, ['CWD', 'in', 550]), '/home/anna');
});

test('knows an absolute CWD without any PWD, and no relative one', () => {
  assert.equal(after(['CWD', '/pub', 250]), '/pub');
  assert.equal(after(['CWD', 'C:\\files', 250]), 'C:\\files');
  assert.equal(after(['CWD', 'pub', 250]), undefined);
  assert.equal(after(home, ['CWD', '~anna', 250]), undefined);
});

test('forgets the directory of another user, and what cannot be read', () => {
  assert.equal(after(home, ['PASS', '', 230]), undefined);
  assert.equal(after(home, ['REIN', '', 220]), undefined);
  for (const text of ['257 /home is it', '257 ""', '257 "unended', '257 "relative"'])
    assert.equal(after(home, ['PWD', '', 257, text]), undefined, text);
  assert.equal(after(home, ['MKD', 'x', 257, '257 "/home/anna/x" created']), '/home/anna');
  assert.equal(after(['CWD', `/${'x'.repeat(4096)}`, 250]), undefined);
});

test('makes a path absolute where the directory is known', () => {
  assert.equal(absolutePath('a b', '/pub'), '/pub/a b');
  assert.equal(absolutePath('', '/pub'), '/pub');
  assert.equal(absolutePath('/x//y', undefined), '/x/y');
  assert.equal(absolutePath('a', undefined), undefined);
});

test('leaves the options of a listing out of its path', () => {
  assert.equal(pathOf({ verb: 'LIST', argument: '-la -R pub' }), 'pub');
  assert.equal(pathOf({ verb: 'NLST', argument: '-a' }), '');
  assert.equal(pathOf({ verb: 'RETR', argument: '-a' }), '-a');
});
