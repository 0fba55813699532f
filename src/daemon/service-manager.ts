import { openNotifySocket, type NotifySocket } from '../linux/notify-socket.ts';
import { messageOf } from '../net/error.ts';

/** What systemd is told of this process (sd_notify(3), `Type=notify-reload`). */
export interface ServiceManager {
  /** It serves. */
  ready(): void;
  reloading(): void;
  /** @param within milliseconds that its end may take from now on */
  stopping(within: number): void;
  /** Has it keep a listening socket for the next process, under a name (sd_pid_notify_with_fds(3), FDSTORE). */
  keep(name: string, fd: number): void;
  /** What it keeps under this name is not wanted any more: clients are refused from now on. @param fd the same socket here, where there is one */
  forget(name: string, fd: number | undefined): void;
  /** No more is told. */
  close(): void;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** How often the status line is looked at, in milliseconds. */
const statusInterval = 5000;

const nobody: ServiceManager = {
  ready: () => undefined,
  reloading: () => undefined,
  stopping: () => undefined,
  keep: () => undefined,
  forget: () => undefined,
  close: () => undefined,
};

/**
 * Connects to the service manager that has started this process; where none has, what is told is told to nobody. The
 * watchdog is fed from the event loop: what holds that up for as long as WatchdogSec says has this process restarted.
 *
 * @param status the status line: `12 sessions, 3 transfers, range 4 % used`
 * @param warn is told why the service manager cannot be told anything
 */
export async function findServiceManager(
  env: Environment,
  status: () => string,
  warn: (message: string) => void,
): Promise<ServiceManager> {
  const path = env['NOTIFY_SOCKET'];
  if (path === undefined || path === '') return nobody;
  let socket: NotifySocket;
  try {
    socket = await openNotifySocket(path);
  } catch (error) {
    warn(messageOf(error));
    return nobody;
  }
  return new Systemd(socket, watchdogInterval(env), status);
}

/**
 * Tells the shell that has started this process for the service manager (src/packaging/files/usr/lib/pinhole/start) that it
 * drains from now on: the service counts as stopped, and its successor starts.
 */
export function releaseLauncher({ LAUNCHER_PID: launcher }: Environment): void {
  if (launcher !== undefined && Number(launcher) === process.ppid) process.kill(process.ppid, 'SIGUSR1');
}

/** Half of what the watchdog allows, in milliseconds; undefined: it is not for this process (sd_watchdog_enabled(3)). */
function watchdogInterval({ WATCHDOG_USEC: limit, WATCHDOG_PID: pid }: Environment): number | undefined {
  const microseconds = Number(limit);
  if (!Number.isFinite(microseconds) || microseconds <= 0) return undefined;
  return pid === undefined || Number(pid) === process.pid ? microseconds / 2000 : undefined;
}

class Systemd implements ServiceManager {
  readonly #socket: NotifySocket;
  readonly #status: () => string;
  readonly #timers: NodeJS.Timeout[] = [];
  #told = '';

  constructor(socket: NotifySocket, watchdog: number | undefined, status: () => string) {
    this.#socket = socket;
    this.#status = status;
    const look = (): void => {
      this.#tellStatus();
    };
    this.#timers.push(setInterval(look, statusInterval).unref());
    if (watchdog === undefined) return;
    const feed = (): void => {
      socket.offer('WATCHDOG=1');
    };
    this.#timers.push(setInterval(feed, watchdog).unref());
  }

  ready(): void {
    this.#told = this.#status();
    this.#socket.send(`READY=1\nSTATUS=${this.#told}`);
  }

  reloading(): void {
    // By the clock that systemd reads as CLOCK_MONOTONIC.
    const microseconds = process.hrtime.bigint() / 1000n;
    this.#socket.send(`RELOADING=1\nMONOTONIC_USEC=${microseconds}`);
  }

  stopping(within: number): void {
    const microseconds = Math.ceil(within * 1000);
    this.#socket.send(`STOPPING=1\nSTATUS=stopping: transfers finish\nEXTEND_TIMEOUT_USEC=${microseconds}`);
  }

  keep(name: string, fd: number): void {
    this.#socket.sendWith(`FDSTORE=1\nFDNAME=${name}`, fd);
  }

  forget(name: string, fd: number | undefined): void {
    // It may be told too late or in vain, and the shell `start` has some too: clients would wait there for nobody.
    if (fd !== undefined) this.#socket.endListening(fd);
    this.#socket.send(`FDSTOREREMOVE=1\nFDNAME=${name}`);
  }

  close(): void {
    for (const timer of this.#timers) clearInterval(timer);
    this.#socket.close();
  }

  #tellStatus(): void {
    const status = this.#status();
    if (status === this.#told) return;
    this.#told = status;
    this.#socket.offer(`STATUS=${status}`);
  }
}
