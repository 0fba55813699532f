import { spawn, type ChildProcess } from 'node:child_process';
import type { TestContext } from 'node:test';
import { parseAddress } from '../../../src/net/address.ts';
import type { Endpoint } from '../../../src/net/endpoint.ts';
import { program } from '../project.ts';
import { Changes, within } from './within.ts';

/** Starting Node with a loader takes its time on a busy machine. */
const startLimit = 20_000;

export interface Finished {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** `pinhole ARGUMENTS` in a process of its own, which ends with the test. */
export class Program {
  readonly #child: ChildProcess;
  readonly #changes = new Changes();
  readonly #finished: Promise<Finished>;
  #stdout = '';
  #stderr = '';

  constructor(t: TestContext, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
    const own = Object.entries(process.env).filter(([name]) => !name.startsWith('PINHOLE_'));
    const [node = '', ...words] = [...program, ...args];
    const child = spawn(node, words, {
      // One path is for one relay, and tests run many at once.
      env: { ...Object.fromEntries(own), PINHOLE_ADMIN: 'off', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.#stdout += text;
      this.#changes.wake();
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr += text;
      this.#changes.wake();
    });
    this.#finished = new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code, signal) => {
        resolve({ code, signal, stdout: this.#stdout, stderr: this.#stderr });
      });
    });
    this.#finished.catch(() => undefined);
    t.after(async () => {
      child.kill('SIGKILL');
      await this.#finished;
    });
  }

  get stdout(): string {
    return this.#stdout;
  }

  get stderr(): string {
    return this.#stderr;
  }

  /** The n-th line of the log with this message. */
  logged(message: string, n = 1): Promise<Readonly<Record<string, unknown>>> {
    return this.#changes.until(
      `log line '${message}'`,
      () => {
        const lines = this.#stdout.split('\n').slice(0, -1);
        const objects = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
        return objects.filter(({ msg }) => msg === message)[n - 1];
      },
      () => this.#stdout + this.#stderr,
      startLimit,
    );
  }

  /** Waits for a text on standard output. */
  async printed(text: string): Promise<void> {
    await this.#changes.until(
      `'${text}'`,
      () => this.#stdout.includes(text) || undefined,
      () => this.#stdout + this.#stderr,
      startLimit,
    );
  }

  /** Where it listens, when it does. */
  async relay(): Promise<Endpoint> {
    const { listen } = await this.logged('listening');
    const [, host = '', port = ''] =
      /^(.+):(\d+)$/.exec(String(Array.isArray(listen) ? listen[0] : '')) ?? [];
    const address = parseAddress(host);
    if (!address) throw new Error(`listens at ${String(listen)}`);
    return { address, port: Number(port) };
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  /** Waits for its end. */
  finished(): Promise<Finished> {
    return within(this.#finished, 'the end of the program', () => this.#stdout + this.#stderr, startLimit);
  }
}

/** Runs `pinhole ARGUMENTS` to its end. */
export function runProgram(
  t: TestContext,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Finished> {
  return new Program(t, args, env).finished();
}
