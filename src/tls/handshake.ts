import { X509Certificate } from 'node:crypto';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import {
  tcpChannel,
  type CutShort,
  type TcpChannel,
  type TlsChannel,
  type TlsFacts,
} from '../net/channel.ts';
import { codeOf } from '../net/error.ts';
import { ignoreError, reset } from '../net/socket.ts';
import { Wire } from './wire.ts';

/** A handshake that came to nothing; the message says why. */
export class HandshakeError extends Error {
  override readonly name = 'HandshakeError';
}

/** The peer speaks, but not TLS. The connection is as it was, but for what it said. */
export class NotTlsError extends HandshakeError {}

/** The first byte of a TLS connection: the type of a record that holds a handshake. */
const handshakeRecord = 0x16;

export interface HandshakeLimits {
  /** Milliseconds until the peer's first byte. */
  readonly first: number;
  /** Milliseconds from then on. */
  readonly rest: number;
}

/**
 * Waits for what a TLS client says first.
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
        settle(new NotTlsError('what came is not TLS'));
        return;
      }
      socket.unshift(chunk);
      settle();
    };
    const ended = (): void => {
      settle(new HandshakeError('the peer closed before its TLS handshake'));
    };
    socket.on('readable', readable).on('end', ended).on('close', ended).on('error', settle);
  });
}

/**
 * Runs a handshake over a TCP connection, which belongs to the channel from the call on.
 *
 * @param start makes TLS over the wire, and says at which of its events the handshake is done
 * @param check throws what is wrong with the peer, once the handshake is done
 * @param limit milliseconds
 * @throws {HandshakeError} when it fails; the connection is closed then
 */
export function handshake(
  socket: Socket,
  start: (wire: Wire) => { readonly tls: TLSSocket; readonly done: 'secure' | 'secureConnect' },
  check: (tls: TLSSocket) => void,
  limit: number,
): Promise<TlsChannel> {
  const wire = new Wire(socket);
  const { tls, done } = start(wire);
  const ending = watchEnd(wire, tls);
  // A peer that asks to negotiate again could do so until this side has no time for anything else.
  tls.disableRenegotiation();
  return new Promise((resolve, reject) => {
    const fail = (error: Error): void => {
      clearTimeout(timer);
      tls.on('error', ignoreError);
      tls.destroy();
      reject(new HandshakeError(wordsOf(error), { cause: error }));
    };
    const closed = (): void => {
      fail(new Error('the peer closed during the TLS handshake'));
    };
    const timer = setTimeout(() => {
      fail(new Error(`the TLS handshake took longer than ${limit / 1000} s`));
    }, limit);
    tls.once('error', fail);
    tls.once('close', closed);
    tls.once('end', closed);
    tls.once(done, () => {
      try {
        check(tls);
      } catch (error) {
        fail(error as Error);
        return;
      }
      clearTimeout(timer);
      tls.off('error', fail).off('close', closed).off('end', closed);
      tls.pause();
      resolve(tlsChannel(socket, wire, tls, ending));
    });
  });
}

/** Tells whether TLS has ended before TCP did. */
function watchEnd(wire: Wire, tls: TLSSocket): () => CutShort | undefined {
  let hasEnded = false;
  let cutShort: CutShort | undefined;
  // TLS pushes its end when it has read close_notify, and again at the end of the wire.
  const push = tls.push.bind(tls);
  tls.push = (chunk: unknown, encoding?: BufferEncoding) => {
    if (chunk === null) hasEnded = true;
    return push(chunk, encoding);
  };
  wire.prependListener('end', () => {
    if (!hasEnded) cutShort = 'truncated';
  });
  return () => cutShort;
}

function tlsChannel(
  socket: Socket,
  wire: Wire,
  tls: TLSSocket,
  whyCutShort: () => CutShort | undefined,
): TlsChannel {
  return {
    kind: 'tls',
    stream: tls,
    facts: factsOf(tls),
    whyCutShort,
    reset: () => {
      tls.on('error', ignoreError);
      reset(socket);
      tls.destroy();
    },
    clear: (limit) => clear(wire, tls, limit),
  };
}

/** Ends TLS both ways and leaves TCP (RFC 4217 section 6, CCC). */
function clear(wire: Wire, tls: TLSSocket, limit: number): Promise<TcpChannel> {
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
      fail(new HandshakeError('bytes came before close_notify'));
    });
    tls.once('error', fail);
    tls.once('end', () => {
      clearTimeout(timer);
      const { raw, rest } = wire.detach();
      tls.on('error', ignoreError);
      tls.destroy();
      if (rest.length > 0) raw.unshift(rest);
      resolve(tcpChannel(raw));
    });
    tls.end();
    tls.resume();
  });
}

function factsOf(tls: TLSSocket): TlsFacts {
  const serverName = (tls as TLSSocket & { readonly servername?: string | false }).servername;
  return {
    protocol: tls.getProtocol() ?? '',
    cipher: tls.getCipher().standardName,
    isResumed: tls.isSessionReused(),
    subject: subjectOf(tls.getPeerX509Certificate()),
    serverName: serverName === false ? undefined : serverName,
  };
}

/** `CN=ftp.example.com, O=Example` */
function subjectOf(certificate: X509Certificate | undefined): string | undefined {
  return certificate?.subject.split('\n').join(', ');
}

/** What OpenSSL says, without the place in its sources. */
function wordsOf(error: Error): string {
  const { reason } = error as Error & { readonly reason?: unknown };
  if (codeOf(error) === 'ECONNRESET') return 'the peer closed during the TLS handshake';
  return typeof reason === 'string' ? reason : error.message;
}
