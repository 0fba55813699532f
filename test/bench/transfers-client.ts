/**
 * Runs in the client's namespace: `sessions` sessions at once, each downloading the file `each` times by EPSV;
 * prints transfers a second.
 *
 *     node --import tsx transfers-client.ts HOST PORT USER PASSWORD PATH SESSIONS EACH
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

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
    for (;;) {
      const match = /^(?:\d{3}-[^]*?\n)?(\d{3}) .*\r\n/.exec(this.#text);
      if (match) {
        this.#text = this.#text.slice(match[0].length);
        if (match[1] !== String(code)) throw new Error(`expected ${code}, got ${match[0]}`);
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

async function download(control: Control): Promise<void> {
  control.send('EPSV');
  const announced = /\|\|\|(\d+)\|/.exec(await control.expect(229));
  const data = connect(Number(announced?.[1]), host);
  data.resume();
  await once(data, 'connect');
  control.send(`RETR ${path}`);
  await Promise.all([once(data, 'close'), control.expect(150).then(() => control.expect(226))]);
}

const controls: Control[] = [];
for (let n = 0; n < Number(sessions); n++) controls.push(await login());
const started = performance.now();
await Promise.all(
  controls.map(async (control) => {
    for (let n = 0; n < Number(each); n++) await download(control);
  }),
);
const seconds = (performance.now() - started) / 1000;
process.stdout.write(`${(Number(sessions) * Number(each)) / seconds}\n`);
for (const control of controls) control.end();
