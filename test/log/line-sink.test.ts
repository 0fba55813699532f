import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LineSink } from '../../src/log/line-sink.ts';

/** A device that takes what it has room for, and then fails. Nothing is tried again but by `flush`. */
class Device {
  text = '';
  writes = 0;
  room = Infinity;
  code = 'ENOSPC';

  readonly write = (bytes: Buffer): number => {
    this.writes++;
    const taken = Math.min(this.room, bytes.length);
    if (taken === 0) throw Object.assign(new Error('write'), { code: this.code });
    this.room -= taken;
    this.text += bytes.toString('latin1', 0, taken);
    return taken;
  };
}

function sinkOn(device: Device, capacity: number): LineSink {
  const lossLine = (lines: number, code: string): string => `lost ${lines} ${code}\n`;
  return new LineSink({ write: device.write, lossLine, capacity });
}

test('writes the lines of a turn at its end, in one write', async () => {
  const device = new Device();
  const sink = sinkOn(device, 1000);
  for (const line of ['a\n', 'b\n', 'c\n']) sink.write(line);
  assert.equal(device.text, '');
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual([device.text, device.writes], ['a\nb\nc\n', 1]);
});

test('writes before the end of a turn with much output', () => {
  const device = new Device();
  const sink = sinkOn(device, 1024 * 1024);
  const line = `${'x'.repeat(1023)}\n`;
  for (let n = 0; n < 10_000; n++) sink.write(line);
  sink.flush();
  assert.equal(device.text.length, 10_000 * 1024);
});

test('finishes a line before the next one begins, whatever a write takes', () => {
  for (let room = 1; room < 12; room++) {
    const device = new Device();
    const sink = sinkOn(device, 1000);
    device.room = room;
    for (const line of ['first\n', 'second\n']) sink.write(line);
    sink.flush();
    sink.write('third\n');
    device.room = room;
    sink.flush();
    sink.write('fourth\n');
    device.room = Infinity;
    sink.flush();
    assert.equal(device.text, 'first\nsecond\nthird\nfourth\n');
  }
});

test('counts lines that do not fit, and reports them once, in their place', () => {
  const device = new Device();
  const sink = sinkOn(device, 10);
  device.room = 0;
  sink.write('0\n');
  sink.flush();
  for (let n = 1; n < 7; n++) sink.write(`${n}\n`);
  sink.flush();
  assert.equal(device.text, '');
  device.room = Infinity;
  sink.flush();
  sink.write('7\n');
  sink.flush();
  assert.equal(device.text, '0\n1\n2\n3\n4\nlost 2 ENOSPC\n7\n');
});

test('keeps lines again when half of the room is free', () => {
  const device = new Device();
  const sink = sinkOn(device, 40);
  const [one, two] = [`${'1'.repeat(19)}\n`, `${'2'.repeat(19)}\n`];
  device.code = 'EAGAIN';
  device.room = 0;
  sink.write(one);
  sink.flush();
  sink.write(two);
  sink.write('a\n');
  device.room = 19;
  sink.flush();
  sink.write('b\n');
  device.room = 1;
  sink.flush();
  sink.write('c\n');
  device.room = Infinity;
  sink.flush();
  assert.equal(device.text, `${one}${two}lost 2 EAGAIN\nc\n`);
});

test('keeps no more than its capacity', () => {
  const device = new Device();
  const sink = sinkOn(device, 1000);
  device.room = 0;
  for (let n = 0; n < 10_000; n++) {
    sink.write('123456789\n');
    if (n % 10 === 0) sink.flush();
  }
  device.room = Infinity;
  sink.flush();
  assert.equal(device.text, `${'123456789\n'.repeat(100)}lost 9900 ENOSPC\n`);
});

test('does not wait at the end for what is no slow reader', () => {
  const device = new Device();
  const sink = sinkOn(device, 1000);
  device.room = 0;
  sink.write('a\n');
  sink.end();
  assert.equal(device.writes, 1);
});

test('waits at the end for a slow reader, and writes at once what comes later', () => {
  const device = new Device();
  let refusals = 3;
  const write = (bytes: Buffer): number => (refusals-- > 0 ? 0 : device.write(bytes));
  const sink = new LineSink({ write, lossLine: () => '' });
  sink.write('a\n');
  sink.end();
  assert.equal(device.text, 'a\n');
  sink.write('b\n');
  assert.equal(device.text, 'a\nb\n');
});

test('counts what was lost in all, beyond what one line tells', () => {
  const device = new Device();
  const sink = sinkOn(device, 10);
  for (let round = 1; round <= 2; round++) {
    device.room = 0;
    for (const line of ['12345678\n', 'lost\n', 'lost\n']) sink.write(line);
    sink.flush();
    device.room = Infinity;
    sink.flush();
    assert.equal(sink.lostInAll, 2 * round);
  }
});
