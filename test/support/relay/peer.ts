import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { addressOfSocket } from '../../../src/net/address.ts';
import type { Endpoint } from '../../../src/net/endpoint.ts';
import { reset, wasReset } from '../../../src/net/socket.ts';
import { Changes, turns, within } from './within.ts';

/**
 * One end of a connection that does what a test says and nothing else: no FTP, no answer of its own, FIN and
 * RST only when told. Text is binary, one character a byte.
 */
export class Peer {
  /** The TCP connection; below TLS what is done to it is done without TLS's knowledge. */
  readonly socket: Socket;
  /** Where text goes and comes from. */
  readonly stream: Duplex;
  readonly local: Endpoint;
  readonly remote: Endpoint;
  readonly #changes = new Changes();
  #chunks: string[] = [];
  #ended = false;
  #closed = false;
  #error: string | undefined;
  readonly #detach: () => void;

  /**
   * @param socket connected, with `allowHalfOpen`
   * @param stream what runs over it, where it is not the connection itself
   * @param whyCutShort to be asked at 'end': the error that it was in truth
   */
  constructor(
    socket: Socket,
    stream: Duplex = socket,
    whyCutShort: () => string | undefined = () => (wasReset(socket) ? 'ECONNRESET' : undefined),
  ) {
    this.socket = socket;
    this.stream = stream;
    this.local = endpoint(socket.localAddress, socket.localPort);
    this.remote = endpoint(socket.remoteAddress, socket.remotePort);
    socket.setNoDelay(true);
    const listeners = {
      data: (chunk: Buffer) => {
        this.#chunks.push(chunk.toString('latin1'));
        this.#changes.wake();
      },
      end: () => {
        this.#error ??= whyCutShort();
        this.#ended = this.#error === undefined;
        this.#changes.wake();
      },
      error: (error: NodeJS.ErrnoException) => {
        this.#error ??= error.code ?? error.message;
        this.#changes.wake();
      },
      close: () => {
        this.#closed = true;
        this.#changes.wake();
      },
    };
    this.#detach = () => {
      for (const [event, listener] of Object.entries(listeners)) stream.off(event, listener);
    };
    for (const [event, listener] of Object.entries(listeners)) stream.on(event, listener);
  }

  /** Gives the connection to somebody else, paused, with what had come and was not asked for. */
  give(): Socket {
    this.#detach();
    this.socket.pause();
    if (this.unread !== '') this.socket.unshift(Buffer.from(this.unread, 'latin1'));
    return this.socket;
  }

  /** What has come and was not asked for yet. */
  get unread(): string {
    return this.#chunks.join('');
  }

  send(text: string | Buffer): void {
    this.stream.write(typeof text === 'string' ? Buffer.from(text, 'latin1') : text);
  }

  /** Each part in a segment of its own. */
  async sendApart(...parts: readonly string[]): Promise<void> {
    for (const part of parts) {
      this.send(part);
      await turns();
    }
  }

  /** Each byte in a segment of its own. */
  sendByteByByte(text: string): Promise<void> {
    return this.sendApart(...Array.from(text));
  }

  /** The next bytes are these. */
  async expect(text: string): Promise<void> {
    await this.#until(`the bytes ${JSON.stringify(text.slice(0, 300))}`, () => {
      const { unread } = this;
      const shorter = unread.slice(0, text.length);
      if (!text.startsWith(shorter)) assert.equal(shorter, text);
      return unread.length >= text.length || undefined;
    });
    this.#take(text.length);
  }

  /** The next line, with its end. */
  async line(): Promise<string> {
    const length = await this.#until('a line', () => this.unread.indexOf('\n') + 1 || undefined);
    return this.#take(length);
  }

  /** The next `length` bytes. */
  async bytes(length: number): Promise<string> {
    const come = (): number => this.#chunks.reduce((sum, chunk) => sum + chunk.length, 0);
    await this.#until(`${length} bytes`, () => come() >= length || undefined);
    return this.#take(length);
  }

  /** What was read at once: nothing of it may have been asked for before. */
  async segment(): Promise<string> {
    return this.#until('a segment', () => this.#chunks.shift());
  }

  /** What comes until FIN. */
  async rest(): Promise<string> {
    await this.#until('FIN', () => this.#ended || undefined);
    return this.#take(this.unread.length);
  }

  /** FIN comes, and nothing before it. */
  async finished(): Promise<void> {
    assert.equal(await this.rest(), '');
  }

  /** The connection fails, and does not end. Returns how. */
  failure(): Promise<string> {
    return this.#changes.until('a failure', () => {
      assert.equal(this.#ended, false, 'the connection ended well');
      return this.#error;
    });
  }

  /** RST comes, and no FIN. Returns what had come before it. */
  async wasReset(): Promise<string> {
    await within(
      this.#changes.until('RST', () => {
        assert.equal(this.#ended, false, 'a FIN came, where RST was expected');
        return this.#error;
      }),
      'RST',
    );
    assert.equal(this.#error, 'ECONNRESET');
    return this.#take(this.unread.length);
  }

  /** Says FIN; the other side may still speak. */
  end(text = ''): void {
    this.stream.end(Buffer.from(text, 'latin1'));
  }

  reset(): void {
    reset(this.socket);
  }

  /** Reads on no more, so that the kernel's buffers fill. */
  stopReading(): void {
    this.stream.pause();
  }

  /** FIN both ways. */
  async close(): Promise<void> {
    this.stream.end();
    this.stream.resume();
    await this.#changes.until('the connection closed', () => this.#closed || undefined);
  }

  /** @throws at once when the connection ended without what was waited for */
  #until<T>(what: string, look: () => T | undefined): Promise<T> {
    return this.#changes.until(
      what,
      () => {
        const found = look();
        if (found === undefined && (this.#error !== undefined || this.#ended || this.#closed)) {
          const how = this.#error ?? (this.#ended ? 'FIN' : 'closed');
          throw new Error(`${how} instead of ${what} after ${JSON.stringify(this.unread.slice(-300))}`);
        }
        return found;
      },
      () => `(unread: ${JSON.stringify(this.unread.slice(-300))})`,
    );
  }

  #take(length: number): string {
    const { unread } = this;
    const left = unread.slice(length);
    this.#chunks = left === '' ? [] : [left];
    return unread.slice(0, length);
  }
}

/** @throws with the system's code (ECONNREFUSED ...) when there is no connection */
export async function dial(to: Endpoint, from?: string): Promise<Peer> {
  const socket = connect({
    host: to.address,
    port: to.port,
    allowHalfOpen: true,
    ...(from !== undefined && { localAddress: from }),
  });
  const connected = new Promise<Peer>((resolve, reject) => {
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.off('error', reject);
      resolve(new Peer(socket));
    });
  });
  try {
    return await within(connected, `a connection to ${to.address} port ${to.port}`);
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

function endpoint(address: string | undefined, port: number | undefined): Endpoint {
  const known = addressOfSocket(address);
  assert.ok(known !== undefined && port !== undefined, 'the socket is gone');
  return { address: known, port };
}
