import type { Socket } from 'node:net';
import { WholeReplies, type Reply } from '../ftp/whole-replies.ts';

/** A client's control connection, which asks for one thing after the other. */
export class ControlConnection {
  readonly socket: Socket;
  readonly #reader = new WholeReplies();
  readonly #replies: Reply[] = [];
  #end: Error | undefined;
  #wake = (): void => undefined;

  /** @param socket not read yet */
  constructor(socket: Socket) {
    this.socket = socket;
    socket.setNoDelay(true);
    const end = (error?: Error): void => {
      this.#end ??= error ?? new Error('the control connection ended');
      this.#wake();
    };
    socket.on('data', (chunk) => {
      this.#replies.push(...this.#reader.push(chunk));
      this.#wake();
    });
    socket.on('end', end).on('error', end);
    socket.on('close', () => {
      end();
    });
    socket.resume();
  }

  /** Reads the greeting, and logs in with a name and a password. */
  async login(user: string, password: string): Promise<void> {
    await this.expect(220);
    await this.ask(`USER ${user}`, 331);
    await this.ask(`PASS ${password}`, 230);
  }

  /** Sends a command; returns the text of its reply, which must have this code. */
  ask(command: string, code: number): Promise<string> {
    this.send(command);
    return this.expect(code);
  }

  send(command: string): void {
    this.socket.write(`${command}\r\n`);
  }

  /** The text of the next reply, which must have this code. */
  async expect(code: number): Promise<string> {
    const reply = await this.reply();
    if (!reply.startsWith(String(code))) throw new Error(`${reply}, where ${code} was expected`);
    return reply;
  }

  /** The text of the next reply, its lines joined with CRLF. @throws when the connection ends first */
  async reply(): Promise<string> {
    while (this.#replies.length === 0) {
      if (this.#end) throw this.#end;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
    return this.#replies.shift()?.lines.join('\r\n') ?? '';
  }
}
