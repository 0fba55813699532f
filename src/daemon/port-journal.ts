import { closeSync, fstatSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { SharedPorts } from '../expectation/recent-ports.ts';

/** From this size on it begins anew. */
const most = 1024 * 1024;

/**
 * A file in which the processes of a service tell each other which ports of active mode they have used, a line each:
 *
 *     93071204 10.77.0.2 10.77.0.1:51017
 *
 * The time is in milliseconds of CLOCK_MONOTONIC, which processes share. What cannot be read or written is not told: the
 * server then may refuse a connection from its port 20 for up to a minute after a restart.
 */
export class PortJournal implements SharedPorts {
  readonly #fd: number;
  /** From `performance.now` to CLOCK_MONOTONIC. */
  readonly #clock = Number(process.hrtime.bigint() / 1_000_000n) - performance.now();
  readonly #buffer = Buffer.alloc(64 * 1024);
  #offset = 0;
  #rest = '';

  /** @param folder that of the service's own (RUNTIME_DIRECTORY). @throws where there can be none */
  constructor(folder: string) {
    this.#fd = openSync(join(folder, 'active-ports'), 'a+', 0o600);
  }

  tell(key: string, usedAt: number): void {
    try {
      writeSync(this.#fd, `${Math.round(usedAt + this.#clock)} ${key}\n`);
    } catch {
      // A full disk: nobody is told.
    }
  }

  learn(): [key: string, usedAt: number][] {
    const text = this.#rest + this.#read();
    const lines = text.split('\n');
    this.#rest = lines.pop() ?? '';
    return lines.flatMap((line) => {
      const [, time, key] = /^(\d+) (.+)$/.exec(line) ?? [];
      return key === undefined ? [] : [[key, Number(time) - this.#clock] as [string, number]];
    });
  }

  close(): void {
    closeSync(this.#fd);
  }

  #read(): string {
    let text = '';
    try {
      if (fstatSync(this.#fd).size < this.#offset) this.#offset = 0;
      for (;;) {
        const length = readSync(this.#fd, this.#buffer, 0, this.#buffer.length, this.#offset);
        if (length === 0) break;
        this.#offset += length;
        text += this.#buffer.toString('latin1', 0, length);
      }
      if (this.#offset > most) {
        ftruncateSync(this.#fd);
        this.#offset = 0;
      }
    } catch {
      // Nothing is learned.
    }
    return text;
  }
}

/** @param folders RUNTIME_DIRECTORY: with colons between them where there are several */
export function openPortJournal(folders: string | undefined): PortJournal | undefined {
  const [folder = ''] = folders?.split(':') ?? [];
  if (folder === '') return undefined;
  try {
    return new PortJournal(folder);
  } catch {
    return undefined;
  }
}
