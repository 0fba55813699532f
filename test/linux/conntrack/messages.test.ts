import assert from 'node:assert/strict';
import { endianness } from 'node:os';
import { test } from 'node:test';
import { isOver } from '../../../src/linux/conntrack/flow.ts';
import { askForMarked, askForOne, readMessages } from '../../../src/linux/conntrack/messages.ts';
import { address } from '../../support/relay/hosts.ts';
import { began, ended, gone, listed } from './samples.ts';

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
