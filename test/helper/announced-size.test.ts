import assert from 'node:assert/strict';
import { test } from 'node:test';
import { expectedSize, restartAfter, sizeIn } from '../../src/helper/announced-size.ts';

const retr = { verb: 'RETR', argument: 'a' };
const stor = { verb: 'STOR', argument: 'a' };

test('takes the size of a download from the reply that begins it', () => {
  const text = '150 Opening BINARY mode data connection for a (1234 bytes).';
  assert.equal(expectedSize(retr, text, { path: 'a', size: 9 }), 1234);
  assert.equal(expectedSize(retr, '150 Opening a(1 bytes) (77 bytes).', undefined), 77);
  assert.equal(expectedSize(retr, '150 Opening', undefined), undefined);
});

test('takes it from the SIZE of the same file else', () => {
  const asked = sizeIn({ verb: 'SIZE', argument: 'a' }, 213, '213 77');
  assert.deepEqual(asked, { path: 'a', size: 77 });
  assert.equal(expectedSize(retr, '150 Opening', asked), 77);
  assert.equal(expectedSize({ verb: 'RETR', argument: 'b' }, '150 Opening', asked), undefined);
  assert.equal(expectedSize(stor, '150 Opening', asked), undefined);
});

test('takes that of an upload from ALLO, and of a listing from nothing', () => {
  const asked = sizeIn({ verb: 'ALLO', argument: '500 R 10' }, 200, '200 OK');
  assert.equal(expectedSize(stor, '150 Ok to send data.', asked), 500);
  assert.equal(expectedSize({ verb: 'LIST', argument: '' }, '150 Here (12 bytes)', asked), undefined);
});

test('takes what is left of a file behind REST, and no size that another server would mean otherwise', () => {
  const asked = { path: 'a', size: 100 };
  assert.equal(expectedSize(retr, '150 Opening (100 bytes)', asked, 30), 70);
  assert.equal(expectedSize(retr, '150 Opening (70 bytes)', undefined, 30), undefined);
  assert.equal(expectedSize(retr, '150 Opening', asked, 130), 0);
  assert.equal(expectedSize(stor, '150 Ok', { path: undefined, size: 100 }, 30), undefined);
});

test('knows REST from its reply until the end of the next transfer', () => {
  const rest = { verb: 'REST', argument: '30' };
  assert.equal(restartAfter(0, rest, 350), 30);
  assert.equal(restartAfter(5, rest, 501), 5);
  assert.equal(restartAfter(0, { verb: 'REST', argument: 'x' }, 350), 0);
  assert.equal(restartAfter(30, { verb: 'PASV', argument: '' }, 227), 30);
  assert.equal(restartAfter(30, retr, 150), 30);
  for (const code of [226, 425, 550]) assert.equal(restartAfter(30, retr, code), 0);
});

test('reads no size from what is none', () => {
  for (const text of ['213 20260101000000 x', '213 -1', '213', '550 No such file', `213 ${'9'.repeat(16)}`])
    assert.equal(sizeIn({ verb: 'SIZE', argument: 'a' }, 213, text), undefined, text);
  assert.equal(sizeIn({ verb: 'SIZE', argument: 'a' }, 550, '213 5'), undefined);
  assert.equal(sizeIn({ verb: 'ALLO', argument: 'x' }, 200, '200 OK'), undefined);
});
