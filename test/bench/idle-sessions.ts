import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { root } from '../support/project.ts';
import { inPairs, printRatio } from './report.ts';

const cli = join(root, 'dist/cli.js');
const rounds = 2;

/** What the relay's resident memory grows by for each session that is logged in and idle, in KiB. */
export async function measureIdleSessions(sessions = 4000): Promise<void> {
  await withServer(async (port) => {
    for (let round = 0; round < rounds; round++) {
      const { before, after } = await measureOnce(port, sessions);
      const each = ((after - before) / sessions).toFixed(1);
      process.stdout.write(
        `${sessions} idle sessions: ${each} KiB each (resident ${before} KiB before, ${after} KiB with them)\n`,
      );
    }
  });
}

/** The same of this build and of another, in turns, in KiB. */
export async function measureIdleSessionsBefore(program: string, pairs: number): Promise<void> {
  const sessions = 2000;
  await withServer(async (port) => {
    const each = async (cliOf: string): Promise<number> => {
      const { before, after } = await measureOnce(port, sessions, cliOf);
      return (after - before) / sessions;
    };
    const values = await inPairs(
      pairs,
      () => each(cli),
      () => each(program),
    );
    printRatio(`${sessions} idle sessions, now / before`, 'KiB each', values, { atMost: 1.02 });
  });
}

/** @param work gets the port of a server that takes every user */
async function withServer(work: (port: number) => Promise<void>): Promise<void> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.write('220 ready\r\n');
    socket.on('data', (data) =>
      socket.write(data.toString().startsWith('USER') ? '331 password\r\n' : '230 in\r\n'),
    );
  });
  server.listen(0, '127.0.0.2', 1024);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  try {
    await work(port);
  } finally {
    server.close();
  }
}

async function measureOnce(
  port: number,
  sessions: number,
  program: string = cli,
): Promise<{ before: number; after: number }> {
  const flags = ['--server', `127.0.0.2:${port}`, '--listen', '127.0.0.1:0', '--log-format', 'json'];
  // Another build may not know it.
  const admin = program === cli ? ['--admin', 'off'] : [];
  const relay = spawn(process.execPath, [program, 'run', ...admin, ...flags], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const sockets: Socket[] = [];
  try {
    const lines = createInterface(relay.stdout);
    const [line] = (await once(lines, 'line')) as [string];
    const [endpoint = ''] = (JSON.parse(line) as { listen: string[] }).listen;
    const relayPort = Number(endpoint.split(':').at(-1));
    await openSessions(relayPort, 10, sockets);
    const before = residentKiB(relay.pid);
    await openSessions(relayPort, sessions, sockets);
    return { before, after: residentKiB(relay.pid) };
  } finally {
    for (const socket of sockets) socket.destroy();
    relay.kill();
    await once(relay, 'exit');
  }
}

async function openSessions(port: number, count: number, sockets: Socket[]): Promise<void> {
  for (let n = 0; n < count; n++) {
    const socket = connect(port, '127.0.0.1');
    sockets.push(socket);
    await once(socket, 'data');
    for (const command of ['USER a', 'PASS b']) {
      socket.write(`${command}\r\n`);
      await once(socket, 'data');
    }
  }
}

function residentKiB(pid: number | undefined): number {
  const status = readFileSync(`/proc/${pid ?? 'self'}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]);
}
