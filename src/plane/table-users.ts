import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { codeOf } from '../net/error.ts';
import type { TableSettings } from '../linux/nftables/table.ts';

/**
 * Who uses a table of nftables: one process that serves, whose it is, and those that drain beside it. Each has claimed a
 * name of an abstract socket, which belongs to a network namespace, as the table does, and is gone with its process,
 * whatever ends that (unix(7)). Without a claim two processes with one table would take each other's elements for what
 * a crash has left.
 */
export class TableUsers {
  readonly #settings: TableSettings;
  /** Of the table and the mark, as long as this process is the one that serves. */
  #own: Server[] = [];
  #beside: { readonly token: string; readonly claim: Server } | undefined;

  constructor(settings: TableSettings) {
    this.#settings = settings;
  }

  /** @throws where another process serves with this table or this mark; nothing is claimed then */
  async claim(): Promise<void> {
    const { table, mark } = this.#settings;
    try {
      this.#own.push(
        await claimName(
          tableName(table),
          `another Pinhole uses the table ${table}; choose another --kernel-table`,
        ),
      );
      this.#own.push(
        await claimName(
          `pinhole mark ${mark}`,
          `another Pinhole uses the mark ${mark}; choose another --kernel-mark`,
        ),
      );
    } catch (error) {
      this.release();
      throw error;
    }
  }

  /** Leaves the table to a successor, and goes on using it. */
  async retire(): Promise<void> {
    const token = `${process.pid}-${randomBytes(4).toString('hex')}`;
    // First of all, so that the successor sees it.
    const claim = await claimName(`${tableName(this.#settings.table)} beside ${token}`, 'taken');
    this.#beside = { token, claim };
    this.#disown();
  }

  /** Whether another process uses the table as well. */
  areOthers(): boolean {
    return isUsedByOthers(readSockets(), this.#settings.table, {
      serves: this.#own.length > 0,
      token: this.#beside?.token,
    });
  }

  /**
   * Ends the use of it.
   *
   * @returns whether nobody uses it any more. Where others do it looks again without a claim of its own: they may end in
   * the same moment, and each would leave the table to the other
   */
  leave(): boolean {
    if (!this.areOthers()) return true;
    this.release();
    return !this.areOthers();
  }

  release(): void {
    this.#disown();
    this.#beside?.claim.close();
    this.#beside = undefined;
  }

  #disown(): void {
    for (const claim of this.#own) claim.close();
    this.#own = [];
  }
}

/**
 * Reads the names of /proc/net/unix:
 *
 *     0000000000000000: 00000002 00000000 00010000 0001 01 53210 @pinhole table pinhole
 *     0000000000000000: 00000002 00000000 00010000 0001 01 53342 @pinhole table pinhole beside 4711-09af3c12
 */
export function isUsedByOthers(
  sockets: string,
  table: string,
  own: { readonly serves: boolean; readonly token: string | undefined },
): boolean {
  const prefix = ` @${tableName(table)}`;
  return sockets.split('\n').some((line) => {
    const start = line.indexOf(prefix);
    if (start < 0) return false;
    // A name that was bound with more bytes than it has is filled up with NULs, which are written so.
    const rest = line.slice(start + prefix.length).replace(/@+$/, '');
    if (rest === '') return !own.serves;
    const [, token] = /^ beside (\S+)$/.exec(rest) ?? [];
    return token !== undefined && token !== own.token;
  });
}

function tableName(table: string): string {
  return `pinhole table ${table}`;
}

/** Empty where there is no /proc: then nobody else is known. */
function readSockets(): string {
  try {
    return readFileSync('/proc/self/net/unix', 'latin1');
  } catch {
    return '';
  }
}

function claimName(name: string, taken: string): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.once('error', (error) => {
      reject(codeOf(error) === 'EADDRINUSE' ? new Error(taken) : error);
    });
    server.listen(`\0${name}`, () => {
      resolve(server.unref());
    });
  });
}
