import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FileTree, resolvePath, toByteString } from '../../src/demo/file-tree.ts';

function write(tree: FileTree, path: string, content: string): string | undefined {
  const upload = tree.beginUpload(path, { kind: 'replace', keep: 0 });
  assert.ok(upload.add(Buffer.from(content)));
  return upload.commit();
}

test('resolves paths against a directory, and never above the root', () => {
  assert.equal(resolvePath('/a/b', 'c'), '/a/b/c');
  assert.equal(resolvePath('/a/b', '../../../..//c/./d/'), '/c/d');
  assert.equal(resolvePath('/a', '/'), '/');
  assert.equal(resolvePath('/', ''), '/');
});

test('keeps names as the bytes of their UTF-8 form', () => {
  assert.equal(toByteString('é'), '\xc3\xa9');
});

test('plants files with the directories above them, and empty directories', () => {
  const tree = new FileTree(100);
  tree.plant('/a/b/c.txt', Buffer.from('x'));
  tree.plant('/a/empty/', Buffer.alloc(0));
  assert.equal(tree.find('/a/b/c.txt')?.kind, 'file');
  assert.equal(tree.find('/a/empty')?.kind, 'directory');
  assert.throws(() => {
    tree.plant('/a/b/c.txt/d', Buffer.alloc(0));
  }, /Already exists/);
  assert.throws(() => {
    tree.plant('/big', Buffer.alloc(100));
  }, /maxBytes/);
});

test('counts uploads under way, and gives back what is discarded, replaced or removed', () => {
  const tree = new FileTree(10);
  assert.equal(write(tree, '/a', '1234'), undefined);
  const upload = tree.beginUpload('/a', { kind: 'append' });
  assert.ok(upload.add(Buffer.from('56')));
  assert.equal(tree.freeBytes, 4);
  assert.equal(upload.add(Buffer.from('12345')), false);
  upload.discard();
  assert.equal(tree.freeBytes, 6);
  assert.equal(write(tree, '/a', '12'), undefined);
  assert.equal(tree.freeBytes, 8);
  assert.equal(tree.removeFile('/a'), undefined);
  assert.equal(tree.freeBytes, 10);
});

test('gives back the bytes of an upload whose directory went away', () => {
  const tree = new FileTree(10);
  tree.makeDirectory('/d');
  const upload = tree.beginUpload('/d/a', { kind: 'replace', keep: 0 });
  upload.add(Buffer.from('1234'));
  tree.removeDirectory('/d');
  assert.equal(upload.commit(), 'No such directory');
  assert.equal(tree.freeBytes, 10);
});

test('renames over a file, not over a directory, and not into itself', () => {
  const tree = new FileTree(100);
  write(tree, '/a', 'a');
  write(tree, '/b', 'b');
  tree.makeDirectory('/d');
  assert.equal(tree.rename('/a', '/b'), undefined);
  assert.equal(tree.find('/a'), undefined);
  assert.equal(tree.freeBytes, 99);
  assert.equal(tree.rename('/b', '/b'), undefined);
  assert.equal(tree.find('/b')?.kind, 'file');
  assert.equal(tree.rename('/b', '/d'), 'Is a directory');
  assert.equal(tree.rename('/d', '/b'), 'Already exists');
  assert.equal(tree.rename('/d', '/d/e'), 'Cannot move a directory into itself');
  assert.equal(tree.rename('/', '/e'), 'Cannot move a directory into itself');
  assert.equal(tree.rename('/b', '/none/b'), 'No such directory');
  assert.equal(tree.rename('/d', '/e'), undefined);
  assert.equal(tree.find('/e')?.kind, 'directory');
});

test('gives its reasons for what it refuses', () => {
  const tree = new FileTree(100);
  write(tree, '/a', 'a');
  tree.makeDirectory('/d');
  tree.makeDirectory('/d/e');
  assert.equal(tree.makeDirectory('/a'), 'Already exists');
  assert.equal(tree.makeDirectory('/none/x'), 'No such directory');
  assert.equal(tree.removeDirectory('/'), 'Cannot remove the root directory');
  assert.equal(tree.removeDirectory('/d'), 'Directory not empty');
  assert.equal(tree.removeDirectory('/a'), 'Not a directory');
  assert.equal(tree.removeDirectory('/none'), 'No such directory');
  assert.equal(tree.removeFile('/d'), 'Is a directory');
  assert.equal(tree.removeFile('/none'), 'No such file');
  assert.equal(tree.rename('/none', '/x'), 'No such file or directory');
});
