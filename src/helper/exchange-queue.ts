import { isPreliminary } from '../ftp/reply.ts';

/**
 * One command and its replies. The greeting is the reply of an exchange that nobody sent; `answer` is there
 * for a command that the relay answers itself, in its turn.
 */
export interface Exchange {
  readonly verb: string;
  readonly argument: string;
  readonly answer?: string;
}

export const greeting = '(greeting)';

/** The commands that a data connection carries (RFC 959 section 4.1.3, RFC 3659 section 7). */
const transferVerbs: ReadonlySet<string> = new Set(['RETR', 'STOR', 'STOU', 'APPE', 'LIST', 'NLST', 'MLSD']);

export function isTransfer(verb: string): boolean {
  return transferVerbs.has(verb);
}

/**
 * The outstanding exchanges in the order of their commands. FTP's replies carry no number: that the server
 * answers in order is all that pairs them.
 */
export class ExchangeQueue {
  readonly #exchanges: Exchange[] = [{ verb: greeting, argument: '' }];
  /** Whether the head has had a preliminary reply: its transfer is under way. */
  #underWay = false;

  get size(): number {
    return this.#exchanges.length;
  }

  /** The exchange that the server's next reply belongs to. */
  get head(): Exchange | undefined {
    return this.#exchanges[0];
  }

  add(exchange: Exchange): void {
    this.#exchanges.push(exchange);
  }

  some(test: (exchange: Exchange) => boolean): boolean {
    return this.#exchanges.some(test);
  }

  find(test: (exchange: Exchange) => boolean): Exchange | undefined {
    return this.#exchanges.find(test);
  }

  /** The exchange that a reply with this code answers; nothing changes. */
  answeredBy(code: number): Exchange | undefined {
    return this.#exchanges[this.#statusIndex(code) ?? this.#firstIndex(code)];
  }

  /** Takes a reply into account, and returns the exchange that it was the final reply of. */
  settle(code: number): Exchange | undefined {
    const status = this.#statusIndex(code);
    if (status !== undefined) return this.#exchanges.splice(status, 1)[0];
    const first = this.#firstIndex(code);
    if (first > 0) this.#exchanges.splice(0, first);
    this.#underWay = isPreliminary(code) && this.#exchanges.length > 0;
    return this.#underWay ? undefined : this.#exchanges.shift();
  }

  /** Takes out the relay's own answers whose turn has come. */
  takeAnswers(): string {
    let answers = '';
    for (let next = this.head; next?.answer !== undefined; next = this.head) {
      answers += next.answer;
      this.#exchanges.shift();
    }
    return answers;
  }

  /** RFC 959 section 4.1.3: STAT may be sent during a transfer, and is answered before that ends. */
  #statusIndex(code: number): number | undefined {
    if (!this.#underWay || code < 211 || code > 213 || !isTransfer(this.head?.verb ?? '')) return undefined;
    const index = this.#exchanges.findIndex(({ verb }) => verb === 'STAT');
    return index > 0 ? index : undefined;
  }

  /** The first exchange that the reply can belong to; those before it were never answered. */
  #firstIndex(code: number): number {
    const index = this.#exchanges.findIndex(({ verb }) => mayAnswer(verb, code));
    return index === -1 ? 0 : index;
  }
}

/**
 * Whether a reply with this code can be the answer to a command that some servers leave without one: ProFTPD
 * says nothing to an empty line, and others answer a transfer and its ABOR with one reply.
 */
function mayAnswer(verb: string, code: number): boolean {
  if (verb === '') return code >= 400;
  if (verb === 'ABOR') return code === 200 || code === 225 || code === 226 || code >= 400;
  return true;
}
