import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test, type TestContext } from 'node:test';
import { Wire } from '../../src/tls/wire.ts';
import { atRest, mebibyte, pour, readsAs, someFile } from '../support/relay/flood.ts';
import { Peer } from '../support/relay/peer.ts';
import { link, type Link } from '../support/relay/tls-link.ts';
import { turns, within } from '../support/relay/within.ts';

interface Wired extends Link {
  readonly wire: Wire;
}

async function wired(t: TestContext): Promise<Wired> {
  const ends = await link(t);
  return { ...ends, wire: new Wire(ends.near) };
}

/** The wire as tests read it: why it failed is its failure. */
function readerOf({ near, wire }: Wired): Peer {
  return new Peer(near, wire, () => wire.failure?.message);
}

/** A record of TLS as far as its framing goes (RFC 8446 section 5.1). */
function record(content: string): Buffer {
  return Buffer.concat([
    Buffer.of(0x17, 3, 3, content.length >> 8, content.length & 0xff),
    Buffer.from(content),
  ]);
}

test('tells FIN as an end without a failure, behind what came before it', async (t) => {
  const all = await wired(t);
  const reader = readerOf(all);
  all.far.end('all of it');
  assert.equal(await reader.rest(), 'all of it');
  assert.equal(all.wire.failure, undefined);
});

test('tells RST as an end with a failure, behind what came before it', async (t) => {
  const all = await wired(t);
  const reader = readerOf(all);
  reader.stopReading();
  all.far.send('half of');
  all.far.reset();
  await turns(20);
  assert.equal(reader.unread, '');
  reader.stream.resume();
  await reader.failure();
  assert.equal(reader.unread, 'half of');
  assert.ok(all.wire.failure);
});

test('tells RST in the middle of reading as an end with a failure', async (t) => {
  const all = await wired(t);
  const reader = readerOf(all);
  all.far.send('half of');
  await reader.expect('half of');
  all.far.reset();
  await reader.failure();
  assert.ok(all.wire.failure);
});

test('passes its end on as FIN, and reads on', async (t) => {
  const all = await wired(t);
  const reader = readerOf(all);
  reader.end('a question');
  assert.equal(await all.far.rest(), 'a question');
  all.far.end('an answer');
  assert.equal(await reader.rest(), 'an answer');
});

test('writes pieces that were gathered in their order', async (t) => {
  const { wire, far } = await wired(t);
  wire.cork();
  for (const piece of ['one, ', 'two, ', 'three']) wire.write(piece);
  wire.uncork();
  wire.end();
  assert.equal(await far.rest(), 'one, two, three');
});

test('closes the connection when it is destroyed', async (t) => {
  const { wire, far } = await wired(t);
  wire.destroy();
  await far.finished();
});

test('is destroyed when the connection is', async (t) => {
  const { wire, near } = await wired(t);
  const closed = once(wire, 'close');
  near.destroy();
  await within(closed, 'the end of the wire');
});

test('fails a write to a connection that is gone', async (t) => {
  const { wire, near } = await wired(t);
  near.destroy();
  const failed = once(wire, 'error');
  wire.write('too late');
  const [error] = (await within(failed, 'an error')) as [NodeJS.ErrnoException];
  assert.equal(error.code, 'ERR_STREAM_DESTROYED');
});

test('reads no more than a little ahead of who does not read, and loses no byte of 64 MiB', async (t) => {
  const { wire, near, far } = await wired(t);
  wire.pause();
  wire.read(0);
  const poured = pour(far.socket, someFile);
  await atRest(() => far.socket.bytesWritten - far.socket.writableLength);
  assert.ok(poured.written() < someFile.length, 'all of it was read');
  assert.ok(near.bytesRead <= mebibyte, `${near.bytesRead} bytes wait`);
  await readsAs(wire, someFile);
});

test('keeps what waits in few pieces, also where it comes byte by byte', async (t) => {
  const { wire, near, far } = await wired(t);
  const text = 'some bytes '.repeat(1000);
  wire.hold();
  const pieces: Buffer[] = [];
  wire.on('data', (piece: Buffer) => pieces.push(piece));
  for (const byte of text) near.emit('data', Buffer.from(byte));
  wire.release();
  far.end();
  await within(once(wire, 'end'), 'the end');
  assert.equal(Buffer.concat(pieces).toString(), text);
  assert.ok(pieces.length < 128, `it came in ${pieces.length} pieces`);
});

test('takes no more than a little ahead of a peer that does not read, and loses no byte of 64 MiB', async (t) => {
  const { wire, near, far } = await wired(t);
  const reader = far.give();
  const poured = pour(wire, someFile);
  const left = (): number => near.bytesWritten - near.writableLength;
  await atRest(left);
  assert.ok(poured.written() < someFile.length, 'all of it was taken');
  assert.ok(poured.written() - left() <= 3 * mebibyte, `${poured.written() - left()} bytes wait`);
  await readsAs(reader, someFile);
});

/** Reads so many records, and then says that they are all. */
function readRecords(wire: Wire, count: number): Buffer[] {
  const seen: Buffer[] = [];
  wire.on('data', (chunk: Buffer) => {
    seen.push(chunk);
    if (seen.length === count) wire.endRecords();
  });
  return seen;
}

const records = [record('one'), record(''), record('three')];

test('counts records however they are cut, and gives back what stands behind the last one', async (t) => {
  const behind = 'USER anne\r\n';
  const whole = Buffer.concat([...records, Buffer.from(behind)]);
  for (let cut = 0; cut <= whole.length; cut++) {
    const { wire, far } = await wired(t);
    wire.countRecords();
    const seen = readRecords(wire, records.length);
    far.send(whole.subarray(0, cut));
    await turns();
    far.send(whole.subarray(cut));
    await turns(8);
    assert.deepEqual(seen, records, `cut at ${cut}`);
    const { raw, rest } = wire.detach();
    assert.equal(rest.toString(), behind, `cut at ${cut}`);
    raw.destroy();
  }
});

for (const [what, isPaused] of [
  ['as it comes', false],
  ['that was read ahead', true],
] as const) {
  test(`gives back ${what} all that stands behind the last record, also where it looks like records`, async (t) => {
    const { wire, far } = await wired(t);
    wire.countRecords();
    const seen = readRecords(wire, records.length);
    if (isPaused) {
      wire.pause();
      wire.read(0);
    }
    const behind = Buffer.concat(records);
    far.send(Buffer.concat([...records, behind]));
    await turns(20);
    assert.equal(seen.length, isPaused ? 0 : records.length);
    wire.resume();
    await turns(20);
    assert.deepEqual(seen, records);
    assert.deepEqual(wire.detach().rest, behind);
  });
}

test('leaves the connection open at its end, and when it is destroyed, once it was given back', async (t) => {
  const { wire, near, far } = await wired(t);
  wire.countRecords();
  wire.end('the last record');
  await far.expect('the last record');
  const { raw } = wire.detach();
  assert.equal(raw, near);
  wire.destroy();
  await turns(20);
  const clear = new Peer(raw);
  raw.resume();
  clear.end('in clear');
  assert.equal(await far.rest(), 'in clear');
  far.end('in clear as well');
  assert.equal(await clear.rest(), 'in clear as well');
});
