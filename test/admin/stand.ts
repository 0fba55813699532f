import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
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

  constructor(t: TestContext, flags: readonly string[] = []) {
    const folder = mkdtempSync(join(tmpdir(), 'pinhole-admin-'));
    t.after(() => {
      rmSync(folder, { recursive: true });
    });
    this.path = join(folder, 'admin.sock');
    this.program = new Program(t, ['run', '--listen', '127.0.0.1:0', '--admin', this.path, ...flags]);
  }
}

/** One request over the socket. */
export function ask(
  path: string,
  target: string,
  options: {
    readonly method?: string;
    readonly headers?: Record<string, string>;
    readonly body?: string;
  } = {},
): Promise<Answered> {
  const { method = 'GET', headers = {}, body } = options;
  return new Promise((resolve, reject) => {
    const sent = httpRequest(
      { socketPath: path, path: target, method, headers, agent: false },
      (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
        response.on('end', () => {
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text });
        });
      },
    );
    sent.on('error', reject).end(body);
  });
}
