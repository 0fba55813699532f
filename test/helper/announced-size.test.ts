import assert from 'node:assert/strict';
import { test } from 'node:test';
import { expectedSize, sizeIn } from '../../src/helper/announced-size.ts';

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

test('reads no size from what is none', () => {
  for (const text of ['213 20260101000000 x', '213 -1', '213', '550 No such file', `213 ${'9'.repeat(16)}`])
    assert.equal(sizeIn({ verb: 'SIZE', argument: 'a' }, 213, text), undefined, text);
  assert.equal(sizeIn({ verb: 'SIZE', argument: 'a' }, 550, '213 5'), undefined);
  assert.equal(sizeIn({ verb: 'ALLO', argument: 'x' }, 200, '200 OK'), undefined);
});
