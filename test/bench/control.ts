/** A client's control connection to the server that a measurement names. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { WholeReplies, type Reply } from '../../src/ftp/whole-replies.ts';

export class Control {
  readonly #socket: Socket;
  readonly #reader = new WholeReplies();
  readonly #replies: Reply[] = [];
  #wake = (): void => undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (chunk) => {
      this.#replies.push(...this.#reader.push(chunk));
      this.#wake();
    });
  }

  static async login(host: string, port: number, user: string, password: string): Promise<Control> {
    const socket = connect(port, host);
    const control = new Control(socket);
    await once(socket, 'connect');
    await control.expect(220);
    await control.ask(`USER ${user}`, 331);
    await control.ask(`PASS ${password}`, 230);
    return control;
  }

  get localAddress(): string {
    return this.#socket.localAddress ?? '';
  }

  send(command: string): void {
    this.#socket.write(`${command}\r\n`);
  }

  /** The last line of the next reply. */
  async reply(): Promise<string> {
    while (this.#replies.length === 0) await new Promise<void>((resolve) => (this.#wake = resolve));
    return this.#replies.shift()?.lines.at(-1) ?? '';
  }

  /** The last line of the next reply, which must have this code. */
  async expect(code: number): Promise<string> {
    const line = await this.reply();
    if (!line.startsWith(String(code))) throw new Error(`expected ${code}, got ${line}`);
    return line;
  }

  ask(command: string, code: number): Promise<string> {
    this.send(command);
    return this.expect(code);
  }

  end(): void {
    this.#socket.destroy();
  }
}
