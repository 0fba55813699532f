import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { connect, TLSSocket, type ConnectionOptions, type TLSSocketOptions } from 'node:tls';
import { wasReset } from '../../../src/net/socket.ts';
import { Peer } from './peer.ts';
import { within } from './within.ts';

/** One end of a TLS connection; 'FIN without close_notify' is told as the failure `TRUNCATED`. */
export interface TlsPeer extends Peer {
  readonly stream: TLSSocket;
  /** Says close_notify and `text` in clear behind it, in one segment, and goes on without TLS; the peer has said its own. */
  clear(text?: string): Promise<Peer>;
}

/** The latest TLS session that a client got: data channels resume it. */
export interface Ticket {
  session?: Buffer;
}

/** Makes a connection TLS, this end being TLS's client. */
export function secureAsClient(
  peer: Peer,
  { ticket, ...options }: ConnectionOptions & { readonly ticket?: Ticket } = {},
): Promise<TlsPeer> {
  return secure(peer, 'secureConnect', (wire) => {
    const session = ticket?.session && { session: ticket.session };
    const tls = connect({ socket: wire, rejectUnauthorized: false, ...session, ...options });
    tls.on('session', (received) => {
      if (ticket) ticket.session = received;
    });
    return tls;
  });
}

/** Makes a connection TLS, this end having the certificate. */
export function secureAsServer(peer: Peer, options: TLSSocketOptions): Promise<TlsPeer> {
  return secure(peer, 'secure', (wire) => new TLSSocket(wire, { isServer: true, ...options }));
}

async function secure(
  peer: Peer,
  done: 'secure' | 'secureConnect',
  start: (wire: Duplex) => TLSSocket,
): Promise<TlsPeer> {
  const socket = peer.give();
  const wire = new PlainWire(socket);
  const tls = start(wire);
  let hasEnded = false;
  const push = tls.push.bind(tls);
  tls.push = (chunk: unknown, encoding?: BufferEncoding) => {
    if (chunk === null) hasEnded = true;
    return push(chunk, encoding);
  };
  let cutShort: string | undefined;
  wire.prependListener('end', () => {
    if (!hasEnded) cutShort = 'TRUNCATED';
  });
  wire.on('error', (error) => tls.destroy(error));
  wire.on('close', () => {
    if (!wire.readableEnded) tls.destroy();
  });
  const secured = Object.assign(new Peer(socket, tls, () => cutShort), {
    stream: tls,
    clear: async (text = '') => {
      socket.cork();
      const detached = wire.leave();
      tls.end();
      await within(detached, 'close_notify to be sent');
      socket.write(text, 'latin1');
      socket.uncork();
      return new Peer(socket);
    },
  });
  const established = new Promise<TlsPeer>((resolve, reject) => {
    tls.once(done, () => {
      resolve(secured);
    });
    tls.once('error', reject);
    tls.once('close', () => {
      reject(new Error('closed in the handshake'));
    });
    tls.once('end', () => {
      reject(new Error('ended in the handshake'));
    });
  });
  return within(established, 'the TLS handshake');
}

/** A TCP connection as a stream of no kind that TLS knows: TLS can't take it over, and the test has a hand in it. */
class PlainWire extends Duplex {
  readonly #socket: Socket;
  #left: (() => void) | undefined;

  constructor(socket: Socket) {
    super({ allowHalfOpen: true });
    this.#socket = socket;
    socket.on('data', (chunk) => {
      if (!this.push(chunk)) socket.pause();
    });
    socket.on('end', () => {
      if (wasReset(socket)) this.destroy(Object.assign(new Error('reset'), { code: 'ECONNRESET' }));
      else this.push(null);
    });
    socket.on('error', (error) => this.destroy(error));
    socket.on('close', () => this.destroy());
  }

  /** Gives the connection back at the end of TLS, without waiting for what was written to leave. */
  leave(): Promise<void> {
    return new Promise((resolve) => (this.#left = resolve));
  }

  override _read(): void {
    if (!this.#left) this.#socket.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    if (this.#left) {
      this.#socket.write(chunk);
      done();
    } else {
      this.#socket.write(chunk, done);
    }
  }

  override _final(done: (error?: Error | null) => void): void {
    if (this.#left) {
      this.#socket.removeAllListeners();
      this.#left();
      done();
    } else {
      this.#socket.end(done);
    }
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    if (!this.#left) this.#socket.destroy();
    done(error);
  }
}
