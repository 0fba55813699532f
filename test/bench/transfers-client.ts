/**
 * Runs in the client's namespace: `sessions` sessions at once, each downloading the file `each` times by EPSV, or
 * by PASV where that is not known; prints transfers a second and how many data connections were refused.
 *
 *     node transfers-client.js HOST PORT USER PASSWORD PATH SESSIONS EACH
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

export interface Measured {
  /** Transfers a second. */
  readonly rate: number;
  /** Data connections that nobody took; each was tried again from EPSV on. */
  readonly refused: number;
}

const [host = '', port = '', user = '', password = '', path = '', sessions = '', each = ''] =
  process.argv.slice(2);

class Control {
  readonly #socket: Socket;
  #text = '';
  #waiting: (() => void) | undefined;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (chunk) => {
      this.#text += chunk.toString('latin1');
      this.#waiting?.();
    });
  }

  send(command: string): void {
    this.#socket.write(`${command}\r\n`);
  }

  /** The next final line of a reply; it must have this code. */
  async expect(code: number): Promise<string> {
    const line = await this.reply();
    if (!line.startsWith(String(code))) throw new Error(`expected ${code}, got ${line}`);
    return line;
  }

  /** The next final line of a reply. */
  async reply(): Promise<string> {
    for (;;) {
      const match = /^(?:\d{3}-[^]*?\n)?(\d{3}) .*\r\n/.exec(this.#text);
      if (match) {
        this.#text = this.#text.slice(match[0].length);
        return match[0];
      }
      await new Promise<void>((resolve) => (this.#waiting = resolve));
    }
  }

  end(): void {
    this.#socket.destroy();
  }
}

async function login(): Promise<Control> {
  const socket = connect(Number(port), host);
  await once(socket, 'connect');
  const control = new Control(socket);
  await control.expect(220);
  control.send(`USER ${user}`);
  await control.expect(331);
  control.send(`PASS ${password}`);
  await control.expect(230);
  control.send('TYPE I');
  await control.expect(200);
  return control;
}

let extended = true;

/** The port that the server announces. */
async function passive(control: Control): Promise<number> {
  if (extended) {
    control.send('EPSV');
    const port = /^229 .*\|\|\|(\d+)\|/.exec(await control.reply())?.[1];
    if (port !== undefined) return Number(port);
    extended = false;
  }
  control.send('PASV');
  const [, high, low] = /,(\d+),(\d+)\)/.exec(await control.expect(227)) ?? [];
  return Number(high) * 256 + Number(low);
}

let refused = 0;

async function download(control: Control): Promise<void> {
  const data = connect(await passive(control), host);
  data.resume();
  try {
    await once(data, 'connect');
  } catch (error) {
    if (++refused > total / 10) throw error;
    await download(control);
    return;
  }
  control.send(`RETR ${path}`);
  await Promise.all([once(data, 'close'), control.expect(150).then(() => control.expect(226))]);
}

const total = Number(sessions) * Number(each);
const controls: Control[] = [];
for (let n = 0; n < Number(sessions); n++) controls.push(await login());
const started = performance.now();
await Promise.all(
  controls.map(async (control) => {
    for (let n = 0; n < Number(each); n++) await download(control);
  }),
);
const seconds = (performance.now() - started) / 1000;
process.stdout.write(JSON.stringify({ rate: total / seconds, refused } satisfies Measured));
for (const control of controls) control.end();
