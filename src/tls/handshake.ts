import type { X509Certificate } from 'node:crypto';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import {
  lazyQueue,
  tcpChannel,
  type CutShort,
  type TcpChannel,
  type TlsChannel,
  type TlsFacts,
} from '../net/channel.ts';
import { codeOf, messageOf, notTls } from '../net/error.ts';
import { keepAlive } from '../net/keepalive.ts';
import { acknowledge, ignoreError, reset, resetUntilEnded } from '../net/socket.ts';
import { beforePush } from '../node-internals/before-push.ts';
import { onTlsError } from '../node-internals/tls-errors.ts';
import { subjectOf } from './identities.ts';
import { Wire, type Pace } from './wire.ts';

/** A failed handshake; the message has the reason. */
class HandshakeError extends Error {
  override readonly name = 'HandshakeError';
}

/** The peer speaks, but not TLS. The connection is as it was, but for what it said. */
export class NotTlsError extends HandshakeError {}

/** The first byte of a TLS connection: the type of a record that holds a handshake. */
const handshakeRecord = 0x16;

/**
 * Waits for the first data of a TLS client.
 *
 * @param socket connected and paused; it is so again afterwards, and no byte of it is gone
 * @throws {HandshakeError} where nothing comes in time; {NotTlsError} where it is not TLS
 */
export function awaitHello(socket: Socket, limit: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (error?: Error): void => {
      clearTimeout(timer);
      socket.pause();
      socket.off('readable', readable).off('end', ended).off('close', ended).off('error', settle);
      if (error) reject(error);
      else resolve();
    };
    const timer = setTimeout(() => {
      settle(new HandshakeError(`no TLS handshake within ${limit / 1000} s`));
    }, limit);
    const readable = (): void => {
      const chunk = socket.read() as Buffer | null;
      if (!chunk) return;
      if (chunk[0] !== handshakeRecord) {
        settle(new NotTlsError(notTls));
        return;
      }
      socket.unshift(chunk);
      settle();
    };
    const ended = (): void => {
      settle(new HandshakeError('the peer closed the connection before the TLS handshake'));
    };
    if (socket.readableEnded || socket.destroyed) ended();
    else socket.on('readable', readable).on('end', ended).on('close', ended).on('error', settle);
  });
}

/**
 * Runs a handshake over a TCP connection, which belongs to the channel from the call on.
 *
 * @param start makes TLS over the wire, and says at which of its events the handshake is done
 * @param check throws what is wrong with the peer, once the handshake is done; it gets the certificate that was shown
 * @param limit milliseconds
 * @param paced what its work has its time from: to the end of the handshake, or of the connection
 * @throws {HandshakeError} when it fails; the connection is closed then
 */
export function handshake(
  socket: Socket,
  start: (wire: Wire) => { readonly tls: TLSSocket; readonly done: 'secure' | 'secureConnect' },
  check: (tls: TLSSocket, certificate: X509Certificate | undefined) => void,
  limit: number,
  paced: { readonly by: Pace | undefined; readonly until: 'handshake' | 'end' },
): Promise<TlsChannel> {
  const wire = new Wire(socket, paced.by);
  const { tls, done } = start(wire);
  const ending = watchEnd(wire, tls);
  return new Promise((resolve, reject) => {
    const fail = (error: Error): void => {
      clearTimeout(timer);
      tls.on('error', ignoreError);
      tls.destroy();
      reject(new HandshakeError(wordsOf(error), { cause: error }));
    };
    const closed = (): void => {
      fail(new Error('the peer closed the connection during the TLS handshake'));
    };
    const timer = setTimeout(() => {
      fail(new Error(`the TLS handshake took longer than ${limit / 1000} s`));
    }, limit);
    tls.once('error', fail);
    tls.once('close', closed);
    tls.once('end', closed);
    tls.once(done, () => {
      let facts: TlsFacts;
      try {
        // To be asked once: of a server, Node takes it out of what it shows.
        const certificate = tls.getPeerX509Certificate();
        check(tls, certificate);
        facts = factsOf(tls, certificate);
      } catch (error) {
        fail(error as Error);
        return;
      }
      clearTimeout(timer);
      if (paced.until === 'handshake') wire.endTurns();
      limitEmptiness(wire, tls);
      wire.hold();
      tls.off('error', fail).off('close', closed).off('end', closed);
      tls.pause();
      // It may fail before anybody listens: the other leg of a data channel may still be in its handshake.
      tls.on('error', ignoreError);
      resolve(tlsChannel(socket, wire, tls, facts, ending));
    });
  });
}

/** Tells whether TLS has ended before TCP did. */
function watchEnd(wire: Wire, tls: TLSSocket): () => CutShort | undefined {
  let hasEnded = false;
  let cutShort: CutShort | undefined;
  // TLS pushes its end when it has read close_notify, and again at the end of the wire.
  beforePush(tls, (chunk) => {
    if (chunk !== null) return;
    hasEnded = true;
    wire.endRecords();
  });
  wire.prependListener('end', () => {
    if (!hasEnded) cutShort = wire.failure ? 'reset' : 'truncated';
  });
  // Node tells TLS of its wire's end, and as a server of nothing else; and keeps TLS's own errors for `tls.Server`.
  onTlsError(tls, (error) => tls.destroy(error));
  wire.on('error', (error) => tls.destroy(error));
  wire.on('close', () => {
    if (!wire.readableEnded) tls.destroy();
  });
  return () => cutShort;
}

/** Bytes of records that hold nothing, one after the other: some thousand updates of keys. */
const mostEmpty = 262_144;

/** What a record has beside its bytes: header, type and tag (RFC 8446 section 5.2). */
const recordOverhead = 22;

/**
 * Ends a connection where TLS has only records with nothing in them. OpenSSL answers each KeyUpdate that asks for it
 * (RFC 8446 section 4.6.3), without an end, and the answers wait for a peer that may not read.
 */
function limitEmptiness(wire: Wire, tls: TLSSocket): void {
  let empty = 0;
  // Answers in front of which something came.
  let isAnswering = false;
  beforePush(tls, (chunk) => {
    // What comes behind close_notify is nobody's. While answers wait, a byte now and then makes up for no updates.
    if (chunk === null) empty = -Infinity;
    else if (wire.writableLength === 0) empty = 0;
    else empty = Math.max(0, empty - chunk.length - recordOverhead);
    isAnswering = chunk !== null;
  });
  // Before TLS has this piece, it has made all of those before it.
  wire.prependListener('data', ({ length }: Buffer) => {
    if (isAnswering && wire.writableLength === 0) {
      // They have left since.
      empty = 0;
      isAnswering = false;
    }
    if (empty > mostEmpty) {
      const words = `received more than ${mostEmpty} bytes of empty TLS records`;
      wire.destroy(Object.assign(new Error(words), { code: 'ERR_SSL_EMPTY_RECORDS' }));
    }
    empty += length;
  });
}

function tlsChannel(
  socket: Socket,
  wire: Wire,
  tls: TLSSocket,
  facts: TlsFacts,
  whyCutShort: () => CutShort | undefined,
): TlsChannel {
  const queue = lazyQueue(socket);
  return {
    kind: 'tls',
    stream: tls,
    facts,
    get queue() {
      return queue();
    },
    pause: () => {
      wire.hold();
    },
    resume: () => {
      tls.resume();
      wire.release();
    },
    whyCutShort,
    keepAlive: (keepalive) => {
      keepAlive(socket, keepalive, false);
    },
    acknowledge: () => {
      acknowledge(socket);
    },
    resetUntilEnded: () => {
      resetUntilEnded(socket);
    },
    cut: () => {
      // Of this end TLS is told nothing, and would wait for more.
      const destroy = (): void => void tls.destroy();
      socket.once('close', () => {
        if (tls.readableEnded) destroy();
        else tls.once('end', destroy);
      });
      socket.end();
    },
    reset: () => {
      queue().abandon();
      reset(socket);
      tls.destroy();
    },
    clear: (limit) => clear(wire, tls, whyCutShort, limit),
  };
}

/** Ends TLS both ways and leaves TCP (RFC 4217 section 6, CCC). */
function clear(
  wire: Wire,
  tls: TLSSocket,
  whyCutShort: () => CutShort | undefined,
  limit: number,
): Promise<TcpChannel> {
  wire.countRecords();
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      fail(new HandshakeError(`no close_notify within ${limit / 1000} s`));
    }, limit);
    const fail = (error: Error): void => {
      clearTimeout(timer);
      tls.on('error', ignoreError);
      tls.destroy();
      reject(error);
    };
    tls.on('data', () => {
      fail(new HandshakeError('received data before close_notify'));
    });
    const closed = (): void => {
      fail(new HandshakeError('the connection closed before close_notify'));
    };
    tls.once('error', fail);
    tls.once('close', closed);
    tls.once('end', () => {
      // Anybody on the path can inject a FIN, and clear data before it.
      if (whyCutShort()) {
        fail(new HandshakeError('the peer closed the connection without close_notify'));
        return;
      }
      clearTimeout(timer);
      tls.off('close', closed);
      const { raw, rest } = wire.detach();
      tls.on('error', ignoreError);
      tls.destroy();
      if (rest.length > 0) raw.unshift(rest);
      resolve(tcpChannel(raw));
    });
    tls.end();
    tls.resume();
    wire.release();
  });
}

/** What a client asked for by SNI. */
export function serverNameOf(tls: TLSSocket): string | undefined {
  const { servername } = tls as TLSSocket & { readonly servername?: string | false | null };
  return servername === false || servername === null ? undefined : servername;
}

function factsOf(tls: TLSSocket, certificate: X509Certificate | undefined): TlsFacts {
  return {
    protocol: tls.getProtocol() ?? '',
    cipher: tls.getCipher().standardName,
    isResumed: tls.isSessionReused(),
    subject: certificate && subjectOf(certificate),
    serverName: serverNameOf(tls),
  };
}

function wordsOf(error: Error): string {
  return codeOf(error) === 'ECONNRESET'
    ? 'the peer closed the connection during the TLS handshake'
    : messageOf(error);
}
