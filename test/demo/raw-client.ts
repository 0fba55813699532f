import { once } from 'node:events';
import { connect, type Socket, type TcpNetConnectOpts } from 'node:net';
import { wasReset } from '../../src/net/socket.ts';

const limit = 10_000;

/** A control connection without a mind of its own: what is written is what is sent. */
export class RawClient {
  readonly socket: Socket;
  #received = '';
  #ended = false;
  #wake = (): void => undefined;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (bytes) => {
      this.#received += bytes.toString('latin1');
      this.#wake();
    });
    socket.on('error', () => undefined);
    const end = (): void => {
      this.#ended = true;
      this.#wake();
    };
    socket.on('end', end);
    socket.on('close', end);
  }

  /** Connects and reads the greeting. */
  static async connect(server: { address: string; port: number }): Promise<RawClient> {
    const client = new RawClient(await dial({ host: server.address, port: server.port }));
    await client.reply();
    return client;
  }

  static async login(server: { address: string; port: number }): Promise<RawClient> {
    const client = await RawClient.connect(server);
    await client.command('USER anonymous');
    await client.command('PASS me@');
    return client;
  }

  send(text: string): void {
    this.socket.write(text, 'latin1');
  }

  /** The next whole reply without its last CRLF; rejects when the connection ends or nothing comes. */
  async reply(): Promise<string> {
    const signal = AbortSignal.timeout(limit);
    for (;;) {
      const match = /^(\d{3}) .*\r\n|^(\d{3})-[^]*?\r\n\2 .*\r\n/.exec(this.#received);
      if (match !== null) {
        this.#received = this.#received.slice(match[0].length);
        return match[0].slice(0, -2);
      }
      if (this.#ended) throw new Error(`the connection ended after ${JSON.stringify(this.#received)}`);
      await new Promise<void>((resolve, reject) => {
        this.#wake = resolve;
        signal.onabort = () => {
          reject(new Error(`no reply, only ${JSON.stringify(this.#received)}`));
        };
      });
    }
  }

  async command(line: string): Promise<string> {
    this.send(`${line}\r\n`);
    return this.reply();
  }

  async code(line: string): Promise<number> {
    return Number((await this.command(line)).slice(0, 3));
  }

  /** A data connection through EPSV. */
  async passive(): Promise<Socket> {
    const [, port] = /\(\|\|\|(\d+)\|\)/.exec(await this.command('EPSV')) ?? [];
    return dial({ host: this.socket.remoteAddress ?? '', port: Number(port), allowHalfOpen: true });
  }

  /** Downloads: the bytes and the final reply's code. */
  async fetch(line: string): Promise<{ bytes: Buffer; code: number }> {
    const data = await this.passive();
    const bytes = readAll(data);
    const first = await this.code(line);
    if (first !== 150) throw new Error(`${line}: ${first}`);
    return { bytes: await bytes, code: Number((await this.reply()).slice(0, 3)) };
  }

  /** Uploads: the final reply's code. */
  async put(line: string, content: string | Buffer): Promise<number> {
    const data = await this.passive();
    const first = await this.code(line);
    if (first !== 150) return first;
    data.resume();
    data.end(content);
    return Number((await this.reply()).slice(0, 3));
  }

  /** Ends the connection, and waits for the server to have ended it too. */
  async close(): Promise<void> {
    if (this.socket.closed) return;
    this.socket.end();
    await once(this.socket, 'close', { signal: AbortSignal.timeout(limit) });
  }
}

/** A connected socket, whose errors show as its closing. */
export async function dial(options: TcpNetConnectOpts): Promise<Socket> {
  const socket = connect(options);
  await once(socket, 'connect', { signal: AbortSignal.timeout(limit) });
  socket.on('error', () => undefined);
  return socket;
}

/** What comes until FIN; the socket is ended then. Rejects on a reset. */
export async function readAll(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  const signal = AbortSignal.timeout(limit);
  return new Promise((resolve, reject) => {
    signal.onabort = () => {
      reject(new Error('no end of the data'));
    };
    socket.on('data', (chunk) => chunks.push(chunk));
    socket.once('end', () => {
      if (wasReset(socket)) reject(new Error('reset'));
      socket.end();
      resolve(Buffer.concat(chunks));
    });
    socket.once('close', () => {
      reject(new Error('reset'));
    });
  });
}
