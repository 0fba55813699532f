import assert from 'node:assert/strict';
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, rmSync } from 'node:fs';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { emittedFile } from '../project.ts';
import { Changes, within } from '../relay/within.ts';

/** Starting Node with a loader takes its time on a busy machine. */
const limit = 20_000;

/** What a line of the log says, as far as the tests ask. */
export interface Line {
  readonly msg: string;
  readonly n?: number;
  readonly dropped?: number;
  readonly error?: string;
}

/** `logging-program.ts` in a process of its own, which ends with the test. It has a heap of 64 MiB, no more. */
export class LoggingProcess {
  readonly child: ChildProcess;
  readonly #changes = new Changes();
  readonly #finished: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  #answers = '';

  /** @param shell runs before it, in bash */
  constructor(
    t: TestContext,
    stdout: number | 'pipe',
    { format = 'json', shell = ':' }: { readonly format?: string; readonly shell?: string } = {},
  ) {
    const node = `exec '${process.execPath}' --max-old-space-size=64`;
    const program = emittedFile('test/support/log/logging-program.ts');
    const child = spawn('bash', ['-c', `${shell}; ${node} '${program}' ${format}`], {
      stdio: ['pipe', stdout, 'pipe'],
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#answers += text;
      this.#changes.wake();
    });
    // What it has not read when it ends is of no interest.
    child.stdin?.on('error', () => undefined);
    this.#finished = new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', (code, signal) => {
        resolve({ code, signal });
      });
    });
    this.child = child;
    t.after(async () => {
      child.kill('SIGKILL');
      await this.#finished;
    });
  }

  /** Tells it to do something and waits for the answer: its event loop goes on. */
  async ask(order: string): Promise<string> {
    const before = this.#answers.length;
    this.child.stdin?.write(`${order}\n`);
    const answer = (): string | undefined => /^[^\n]*(?=\n)/.exec(this.#answers.slice(before))?.[0];
    return this.#changes.until(`an answer to '${order}'`, answer, () => this.#answers, limit);
  }

  /** Has it end by itself. */
  async end(): Promise<void> {
    this.child.stdin?.end();
    const ended = await within(this.#finished, 'the end of the program', () => this.#answers, limit);
    assert.deepEqual(ended, { code: 0, signal: null }, this.#answers);
  }
}

/** Reads what a process writes, from when it is told to. */
export class Reader {
  readonly #stream: Socket;
  readonly #changes = new Changes();
  #text = '';

  constructor(stream: Socket) {
    this.#stream = stream;
    stream.setEncoding('utf8');
  }

  /** Reads from now on. */
  read(): void {
    this.#stream.on('data', (text: string) => {
      this.#text += text;
      this.#changes.wake();
    });
    this.#stream.on('end', () => {
      this.#changes.wake();
    });
    this.#stream.resume();
  }

  get text(): string {
    return this.#text;
  }

  /** All lines so far; fails where one is not whole. */
  get lines(): Line[] {
    const lines = this.#text.split('\n').slice(0, -1);
    return lines.map((line) => JSON.parse(line) as Line);
  }

  /** Waits until the text holds this. */
  async holds(text: string): Promise<void> {
    await this.#changes.until(`'${text}'`, () => this.#text.includes(text) || undefined, this.#tail, limit);
  }

  /** Waits until nobody writes any more. */
  async ends(): Promise<void> {
    await this.#changes.until('the end', () => this.#stream.readableEnded || undefined, this.#tail, limit);
  }

  readonly #tail = (): string => this.#text.slice(-500);

  /** Reads no more, and never will. */
  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#stream.once('close', resolve));
    this.#stream.destroy();
    await closed;
  }
}

export function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'pinhole-log-'));
  t.after(() => {
    rmSync(folder, { recursive: true });
  });
  return folder;
}

/** A pipe with a name, so that it can get another reader. */
export class NamedPipe {
  readonly #path: string;
  readonly #t: TestContext;

  constructor(t: TestContext) {
    this.#t = t;
    this.#path = join(temporaryFolder(t), 'pipe');
    execFileSync('bash', ['-c', `mkfifo '${this.#path}'`]);
  }

  reader(): Reader {
    const fd = openSync(this.#path, constants.O_RDONLY | constants.O_NONBLOCK);
    const stream = new Socket({ fd, readable: true, writable: false });
    stream.pause();
    this.#t.after(() => {
      stream.destroy();
    });
    return new Reader(stream);
  }

  /** A process with this pipe as its standard output. There must be a reader. */
  start(options?: ConstructorParameters<typeof LoggingProcess>[2]): LoggingProcess {
    const fd = openSync(this.#path, 'w');
    try {
      return new LoggingProcess(this.#t, fd, options);
    } finally {
      closeSync(fd);
    }
  }
}
