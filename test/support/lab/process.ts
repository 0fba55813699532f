/**
 * One program running in the lab, with everything it said and limits on every wait.
 */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';

export interface Exit {
  /** The exit code, or null where a signal ended the process. */
  code: number | null;
  signal: NodeJS.Signals | null;
}

export interface Finished extends Exit {
  stdout: string;
  stderr: string;
}

export interface SpawnOptions {
  /** Written to standard input, which is closed after it. */
  input?: string | Buffer;
  /** Keeps standard input open for `write`. */
  interactive?: boolean;
  /** Added to the environment. */
  env?: Record<string, string>;
  cwd?: string;
}

export interface LabProcess {
  /** The argument list, for error messages. */
  argv: readonly string[];
  pid: number;
  stdout(): string;
  stderr(): string;
  exited: Promise<Exit>;
  /** Writes to standard input; only where it is `interactive`. */
  write(text: string): void;
  /** Resolves with the match once `pattern` is found in standard output or standard error. Limit in ms. */
  waitForOutput(pattern: RegExp, limit?: number): Promise<RegExpExecArray>;
  /** Resolves once something in the process's network namespace listens on the TCP port. Limit in ms. */
  waitForPort(port: number, limit?: number): Promise<void>;
  /** Sends the signal (SIGTERM) to the process and its children, SIGKILL when that takes over 5 s. */
  stop(signal?: NodeJS.Signals): Promise<Exit>;
}

const tick = 10;

/** Starts a program in a process group of its own, so that its children can be ended with it. */
export function startProcess(argv: readonly string[], options: SpawnOptions = {}): LabProcess {
  const [command, ...args] = argv;
  if (command === undefined) throw new Error('startProcess: empty argument list');
  const child: ChildProcess = spawn(command, args, {
    detached: true,
    // Node's pipes are sockets, and a server with a socket for standard input takes it for inetd's.
    stdio: [options.input === undefined && options.interactive !== true ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    env: { ...process.env, LC_ALL: 'C.UTF-8', ...options.env },
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  });
  let stdout = '';
  let stderr = '';
  let ended: Exit | undefined;
  collect(child.stdout, (text) => (stdout += text));
  collect(child.stderr, (text) => (stderr += text));
  const exited = new Promise<Exit>((resolve, reject) => {
    child.once('error', (cause) => {
      reject(new Error(`cannot start ${argv.join(' ')}`, { cause }));
    });
    // 'close' rather than 'exit': the output is complete by then.
    child.once('close', (code, signal) => {
      ended = { code, signal };
      resolve(ended);
    });
  });
  exited.catch(() => undefined);
  // A program that ends before it has read its input is judged by its exit code, not by our broken pipe.
  child.stdin?.on('error', () => undefined);
  if (options.interactive !== true) child.stdin?.end(options.input);

  const pid = child.pid ?? 0;
  const report = (): string => `${argv.join(' ')}\n${stdout}${stderr}`;

  async function poll<T>(what: string, limit: number, look: () => T | undefined): Promise<T> {
    const end = Date.now() + limit;
    for (;;) {
      const found = look();
      if (found !== undefined) return found;
      if (ended !== undefined) throw new Error(`ended before ${what}: ${report()}`);
      if (child.pid === undefined) await exited;
      if (Date.now() > end) throw new Error(`no ${what} within ${limit} ms: ${report()}`);
      await delay(tick);
    }
  }

  return {
    argv,
    pid,
    exited,
    stdout: () => stdout,
    stderr: () => stderr,
    write: (text) => child.stdin?.write(text),
    waitForOutput: (pattern, limit = 10_000) =>
      poll(
        `output ${pattern.toString()}`,
        limit,
        () => pattern.exec(stdout) ?? pattern.exec(stderr) ?? undefined,
      ),
    waitForPort: async (port, limit = 10_000) => {
      await poll(`listener on port ${port}`, limit, () => listens(pid, port) || undefined);
    },
    stop: async (signal = 'SIGTERM') => {
      if (ended !== undefined) return ended;
      signalGroup(pid, signal);
      const kill = setTimeout(() => {
        signalGroup(pid, 'SIGKILL');
      }, 5_000);
      try {
        return await exited;
      } finally {
        clearTimeout(kill);
      }
    },
  };
}

/**
 * Runs a program to its end. A non-zero exit code is a value, not an error; a run past `timeout` (ms) is killed
 * and throws.
 */
export async function runProcess(
  argv: readonly string[],
  options: SpawnOptions & { timeout?: number } = {},
): Promise<Finished> {
  const running = startProcess(argv, options);
  const timeout = options.timeout ?? 30_000;
  const clock = { late: false };
  const timer = setTimeout(() => {
    clock.late = true;
    signalGroup(running.pid, 'SIGKILL');
  }, timeout);
  try {
    const exit = await running.exited;
    if (clock.late) {
      throw new Error(
        `not done within ${timeout} ms: ${argv.join(' ')}\n${running.stdout()}${running.stderr()}`,
      );
    }
    return { ...exit, stdout: running.stdout(), stderr: running.stderr() };
  } finally {
    clearTimeout(timer);
  }
}

/** As {@link runProcess}, and a non-zero exit code throws with the output. Returns standard output. */
export async function mustRun(
  argv: readonly string[],
  options: SpawnOptions & { timeout?: number } = {},
): Promise<string> {
  const { code, signal, stdout, stderr } = await runProcess(argv, options);
  if (code !== 0) throw new Error(`exit ${String(code ?? signal)}: ${argv.join(' ')}\n${stdout}${stderr}`);
  return stdout;
}

function collect(stream: Readable | null, add: (text: string) => void): void {
  stream?.setEncoding('utf8');
  stream?.on('data', add);
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  // kill(0) and kill(-0) would reach our own group.
  if (pid <= 0) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // It is gone already.
  }
}

/**
 * /proc/PID/net shows the sockets of that process's network namespace, so readiness is seen without a connection
 * that the server would log as a session:
 *
 *       sl  local_address rem_address   st ...
 *        0: 02004D0A:0015 00000000:0000 0A ...      0A is LISTEN, 0015 is port 21
 */
function listens(pid: number, port: number): boolean {
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  return ['tcp', 'tcp6'].some((name) => {
    try {
      return readFileSync(`/proc/${pid}/net/${name}`, 'latin1')
        .split('\n')
        .some((line) => new RegExp(`^\\s*\\d+: [0-9A-F]+:${hex} [0-9A-F]+:0000 0A `).test(line));
    } catch {
      return false;
    }
  });
}
