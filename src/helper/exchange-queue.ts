import { isCompletion, isPreliminary } from '../ftp/reply.ts';
import { isTransfer } from '../ftp/transfer.ts';
import { isMarkOf, mayShowFiles, maySayAnything } from './usual-answers.ts';

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

/**
 * The outstanding exchanges in the order of their commands. FTP's replies carry no number: that the server
 * answers in order is all that pairs them, and where servers are known not to, the reply's code helps.
 */
export class ExchangeQueue {
  readonly #exchanges: Exchange[] = [{ kind: 'sent', verb: greeting, argument: '' }];
  /** Kept as they come and go: it is asked for with each command. */
  #textSize = greeting.length;
  /** Whether the head has had a preliminary reply: its transfer is under way. */
  #underWay = false;
  /** How many replies were taken for the answers to empty lines while others have had none. */
  #emptyLinesAnswered = 0;
  /** The one whose reply is coming, or came last. */
  #coming: SentExchange | undefined;
  /** The commands since that reply has seemed to end; absent where it has not. */
  #later: Set<Exchange> | undefined;

  get size(): number {
    return this.#exchanges.length;
  }

  /** How many characters of commands and answers it keeps. */
  get textSize(): number {
    return this.#textSize;
  }

  /** How many of them are empty lines, to which some servers do not reply. */
  get emptyLines(): number {
    return this.#exchanges.filter(isEmptyLine).length;
  }

  /** Whether all that is waited for at this moment is the answer to an empty line. */
  get waitsForEmptyLine(): boolean {
    const [head] = this.#exchanges;
    return head !== undefined && isEmptyLine(head);
  }

  /**
   * Nobody waits for the answers to empty lines any more, but for those that something other stands before. A server that
   * has left these without an answer answers none: replies that were taken for such answers were those to the commands
   * behind them.
   *
   * @returns the relay's own answers whose turn has come by that
   */
  forgetEmptyLines(): string {
    let count = 0;
    let answers = '';
    for (const each of this.#exchanges) {
      if (each.kind === 'answered') answers += each.answer;
      else if (!isEmptyLine(each) && this.#emptyLinesAnswered-- <= 0) break;
      count++;
    }
    this.#emptyLinesAnswered = 0;
    this.#take(0, count);
    return answers;
  }

  add(exchange: Exchange): void {
    this.#exchanges.push(exchange);
    this.#textSize += textSizeOf(exchange);
    this.#later?.add(exchange);
  }

  /** Takes out so many of them. */
  #take(from: number, count: number): Exchange[] {
    const taken = this.#exchanges.splice(from, count);
    for (const exchange of taken) this.#textSize -= textSizeOf(exchange);
    return taken;
  }

  /** The first command sent that fulfils the test. */
  find(test: (exchange: SentExchange) => boolean): SentExchange | undefined {
    for (const exchange of this.#exchanges) {
      if (exchange.kind === 'sent' && test(exchange)) return exchange;
    }
    return undefined;
  }

  /** The first command sent: the server is to answer it next. */
  get next(): SentExchange | undefined {
    return this.find(() => true);
  }

  /** Whether this one's transfer is under way: it has had a preliminary reply. */
  isUnderWay(exchange: SentExchange): boolean {
    return this.#underWay && this.#exchanges[0] === exchange;
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
    const before = this.#indexAnsweredBy(code);
    this.#coming = this.answeredBy(code);
    this.#later = undefined;
    // 225 ends a transfer and its ABOR at once where no data connection had come (pyftpdlib).
    if (this.#underWay && code !== 225) return '';
    if (before > 0) this.#underWay = false;
    return answersOf(this.#take(0, Math.max(0, before)));
  }

  /** The client has a line that it may take for the end of the reply of several lines that is coming. */
  seemsEnded(): void {
    this.#later ??= new Set();
  }

  /**
   * Whether a line with this code ends the reply of several lines that began with another and has not ended yet, as
   * it can only be the answer to a command that was sent after that reply had seemed to end:
   *
   *     STOR file
   *              553-
   *              553- Not on this list.
   *              150 Opening BINARY mode data connection.      where curl takes it for ended
   *     PASV
   *              227 Entering Passive Mode (10,77,0,2,200,13)
   *
   * or as it lets a transfer begin that the reply seemed to refuse, the 150 above. A reply that may show the text of
   * files is never ended so: a user who writes the lines of it could write a 227 among them. If it is ended, the
   * exchanges before that command's own are forgotten; the relay's own answers among them stay, for `arrive`.
   */
  endsOpen(open: number, code: number): boolean {
    const exchange = this.#coming;
    if (exchange?.verb !== greeting && mayShowFiles(exchange?.verb, open)) return false;
    // A transfer that is under way does not begin again.
    const from = exchange ? this.#exchanges.indexOf(exchange) : 0;
    const first = from === 0 && this.#underWay ? 1 : from;
    const index = this.#exchanges.findIndex((each, at) => at >= first && isMark(each, code));
    const found = this.#exchanges[index];
    if (!found) return false;
    if (found === exchange) return open >= 400 && isTransfer(exchange);
    if (!this.#later?.has(found)) return false;
    const kept = this.#take(from, index - from).filter(({ kind }) => kind === 'answered');
    this.#exchanges.splice(from, 0, ...kept);
    for (const each of kept) this.#textSize += textSizeOf(each);
    if (from === 0) this.#underWay = false;
    return true;
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
    const [exchange] = this.#take(index, 1);
    if (exchange?.kind !== 'sent') return undefined;
    if (isEmptyLine(exchange))
      this.#emptyLinesAnswered = this.emptyLines === 0 ? 0 : this.#emptyLinesAnswered + 1;
    return exchange;
  }

  /** Takes out the relay's own answers whose turn has come. */
  takeAnswers(): string {
    const next = this.#exchanges.findIndex(({ kind }) => kind === 'sent');
    return answersOf(this.#take(0, next === -1 ? this.#exchanges.length : next));
  }

  /** -1 where no exchange that is outstanding can have this reply. */
  #indexAnsweredBy(code: number): number {
    const announced = this.#indexAnnounced(code);
    if (announced !== -1) return announced;
    if (!this.#underWay) {
      let isBehindSetUp = false;
      return this.#exchanges.findIndex((exchange) => {
        // An announcement is not given up for a reply that may belong to any command, such as a surplus one.
        if (mayAnswer(exchange, code) && (!isBehindSetUp || isMark(exchange, code))) return true;
        isBehindSetUp ||= mayAnnounce(exchange);
        return false;
      });
    }
    // A 120 is no transfer: what comes next is the greeting, or its refusal.
    const [head] = this.#exchanges;
    if (head?.kind === 'sent' && head.verb === greeting) return 0;
    // A transfer in progress never ends with "unknown command": Pure-FTPd sends that for commands that arrive
    // meanwhile.
    if (code >= 500 && code <= 504) {
      const next = this.#exchanges.findIndex(({ kind }, index) => index > 0 && kind === 'sent');
      if (next > 0) return next;
    }
    // During a transfer STAT is answered at once (RFC 959 section 4.1.3), and by some servers others are too.
    const outOfTurn = this.#exchanges.findIndex(
      (exchange, index) =>
        isOnlyFor(exchange, code) || (index > 0 && !mayEndTransfer(code) && isMark(exchange, code)),
    );
    return Math.max(0, outOfTurn);
  }

  /**
   * The exchange that a 227 or 229 belongs to: the first PASV or EPSV, best the one that has this very code, whatever
   * the server has left without an answer before it; but a command before it that may be answered with any text may
   * be answered with this. -1 for every other code, and where there is none of these.
   */
  #indexAnnounced(code: number): number {
    if (code !== 227 && code !== 229) return -1;
    let other = -1;
    for (const [index, exchange] of this.#exchanges.entries()) {
      if (exchange.kind !== 'sent' || (index === 0 && this.#underWay)) continue;
      if (exchange.verb === (code === 227 ? 'PASV' : 'EPSV')) return index;
      if (mayAnnounce(exchange)) other = other === -1 ? index : other;
      else if (maySayAnything(exchange.verb)) return other === -1 ? index : other;
    }
    return other;
  }
}

function textSizeOf(exchange: Exchange): number {
  return exchange.kind === 'sent' ? exchange.verb.length + exchange.argument.length : exchange.answer.length;
}

function answersOf(exchanges: readonly Exchange[]): string {
  return exchanges.map((exchange) => (exchange.kind === 'answered' ? exchange.answer : '')).join('');
}

/** Whether this code is the mark of a reply to this very command, while a transfer is under way. */
function isOnlyFor(exchange: Exchange, code: number): boolean {
  if (exchange.kind !== 'sent') return false;
  if (exchange.verb === 'STAT') return code >= 211 && code <= 213;
  return exchange.verb === 'ABOR' && code === 225;
}

/** Whether a transfer that is under way may end with this reply (RFC 959 section 5.4): with no other consent. */
function mayEndTransfer(code: number): boolean {
  return !isCompletion(code) || code === 226 || code === 250;
}

function isEmptyLine(exchange: Exchange): boolean {
  return exchange.kind === 'sent' && exchange.verb === '';
}

function isMark(exchange: Exchange, code: number): boolean {
  return exchange.kind === 'sent' && isMarkOf(exchange.verb, code);
}

/** Whether a 227 or 229 is what answers it. */
function mayAnnounce(exchange: Exchange): boolean {
  return exchange.kind === 'sent' && (exchange.verb === 'PASV' || exchange.verb === 'EPSV');
}

/**
 * Whether a reply with this code can be the reply to this command. Most commands may have any; more is known of those
 * whose pairing matters, or to which some servers do not reply: ProFTPD does not reply to an empty line, and some
 * servers answer a transfer and its ABOR with one reply.
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
    case 'EPSV':
      // Some servers answer one as if it were the other. `EPSV ALL` asks for a consent, 200 or 220, and no port.
      return (
        code === 227 ||
        code === 229 ||
        code >= 400 ||
        (isCompletion(code) && exchange.verb === 'EPSV' && isAll(exchange.argument))
      );
    default:
      return true;
  }
}

/** Whether this is `EPSV ALL`'s argument (RFC 2428 section 4). */
export function isAll(argument: string): boolean {
  return argument.trim().toUpperCase() === 'ALL';
}
