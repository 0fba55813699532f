import { mkdtempSync, rmSync } from 'node:fs';
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { ControlConnection } from '../../src/demo/control-connection.ts';
import { Program } from '../support/relay/program.ts';

export interface Answered {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** A relay in front of the server in memory, in a process of its own, with its admin socket. */
export class AdminStand {
  readonly program: Program;
  readonly path: string;
  readonly #t: TestContext;

  constructor(
    t: TestContext,
    flags: readonly string[] = [],
    path: string = join(folderFor(t), 'admin.sock'),
  ) {
    this.#t = t;
    this.path = path;
    // Not killed: what it has run counts for coverage only where it ends by itself. The second signal has it end at once.
    t.after(async () => {
      for (let n = 0; n < 2; n++) {
        this.program.signal('SIGTERM');
        await delay(30);
      }
      await this.program.finished();
    });
    this.program = new Program(t, ['run', '--listen', '127.0.0.1:0', '--admin', this.path, ...flags]);
  }

  /** A session of anna's that has logged in. */
  async login(): Promise<ControlConnection> {
    const { address, port } = await this.program.relay();
    const socket = connect({ host: address, port });
    this.#t.after(() => socket.destroy());
    const control = new ControlConnection(socket);
    await control.login('demo', 'demo');
    return control;
  }

  /** A pinhole that nobody connects to: where it is. */
  async announced(control: ControlConnection): Promise<number> {
    const reply = await control.ask('EPSV', 229);
    return Number(/\(\|\|\|(\d+)\|\)/.exec(reply)?.[1]);
  }

  /** A download that does not come forward, as nobody reads it. */
  async stalled(control: ControlConnection): Promise<Socket> {
    const port = await this.announced(control);
    const data = connect({ host: '127.0.0.1', port });
    this.#t.after(() => data.destroy());
    data.pause();
    await control.ask('CWD /pub', 250);
    await control.ask('RETR zeros.bin', 150);
    return data;
  }

  async get<T>(target: string): Promise<T> {
    const { body } = await ask(this.path, target);
    return JSON.parse(body) as T;
  }

  change(target: string, body?: object): Promise<Answered> {
    const options = { method: 'POST', headers: { 'x-pinhole': '1' } };
    return ask(this.path, target, body ? { ...options, body: JSON.stringify(body) } : options);
  }
}

/** A folder that goes with the test. */
export function folderFor(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'pinhole-admin-'));
  t.after(() => {
    rmSync(folder, { recursive: true });
  });
  return folder;
}

/** One request: over a unix socket, or to a port of 127.0.0.1. */
export function ask(
  where: string | number,
  target: string,
  options: {
    readonly method?: string;
    readonly headers?: Record<string, string>;
    readonly body?: string;
  } = {},
): Promise<Answered> {
  const { method = 'GET', headers = {}, body } = options;
  const to = typeof where === 'string' ? { socketPath: where } : { host: '127.0.0.1', port: where };
  return new Promise((resolve, reject) => {
    const sent = httpRequest({ ...to, path: target, method, headers, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.on('end', () => {
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text });
      });
    });
    sent.on('error', reject).end(body);
  });
}
