/**
 * Runs in the client's namespace and prints how long something takes, in ms: the median of COUNT times, behind two that
 * are not counted.
 *
 *     node path-client.js HOST PORT USER PASSWORD WHAT COUNT SIZE
 *
 * WHAT is `login` (connect, greeting, USER, PASS), or one transfer in a session that is logged in, from its first
 * command to its 226: `passive` or `active`, a download of small.bin, `down`, a passive one of big.bin, or `up`, a
 * passive upload of SIZE bytes.
 */
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { ControlConnection } from '../../src/demo/control-connection.ts';
import { median } from './report.ts';

const [host = '', port = '', user = '', password = '', what = '', count = '', size = ''] =
  process.argv.slice(2);

async function login(): Promise<ControlConnection> {
  const control = new ControlConnection(connect(Number(port), host));
  await control.login(user, password);
  return control;
}

async function passive(control: ControlConnection): Promise<Socket> {
  const [, announced] = /\|\|\|(\d+)\|/.exec(await control.ask('EPSV', 229)) ?? [];
  const data = connect(Number(announced), host);
  await once(data, 'connect');
  return data;
}

async function download(control: ControlConnection, path: string): Promise<void> {
  const data = await passive(control);
  data.resume();
  control.send(`RETR ${path}`);
  await Promise.all([once(data, 'close'), finished(control)]);
}

async function upload(control: ControlConnection): Promise<void> {
  const data = await passive(control);
  control.send('STOR up.bin');
  const done = finished(control);
  const chunk = Buffer.alloc(64 * 1024);
  for (let sent = 0; sent < Number(size); sent += chunk.length) {
    if (!data.write(chunk)) await once(data, 'drain');
  }
  data.end();
  await done;
}

/** Each at a port of its own, as clients do it. */
async function downloadActive(control: ControlConnection): Promise<void> {
  const listener = createServer().listen(0, control.socket.localAddress);
  await once(listener, 'listening');
  const { port: own } = listener.address() as AddressInfo;
  const words = [...(control.socket.localAddress ?? '').split('.'), own >> 8, own & 0xff];
  await control.ask(`PORT ${words.join(',')}`, 200);
  const connection = once(listener, 'connection') as Promise<[Socket]>;
  control.send('RETR small.bin');
  const done = finished(control);
  const [data] = await connection;
  listener.close();
  data.resume();
  await Promise.all([once(data, 'close'), done]);
}

async function finished(control: ControlConnection): Promise<void> {
  await control.expect(150);
  await control.expect(226);
}

async function measure(once: () => Promise<void>): Promise<number> {
  const times: number[] = [];
  const uncounted = Number(count) > 1 ? 2 : 0;
  for (let n = 0; n < uncounted + Number(count); n++) {
    const started = performance.now();
    await once();
    times.push(performance.now() - started);
  }
  return median(times.slice(uncounted));
}

async function run(): Promise<number> {
  if (what === 'login') {
    return measure(async () => {
      (await login()).socket.destroy();
    });
  }
  const control = await login();
  await control.ask('TYPE I', 200);
  switch (what) {
    case 'passive':
      return measure(() => download(control, 'small.bin'));
    case 'active':
      return measure(() => downloadActive(control));
    case 'down':
      return measure(() => download(control, 'big.bin'));
    case 'up':
      return measure(() => upload(control));
    default:
      throw new Error(`what is ${what}?`);
  }
}

process.stdout.write(String(await run()), () => process.exit());
