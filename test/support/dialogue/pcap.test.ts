import assert from 'node:assert/strict';
import { test } from 'node:test';

import { readSegments } from './pcap.ts';

const header = 'd4c3b2a1 0200 0400 00000000 00000000 00000400 01000000';

/** A record of the file around a frame, both in hexadecimal. */
function record(frame: string): string {
  const length = Buffer.alloc(4);
  length.writeUInt32LE(frame.replace(/\s/g, '').length / 2);
  const hex = length.toString('hex');
  return `00000000 00000000 ${hex} ${hex} ${frame}`;
}

function bytes(...parts: string[]): Buffer {
  return Buffer.from(parts.join('').replace(/\s/g, ''), 'hex');
}

const macs = '020000000001 020000000002';
// 198.51.100.10:40000 > 10.77.0.2:21, PSH ACK, sequence 0x11223344, "AB", then four bytes of Ethernet padding.
const ipv4 =
  `${macs} 0800` +
  '45 00 002a 0000 4000 40 06 0000 c633640a 0a4d0002' +
  '9c40 0015 11223344 55667788 50 18 ffff 0000 0000' +
  '4142 00000000';
// [2001:db8:51::10]:40000 > [fd77::2]:21, SYN, with 4 bytes of options.
const ipv6 =
  `${macs} 86dd` +
  '60000000 0018 06 40 20010db8005100000000000000000010 fd770000000000000000000000000002' +
  '9c40 0015 00000001 00000000 60 02 ffff 0000 0000 020405a0';
const arp = `${macs} 0806 0001 0800 06 04 0001 020000000002 0a4d0001 000000000000 0a4d0002`;
const udp = `${macs} 0800 45 00 001c 0000 4000 40 11 0000 c633640a c6336401 9c40 0009 0008 0000`;

test('reads addresses, ports, flags and payload of IPv4 without the padding', () => {
  assert.deepEqual(readSegments(bytes(header, record(ipv4))), [
    {
      at: 0,
      from: { address: '198.51.100.10', port: 40_000 },
      to: { address: '10.77.0.2', port: 21 },
      sequence: 0x11223344,
      syn: false,
      ack: true,
      fin: false,
      rst: false,
      payload: Buffer.from('AB'),
    },
  ]);
});

test('writes IPv6 addresses compressed and passes TCP options over', () => {
  const [segment] = readSegments(bytes(header, record(ipv6)));
  assert.deepEqual(segment?.from, { address: '2001:db8:51::10', port: 40_000 });
  assert.deepEqual(segment.to, { address: 'fd77::2', port: 21 });
  assert.ok(segment.syn && !segment.ack);
  assert.equal(segment.payload.length, 0);
});

test('passes over what is not TCP, and counts it', () => {
  const segments = readSegments(bytes(header, record(arp), record(udp), record(ipv4)));
  assert.deepEqual(
    segments.map(({ at }) => at),
    [2],
  );
});

test('stops at a record that is still being written, wherever it is cut', () => {
  const whole = bytes(header, record(ipv4), record(ipv6));
  const first = bytes(header, record(ipv4)).length;
  for (let length = 0; length < whole.length; length++) {
    assert.equal(readSegments(whole.subarray(0, length)).length, length < first ? 0 : 1);
  }
});

test('reads the other byte order', () => {
  const swapped = 'a1b2c3d4 0002 0004 00000000 00000000 00040000 00000001';
  const frame = ipv4.replace(/\s/g, '');
  const length = (frame.length / 2).toString(16).padStart(8, '0');
  const [segment] = readSegments(bytes(swapped, '00000000 00000000', length, length, frame));
  assert.equal(segment?.payload.toString(), 'AB');
});

test('refuses another format, another link type, a cut packet and a fragment', () => {
  assert.throws(() => readSegments(bytes('0a0d0d0a', '00'.repeat(20))), /not a pcap file/);
  assert.throws(() => readSegments(bytes(header.replace(/01000000$/, '71000000'))), /link type 113/);
  const cut = bytes(header, record(ipv4));
  cut.writeUInt32LE(9_000, 24 + 12);
  assert.throws(() => readSegments(cut), /packet 0 is cut/);
  assert.throws(
    () => readSegments(bytes(header, record(ipv4.replace('4000 40 06', '2000 40 06')))),
    /fragment/,
  );
});
