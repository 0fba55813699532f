import { writeSync } from 'node:fs';

/** The alternate screen; no cursor; long lines are cut and not wrapped. */
const enter = '\x1b[?1049h\x1b[?25l\x1b[?7l';
const leave = '\x1b[?7h\x1b[?25h\x1b[?1049l';
const home = '\x1b[H';
const clearLine = '\x1b[K';
const clearRest = '\x1b[J';

/** What happens at the terminal. */
export interface ScreenEvents {
  /** A character; `escape`, `enter`, `backspace`. Other keys are left out. */
  readonly key: (key: string) => void;
  readonly resize: () => void;
  /** It should end: Ctrl-C, a signal, or a terminal that is gone. @param exitCode of the process */
  readonly end: (exitCode: number) => void;
}

const signals = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

/** The whole terminal, as long as it is used. However the process ends, the terminal is left as it was. */
export class Screen {
  readonly #events: ScreenEvents;
  readonly #onSignal: (signal: NodeJS.Signals) => void;
  readonly #onKeys = (text: string): void => {
    this.#read(text);
  };
  readonly #onGone = (): void => {
    this.#events.end(signals.SIGHUP);
  };
  readonly #leave = (): void => {
    this.leave();
  };
  #isLeft = false;

  constructor(events: ScreenEvents) {
    this.#events = events;
    this.#onSignal = (signal) => {
      events.end(signals[signal as keyof typeof signals]);
    };
    process.stdin.setRawMode(true);
    process.stdin
      .setEncoding('utf8')
      .on('data', this.#onKeys)
      .on('end', this.#onGone)
      .on('error', this.#onGone);
    process.stdout.on('resize', events.resize).on('error', this.#onGone);
    for (const signal of Object.keys(signals)) process.on(signal, this.#onSignal);
    process.on('exit', this.#leave).on('uncaughtExceptionMonitor', this.#leave);
    write(enter);
  }

  get columns(): number {
    return process.stdout.columns || 80;
  }

  get rows(): number {
    return process.stdout.rows || 24;
  }

  /** @param lines no more than there are rows, and none wider than there are columns */
  draw(lines: readonly string[]): void {
    if (this.#isLeft) return;
    process.stdout.write(`${home}${lines.map((line) => line + clearLine).join('\r\n')}${clearRest}`);
  }

  leave(): void {
    if (this.#isLeft) return;
    this.#isLeft = true;
    process.stdin.off('data', this.#onKeys).off('end', this.#onGone).pause();
    process.stdout.off('resize', this.#events.resize);
    for (const signal of Object.keys(signals)) process.off(signal, this.#onSignal);
    process.off('exit', this.#leave).off('uncaughtExceptionMonitor', this.#leave);
    try {
      process.stdin.setRawMode(false);
    } catch {
      // The terminal is gone.
    }
    write(leave);
  }

  #read(text: string): void {
    // Ctrl-C is no signal while the terminal is raw.
    if (text.includes('\x03')) this.#events.end(0);
    // A key that is a sequence: an arrow and the like.
    else if (text.startsWith('\x1b') && text.length > 1) return;
    else for (const character of text) this.#events.key(names.get(character) ?? character);
  }
}

const names: ReadonlyMap<string, string> = new Map([
  ['\x1b', 'escape'],
  ['\r', 'enter'],
  ['\n', 'enter'],
  ['\x7f', 'backspace'],
  ['\b', 'backspace'],
]);

/** At once: the process may be ending. */
function write(text: string): void {
  try {
    writeSync(process.stdout.fd, text);
  } catch {
    // The terminal is gone.
  }
}
