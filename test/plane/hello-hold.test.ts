import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { HelloHold, likenessOf } from '../../src/plane/hello-hold.ts';
import { clientHello } from '../support/relay/tls-lab.ts';

test('knows a ClientHello by its record, whole and in each of its pieces', () => {
  const hello = clientHello();
  assert.equal(likenessOf(hello), 'whole');
  for (let length = 0; length < hello.length; length++) {
    assert.equal(likenessOf(hello.subarray(0, length)), 'begun', `${length}`);
  }
  assert.equal(likenessOf(Buffer.concat([hello, Buffer.from('.')])), 'none');
});

test('takes nothing else for one', () => {
  const hello = clientHello();
  for (const [index, value] of [
    [0, 0x17],
    [0, 0x15],
    [1, 2],
    [2, 5],
    [4, (hello[4] ?? 0) ^ 1],
    [5, 2],
    [6, 1],
    [8, (hello[8] ?? 0) ^ 1],
  ] as const) {
    const changed = Buffer.from(hello);
    changed[index] = value;
    assert.equal(likenessOf(changed), 'none', `byte ${index}`);
  }
});

test('passes every byte on in order, however it comes, and holds nothing back at the end', () => {
  const starts = fc.oneof(
    fc.uint8Array({ maxLength: 64 }),
    fc.nat(9).map((length) => clientHello().subarray(0, length)),
    fc.uint8Array({ minLength: 1, maxLength: 64 }).map((rest) => Buffer.concat([clientHello(), rest])),
  );
  fc.assert(
    fc.property(starts, fc.array(fc.integer({ min: 1, max: 400 })), (file, sizes) => {
      const passed: Buffer[] = [];
      const hold = new HelloHold({
        pass: (bytes) => passed.push(Buffer.from(bytes)) > 0,
        found: () => assert.fail('it is a file'),
      });
      // The buffer is read into again.
      const buffer = Buffer.alloc(512);
      for (let at = 0, piece = 0; at < file.length; piece++) {
        const size = Math.min(sizes[piece] ?? 400, file.length - at);
        buffer.set(file.subarray(at, at + size));
        hold.take(buffer.subarray(0, size));
        at += size;
      }
      hold.release();
      assert.deepEqual(Buffer.concat(passed), Buffer.from(file));
    }),
  );
});

test('takes a ClientHello for one when nothing has followed it for two seconds, however slowly it came', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  let isFound = false;
  const passed: Buffer[] = [];
  const hold = new HelloHold({
    pass: (bytes) => passed.push(Buffer.from(bytes)) > 0,
    found: () => {
      isFound = true;
    },
  });
  const hello = clientHello();
  hold.take(hello.subarray(0, 100));
  t.mock.timers.tick(1900);
  hold.take(hello.subarray(100));
  t.mock.timers.tick(1900);
  assert.equal(isFound, false);
  t.mock.timers.tick(100);
  assert.equal(isFound, true);
  assert.deepEqual(passed, []);
});

test('lets what only began as one go on when nothing has followed it for two seconds', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const passed: Buffer[] = [];
  const hold = new HelloHold({
    pass: (bytes) => passed.push(Buffer.from(bytes)) > 0,
    found: () => assert.fail('it is a file'),
  });
  hold.take(clientHello().subarray(0, 100));
  t.mock.timers.tick(2000);
  hold.take(Buffer.from('.'));
  assert.deepEqual(Buffer.concat(passed), Buffer.concat([clientHello().subarray(0, 100), Buffer.from('.')]));
});
