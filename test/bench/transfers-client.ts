/**
 * Runs in the client's namespace: `sessions` sessions at once, each downloading the file `each` times by EPSV, or
 * by PASV where that is not known; prints transfers a second and how many data connections were refused.
 *
 *     node transfers-client.js HOST PORT USER PASSWORD PATH SESSIONS EACH
 */
import { once } from 'node:events';
import { connect } from 'node:net';
import { ControlConnection } from '../../src/demo/control-connection.ts';

export interface Measured {
  /** Transfers a second. */
  readonly rate: number;
  /** Data connections that nobody took; each was tried again from EPSV on. */
  readonly refused: number;
}

const [host = '', port = '', user = '', password = '', path = '', sessions = '', each = ''] =
  process.argv.slice(2);

async function login(): Promise<ControlConnection> {
  const control = new ControlConnection(connect(Number(port), host));
  await control.login(user, password);
  await control.ask('TYPE I', 200);
  return control;
}

let extended = true;

/** The port that the server announces. */
async function passive(control: ControlConnection): Promise<number> {
  if (extended) {
    control.send('EPSV');
    const port = /^229 .*\|\|\|(\d+)\|/.exec(await control.reply())?.[1];
    if (port !== undefined) return Number(port);
    extended = false;
  }
  const [, high, low] = /,(\d+),(\d+)\)/.exec(await control.ask('PASV', 227)) ?? [];
  return Number(high) * 256 + Number(low);
}

let refused = 0;

async function download(control: ControlConnection): Promise<void> {
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
const controls: ControlConnection[] = [];
for (let n = 0; n < Number(sessions); n++) controls.push(await login());
const started = performance.now();
await Promise.all(
  controls.map(async (control) => {
    for (let n = 0; n < Number(each); n++) await download(control);
  }),
);
const seconds = (performance.now() - started) / 1000;
process.stdout.write(JSON.stringify({ rate: total / seconds, refused } satisfies Measured));
for (const control of controls) control.socket.destroy();
