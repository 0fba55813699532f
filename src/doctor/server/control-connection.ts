import type { Socket } from 'node:net';
import { connect as connectTls, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { WholeReplies, type Reply } from '../../ftp/whole-replies.ts';
import { dial } from '../../net/dial.ts';
import { codeOrMessageOf } from '../../net/error.ts';
import { endpointOfSocket, type Endpoint } from '../../net/endpoint.ts';
import { ignoreError } from '../../net/socket.ts';

/**
 * Why there is no reply: the connection was ended, was reset, or stayed silent for as long as is waited; `endless`: what
 * came was more than any server sends, and was given up.
 */
export type Silence = 'closed' | 'reset' | 'silent' | 'endless';

/** There is no reply to a command. */
export class LostError extends Error {
  override readonly name = 'LostError';
  readonly command: string;
  readonly silence: Silence;

  constructor(command: string, silence: Silence) {
    super(`${command}: ${silence}`);
    this.command = command;
    this.silence = silence;
  }
}

/** The server ended the session instead of replying to a command: 421 (RFC 959 section 5.4). */
export class EndedError extends Error {
  override readonly name = 'EndedError';
  readonly command: string;
  readonly reply: Reply;

  constructor(command: string, reply: Reply) {
    super(`${command}: 421`);
    this.command = command;
    this.reply = reply;
  }
}

/** TLS was agreed on and did not come about; the message is the system's or OpenSSL's code. */
export class ControlHandshakeError extends Error {
  override readonly name = 'ControlHandshakeError';

  constructor(cause: unknown) {
    super(codeOrMessageOf(cause), { cause });
  }
}

/** More than any server sends in one reply: a server that sends more would fill the memory. */
export const mostLines = 2000;

/** No server sends that much unasked. */
export const mostReplies = 100;

/** A client's side of a control channel. Every wait has a limit. */
export class ControlConnection {
  readonly local: Endpoint;
  readonly remote: Endpoint;
  /** Resolves when the other side has ended it. */
  readonly ended: Promise<void>;
  readonly #timeout: number;
  readonly #reader = new WholeReplies();
  readonly #replies: Reply[] = [];
  #socket: Socket | TLSSocket;
  #end: Exclude<Silence, 'silent'> | undefined;
  /** Whom the server's certificate is to name, and what data connections may resume. */
  #tls: ConnectionOptions = {};
  #tlsError: unknown;
  #greeted = false;
  #secured = false;
  #wake: () => void = ignoreError;
  #tellEnd: () => void = ignoreError;

  constructor(socket: Socket, timeout: number) {
    const local = endpointOfSocket(socket.localAddress, socket.localPort);
    const remote = endpointOfSocket(socket.remoteAddress, socket.remotePort);
    if (!local || !remote) throw new LostError('', 'reset');
    this.local = local;
    this.remote = remote;
    this.#timeout = timeout;
    this.#socket = socket;
    this.ended = new Promise((resolve) => (this.#tellEnd = resolve));
    this.#listen(socket);
  }

  get isOpen(): boolean {
    return this.#end === undefined && !this.#socket.destroyed;
  }

  get isSecured(): boolean {
    return this.#secured;
  }

  /**
   * Writes a command and waits for its first reply.
   *
   * @throws LostError where there is none, EndedError where that is 421, ControlHandshakeError
   */
  async ask(command: string): Promise<Reply> {
    const ending = this.#replies.find(({ code }) => code === 421);
    if (ending) throw new EndedError(command, ending);
    // A reply that nobody waited for would be taken for this command's.
    this.#replies.length = 0;
    if (!this.isOpen) throw new LostError(command, this.#end ?? 'closed');
    this.#socket.write(`${command}\r\n`, 'latin1');
    const reply = await this.next();
    if (typeof reply !== 'string') {
      if (reply.code !== 421) return reply;
      this.close();
      throw new EndedError(command, reply);
    }
    // TLS 1.3: what the server dislikes of the handshake is heard after it.
    if (this.#tlsError !== undefined) throw new ControlHandshakeError(this.#tlsError);
    throw new LostError(command, reply);
  }

  /**
   * The same, and the reply also where that is 421: a server may say so that it is full, or demands TLS.
   *
   * @throws LostError, ControlHandshakeError
   */
  async answer(command: string): Promise<Reply> {
    try {
      return await this.ask(command);
    } catch (error) {
      if (error instanceof EndedError) return error.reply;
      throw error;
    }
  }

  /** The next reply that comes, or came and was not read. */
  async next(limit: number = this.#timeout): Promise<Reply | Silence> {
    const until = performance.now() + limit;
    for (;;) {
      const reply = this.#replies.shift();
      if (reply) return reply;
      if (this.#end) return this.#end;
      const left = until - performance.now();
      if (left <= 0) return 'silent';
      await this.#something(left);
    }
  }

  /**
   * Switches to TLS, whatever the certificate: faults of FTP are the subject, and a fault of the certificate is only
   * reported.
   *
   * @throws ControlHandshakeError
   */
  async secure(name: string | undefined): Promise<Secured> {
    const plain = this.#socket;
    for (const event of ['data', 'end', 'error', 'close']) plain.removeAllListeners(event);
    // An address is no name for the server to choose by, and its certificate may name it all the same.
    const whom = name === undefined ? { host: this.remote.address } : { host: name, servername: name };
    this.#tls = { ...whom, rejectUnauthorized: false };
    const before = plain.bytesRead;
    const socket = connectTls({ ...this.#tls, socket: plain });
    this.#socket = socket;
    socket.on('session', (session) => {
      this.#tls.session = session;
    });
    await handshake(socket, this.#timeout);
    this.#secured = true;
    this.#listen(socket);
    const problem: unknown = socket.authorizationError;
    return {
      problem: problem === null || problem === undefined ? undefined : codeOrMessageOf(problem),
      expired: expiryOf(socket),
      bytes: plain.bytesRead - before,
    };
  }

  /**
   * TLS on a data connection (RFC 4217 section 9).
   *
   * @param resumes whether it resumes the session of this connection, which some servers demand
   */
  protect(data: Socket, resumes: boolean): TLSSocket {
    const { session, ...options } = this.#tls;
    return connectTls({ ...options, ...(resumes && session !== undefined && { session }), socket: data });
  }

  close(): void {
    this.#end ??= 'closed';
    this.#socket.destroy();
  }

  #listen(socket: Socket): void {
    socket.on('data', (chunk) => {
      this.#read(chunk);
    });
    socket.on('end', () => {
      this.#finish('closed');
    });
    socket.on('error', (error) => {
      if (codeOrMessageOf(error).startsWith('ERR_SSL')) this.#tlsError ??= error;
      this.#finish('reset');
    });
    socket.on('close', () => {
      this.#finish('closed');
    });
    socket.resume();
  }

  #read(chunk: Buffer): void {
    for (const reply of this.#reader.push(chunk)) {
      if (reply.code !== 0 || !this.#greeted) this.#replies.push(reply);
      this.#greeted = true;
    }
    if (this.#replies.length > mostReplies || this.#reader.openLines > mostLines) {
      // Nothing of it is the reply to anything.
      this.#replies.length = 0;
      this.#finish('endless');
    }
    this.#wake();
  }

  #finish(end: Exclude<Silence, 'silent'>): void {
    this.#end ??= end;
    this.#socket.destroy();
    this.#wake();
    this.#tellEnd();
  }

  #something(limit: number): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.#wake = ignoreError;
        resolve();
      };
      const timer = setTimeout(done, limit);
      this.#wake = done;
    });
  }
}

/** What a handshake of a control connection showed. */
export interface Secured {
  /** The code of what is wrong with the certificate. */
  readonly problem: string | undefined;
  /** When the certificate ended to be valid, if that is over. */
  readonly expired: string | undefined;
  /** How much the server sent for it. */
  readonly bytes: number;
}

/** What is wrong with a certificate besides hides that it has expired. */
function expiryOf(socket: TLSSocket): string | undefined {
  const { valid_to: end } = socket.getPeerCertificate() as { readonly valid_to?: string };
  return end !== undefined && Date.parse(end) < Date.now() ? end : undefined;
}

function handshake(socket: TLSSocket, timeout: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (cause: unknown): void => {
      clearTimeout(timer);
      socket.destroy();
      reject(new ControlHandshakeError(cause));
    };
    const closed = (): void => {
      fail(Object.assign(new Error('closed'), { code: 'ECONNRESET' }));
    };
    const timer = setTimeout(() => {
      fail(Object.assign(new Error('no answer'), { code: 'ETIMEDOUT' }));
    }, timeout);
    // It stays attached: a destroyed socket may still emit an error.
    socket.on('error', fail);
    socket.once('close', closed);
    socket.once('secureConnect', () => {
      clearTimeout(timer);
      socket.off('close', closed);
      resolve();
    });
  });
}

/** @throws the system's error where there is no connection */
export async function openControl(
  to: { readonly host: string; readonly port: number },
  timeout: number,
): Promise<ControlConnection> {
  return new ControlConnection(await dial(to, timeout).connected, timeout);
}

/** 2yz */
export function isDone({ code }: Reply): boolean {
  return code >= 200 && code < 300;
}
