import { closeSync, constants, fstatSync, openSync, statSync, writeSync } from 'node:fs';
import { codeOf } from '../net/error.ts';

/** How often it is looked whether another file has its name, in milliseconds. */
const checkEvery = 1000;

const flags =
  constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NONBLOCK | constants.O_NOCTTY;

const newline = 10;

/** What fails: to write, or to open the file that has the name now. */
export type Failing = 'write' | 'name';

/** A file that lines are appended to, also after logrotate has given its name to another. */
export class AppendedFile {
  readonly #path: string;
  readonly #failed: (code: string, of: Failing) => void;
  #fd: number;
  #checked = 0;
  /** What was written last did not end its line. */
  #isMidLine = false;
  /** Of a new file: the rest of a line, whose beginning the old one has, is not for it. */
  #isToSkip = false;
  /** What was told last of writing it, and of what has its name now; undefined since that went well. */
  readonly #told: { write?: string | undefined; name?: string | undefined } = {};

  /**
   * @param failed is told why the file cannot be written, or why the one that has its name now cannot be had while lines go
   *   to the one before; once for each reason
   * @throws where it cannot be opened
   */
  constructor(path: string, failed: (code: string, of: Failing) => void) {
    this.#path = path;
    this.#failed = failed;
    this.#fd = openSync(path, flags, 0o640);
  }

  /** Writes what it can without waiting, and returns how many bytes that was. @throws as `fs.writeSync` does */
  write(bytes: Buffer): number {
    const now = performance.now();
    if (now - this.#checked >= checkEvery) {
      this.#checked = now;
      if (this.#isReplaced()) this.reopen();
    }
    if (this.#isToSkip) {
      this.#isToSkip = false;
      return bytes.indexOf(newline) + 1;
    }
    try {
      const written = writeSync(this.#fd, bytes);
      if (written > 0) this.#isMidLine = bytes[written - 1] !== newline;
      this.#told.write = undefined;
      return written;
    } catch (error) {
      this.#tell('write', error);
      throw error;
    }
  }

  /** Opens the file that has the name now. Where that fails the old one is kept: its lines are not lost. */
  reopen(): void {
    try {
      const next = openSync(this.#path, flags, 0o640);
      this.#told.name = undefined;
      if (isSame(fstatSync(next), fstatSync(this.#fd))) {
        closeSync(next);
        return;
      }
      closeSync(this.#fd);
      this.#fd = next;
      this.#isToSkip = this.#isMidLine;
      this.#isMidLine = false;
    } catch (error) {
      this.#tell('name', error);
    }
  }

  close(): void {
    closeSync(this.#fd);
  }

  #isReplaced(): boolean {
    try {
      const there = statSync(this.#path, { throwIfNoEntry: false });
      return there === undefined || !isSame(there, fstatSync(this.#fd));
    } catch (error) {
      // Another user by now (`user`), who may not look into its folder: what is open can still be written.
      this.#tell('name', error);
      return false;
    }
  }

  #tell(of: Failing, error: unknown): void {
    const code = String(codeOf(error) ?? error);
    // Of a pipe whose reader is slow.
    if (code === 'EAGAIN' || code === this.#told[of]) return;
    this.#told[of] = code;
    this.#failed(code, of);
  }
}

interface Identity {
  readonly dev: number;
  readonly ino: number;
}

function isSame(one: Identity, other: Identity): boolean {
  return one.dev === other.dev && one.ino === other.ino;
}
