import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Duplex } from 'node:stream';
import { test, type TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { connect, type ConnectionOptions } from 'node:tls';
import type { TcpChannel } from '../../src/net/channel.ts';
import { messageOf } from '../../src/net/error.ts';
import { awaitHello, NotTlsError } from '../../src/tls/handshake.ts';
import { atRest, mebibyte, pour, readsAs, someFile } from '../support/relay/flood.ts';
import { keyUpdaterOf } from '../support/relay/key-updates.ts';
import { Peer } from '../support/relay/peer.ts';
import {
  link,
  peerOf,
  roles,
  securedLink,
  secureFar,
  secureNear,
  type Role,
  type SecuredLink,
} from '../support/relay/tls-link.ts';
import { turns, within } from '../support/relay/within.ts';

/** What a test of a limit waits for, in milliseconds. */
const soon = 100;

/** An alert that ends a handshake (RFC 8446 section 6). */
const alert = (description: number): Buffer => Buffer.of(0x15, 3, 3, 0, 2, 2, description);
const handshakeFailure = 40;
const unknownCa = 48;

/** What a client of TLS says first. */
async function clientHello(options: ConnectionOptions = {}): Promise<Buffer> {
  const said: Buffer[] = [];
  const wire = new Duplex({
    read: () => undefined,
    write: (chunk: Buffer, _encoding, done) => {
      said.push(chunk);
      done();
    },
  });
  const tls = connect({ socket: wire, ...options }).on('error', () => undefined);
  while (said.length === 0) await turns(1);
  tls.destroy();
  return Buffer.concat(said);
}

/** A ServerHello that says how long it is, and no more than how it begins. */
const halfServerHello = Buffer.from('160303007a020000760303'.padEnd(64, '5a'), 'hex');

/** What a peer of this role says first, and not to its end. */
async function halfHelloTo(role: Role): Promise<Buffer> {
  return role === 'server' ? (await clientHello()).subarray(0, 100) : halfServerHello;
}

// ---- A peer that says nothing, or something else ----

test('waits no longer for the first word of a client than its limit', async (t) => {
  const { near } = await link(t);
  await assert.rejects(awaitHello(near, soon), {
    name: 'HandshakeError',
    message: 'no TLS handshake within 0.1 s',
  });
});

test('takes nothing of what a client says first', async (t) => {
  const { near, far } = await link(t);
  const hello = await clientHello();
  far.send(hello);
  await awaitHello(near, 5000);
  assert.ok(near.isPaused());
  const reader = new Peer(near);
  near.resume();
  await reader.expect(hello.toString('latin1'));
});

test('leaves the connection to a client that speaks in clear in place of TLS', async (t) => {
  const { near, far } = await link(t);
  far.send('USER anne\r\n');
  await assert.rejects(awaitHello(near, 5000), (error) => {
    assert.ok(error instanceof NotTlsError);
    assert.equal(error.message, 'received data that is not TLS');
    return true;
  });
  const reader = new Peer(near);
  near.resume();
  reader.send('421 A TLS handshake was expected.\r\n');
  await far.expect('421 A TLS handshake was expected.\r\n');
  far.send('QUIT\r\n');
  await reader.expect('QUIT\r\n');
});

for (const [what, end, message] of [
  [
    'says FIN',
    (far: Peer) => {
      far.end();
    },
    /^the peer closed the connection before the TLS handshake$/,
  ],
  [
    'resets',
    (far: Peer) => {
      far.reset();
    },
    /^read ECONNRESET$|^the peer closed the connection before the TLS handshake$/,
  ],
] as const) {
  test(`tells of a client that ${what} before its first word`, async (t) => {
    const { near, far } = await link(t);
    const waiting = awaitHello(near, 5000);
    end(far);
    await assert.rejects(waiting, { message });
  });
}

test('tells of a connection that is gone before anybody waits for its first word', async (t) => {
  const { near } = await link(t);
  near.destroy();
  await assert.rejects(awaitHello(near, 5000), {
    message: 'the peer closed the connection before the TLS handshake',
  });
});

for (const role of roles) {
  const as = `, as TLS's ${role}`;
  const tooLong = { name: 'HandshakeError', message: 'the TLS handshake took longer than 0.1 s' };

  test(`ends a handshake at its limit with a peer that says nothing${as}`, async (t) => {
    const { near } = await link(t);
    await assert.rejects(secureNear(near, role, soon), tooLong);
    assert.ok(near.destroyed);
  });

  test(`ends a handshake at its limit with a peer that says half a hello${as}`, async (t) => {
    const { near, far } = await link(t);
    far.send(await halfHelloTo(role));
    await assert.rejects(secureNear(near, role, soon), tooLong);
    assert.ok(near.destroyed);
  });

  test(`ends a handshake at its limit with a peer that says a byte now and then${as}`, async (t) => {
    const { near, far } = await link(t);
    const hello = await halfHelloTo(role);
    let said = 0;
    const saying = setInterval(() => {
      far.send(hello.subarray(said, ++said));
    }, soon / 10);
    t.after(() => {
      clearInterval(saying);
    });
    await assert.rejects(secureNear(near, role, soon), tooLong);
    assert.ok(said > 0, 'nothing was said');
    assert.ok(said < hello.length, 'it went on as long as something came');
    assert.ok(near.destroyed);
  });

  test(`says that it is no TLS what a peer says in clear${as}`, async (t) => {
    const { near, far } = await link(t);
    far.send(role === 'server' ? 'USER anne\r\n' : '220 Ready.\r\n');
    await assert.rejects(secureNear(near, role), {
      name: 'HandshakeError',
      message: 'received data that is not TLS',
    });
  });

  test(`says what the alert says with which a peer ends the handshake${as}`, async (t) => {
    const { near, far } = await link(t);
    if (role === 'server') far.send(Buffer.concat([await clientHello(), alert(unknownCa)]));
    else far.send(alert(handshakeFailure));
    await assert.rejects(secureNear(near, role), {
      name: 'HandshakeError',
      message: role === 'server' ? /alert unknown ca/ : /alert handshake failure/,
    });
  });

  for (const how of ['FIN', 'RST'] as const) {
    test(`tells of a peer that ends the handshake by ${how}${as}`, async (t) => {
      const { near, far } = await link(t);
      far.send(await halfHelloTo(role));
      const failed = secureNear(near, role);
      failed.catch(() => undefined);
      await turns(20);
      if (how === 'FIN') far.end();
      else far.reset();
      await assert.rejects(failed, {
        name: 'HandshakeError',
        message: 'the peer closed the connection during the TLS handshake',
      });
    });
  }

  test(`tells of a connection that is gone before the handshake begins${as}`, async (t) => {
    const { near } = await link(t);
    near.destroy();
    await assert.rejects(secureNear(near, role), { name: 'HandshakeError' });
  });

  test(`closes the connection to a peer that is not the right one, with the words for that${as}`, async (t) => {
    const { near, far } = await link(t);
    const cause = new Error('somebody else was expected');
    const failed = secureNear(near, role, 5000, () => {
      throw cause;
    });
    failed.catch(() => undefined);
    const securing = secureFar(far, role);
    if (role === 'server') assert.equal(await (await securing).failure(), 'TRUNCATED');
    else await assert.rejects(securing, { message: 'ended in the handshake' });
    await assert.rejects(failed, { name: 'HandshakeError', message: cause.message, cause });
  });
}

// ---- How a connection ends ----

for (const role of roles) {
  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    const as = `, as TLS's ${role}, ${version}`;
    const secured = (t: TestContext): Promise<SecuredLink> =>
      securedLink(t, role, { maxVersion: version, minVersion: version });

    test(`keeps what comes before anybody reads${as}`, async (t) => {
      const ends = await secured(t);
      ends.far.end('all of it');
      await turns(50);
      assert.equal(ends.channel.facts.protocol, version);
      assert.equal(await peerOf(ends).rest(), 'all of it');
    });

    test(`takes close_notify for the end, and each direction has its own${as}`, async (t) => {
      const ends = await secured(t);
      const near = peerOf(ends);
      ends.far.end('a question');
      assert.equal(await near.rest(), 'a question');
      near.send('an ');
      await ends.far.expect('an ');
      near.end('answer');
      assert.equal(await ends.far.rest(), 'answer');
    });

    test(`reads on behind a close_notify of its own${as}`, async (t) => {
      const ends = await secured(t);
      const near = peerOf(ends);
      near.end('a question');
      assert.equal(await ends.far.rest(), 'a question');
      ends.far.end('an answer');
      assert.equal(await near.rest(), 'an answer');
    });

    test(`tells FIN without close_notify${as}`, async (t) => {
      const ends = await secured(t);
      const near = peerOf(ends);
      ends.far.send('half of');
      await near.expect('half of');
      ends.far.socket.end();
      assert.equal(await near.failure(), 'truncated');
    });

    test(`tells FIN without close_notify behind bytes that nobody had read yet${as}`, async (t) => {
      const ends = await secured(t);
      ends.far.stream.write('half of', () => ends.far.socket.end());
      await turns(50);
      const near = peerOf(ends);
      assert.equal(await near.failure(), 'truncated');
      assert.equal(near.unread, 'half of');
    });

    test(`tells FIN without close_notify behind a close_notify of its own${as}`, async (t) => {
      const ends = await secured(t);
      const near = peerOf(ends);
      near.end();
      await ends.far.finished();
      ends.far.socket.end();
      assert.equal(await near.failure(), 'truncated');
    });

    test(`tells RST${as}`, async (t) => {
      const ends = await secured(t);
      const near = peerOf(ends);
      ends.far.send('half of');
      await near.expect('half of');
      ends.far.reset();
      assert.equal(await near.failure(), 'reset');
    });

    test(`believes a close_notify that RST follows${as}`, async (t) => {
      const ends = await secured(t);
      const near = peerOf(ends);
      near.stopReading();
      ends.far.stream.on('error', () => undefined);
      ends.far.stream.write('all of it');
      ends.far.stream.end(() => ends.far.socket.resetAndDestroy());
      await turns(50);
      near.stream.resume();
      assert.equal(await near.rest(), 'all of it');
    });

    test(`fails a record that is none${as}`, async (t) => {
      const ends = await secured(t);
      const near = peerOf(ends);
      ends.far.socket.write(Buffer.alloc(64, 'no record'));
      assert.match(await near.failure(), /^ERR_SSL_/);
      assert.equal(messageOf(ends.channel.stream.errored), 'received data that is not TLS');
    });

    test(`resets the connection below${as}`, async (t) => {
      const { channel, far } = await secured(t);
      channel.reset();
      assert.equal(await far.failure(), 'ECONNRESET');
    });
  }
}

// ---- TLS that ends, and TCP that goes on (CCC) ----

/** The connection that `clear` gives back, as tests read it. */
function clearPeer({ stream }: TcpChannel): Peer {
  const peer = new Peer(stream);
  stream.resume();
  return peer;
}

for (const role of roles) {
  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    const as = `, as TLS's ${role}, ${version}`;
    const secured = (t: TestContext): Promise<SecuredLink> =>
      securedLink(t, role, { maxVersion: version, minVersion: version });

    test(`goes on in clear behind close_notify both ways${as}`, async (t) => {
      const { channel, far } = await secured(t);
      const clearing = channel.clear(5000);
      await far.finished();
      const farClear = await far.clear();
      const nearClear = clearPeer(await clearing);
      farClear.send('USER anne\r\n');
      await nearClear.expect('USER anne\r\n');
      nearClear.end('331 Password?\r\n');
      assert.equal(await farClear.rest(), '331 Password?\r\n');
      farClear.end('PASS secret\r\n');
      assert.equal(await nearClear.rest(), 'PASS secret\r\n');
    });

    for (const [what, length] of [
      ['a line', 1],
      ['many lines', 2000],
    ] as const) {
      test(`gives back ${what} in clear that came behind close_notify in its segment${as}`, async (t) => {
        const { channel, far } = await secured(t);
        const clearing = channel.clear(5000);
        await far.finished();
        const text = 'USER anne\r\n'.repeat(length);
        const farClear = await far.clear(text);
        const nearClear = clearPeer(await clearing);
        assert.ok((await nearClear.bytes(text.length)) === text, 'other bytes came');
        farClear.end();
        await nearClear.finished();
      });
    }

    test(`gives back what came behind close_notify with FIN${as}`, async (t) => {
      const { channel, far } = await secured(t);
      const clearing = channel.clear(5000);
      await far.finished();
      (await far.clear('QUIT\r\n')).end();
      assert.equal(await clearPeer(await clearing).rest(), 'QUIT\r\n');
    });

    test(`says close_notify of its own also to a peer that says it at the same time${as}`, async (t) => {
      const { channel, socket, far } = await secured(t);
      await turns(20);
      const before = socket.bytesWritten;
      const [{ stream }] = await Promise.all([channel.clear(5000), far.clear()]);
      assert.ok(stream.bytesWritten > before, 'nothing was said');
    });

    test(`goes on in clear with no peer that says more in TLS before its close_notify${as}`, async (t) => {
      const { channel, far } = await secured(t);
      const clearing = channel.clear(5000);
      far.send('USER mallory\r\n');
      await assert.rejects(clearing, { message: 'received data before close_notify' });
    });

    test(`waits no longer for close_notify than its limit${as}`, async (t) => {
      const { channel, far } = await secured(t);
      await assert.rejects(channel.clear(soon), { message: 'no close_notify within 0.1 s' });
      await far.finished();
    });

    test(`gives up when it is reset in the meantime${as}`, async (t) => {
      const { channel, far } = await secured(t);
      const clearing = channel.clear(5000);
      clearing.catch(() => undefined);
      await far.finished();
      channel.reset();
      await assert.rejects(clearing, { message: 'the connection closed before close_notify' });
    });

    test(`takes FIN, or RST, for no close_notify${as}`, async (t) => {
      for (const how of ['FIN', 'RST'] as const) {
        const { channel, far } = await secured(t);
        const clearing = channel.clear(5000);
        clearing.catch(() => undefined);
        await far.finished();
        if (how === 'FIN') far.socket.end();
        else far.reset();
        await assert.rejects(
          clearing,
          { name: 'HandshakeError', message: 'the peer closed the connection without close_notify' },
          how,
        );
      }
    });

    test(`takes nothing in clear without close_notify before it${as}`, async (t) => {
      const { channel, far } = await secured(t);
      const clearing = channel.clear(5000);
      clearing.catch(() => undefined);
      await far.finished();
      far.socket.end('USER mallory\r\n');
      await assert.rejects(clearing, { name: 'HandshakeError' });
    });
  }
}

// ---- Who does not read ----

test('decrypts no more than a little ahead of who does not read, and loses no byte of 64 MiB', async (t) => {
  const { channel, socket, far } = await securedLink(t, 'server');
  channel.resume();
  channel.stream.pause();
  channel.stream.read(0);
  const poured = pour(far.stream, someFile);
  await atRest(() => far.socket.bytesWritten - far.socket.writableLength);
  assert.ok(poured.written() < someFile.length, 'all of it was read');
  assert.ok(socket.bytesRead <= mebibyte, `${socket.bytesRead} bytes wait`);
  await readsAs(channel.stream, someFile);
});

test('encrypts no more than a little ahead of a peer that does not read, and loses no byte of 64 MiB', async (t) => {
  const { channel, socket, far } = await securedLink(t, 'server');
  far.stopReading();
  const poured = pour(channel.stream, someFile);
  const left = (): number => socket.bytesWritten - socket.writableLength;
  await atRest(left);
  assert.ok(poured.written() < someFile.length, 'all of it was taken');
  assert.ok(poured.written() - left() <= 4 * mebibyte, `${poured.written() - left()} bytes wait`);
  await readsAs(far.stream, someFile);
});

test('tells nothing of what waited before the call that resumes it returns', async (t) => {
  const { channel, socket, far } = await securedLink(t, 'server');
  let isResuming = false;
  const told: boolean[] = [];
  channel.stream.on('data', () => void told.push(isResuming));
  channel.resume();
  far.send('one');
  await atRest(() => told.length);
  channel.pause();
  far.send('two');
  await atRest(() => socket.bytesRead);
  isResuming = true;
  channel.resume();
  isResuming = false;
  await atRest(() => told.length);
  assert.deepEqual(told, [false, false]);
});

test('decrypts no record of one byte while it is paused, and loses none', async (t) => {
  const { channel, socket, far } = await securedLink(t, 'server');
  let read = '';
  channel.stream.on('data', (chunk: Buffer) => (read += chunk.toString()));
  channel.resume();
  far.send('a');
  await atRest(() => read.length);
  channel.pause();
  const all = 'a'.repeat(5000);
  for (const byte of all) far.stream.write(byte);
  await atRest(() => socket.bytesRead);
  assert.equal(read, 'a');
  assert.equal(channel.stream.readableLength, 0);
  assert.ok(socket.bytesRead < 5000 * 23, `${socket.bytesRead} bytes wait`);
  channel.resume();
  await atRest(() => read.length);
  assert.equal(read, `a${all}`);
});

// ---- Records that hold nothing ----

for (const [how, apart] of [
  ['', 0],
  [', though answers wait at each moment when it comes', 15],
] as const) {
  test(`takes key updates of a peer, as long as something comes between them${how}`, async (t) => {
    const { near, far } = await link(t);
    const [channel, client] = await Promise.all([secureNear(near, 'server'), keyUpdaterOf(far)]);
    const heard = peerOf({ channel, socket: near });
    // How much the system takes for one that reads nothing depends on its memory.
    client.drop();
    for (let round = 0; round < 20; round++) {
      client.update(1000);
      client.send(`round ${round}\r\n`);
      await heard.expect(`round ${round}\r\n`);
      // The next round comes in one piece then.
      await delay(apart);
    }
  });
}

test('ends a connection where key updates come with a byte now and then, and their answers are not read', async (t) => {
  const { near, far } = await link(t);
  const [channel, client] = await Promise.all([secureNear(near, 'server'), keyUpdaterOf(far)]);
  const failed = once(channel.stream, 'error') as Promise<[Error]>;
  channel.resume();
  // As if the buffers on the way to a peer that does not read were full.
  near.cork();
  for (let round = 0; round < 10; round++) {
    client.update(2000);
    client.send('.');
  }
  const [error] = await within(failed, 'the end');
  assert.match(error.message, /^received more than \d+ bytes of empty TLS records$/);
});

test('ends a connection where key updates come and nothing else', async (t) => {
  const { near, far } = await link(t);
  const [channel, client] = await Promise.all([secureNear(near, 'server'), keyUpdaterOf(far)]);
  const failed = once(channel.stream, 'error') as Promise<[Error]>;
  channel.resume();
  client.update(40_000);
  const [error] = await within(failed, 'the end');
  assert.equal(error.message, 'received more than 262144 bytes of empty TLS records');
  assert.ok(near.destroyed);
});
