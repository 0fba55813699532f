/** The two peers' sockets, and the log of what was said and heard over them. */
import { createServer, connect, type Server, type Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { reset, wasReset } from '../../src/net/socket.ts';
import type { DataEnd, EndKind, Entry, Side } from './transcript.ts';
import { Random } from './random.ts';
import { within } from '../support/relay/within.ts';

/** No wait for what has to come takes longer, in milliseconds: longer than any time that the relay gives a peer. */
const patience = 30_000;

/** How many turns of the event loop without a sign of life are silence. Nothing is judged by it. */
const silence = 10;

/** What is written down of one dialogue, and how it is noticed that nothing happens any more. */
export class Notes {
  readonly entries: Entry[] = [];
  readonly #patience: number;
  #signs = 0;
  #waiting: (() => void)[] = [];

  /** @param limit how long what has to come is waited for, in milliseconds */
  constructor(limit: number = patience) {
    this.#patience = limit;
  }

  add(entry: Entry): void {
    this.entries.push(entry);
    this.sign();
  }

  /** Something has happened. */
  sign(): void {
    this.#signs++;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }

  async quiet(): Promise<void> {
    let seen = this.#signs;
    for (let still = 0; still < silence; still++) {
      await turn();
      if (this.#signs !== seen) still = 0;
      seen = this.#signs;
    }
  }

  /** Waits for what has to be; returns whether it came to be. */
  async until(isSo: () => boolean): Promise<boolean> {
    const waiting = async (): Promise<true> => {
      while (!isSo()) await new Promise<void>((resolve) => this.#waiting.push(resolve));
      return true;
    };
    return within(waiting(), '', undefined, this.#patience).catch(() => isSo());
  }
}

export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** A peer's end of a control connection. */
export class Control {
  readonly side: Side;
  readonly socket: Socket;
  readonly #notes: Notes;
  #stream: Duplex;
  #heard = '';
  #isOver = false;
  #isSilent = false;
  #lines: (line: string) => void = () => undefined;
  #rest = '';

  constructor(side: Side, socket: Socket, notes: Notes) {
    this.side = side;
    this.socket = socket;
    this.#stream = socket;
    this.#notes = notes;
    socket.setNoDelay(true);
    this.#listen(socket);
    socket.on('close', () => {
      if (!this.#isOver) this.#sees('reset');
    });
  }

  /** All that came. */
  get heard(): string {
    return this.#heard;
  }

  /** Whether the other side has ended the connection. */
  get isOver(): boolean {
    return this.#isOver;
  }

  get hasEnded(): boolean {
    return this.#isSilent;
  }

  /** Tells each line that comes, without its end. */
  onLine(tell: (line: string) => void): void {
    this.#lines = tell;
  }

  /** In pieces, each in a segment of its own. */
  async say(text: string, cuts: readonly number[] = []): Promise<void> {
    let from = 0;
    for (const to of [...cuts.filter((cut) => cut < text.length), text.length]) {
      this.#write(text.slice(from, to));
      from = to;
      if (to < text.length) {
        await turn();
        await turn();
      }
    }
  }

  #write(text: string): void {
    if (this.#isSilent || this.socket.destroyed || !this.#stream.writable || text === '') return;
    this.#notes.add({ what: 'sent', side: this.side, text });
    this.#stream.write(Buffer.from(text, 'latin1'));
  }

  /** Bytes below TLS, or in the place of it. */
  raw(bytes: Buffer): void {
    if (!this.#isSilent && this.socket.writable) this.socket.write(bytes);
  }

  /** Begins TLS, in records that are cut anywhere. */
  async secure(random: Random, isCut: boolean): Promise<void> {
    if (this.#isSilent || this.#isOver) return;
    this.#notes.add({ what: 'hello' });
    this.socket.removeAllListeners('data').removeAllListeners('end').removeAllListeners('error');
    const wire = new CutWire(this.socket, isCut ? random : undefined);
    const tls = connectTls({ socket: wire, rejectUnauthorized: false });
    const done = new Promise<void>((resolve) => {
      tls.once('secureConnect', resolve).once('error', resolve).once('close', resolve).once('end', resolve);
    });
    this.#stream = tls;
    this.#listen(tls);
    await within(done, '', undefined, patience).catch(() => undefined);
  }

  end(how: EndKind): void {
    if (this.#isSilent) return;
    this.#isSilent = true;
    this.#notes.add({ what: 'ended', side: this.side, how });
    if (how === 'fin') this.#stream.end();
    else if (!this.socket.destroyed) reset(this.socket);
  }

  deaf(): void {
    this.#stream.pause();
  }

  hear(): void {
    this.#stream.resume();
  }

  destroy(): void {
    this.socket.destroy();
  }

  #listen(stream: Duplex): void {
    stream.on('data', (chunk: Buffer) => {
      const text = chunk.toString('latin1');
      this.#heard += text;
      this.#notes.add({ what: 'got', side: this.side, text });
      this.#rest += text;
      for (let lf = this.#rest.indexOf('\n'); lf !== -1; lf = this.#rest.indexOf('\n')) {
        const line = this.#rest.slice(0, lf).replace(/\r$/, '');
        this.#rest = this.#rest.slice(lf + 1);
        this.#lines(line);
      }
    });
    stream.on('end', () => {
      this.#sees(stream === this.socket && wasReset(this.socket) ? 'reset' : 'fin');
    });
    stream.on('error', () => {
      this.#sees('reset');
    });
  }

  #sees(how: EndKind): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#notes.add({ what: 'saw', side: this.side, how });
  }
}

/** What TLS writes, in segments that are cut at random. */
class CutWire extends Duplex {
  readonly #socket: Socket;
  readonly #random: Random | undefined;

  constructor(socket: Socket, random: Random | undefined) {
    super({ allowHalfOpen: true });
    this.#socket = socket;
    this.#random = random;
    socket.on('data', (chunk) => {
      if (!this.push(chunk)) socket.pause();
    });
    socket.on('end', () => this.push(null));
    socket.on('error', (error) => this.destroy(error));
    socket.on('close', () => this.destroy());
  }

  override _read(): void {
    this.#socket.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    void this.#send(chunk).then(() => {
      done();
    });
  }

  async #send(chunk: Buffer): Promise<void> {
    let from = 0;
    while (from < chunk.length) {
      const to = this.#random ? from + this.#random.between(1, 200) : chunk.length;
      if (!this.#socket.writable) return;
      this.#socket.write(chunk.subarray(from, to));
      from = to;
      if (this.#random) await turn();
    }
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#socket.end(done);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#socket.destroy();
    done(error);
  }
}

/** A peer's end of a data connection. */
export class Data {
  readonly side: DataEnd['side'];
  readonly socket: Socket;
  readonly #stream: Socket | TLSSocket;
  readonly #notes: Notes;
  #written = '';
  #read = '';
  #ended: EndKind | undefined;
  #saw: EndKind | undefined;

  constructor(side: DataEnd['side'], socket: Socket, notes: Notes, isTls = false) {
    this.side = side;
    this.socket = socket;
    this.#notes = notes;
    socket.setNoDelay(true);
    this.#stream = isTls ? connectTls({ socket, rejectUnauthorized: false }) : socket;
    const stream = this.#stream;
    stream.on('data', (chunk: Buffer) => {
      this.#read += chunk.toString('latin1');
      notes.sign();
    });
    stream.on('end', () => {
      // What ends TLS is not told from FIN here.
      if (!isTls) this.#saw ??= wasReset(socket) ? 'reset' : 'fin';
      notes.sign();
    });
    for (const each of new Set([stream, socket])) {
      each.on('error', () => {
        this.#saw ??= 'reset';
        notes.sign();
      });
      each.on('close', () => {
        notes.sign();
      });
    }
  }

  get hasSeenEnd(): boolean {
    return this.#saw !== undefined || this.socket.destroyed;
  }

  send(text: string): void {
    if (text === '' || this.#ended !== undefined || !this.#stream.writable) return;
    this.#written += text;
    this.#stream.write(Buffer.from(text, 'latin1'));
    this.#notes.sign();
  }

  end(how: EndKind): void {
    if (this.#ended !== undefined) return;
    this.#ended = how;
    if (how === 'fin') this.#stream.end();
    else if (!this.socket.destroyed) reset(this.socket);
  }

  /** Whatever is left of it is cut off. */
  cut(): void {
    this.#ended ??= 'reset';
    this.socket.resetAndDestroy();
  }

  facts(): DataEnd {
    return { side: this.side, written: this.#written, read: this.#read, ended: this.#ended, saw: this.#saw };
  }
}

/** Connects from an address; undefined where that is refused. */
export async function dial(host: string, port: number, from: string): Promise<Socket | undefined> {
  const socket = connect({ host, port, localAddress: from, allowHalfOpen: true });
  const connected = new Promise<Socket | undefined>((resolve) => {
    socket.once('connect', () => {
      resolve(socket);
    });
    socket.once('error', () => {
      resolve(undefined);
    });
  });
  const found = await within(connected, '', undefined, patience).catch(() => undefined);
  if (!found) socket.destroy();
  // Who takes it listens for itself.
  found?.on('error', () => undefined);
  return found;
}

export interface Listening {
  readonly port: number;
  /** Connections that nobody has taken yet. */
  readonly waiting: Socket[];
  close(): void;
}

/** @param port 0 for any that is free */
export async function listenAt(
  host: string,
  notes: Notes,
  accepted: (socket: Socket) => void = () => undefined,
  port = 0,
): Promise<Listening> {
  const waiting: Socket[] = [];
  const server: Server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => undefined);
    waiting.push(socket);
    accepted(socket);
    notes.sign();
  });
  server.listen({ host, port, exclusive: true });
  await new Promise<void>((resolve, reject) => {
    server.once('listening', resolve).once('error', reject);
  });
  const bound = server.address();
  if (bound === null || typeof bound === 'string') throw new Error('not listening');
  return {
    port: bound.port,
    waiting,
    close: () => {
      server.close();
    },
  };
}
