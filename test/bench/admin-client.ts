/**
 * Loads the admin interface until SIGTERM, and then prints what was asked and answered.
 *
 *     node admin-client.js SOCKET requests RATE     so many requests a second, over connections that are kept
 *     node admin-client.js SOCKET idle COUNT        so many connections that ask nothing, and a reader of events that hangs
 *
 * It takes answers for what their first line says and parses nothing: what is measured is who answers.
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

export interface Asked {
  readonly asked: number;
  readonly answered: number;
  readonly seconds: number;
}

const paths = ['/v1/status', '/v1/sessions', '/metrics'];
const connections = 10;
/** Milliseconds from one bundle of requests to the next. */
const step = 10;

const [path = '', what = '', count = ''] = process.argv.slice(2);
const ok = Buffer.from('HTTP/1.1 200');
let asked = 0;
let answered = 0;
const started = performance.now();

async function open(): Promise<Socket> {
  const socket = connect(path);
  await once(socket, 'connect');
  return socket;
}

function request(target: string): string {
  return `GET ${target} HTTP/1.1\r\nHost: localhost\r\n\r\n`;
}

function countAnswers(chunk: Buffer): void {
  for (let at = chunk.indexOf(ok); at !== -1; at = chunk.indexOf(ok, at + 1)) answered++;
}

async function requests(rate: number): Promise<void> {
  const sockets: Socket[] = [];
  for (let n = 0; n < connections; n++) sockets.push((await open()).on('data', countAnswers));
  const begun = performance.now();
  setInterval(() => {
    const due = ((performance.now() - begun) / 1000) * rate;
    // Beyond so many that wait, a client asks no more: what it misses shows in the numbers.
    while (asked < due && asked - answered < rate) {
      const target = paths[asked % paths.length] ?? '';
      sockets[asked % connections]?.write(request(target));
      asked++;
    }
  }, step);
}

async function idle(most: number): Promise<void> {
  for (let n = 0; n < most; n++) await open();
  const reader = await open();
  reader.write(request('/v1/events?dialogue=1'));
  reader.pause();
}

process.on('SIGTERM', () => {
  const seconds = (performance.now() - started) / 1000;
  process.stdout.write(`${JSON.stringify({ asked, answered, seconds } satisfies Asked)}\n`, () =>
    process.exit(0),
  );
});
await (what === 'requests' ? requests : idle)(Number(count));
process.stdout.write('loading\n');
