import type { Line } from '../../ftp/lines.ts';
import { isCompletion, isPreliminary } from '../../ftp/reply.ts';
import { isTransfer, isUpload } from '../../ftp/transfer.ts';
import { expectedSize } from '../../helper/announced-size.ts';
import type { ReplyDecision } from '../../helper/decision.ts';
import { greeting, type SentExchange } from '../../helper/exchange-queue.ts';
import { inspectReply, isInspected } from '../../helper/inspect-reply.ts';
import { showSent } from '../../helper/redact.ts';
import { replies } from '../../helper/replies.ts';
import { isLogin, isLoginFailure } from '../../helper/session-state.ts';
import { messageOf } from '../../net/error.ts';
import { well, type DataOutcome, type Pinhole } from '../../plane/plane.ts';
import type { ControlChannelListener } from './control-channel.ts';
import type { DirectionParts } from './directions.ts';
import { noPinholeReplies, whyNoPinhole } from './no-pinhole.ts';
import { addressForClient } from './pinhole-place.ts';
import { ServerReplies, type ReplyStep } from './server-replies.ts';

/** The server's side: has replies inspected that announce a data connection, and holds those that report on one. */
export class FromServer implements ControlChannelListener {
  readonly #parts: DirectionParts;
  readonly #greeted: () => void;
  readonly #replies: ServerReplies;
  #isForeignTold = false;
  /** The last reply asked for more of a log in (331, 332). */
  #wasHalf = false;
  /** The transfer that the client got an answer for in the server's place: the server's own is for nobody. */
  #disowned: SentExchange | undefined;

  /** @param greeted is told when the server has said its greeting, whatever that says */
  constructor(parts: DirectionParts, greeted: () => void) {
    this.#parts = parts;
    this.#greeted = greeted;
    const { exchanges } = parts.state;
    this.#replies = new ServerReplies(
      (code) => this.#begins(code),
      () => exchanges,
    );
  }

  line(line: Line): void {
    this.#parts.clock.touch();
    this.#pass(this.#replies.push(line));
  }

  turnEnded(): void {
    this.#parts.channels.flush();
  }

  ending(): void {
    this.#parts.pinholes.current?.hurry();
  }

  ended(rest: string): void {
    this.#pass(this.#replies.end());
    // What comes after it must not be taken for the rest of it.
    if (rest !== '') this.#parts.channels.client.send(`${rest}\r\n`);
    this.#parts.lifetime.serverEnded();
  }

  failed(error: Error): void {
    this.#parts.order.end();
    this.#parts.lifetime.serverFailed(error);
  }

  drained(): void {
    this.#parts.channels.serverDrained();
  }

  closed(): void {
    this.#parts.lifetime.connectionClosed();
  }

  /** What the server will not answer any more is answered first. Returns whether the reply is held until it is whole. */
  #begins(code: number): boolean {
    const { state, settings, channels } = this.#parts;
    channels.client.send(state.exchanges.arrive(code));
    return isInspected(code, state, settings.policy) || this.#speaksOfData(code);
  }

  /**
   * Whether a reply reports that a data connection is open, or that a transfer is over: that must be true for the
   * client too.
   */
  #speaksOfData(code: number): boolean {
    const { exchanges } = this.#parts.state;
    const exchange = exchanges.answeredBy(code);
    if (!exchange || exchange.verb === greeting) return false;
    return isTransfer(exchange) || isPreliminary(code) || exchanges.isUnderWay(exchange);
  }

  #pass(steps: readonly ReplyStep[]): void {
    const { state, settings, channels, events } = this.#parts;
    for (const step of steps) {
      switch (step.kind) {
        case 'piece':
          channels.client.send(step.text);
          // What follows from it follows from a reply that is too long to be held as well.
          if (step.ends !== undefined) this.#finalReply(step.ends, [], []);
          break;
        case 'unread':
          events.remarked('unread-announcement', [step.text]);
          break;
        case 'unusable':
          events.remarked('unusable-announcement', textsOf(step.lines));
          this.#passLines(step.lines, textsOf(step.lines));
          break;
        case 'lines':
          this.#passLines(step.lines, textsOf(step.lines));
          break;
        case 'last':
          this.#finalReply(step.code, step.lines, textsOf(step.lines));
          break;
        case 'whole':
          if (isInspected(step.code, state, settings.policy)) this.#announced(step.code, step.lines);
          else this.#replyToTransfer(step.code, step.lines);
          break;
      }
    }
  }

  // --- replies that speak of a data connection -----------------------------------------------------------

  /** The client sees the server's actions and replies, on two connections, in the server's order. */
  #replyToTransfer(code: number, lines: readonly Line[]): void {
    const { state, order } = this.#parts;
    const exchange = state.exchanges.answeredBy(code);
    if (exchange && exchange === this.#disowned && !this.#isForMore(code)) {
      if (!isPreliminary(code)) this.#disowned = undefined;
      this.#settle(code);
      return;
    }
    const pass = (outcome: DataOutcome): void => {
      this.#passReplyToTransfer(code, lines, exchange, outcome);
    };
    const outcome = this.#outcomeFor(code, exchange);
    if (outcome instanceof Promise) order.hold(outcome, pass);
    else pass(outcome);
  }

  /** Whether a reply to a transfer means more than its outcome: a goodbye, or the outcome of its ABOR as well. */
  #isForMore(code: number): boolean {
    return code === 421 || (this.#isAborted && (code === 225 || code === 226));
  }

  get #isAborted(): boolean {
    return this.#parts.state.exchanges.find(({ verb }) => verb === 'ABOR') !== undefined;
  }

  #outcomeFor(code: number, exchange: SentExchange | undefined): DataOutcome | Promise<DataOutcome> {
    const { channels, pinholes } = this.#parts;
    const pinhole = pinholes.current;
    // A client that has aborted it needs no more of it.
    if (!pinhole || !exchange || this.#isAborted) return well;
    if (channels.server.hasEnded) pinhole.hurry();
    if (isPreliminary(code)) return pinhole.connected();
    return pinhole.delivered({ isUpload: isUpload(exchange), isRefusal: !isCompletion(code) });
  }

  /** Success is never reported for a file that did not arrive. */
  #passReplyToTransfer(
    code: number,
    lines: readonly Line[],
    exchange: SentExchange | undefined,
    outcome: DataOutcome,
  ): void {
    if (outcome.kind === 'well' || code >= 400) {
      this.#finalReply(code, lines, textsOf(lines));
      return;
    }
    const isBegin = isPreliminary(code);
    const reason = isBegin ? 'data-connection-failed' : 'not-delivered';
    const reply = isBegin ? replies.clientUnreachable : replies.notDelivered;
    if (isBegin) this.#disowned = exchange;
    const detail = outcome.error === undefined ? outcome.cause : `${outcome.cause}: ${outcome.error}`;
    this.#parts.events.refused(exchange ? showSent(exchange) : '', reason, reply, detail);
    this.#replace(code, reply);
  }

  // --- replies that announce one -------------------------------------------------------------------------

  #announced(code: number, lines: readonly Line[]): void {
    const { state, settings, channels, events } = this.#parts;
    const decision = inspectReply(code, textsOf(lines), state, settings.policy);
    this.#remark(decision, lines);
    switch (decision.kind) {
      case 'replace': {
        const end = lines[0]?.end ?? '\r\n';
        this.#finalReply(
          code,
          decision.lines.map((text) => ({ text, end })),
          decision.lines,
        );
        break;
      }
      case 'refuse': {
        const { verb, endpoint } = decision.announcement;
        const detail = `the server announced port ${endpoint.port}`;
        events.refused(verb, decision.reason, replies.serverPortNotAllowed, detail);
        this.#replace(code, replies.serverPortNotAllowed);
        break;
      }
      case 'pass':
        this.#finalReply(code, lines, textsOf(lines));
        break;
      case 'expect':
        void channels.whileHeld(channels.server, () => this.#expect(code, lines, decision));
        break;
    }
  }

  /** An address that is not the server's is logged once per session. */
  #remark({ remark }: ReplyDecision, lines: readonly Line[]): void {
    if (!remark || (remark === 'foreign-address' && this.#isForeignTold)) return;
    this.#parts.events.remarked(remark, textsOf(lines));
    this.#isForeignTold ||= remark === 'foreign-address';
  }

  /** The pinhole first and the rewritten reply second. */
  async #expect(
    code: number,
    lines: readonly Line[],
    { announcement, rewrite }: ReplyDecision & { kind: 'expect' },
  ): Promise<void> {
    const { endpoints, settings, state, pinholes, tls, lifetime } = this.#parts;
    let pinhole: Pinhole;
    try {
      pinhole = await pinholes.open(announcement, tls.ofData);
    } catch (error) {
      if (!lifetime.isOver) this.#answerInstead(code, announcement.verb, whyNoPinhole(error), error);
      return;
    }
    if (lifetime.isOver) {
      pinhole.close('session-closed');
      return;
    }
    pinholes.expect(pinhole);
    // The transfer command may have been sent after its PASV in one segment.
    const transfer = state.exchanges.find(isTransfer);
    if (transfer) pinholes.serve(transfer);
    const address = addressForClient(endpoints, settings);
    this.#finalReply(code, lines, rewrite({ address, port: pinhole.at.port }));
  }

  // --- every reply ---------------------------------------------------------------------------------------

  /** Passes on the lines that end a reply, and what follows from it. */
  #finalReply(code: number, lines: readonly Line[], texts: readonly string[]): void {
    const { state, channels, pinholes, tls } = this.#parts;
    const verb = state.exchanges.answeredBy(code)?.verb;
    if (verb === 'AUTH') {
      tls.answered(code, () => {
        this.#passReply(code, lines, texts);
      });
      return;
    }
    const answersPort = (verb === 'PORT' || verb === 'EPRT') && !isPreliminary(code);
    const reserved = answersPort ? pinholes.reserved : undefined;
    if (reserved && isCompletion(code)) {
      void channels.whileHeld(channels.server, () => this.#arm(reserved, verb ?? '', code, lines, texts));
      return;
    }
    if (answersPort) pinholes.closeReserved('refused-by-server');
    this.#passReply(code, lines, texts);
  }

  /** The server has accepted a PORT: the pinhole first and the reply second. */
  async #arm(
    reserved: Pinhole,
    verb: string,
    code: number,
    lines: readonly Line[],
    texts: readonly string[],
  ): Promise<void> {
    const { pinholes, lifetime } = this.#parts;
    try {
      await reserved.arm();
    } catch (error) {
      if (lifetime.isOver) return;
      pinholes.closeReserved('rewrite-failed');
      this.#answerInstead(code, verb, 'plane-failed', error);
      return;
    }
    if (lifetime.isOver) return;
    pinholes.expect(reserved);
    this.#passReply(code, lines, texts);
  }

  /** The server has done its part and the plane has not: the client gets 425 in the place of the reply. */
  #answerInstead(code: number, verb: string, reason: 'no-free-port' | 'plane-failed', error: unknown): void {
    const reply = noPinholeReplies[reason];
    this.#parts.events.refused(verb, reason, reply, messageOf(error));
    this.#replace(code, reply);
  }

  /** Another reply replaces the server's. */
  #replace(code: number, reply: string): void {
    this.#parts.channels.client.send(`${reply}\r\n`);
    this.#settle(code);
  }

  #passReply(code: number, lines: readonly Line[], texts: readonly string[]): void {
    this.#passLines(lines, texts);
    this.#settle(code, lines[0]?.text);
  }

  #passLines(lines: readonly Line[], texts: readonly string[]): void {
    const { state, channels, events } = this.#parts;
    const inAnswerTo = state.exchanges.next?.verb;
    lines.forEach((line, index) => {
      const text = texts[index] ?? line.text;
      channels.client.send(text + line.end);
      events.passed(line.text, text, inAnswerTo);
    });
  }

  #transferBegins(command: SentExchange, text: string): void {
    const { state, pinholes, events } = this.#parts;
    const shown = pinholes.transferBegins(command, state);
    events.transferBegan(shown, expectedSize(command, text, state.fileSize, state.restartAt));
    state.fileSize = undefined;
  }

  /**
   * A whole reply has gone on, or its place was taken.
   *
   * @param text its first line, where it was the server's
   */
  #settle(code: number, text = ''): void {
    const { state, channels, pinholes, events, clock, penalties, tls, lifetime } = this.#parts;
    const answered = state.exchanges.answeredBy(code);
    // Whichever command this replies to: data is about to arrive.
    if (isPreliminary(code) && answered && answered.verb !== greeting) this.#transferBegins(answered, text);
    const wasUnderWay = answered !== undefined && state.exchanges.isUnderWay(answered);
    const { user, loggedIn } = state;
    const exchange = tls.settle(code, text);
    if (state.user !== undefined && state.user !== user) events.named(state.user);
    if (exchange && (wasUnderWay || isTransfer(exchange))) {
      if (wasUnderWay || isCompletion(code)) pinholes.transferEnded();
      else pinholes.transferRefused();
    }
    if (exchange?.verb === greeting) this.#greeted();
    if (isLoginFailure(exchange, code)) events.loginFailed(code);
    // 331 is only half a reply, and a password guesser gets many. Two in a row mean no progress.
    const isHalf = code >= 300 && code < 400 && !state.loggedIn;
    // Before the login nothing is earned by replies to no command either: whose server says them may have asked for them.
    if (!answered && !state.loggedIn) penalties.add(channels.server);
    else if (code < 400 && !isHalf) penalties.clear();
    else if (exchange && !state.loggedIn && (!isHalf || this.#wasHalf)) penalties.add(channels.server);
    this.#wasHalf = isHalf;
    if (state.loggedIn) {
      if (!loggedIn || isLogin(exchange, code)) events.loggedIn();
      clock.loggedIn();
    }
    channels.client.send(state.exchanges.takeAnswers());
    channels.client.release('reply');
    lifetime.finishIfDrained();
  }
}

function textsOf(lines: readonly Line[]): string[] {
  return lines.map(({ text }) => text);
}
