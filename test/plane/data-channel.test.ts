import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { test, type TestContext } from 'node:test';
import { replies } from '../../src/helper/replies.ts';
import { exchange, Lab, type ControlPair, type DataPair } from '../support/relay/lab.ts';
import { turns, within } from '../support/relay/within.ts';

/** Every promise about a data channel holds whoever opened it. */
const modes = ['passive', 'active'] as const;

async function open(
  t: TestContext,
  mode: (typeof modes)[number],
  settings = {},
): Promise<{ lab: Lab; pair: ControlPair; data: DataPair }> {
  const lab = await Lab.start(t, settings);
  const pair = await lab.login();
  const data = mode === 'passive' ? await lab.passiveChannel(pair) : await lab.activeChannel(pair);
  await exchange(pair, 'RETR file', '150 Here it comes.');
  return { lab, pair, data };
}

for (const mode of modes) {
  for (const [from, to] of [
    ['client', 'server'],
    ['server', 'client'],
  ] as const) {
    const way = `from the ${from} to the ${to}, ${mode}`;

    test(`passes FIN on as FIN ${way}, and the other direction lives on`, async (t) => {
      const { lab, data } = await open(t, mode);
      data[from].end('all of it');
      assert.equal(await data[to].rest(), 'all of it');
      data[to].send('one');
      await data[from].expect('one');
      data[to].end('two');
      assert.equal(await data[from].rest(), 'two');
      const { cause, uploaded, downloaded, error } = await lab.event('transfer-ended');
      const [up, down] = from === 'client' ? [9, 6] : [6, 9];
      assert.deepEqual(
        { cause, uploaded, downloaded, error },
        {
          cause: 'complete',
          uploaded: up,
          downloaded: down,
          error: undefined,
        },
      );
    });

    test(`passes FIN without a byte on ${way}`, async (t) => {
      const { lab, data } = await open(t, mode);
      data[from].end();
      await data[to].finished();
      data[to].end();
      await data[from].finished();
      await lab.event('transfer-ended', { cause: 'complete', uploaded: 0, downloaded: 0 });
    });

    test(`passes RST in the middle of a file on as RST ${way}, never as FIN`, async (t) => {
      const { lab, pair, data } = await open(t, mode);
      data[from].send('half of');
      await data[to].expect('half of');
      data[from].reset();
      assert.equal(await data[to].wasReset(), '');
      const { error } = await lab.event('transfer-ended', { cause: `${from}-reset` });
      assert.match(error ?? '', /ECONNRESET/);
      // The control channel says what it has to say.
      pair.server.send('426 Connection closed, transfer aborted.\r\n');
      await pair.client.expect('426 Connection closed, transfer aborted.\r\n');
    });

    test(`passes RST before the first byte on as RST ${way}`, async (t) => {
      const { data } = await open(t, mode);
      data[from].reset();
      assert.equal(await data[to].wasReset(), '');
    });

    test(`passes RST behind a FIN of the other side on as RST ${way}`, async (t) => {
      const { lab, data } = await open(t, mode);
      data[to].end();
      await data[from].finished();
      data[from].send('half of');
      await data[to].expect('half of');
      data[from].reset();
      assert.equal(await data[to].wasReset(), '');
      await lab.event('transfer-ended', { cause: `${from}-reset` });
    });

    test(`passes the RST of a reader that has enough on to the writer ${way}`, async (t) => {
      const { lab, data } = await open(t, mode);
      data[to].stopReading();
      for (let sent = 0; sent < 64; sent++) data[from].send(Buffer.alloc(1024 * 1024));
      await turns(100);
      data[to].reset();
      assert.equal(await data[from].wasReset(), '');
      await lab.event('transfer-ended', { cause: `${to}-reset` });
    });

    test(`passes RST on as RST to a slow reader, with data in flight ${way}`, async (t) => {
      const { lab, data } = await open(t, mode);
      data[to].stopReading();
      for (let sent = 0; sent < 64; sent++) data[from].send(Buffer.alloc(1024 * 1024));
      await turns(100);
      data[from].reset();
      await turns(100);
      data[to].socket.resume();
      const came = await data[to].wasReset();
      assert.ok(came.length < 64 * 1024 * 1024);
      await lab.event('transfer-ended', { cause: `${from}-reset` });
    });

    test(`loses nothing of what is in flight to a slow reader when FIN comes ${way}`, async (t) => {
      const { lab, data } = await open(t, mode);
      data[to].stopReading();
      const file = Buffer.alloc(24 * 1024 * 1024, 'in flight ');
      data[from].socket.end(file);
      await turns(100);
      data[to].socket.resume();
      const came = Buffer.from(await data[to].rest(), 'latin1');
      assert.equal(came.length, file.length);
      assert.ok(came.equals(file));
      data[to].end();
      await data[from].finished();
      await lab.event('transfer-ended', { cause: 'complete' });
    });

    test(`bounds by the kernel's buffers how far a writer gets ahead of a reader ${way}`, async (t) => {
      const { lab, data } = await open(t, mode);
      const writer = data[from].socket;
      const reader = data[to].socket;
      const piece = Buffer.alloc(1024 * 1024, 'a piece of the file ');
      // Two connections, each with a send and a receive buffer, and what a stream of Node holds.
      const bound = 2 * (largestBuffer('rmem') + largestBuffer('wmem')) + 4 * piece.length;
      const pieces = Math.ceil((1.5 * bound) / piece.length);

      data[to].stopReading();
      let left = pieces;
      const write = (): void => {
        while (left-- > 0) if (!writer.write(piece)) return;
        writer.end();
      };
      writer.on('drain', write);
      write();
      // It is over when nothing moves, however many turns it is given.
      let pushed = -1;
      for (let still = 0; still < 200; still++) {
        await turns(1);
        const now = writer.bytesWritten - writer.writableLength;
        if (now !== pushed) still = 0;
        pushed = now;
      }
      assert.ok(pushed < bound, `${pushed} bytes were taken off the writer, ${bound} are the bound`);

      // And none of it is lost.
      const hash = createHash('sha256');
      reader.removeAllListeners('data');
      reader.on('data', (chunk: Buffer) => hash.update(chunk));
      reader.resume();
      await data[to].rest();
      const expected = createHash('sha256');
      for (let n = 0; n < pieces; n++) expected.update(piece);
      assert.equal(hash.digest('hex'), expected.digest('hex'));
      data[to].end();
      await lab.event('transfer-ended', { cause: 'complete' });
    });
  }

  test(`resets a silent data channel after data-idle-timeout, ${mode}`, async (t) => {
    const { lab, pair, data } = await open(t, mode, { 'data-idle-timeout': '400ms' });
    await data.client.wasReset();
    await data.server.wasReset();
    await lab.event('transfer-ended', { cause: 'data-idle-timeout' });
    await exchange(pair, 'NOOP', '200 Here.');
  });

  test(`an open data channel outlives its session, ${mode}`, async (t) => {
    const { lab, pair, data } = await open(t, mode);
    pair.client.end();
    await pair.server.finished();
    pair.server.end();
    await pair.client.finished();
    await lab.event('session-closed', { reason: 'client-closed' });
    data.server.end('the rest of it');
    assert.equal(await data.client.rest(), 'the rest of it');
    data.client.end();
    await lab.event('transfer-ended', { cause: 'complete', downloaded: 14 });
  });

  test(`an open data channel outlives a server that resets the control connection, ${mode}`, async (t) => {
    const { lab, pair, data } = await open(t, mode);
    pair.server.reset();
    await pair.client.expect(`${replies.serverClosed}\r\n`);
    await pair.client.close();
    await lab.event('session-closed', { reason: 'server-reset' });
    data.client.end('the rest of it');
    assert.equal(await data.server.rest(), 'the rest of it');
    data.server.end();
    await lab.event('transfer-ended', { cause: 'complete', uploaded: 14 });
  });

  test(`cuts open data channels when the relay ends, ${mode}`, async (t) => {
    const { lab, pair, data } = await open(t, mode);
    data.server.send('half of');
    await data.client.expect('half of');
    const closed = lab.daemon.close();
    await pair.client.expect(`${replies.shutdown}\r\n`);
    await Promise.all([pair.client.close(), pair.server.close()]);
    await data.client.wasReset();
    await data.server.wasReset();
    await lab.event('transfer-ended', { cause: 'shutdown' });
    await within(closed, 'the end of the relay');
  });
}

test('says which command a data channel served, its bytes and how it ended', async (t) => {
  const lab = await Lab.start(t);
  const pair = await lab.login();
  const { at, behind } = await lab.passive(pair);
  pair.client.send('STOR dir/a b\r\n');
  await pair.server.expect('STOR dir/a b\r\n');
  const client = await lab.dial(at);
  const server = await behind.next();
  client.end('12345');
  assert.equal(await server.rest(), '12345');
  server.end();
  const ended = await lab.event('transfer-ended');
  assert.deepEqual(ended.command, { verb: 'STOR', path: 'dir/a b', isRelative: true });
  assert.match(
    lab.log,
    /"command":"STOR","path":"dir\/a b","relative":true,"direction":"upload","bytes":5,.*"cause":"complete".*"msg":"transfer"/,
  );
});

/** The most bytes that the kernel lets a TCP socket's buffer grow to. */
function largestBuffer(kind: 'rmem' | 'wmem'): number {
  return Number(readFileSync(`/proc/sys/net/ipv4/tcp_${kind}`, 'utf8').trim().split(/\s+/)[2]);
}
