import assert from 'node:assert/strict';
import { endianness } from 'node:os';
import { test } from 'node:test';
import { isOver } from '../../../src/linux/conntrack/flow.ts';
import { askForMarked, askForOne, onlyMarked, readMessages } from '../../../src/linux/conntrack/messages.ts';
import type { FilterStep } from '../../../src/linux/netlink/socket.ts';
import { address } from '../../helpers/relay/hosts.ts';

/** As Linux sent them: a connection that begins, one that both sides have ended, one that is gone, a list. */
const began =
  'cc00000000010006000000000000000002000000340001801400018008000100c633640a080002000a4d00021c00028005000100' +
  '06000000060002009c400000060003001e6100003400028014000180080001000a4d000208000200c633640a1c00028005000100' +
  '06000000060002001e610000060003009c40000008000c0091e9d8ba080003000000000808000700000000783000048' +
  '02c0001800500010001000000050002000a0000000500030000000000060004000300000006000500000000000800080000002121';
const ended =
  'fc0000000001000000000000000000000a0000004c0001802c0001801400030020010db800510000000000000000001014000400' +
  'fd7700000000000000000000000000021c0002800500010006000000060002009c400000060003001e6100004c0002802c000180' +
  '14000300fd7700000000000000000000000000021400040020010db80051000000000000000000101c0002800500010006000000' +
  '060002001e610000060003009c40000008000c002ffe09d4080003000000000e0800070000000078300004802c00018005000100' +
  '07000000050002000a000000050003000a000000060004002300000006000500270000000800080000002121';
const gone =
  'e400000002010000000000003213468d02000000340001801400018008000100c633640a080002000a4d00021c00028005000100' +
  '06000000060002009c400000060003001e6100003400028014000180080001000a4d000208000200c633640a1c00028005000100' +
  '06000000060002001e610000060003009c40000008000c0091e9d8ba080003000000020e08000700000000761c0009800c000100' +
  '00000000000000040c00020000000000000000d81c000a800c00010000000000000000040c00020000000000000000da10000480' +
  '0c00018005000100070000000800080000002121';
const listed =
  '3c0100000001220000000000cfd3b8a90a0000004c0001802c0001801400030020010db800510000000000000000001014000400' +
  'fd7700000000000000000000000000021c0002800500010006000000060002009c400000060003001e6100004c0002802c000180' +
  '14000300fd7700000000000000000000000000021400040020010db80051000000000000000000101c0002800500010006000000' +
  '060002001e610000060003009c400000080003000000000e080008000000212108000c002ffe09d408000b000000000108000700' +
  '0000006a300004802c0001800500010007000000050002000a000000050003000a00000006000400230000000600050027000000' +
  '1c0009800c00010000000000000000040c00020000000000000001281c000a800c00010000000000000000040c00020000000000' +
  '0000012a';
const end = '140000000300020000000000cfd3b8a900000000';
/** -ENOENT, and the header of the question. */
const nothing = '2400000002000000000000003213468dfeffffff5400000001010100000000003213468d';

const ends4 = {
  from: { address: address('198.51.100.10'), port: 40000 },
  at: { address: address('10.77.0.2'), port: 7777 },
};
const ends6 = {
  from: { address: address('2001:db8:51::10'), port: 40000 },
  at: { address: address('fd77::2'), port: 7777 },
};

// Headers are in the order of the host that they were taken on.
const skip = endianness() === 'LE' ? false : 'the messages are of a little-endian host';

function read(hex: string, asked = false): unknown[] {
  return [...readMessages(Buffer.from(hex, 'hex'), asked)];
}

test('reads who connected to where, before any NAT', { skip }, () => {
  const flow = { what: 'new', id: 0x91e9d8ba, state: 'SYN_SENT', ...ends4, bytes: undefined };
  assert.deepEqual(read(began), [{ kind: 'flow', flow }]);
});

test('reads IPv6, and a connection that both sides have ended', { skip }, () => {
  const flow = { what: 'update', id: 0x2ffe09d4, state: 'TIME_WAIT', ...ends6, bytes: undefined } as const;
  assert.deepEqual(read(ended), [{ kind: 'flow', flow }]);
  assert.ok(isOver(flow));
});

test('reads what a connection carried in each direction', { skip }, () => {
  const bytes = { sent: 216, returned: 218 };
  const flow = { what: 'destroy', id: 0x91e9d8ba, state: 'TIME_WAIT', ...ends4, bytes };
  assert.deepEqual(read(gone), [{ kind: 'flow', flow }]);
});

test('reads a list to its end', { skip }, () => {
  const bytes = { sent: 296, returned: 298 };
  const flow = { what: 'listed', id: 0x2ffe09d4, state: 'TIME_WAIT', ...ends6, bytes };
  assert.deepEqual(read(listed + listed + end, true), [
    { kind: 'flow', flow },
    { kind: 'flow', flow },
    { kind: 'done' },
  ]);
});

test('reads that there is nothing', { skip }, () => {
  assert.deepEqual(read(nothing, true), [{ kind: 'error', errno: 2 }]);
});

test('makes nothing of what is cut short, at whatever byte', { skip }, () => {
  for (const message of [began, ended, gone]) {
    for (let length = 0; length < message.length; length += 2) {
      assert.deepEqual(read(message.slice(0, length)), []);
    }
  }
});

test('makes nothing of a datagram of another protocol than TCP', { skip }, () => {
  assert.deepEqual(read(began.replaceAll('0500010006', '0500010011')), []);
});

for (const [family, ends, message] of [
  [4, ends4, began],
  [6, ends6, ended],
] as const) {
  test(`asks for one connection over IPv${family} by what the kernel calls it`, { skip }, () => {
    const question = Buffer.from(askForOne(ends)).toString('hex');
    // Header and family aside it is the first attribute of what the kernel tells of it, but for a flag.
    const unflagged = (hex: string): string => hex.replace(/00(0[12])80/g, '00$100');
    const tuple = question.slice(40);
    assert.equal(unflagged(tuple), unflagged(message.slice(40, 40 + tuple.length)));
    assert.equal(Buffer.from(question, 'hex').readUInt32LE(0), question.length / 2);
    assert.equal(question.slice(8, 16), '01010100');
    assert.equal(question.slice(32, 34), message.slice(32, 34));
  });
}

test('asks for all that bear a mark, every bit of it', { skip }, () => {
  assert.equal(
    Buffer.from(askForMarked(0x2121)).toString('hex'),
    '24000000010101030000000000000000' + '00000000' + '0800080000002121' + '08001500ffffffff',
  );
});

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
