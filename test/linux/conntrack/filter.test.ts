import assert from 'node:assert/strict';
import { endianness } from 'node:os';
import { test } from 'node:test';
import { onlyMarked } from '../../../src/linux/conntrack/filter.ts';
import type { FilterStep } from '../../../src/linux/netlink/socket.ts';
import { began, ended, gone } from './samples.ts';

// Headers are in the order of the host that they were taken on.
const skip = endianness() === 'LE' ? false : 'the messages are of a little-endian host';

/** `began` as an update with the state, the number that the kernel has for it. */
function updated(state: number): string {
  const changed = began.replace('00010006', '00010000').replace('0500010001', `050001000${state}`);
  assert.notEqual(changed, began);
  return changed;
}

for (const [what, message] of [
  ['begins', began],
  ['is established', updated(3)],
  ['one side has ended', updated(4)],
  ['both sides have ended', ended],
  ['was reset', updated(8)],
  ['is gone', gone],
  ['is gone, from whatever state', gone.replace('0500010007', '0500010006')],
  ['begins late', began.replace('0500010001', '0500010002')],
  ['has no state', began.replace('00010006', '00010000').replace('30000480', '30001f80')],
] as const) {
  test(`the filter lets pass that a connection with the mark ${what}`, { skip }, () => {
    assert.ok(passes(onlyMarked(0x2121), message));
    assert.ok(!passes(onlyMarked(0x2122), message));
  });
}

for (const [state, number] of [
  ['SYN_RECV', 2],
  ['CLOSE_WAIT', 5],
  ['LAST_ACK', 6],
] as const) {
  test(`the filter drops that a connection is in ${state}`, { skip }, () => {
    assert.ok(!passes(onlyMarked(0x2121), updated(number)));
  });
}

test('the filter drops what has no mark', { skip }, () => {
  assert.ok(!passes(onlyMarked(0), began.slice(0, -16)));
});

/** Runs a filter as the kernel does, see net/core/filter.c. */
function passes(program: readonly FilterStep[], message: string): boolean {
  const bytes = Buffer.from(message, 'hex');
  let a = 0;
  let x = 0;
  const attributeFrom = (start: number, end: number): number => {
    for (let at = start; at + 4 <= end;) {
      const length = bytes.readUInt16LE(at);
      if ((bytes.readUInt16LE(at + 2) & 0x7fff) === x) return at;
      if (length < 4) return 0;
      at += (length + 3) & ~3;
    }
    return 0;
  };
  for (let at = 0; ; at++) {
    const [code, ifTrue, ifFalse, value] = program[at] ?? assert.fail(`no step ${at}`);
    if (code === 0x00) a = value;
    else if (code === 0x01) x = value;
    else if (code === 0x07) x = a;
    else if (code === 0x20 && value === 0xffff_f00c) a = attributeFrom(a, bytes.length);
    else if (code === 0x20 && value === 0xffff_f010) a = attributeFrom(a + 4, a + bytes.readUInt16LE(a));
    else if (code === 0x28) a = bytes.readUInt16BE(value);
    else if (code === 0x40) a = bytes.readUInt32BE(x + value);
    else if (code === 0x50) a = bytes.readUInt8(x + value);
    else if (code === 0x15) at += a === value ? ifTrue : ifFalse;
    else if (code === 0x45) at += (a & value) !== 0 ? ifTrue : ifFalse;
    else if (code === 0x06) return value !== 0;
    else assert.fail(`step ${at}: ${code}`);
  }
}
