import { isPreliminary } from '../ftp/reply.ts';

/** A command that went to the server, whose replies are outstanding. */
export interface SentExchange {
  readonly kind: 'sent';
  readonly verb: string;
  readonly argument: string;
}

/** A command that the relay answers itself, in its turn. */
interface AnsweredExchange {
  readonly kind: 'answered';
  /** The reply with its end. */
  readonly answer: string;
}

/** One command and its replies. */
export type Exchange = SentExchange | AnsweredExchange;

/** The verb of the exchange that nobody sent: the greeting is its reply. */
export const greeting = '(greeting)';

/** The commands that a data connection carries (RFC 959 section 4.1.3, RFC 3659 section 7). */
const transferVerbs: ReadonlySet<string> = new Set(['RETR', 'STOR', 'STOU', 'APPE', 'LIST', 'NLST', 'MLSD']);

export function isTransfer({ verb }: { readonly verb: string }): boolean {
  return transferVerbs.has(verb);
}

/**
 * The outstanding exchanges in the order of their commands. FTP's replies carry no number: that the server
 * answers in order is all that pairs them, and where servers are known not to, the reply's code helps.
 */
export class ExchangeQueue {
  readonly #exchanges: Exchange[] = [{ kind: 'sent', verb: greeting, argument: '' }];
  /** Whether the head has had a preliminary reply: its transfer is under way. */
  #underWay = false;

  get size(): number {
    return this.#exchanges.length;
  }

  add(exchange: Exchange): void {
    this.#exchanges.push(exchange);
  }

  /** The first command sent that fulfils the test. */
  find(test: (exchange: SentExchange) => boolean): SentExchange | undefined {
    for (const exchange of this.#exchanges) {
      if (exchange.kind === 'sent' && test(exchange)) return exchange;
    }
    return undefined;
  }

  /** The exchange that a reply with this code belongs to. */
  answeredBy(code: number): SentExchange | undefined {
    const exchange = this.#exchanges[this.#indexAnsweredBy(code)];
    return exchange?.kind === 'sent' ? exchange : undefined;
  }

  /**
   * A reply with this code begins to come: forgets the exchanges before its own, which the server will not
   * answer any more.
   *
   * @returns the relay's own answers among them, to be sent before the reply
   */
  arrive(code: number): string {
    // 225 ends a transfer and its ABOR at once where no data connection had come (pyftpdlib).
    if (this.#underWay && code !== 225) return '';
    const before = this.#indexAnsweredBy(code);
    if (before > 0) this.#underWay = false;
    return answersOf(this.#exchanges.splice(0, Math.max(0, before)));
  }

  /** Takes a whole reply into account, and returns the exchange that it was the final reply of. */
  settle(code: number): SentExchange | undefined {
    const index = this.#indexAnsweredBy(code);
    if (index === -1) return undefined;
    if (isPreliminary(code)) {
      this.#underWay = true;
      return undefined;
    }
    if (index === 0) this.#underWay = false;
    const [exchange] = this.#exchanges.splice(index, 1);
    return exchange?.kind === 'sent' ? exchange : undefined;
  }

  /** Takes out the relay's own answers whose turn has come. */
  takeAnswers(): string {
    const next = this.#exchanges.findIndex(({ kind }) => kind === 'sent');
    return answersOf(this.#exchanges.splice(0, next === -1 ? this.#exchanges.length : next));
  }

  /** -1 where no exchange that is outstanding can have this reply. */
  #indexAnsweredBy(code: number): number {
    if (!this.#underWay) {
      return this.#exchanges.findIndex((exchange) => mayAnswer(exchange, code));
    }
    // A transfer under way never ends with "unknown command": Pure-FTPd says that of what comes meanwhile.
    if (code >= 500 && code <= 504) {
      const next = this.#exchanges.findIndex(({ kind }, index) => index > 0 && kind === 'sent');
      if (next > 0) return next;
    }
    // During a transfer STAT is answered at once (RFC 959 section 4.1.3), and by some servers others are too.
    const outOfTurn = this.#exchanges.findIndex((exchange) => isOnlyFor(exchange, code));
    return Math.max(0, outOfTurn);
  }
}

function answersOf(exchanges: readonly Exchange[]): string {
  return exchanges.map((exchange) => (exchange.kind === 'answered' ? exchange.answer : '')).join('');
}

/** Whether this code is the mark of a reply to this very command. */
function isOnlyFor(exchange: Exchange, code: number): boolean {
  if (exchange.kind !== 'sent') return false;
  if (exchange.verb === 'STAT') return code >= 211 && code <= 213;
  if (exchange.verb === 'ABOR') return code === 225;
  return isAnnouncing(exchange, code);
}

function isAnnouncing(exchange: Exchange, code: number): boolean {
  if (exchange.kind !== 'sent') return false;
  return (exchange.verb === 'PASV' && code === 227) || (exchange.verb === 'EPSV' && code === 229);
}

/**
 * Whether a reply with this code can be the answer to this command. Most commands may have any; of those whose
 * pairing matters, or which some servers leave without an answer, more is known: ProFTPD says nothing to an
 * empty line, and some servers answer a transfer and its ABOR with one reply.
 */
function mayAnswer(exchange: Exchange, code: number): boolean {
  if (exchange.kind !== 'sent') return false;
  switch (exchange.verb) {
    case '':
      return code === 500 || code === 502 || code === 503 || code === 530 || code === 421;
    case 'ABOR':
      return (
        code === 225 ||
        code === 226 ||
        code === 421 ||
        code === 426 ||
        (code >= 500 && code <= 504) ||
        code === 530
      );
    case 'PASV':
      return code === 227 || code >= 400;
    case 'EPSV':
      // `EPSV ALL` is answered with 200 or 220.
      return code === 229 || (code >= 200 && code < 227) || code >= 400;
    default:
      return true;
  }
}
