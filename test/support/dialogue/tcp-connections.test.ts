import assert from 'node:assert/strict';
import { test } from 'node:test';

import { capture, segment, wire } from './made-segments.ts';
import { assemble, isOver } from './tcp-connections.ts';
import type { Connection, Party } from './tcp-connections.ts';

const a = { address: '198.51.100.10', port: 40_000 };
const b = { address: '198.51.100.1', port: 21 };

function sentBy({ chunks }: Connection, by: Party): string {
  return chunks.map((chunk) => (chunk.by === by ? chunk.bytes.toString('latin1') : '')).join('');
}

function only(connections: readonly Connection[]): Connection {
  const [connection] = connections;
  assert.ok(connection);
  assert.equal(connections.length, 1);
  return connection;
}

test('keeps both directions in the order of the capture', () => {
  const tcp = wire(a, b);
  const connection = only(
    assemble(capture(...tcp.open(), tcp.acceptor('220\n'), tcp.opener('QUIT\n'), tcp.acceptor('221\n'))),
  );
  assert.deepEqual(
    connection.chunks.map(({ by, bytes }) => `${by} ${bytes.toString()}`),
    ['acceptor 220\n', 'opener QUIT\n', 'acceptor 221\n'],
  );
  assert.deepEqual([connection.opener, connection.acceptor], [a, b]);
  assert.ok(connection.established && !isOver(connection));
});

test('puts segments that arrive out of order and twice into one stream', () => {
  const open = wire(a, b).open();
  const sent = (offset: number, text: string): ReturnType<typeof segment> =>
    segment(a, b, 1_001 + offset, ['ack'], text);
  const pieces = [sent(6, 'gh'), sent(0, 'abc'), sent(0, 'abc'), sent(2, 'cdef'), sent(7, 'hij')];
  const connection = only(assemble(capture(...open, ...pieces)));
  assert.equal(sentBy(connection, 'opener'), 'abcdefghij');
  assert.equal(connection.beyondGap, 0);
});

test('counts on across the wrap of sequence numbers', () => {
  const start = 0xffff_fffd;
  const pieces = [
    segment(a, b, start, ['syn']),
    segment(a, b, start + 1, ['ack'], 'abcd'),
    segment(a, b, start + 5, ['ack'], 'ef'),
  ];
  assert.equal(sentBy(only(assemble(capture(...pieces))), 'opener'), 'abcdef');
});

test('reports bytes after a gap', () => {
  const lost = segment(a, b, 1_006, ['ack'], 'late');
  const connection = only(assemble(capture(...wire(a, b).open(), lost)));
  assert.equal(connection.beyondGap, 4);
  assert.deepEqual(connection.chunks, []);
});

test('reports who ended with FIN or RST, and in which order', () => {
  const tcp = wire(a, b);
  const segments = capture(
    ...tcp.open(),
    tcp.acceptor('x', 'fin'),
    tcp.opener('', 'fin'),
    tcp.opener('', 'rst'),
  );
  const connection = only(assemble(segments));
  assert.deepEqual(
    connection.ends.map(({ by, kind }) => `${by} ${kind}`),
    ['acceptor FIN', 'opener FIN', 'opener RST'],
  );
  assert.equal(sentBy(connection, 'acceptor'), 'x');
  assert.ok(isOver(connection));
});

test('half a close is not the end', () => {
  const tcp = wire(a, b);
  assert.ok(!isOver(only(assemble(capture(...tcp.open(), tcp.opener('', 'fin'))))));
});

test('a SYN answered by RST is refused, and one sent twice is one connection', () => {
  const syn = segment(a, b, 1_000, ['syn']);
  const connection = only(assemble(capture(syn, syn, segment(b, a, 0, ['rst', 'ack']))));
  assert.ok(!connection.established && isOver(connection));
});

test('the same ports with another first number are another connection', () => {
  const again = [
    segment(a, b, 9_000, ['syn']),
    segment(b, a, 7_000, ['syn', 'ack']),
    segment(a, b, 9_001, ['ack'], 'two'),
  ];
  const tcp = wire(a, b);
  const [first, second] = assemble(capture(...tcp.open(), tcp.opener('one', 'rst'), ...again));
  assert.ok(first && second);
  assert.deepEqual([sentBy(first, 'opener'), sentBy(second, 'opener')], ['one', 'two']);
});

test('passes over a connection whose beginning it did not see', () => {
  assert.deepEqual(assemble(capture(segment(a, b, 5, ['ack'], 'x'))), []);
});
