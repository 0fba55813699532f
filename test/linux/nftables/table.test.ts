import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dropTable, keepTable, makeTable } from '../../../src/linux/nftables/table.ts';

test('makes the table, replacing one that was left behind', () => {
  const { text } = makeTable({ table: 'ftp', mark: 0x2121 });
  assert.match(text, /^add table inet ftp\ndelete table inet ftp\ntable inet ftp \{\n/);
  assert.equal(dropTable({ table: 'ftp', mark: 1 }).text, 'add table inet ftp\ndelete table inet ftp\n');
});

test('keeps the elements of a table where that is asked for', () => {
  const settings = { table: 'ftp', mark: 0x2121 };
  const { text } = keepTable(settings);
  assert.match(text, /^add table inet ftp\nflush table inet ftp\ntable inet ftp \{\n/);
  assert.equal(text.replace('flush', 'delete'), makeTable(settings).text);
});

test('makes a table that goes with this process where that is asked for, and deletes it as such', () => {
  const owned = { table: 'ftp', mark: 1, isOwned: true };
  assert.match(makeTable(owned).text, /^table inet ftp \{\n\tflags owner\n/);
  assert.equal(dropTable(owned).text, 'delete table inet ftp\n');
});

test('takes an expectation out with the packet that meets it, and marks the connection, and drops others until one comes of it', () => {
  const { text } = makeTable({ table: 'ftp', mark: 0x2121 });
  for (const [ip, family] of [
    ['ip', 4],
    ['ip6', 6],
  ] as const) {
    const tuple = `${ip} saddr . ${ip} daddr . tcp dport`;
    const marks = `delete @expect${family} { ${tuple} } ct mark set 8481`;
    const holds = `update @held${family} { ${tuple} timeout 4000ms } return`;
    assert.ok(text.includes(`${tuple} @expect${family} ${marks} ${holds}\n`), text);
    assert.ok(text.includes(`${tuple} @held${family} drop\n`));
    assert.ok(text.includes(`${tuple} @held${family} delete @held${family} { ${tuple} }\n`));
  }
});

test('rewrites marked connections alone, but for the source of those that this host makes under another address', () => {
  const { text } = makeTable({ table: 'ftp', mark: 0x2121 });
  const nat = text.split('\n').filter((line) => line.includes('type nat'));
  assert.equal(nat.length, 5);
  const borrowing = nat.filter((line) => line.includes('jump borrow'));
  assert.deepEqual(
    borrowing.map((line) => line.trim()),
    ['chain borrow_out { type nat hook postrouting priority 95; ct mark != 8481 jump borrow; }'],
  );
  for (const line of nat.filter((each) => !borrowing.includes(each))) {
    assert.match(line, /; ct mark 8481 jump (lead|disguise); \}$/);
  }
});
