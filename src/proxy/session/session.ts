import { isUpload, type CommandReason, type Observer, type SessionReason } from '../../events.ts';
import { endOfSynch, parseCommand, type Command } from '../../ftp/command.ts';
import type { Line } from '../../ftp/lines.ts';
import { isCompletion, isPreliminary } from '../../ftp/reply.ts';
import type { Announcement, CommandDecision, ReplyDecision } from '../../helper/decision.ts';
import { greeting, isTransfer, type SentExchange } from '../../helper/exchange-queue.ts';
import { inspectCommand, inspectOverlong, otherProtocolReplies } from '../../helper/inspect-command.ts';
import { inspectReply, isInspected } from '../../helper/inspect-reply.ts';
import { showCommand, showSent } from '../../helper/redact.ts';
import {
  isCloseExplained,
  isLoginFailure,
  newSessionState,
  settleReply,
  type SessionState,
} from '../../helper/session-state.ts';
import { isBinary } from '../../helper/other-protocols.ts';
import { isTlsHello } from '../../helper/tls-hello.ts';
import type { Channel } from '../../net/channel.ts';
import { messageOf } from '../../net/error.ts';
import { isUnresponsive } from '../../net/keepalive.ts';
import {
  NoFreePortError,
  well,
  type DataOutcome,
  type OpenRange,
  type Pinhole,
  type PinholeRequest,
  type RangePlane,
} from '../../plane/plane.ts';
import { ControlChannel, type ControlChannelListener } from './control-channel.ts';
import {
  addressForClient,
  addressForServer,
  placeForClient,
  placeForServer,
  type PinholePlace,
} from './pinhole-place.ts';
import { Refusals } from './refusals.ts';
import { ServerReplies, type ReplyStep } from './server-replies.ts';
import { SessionClock } from './clock.ts';
import type { SessionEndpoints } from './endpoints.ts';
import { SessionEvents } from './events.ts';
import { SessionPinholes } from './pinholes.ts';
import type { TlsPlan } from './tls-plan.ts';
import type { SessionSettings } from './settings.ts';
import { SessionTls } from './tls.ts';
import type { Turns } from './turns.ts';

/** The two control connections of a session, established and paused. */
export interface SessionChannels {
  readonly client: Channel;
  readonly server: Channel;
  /** What has been read of the server's already, one character a byte. */
  readonly greeting?: string | undefined;
}

/** What all sessions share. */
export interface SessionHost {
  readonly plane: RangePlane;
  readonly turns: Turns;
  readonly observe: Observer;
}

/** What is told of a session, each once at most. */
interface SessionEnds {
  /** The server has said its greeting, whatever that says. */
  readonly greeted: () => void;
  /** Both control connections are closed. */
  readonly over: () => void;
}

/**
 * One client's control connection and the connection to the server made for it: reads lines, has them
 * inspected, does what was decided. It owns both sockets and its pinholes, until both sockets are closed.
 */
export class Session {
  readonly #id: number;
  readonly #endpoints: SessionEndpoints;
  readonly #settings: SessionSettings;
  readonly #plane: RangePlane;
  readonly #events: SessionEvents;
  readonly #greeted: () => void;
  readonly #over: () => void;
  readonly #state: SessionState;
  readonly #client: ControlChannel;
  readonly #server: ControlChannel;
  readonly #replies: ServerReplies = new ServerReplies(
    (code) => this.#replyBegins(code),
    () => this.#state.exchanges,
  );
  readonly #pinholes: SessionPinholes;
  readonly #clock: SessionClock;
  readonly #refusals: Refusals;
  readonly #tls: SessionTls;
  #openSockets = 2;
  #clientEnded = false;
  #draining = false;
  #foreignTold = false;
  #hasWaitedForTurn = false;
  /** Lets the reply go on that is held for the sake of its order, whatever it waits for. */
  #endWaiting: () => void = () => undefined;
  /** The transfer that the client got an answer for in the server's place: the server's own is for nobody. */
  #disowned: SentExchange | undefined;
  #emptyLines: NodeJS.Timeout | undefined;
  #penalty: NodeJS.Timeout | undefined;
  #reason: SessionReason | undefined;
  #error: string | undefined;

  constructor(
    id: number,
    channels: SessionChannels,
    endpoints: SessionEndpoints,
    settings: SessionSettings,
    security: TlsPlan,
    { plane, turns, observe }: SessionHost,
    { greeted, over }: SessionEnds,
  ) {
    this.#id = id;
    this.#endpoints = endpoints;
    this.#settings = settings;
    this.#refusals = new Refusals(settings.maxRefusals);
    this.#plane = plane;
    this.#events = new SessionEvents(id, endpoints, observe);
    this.#over = over;
    this.#greeted = greeted;
    const { client, reached, server } = endpoints;
    this.#state = newSessionState(
      { client: client.address, server: server.address, reached: reached.address },
      { client: channels.client.kind === 'tls', server: channels.server.kind === 'tls' },
    );
    const ofClient: ControlChannelListener = {
      tellsUrgent: true,
      begins: (byte) => {
        this.#clientBegins(byte);
      },
      line: (line, isUrgent) => {
        this.#clientLine(line, isUrgent);
      },
      turnEnded: () => {
        this.#flush();
      },
      ending: () => {
        // There is no more of it to come: who has gone is not made to wait.
        this.#endPenalty();
      },
      ended: () => {
        // A command without its end is none, and might be a PORT that nobody inspected: it goes no further.
        this.#clientEnded = true;
        this.#server.end();
      },
      failed: (error) => {
        this.#clientFailed(error);
      },
      drained: () => {
        this.#client.release('client-drain');
        this.#server.release('client-drain');
      },
      closed: () => {
        this.#socketClosed();
      },
    };
    this.#client = new ControlChannel(channels.client, ofClient, turns);
    const ofServer: ControlChannelListener = {
      line: (line) => {
        this.#serverLine(line);
      },
      turnEnded: () => {
        this.#flush();
      },
      ending: () => {
        this.#pinholes.current?.hurry();
      },
      ended: (rest) => {
        this.#serverEnded(rest);
      },
      failed: (error) => {
        this.#endWaiting();
        const reason = isUnresponsive(error) ? 'server-unresponsive' : 'server-reset';
        this.#serverGone(reason, messageOf(error));
      },
      drained: () => {
        this.#client.release('server-drain');
      },
      closed: () => {
        this.#socketClosed();
      },
    };
    this.#server = new ControlChannel(channels.server, ofServer, turns, channels.greeting);
    this.#pinholes = new SessionPinholes(() => {
      this.#clock.touch();
      this.#finishIfDrained();
    });
    this.#clock = new SessionClock(settings.loginTimeout, () => {
      this.#finish('login-timeout', '421 Login timeout.');
    });
    this.#tls = this.#newTls(security);
    this.#events.opened();
    if (channels.server.kind === 'tls') this.#events.secured('server', channels.server);
    if (channels.client.kind === 'tls') this.#events.secured('client', channels.client);
    this.#server.start();
    this.#client.start();
  }

  #newTls(security: TlsPlan): SessionTls {
    const parts = {
      client: this.#client,
      server: this.#server,
      state: this.#state,
      pinholes: this.#pinholes,
      settings: this.#settings,
      events: this.#events,
    };
    return new SessionTls(security, parts, {
      isOver: () => this.#reason !== undefined,
      finish: (reason, reply, error) => {
        this.#finish(reason, reply, error);
      },
      flush: () => {
        this.#flush();
      },
      openRange: (opened, failed) => {
        this.#openRange(opened, failed);
      },
      becameOpaque: () => {
        this.#clock.stop();
        return this.#clock.left;
      },
      closed: (reason, error) => {
        this.#closed(reason, error);
      },
    });
  }

  /** Ends the session as soon as no transfer is under way. */
  drain(): void {
    this.#draining = true;
    this.#finishIfDrained();
  }

  /** Ends the session now. */
  shutDown(): void {
    this.#finish('shutdown', '421 Service closing control connection.');
  }

  // --- from the client -----------------------------------------------------------------------------------

  #clientBegins(byte: number): void {
    if (isBinary(byte)) {
      const reply = otherProtocolReplies['not-ftp'];
      const isHello = isTlsHello(byte) && !this.#state.security.client;
      if (isHello) this.#finish('tls-on-clear-port', undefined, tlsOnClearPort);
      else this.#finish('not-ftp', reply);
    }
  }

  #clientLine(line: Line, isUrgent: boolean): void {
    this.#clock.touch();
    if (line.piece === 'more') return;
    const command = parseCommand(line.text);
    const isOverlong = line.piece === 'first';
    const decision = isOverlong
      ? inspectOverlong(command, this.#state)
      : inspectCommand(command, this.#state, this.#settings.policy);
    if (decision.kind === 'wait') {
      this.#client.putBack();
      this.#client.hold('reply');
      this.#limitEmptyLines();
      return;
    }
    // Behind an empty line another protocol may still begin.
    this.#state.begun ||= command.verb !== '';
    switch (decision.kind) {
      case 'pass':
        if (!isUrgent && isSynched(command) && this.#waitsForTurn()) return;
        this.#forward(command, decision.rewritten ?? line.text, isUrgent || this.#isSignalled(command));
        break;
      case 'expect':
        this.#expectActive(command, decision);
        break;
      case 'refuse':
        this.#refuse(isOverlong ? '****' : showCommand(command), decision.reason, decision.reply);
        break;
      case 'answer':
        this.#tls.grant(command, decision);
        break;
      case 'secure':
        if (this.#tls.begin(command, decision)) this.#forward(command, line.text);
        break;
      case 'clear':
        this.#tls.clear(command);
        break;
      case 'close':
        this.#events.refused(showCommand(command), decision.reason, decision.reply);
        this.#finish(decision.reason, decision.reply);
        break;
    }
  }

  #forward(command: Command, text: string, isUrgent = false): void {
    const { verb, argument } = command;
    this.#state.exchanges.add({ kind: 'sent', verb, argument });
    if (isUrgent) this.#sendUrgent(command, text);
    else this.#server.send(`${text}\r\n`);
    if (isTransfer(command)) this.#pinholes.serve({ verb, path: this.#events.show(argument) });
    this.#events.forwarded(command, text);
    // What it waits for the client wants no more, or will not see.
    if (verb === 'ABOR' || verb === 'QUIT') this.#endWaiting();
  }

  /**
   * Where the urgent byte of a Synch was the first to be read, the system tells of it by a signal alone, which comes in
   * this turn behind the bytes. Returns whether the line is told again in the next.
   */
  #waitsForTurn(): boolean {
    this.#hasWaitedForTurn = !this.#hasWaitedForTurn;
    if (!this.#hasWaitedForTurn) return false;
    this.#client.putBack();
    this.#client.hold('turn');
    setImmediate(() => {
      this.#client.release('turn');
    });
    return true;
  }

  /** Whether it is behind a Synch that was urgent, as far as that is known: one that came in line goes on so. */
  #isSignalled(command: Command): boolean {
    const { urgent } = this.#client;
    return isSynched(command) && (urgent.wereSignalled || !urgent.areSeen);
  }

  /**
   * A server that is busy with a transfer may read no command unless urgent data tells it to (vsftpd, `async_abor_enable`).
   * Where none can be sent, the transfer is cut off here, if the server does not end it itself.
   */
  #sendUrgent({ verb }: Command, text: string): void {
    const end = endOfSynch(`${text}\r\n`);
    const isSent = this.#server.sendUrgent(`${text}\r\n`.slice(0, end));
    this.#server.send(`${text}\r\n`.slice(end));
    const pinhole = this.#pinholes.current;
    if (isSent || verb !== 'ABOR' || !pinhole) return;
    setTimeout(() => {
      if (this.#state.exchanges.find((exchange) => exchange.verb === 'ABOR')) pinhole.abort('aborted');
    }, abortPatience).unref();
  }

  /** Answers a command in its turn; the server never sees it. */
  #refuse(command: string, reason: CommandReason, reply: string, detail?: string): void {
    this.#events.refused(command, reason, reply, detail);
    this.#state.exchanges.add({ kind: 'answered', answer: `${reply}\r\n` });
    this.#sendAnswers();
    this.#limitEmptyLines();
    this.#makePay(this.#client);
  }

  #endPenalty(): void {
    this.#client.release('penalty');
    this.#server.release('penalty');
  }

  /** Some servers (vsftpd, ProFTPD) say nothing to an empty line: what waits behind one is not to wait for long. */
  #limitEmptyLines(): void {
    if (this.#emptyLines || !this.#state.exchanges.waitsForEmptyLine) return;
    this.#emptyLines = setTimeout(() => {
      this.#emptyLines = undefined;
      if (this.#reason) return;
      this.#client.send(this.#state.exchanges.forgetEmptyLines());
      this.#client.release('reply');
      this.#flush();
    }, emptyLinePatience).unref();
  }

  /**
   * A client that earns nothing but refusals is read more and more slowly, and sent away in the end.
   *
   * @param from whose refusal it was: no other comes before its time
   */
  #makePay(from: ControlChannel): void {
    const delay = this.#refusals.add();
    if (delay === undefined) {
      const error = `${this.#refusals.count} refusals in a row`;
      this.#finish('too-many-refusals', '421 Too many commands were refused.', error);
    } else if (delay > 0 && !this.#client.hasEnded) {
      this.#client.hold('penalty');
      from.hold('penalty');
      clearTimeout(this.#penalty);
      this.#penalty = setTimeout(() => {
        this.#endPenalty();
      }, delay).unref();
    }
  }

  /** The pinhole first and the rewritten PORT second: on failure nothing has reached the server. */
  #expectActive(command: Command, { announcement, rewrite }: CommandDecision & { kind: 'expect' }): void {
    const place = placeForServer(this.#endpoints, this.#settings, announcement.endpoint);
    const opened = (pinhole: Pinhole): void => {
      this.#pinholes.reserve(pinhole);
      const address = addressForServer(this.#endpoints, this.#settings);
      const text = rewrite({ address, port: pinhole.at.port });
      const sent = parseCommand(text);
      this.#state.exchanges.add({ kind: 'sent', verb: sent.verb, argument: sent.argument });
      this.#server.send(`${text}\r\n`);
      this.#events.forwarded(command, text);
    };
    this.#open(this.#client, announcement, place, opened, (error) => {
      const reason = whyNoPinhole(error);
      this.#refuse(showCommand(command), reason, noPinhole(reason), messageOf(error));
    });
  }

  #clientFailed(error: Error): void {
    if (this.#reason) return;
    this.#reason = this.#whyClientWent(isUnresponsive(error) ? 'client-unresponsive' : 'client-reset');
    if (this.#reason !== 'quit') this.#error = messageOf(error);
    this.#server.reset();
  }

  /** A client that has said goodbye may go first. */
  #whyClientWent(otherwise: SessionReason): SessionReason {
    return this.#state.goodbye === 'quit' ? 'quit' : otherwise;
  }

  // --- from the server -----------------------------------------------------------------------------------

  #serverLine(line: Line): void {
    this.#clock.touch();
    this.#passSteps(this.#replies.push(line));
  }

  /** What the server will not answer any more is answered first. Returns whether the reply is held until it is whole. */
  #replyBegins(code: number): boolean {
    this.#client.send(this.#state.exchanges.arrive(code));
    return isInspected(code, this.#state, this.#settings.policy) || this.#speaksOfData(code);
  }

  /** Whether a reply says that a data connection stands, or that a transfer is over: that has to be so for the client. */
  #speaksOfData(code: number): boolean {
    const exchange = this.#state.exchanges.answeredBy(code);
    if (!exchange || exchange.verb === greeting) return false;
    return isTransfer(exchange) || isPreliminary(code) || this.#state.exchanges.isUnderWay(exchange);
  }

  #passSteps(steps: readonly ReplyStep[]): void {
    for (const step of steps) {
      switch (step.kind) {
        case 'piece':
          this.#client.send(step.text);
          // What follows from it follows from a reply that is too long to be held as well.
          if (step.ends !== undefined) this.#finalReply(step.ends, [], []);
          break;
        case 'unread':
          this.#events.remarked('unread-announcement', [step.text]);
          break;
        case 'unusable':
          this.#events.remarked('unusable-announcement', textsOf(step.lines));
          this.#passReply(step.lines, textsOf(step.lines));
          break;
        case 'lines':
          this.#passReply(step.lines, textsOf(step.lines));
          break;
        case 'last':
          this.#finalReply(step.code, step.lines, textsOf(step.lines));
          break;
        case 'whole':
          if (isInspected(step.code, this.#state, this.#settings.policy)) {
            this.#announced(step.code, step.lines);
          } else {
            this.#replyToTransfer(step.code, step.lines);
          }
          break;
      }
    }
  }

  /** What one server says and does in an order, on two connections, its client sees in that order. */
  #replyToTransfer(code: number, lines: readonly Line[]): void {
    const exchange = this.#state.exchanges.answeredBy(code);
    if (exchange && exchange === this.#disowned && !this.#isForMore(code)) {
      if (!isPreliminary(code)) this.#disowned = undefined;
      this.#settle(code);
      return;
    }
    const pass = (outcome: DataOutcome): void => {
      this.#passReplyToTransfer(code, lines, exchange, outcome);
    };
    const outcome = this.#outcomeFor(code, exchange);
    if (outcome instanceof Promise) this.#whenInOrder(outcome, pass);
    else pass(outcome);
  }

  /** Whether a reply to a transfer says more than what became of that: goodbye, or the same of its ABOR, at once with it. */
  #isForMore(code: number): boolean {
    if (code === 421) return true;
    const isAborted = this.#state.exchanges.find(({ verb }) => verb === 'ABOR') !== undefined;
    return isAborted && (code === 225 || code === 226);
  }

  #outcomeFor(code: number, exchange: SentExchange | undefined): DataOutcome | Promise<DataOutcome> {
    const pinhole = this.#pinholes.current;
    // A client that has aborted it wants no more of it.
    if (!pinhole || !exchange || this.#state.exchanges.find(({ verb }) => verb === 'ABOR')) return well;
    if (this.#server.hasEnded) pinhole.hurry();
    if (isPreliminary(code)) return pinhole.connected();
    return pinhole.delivered({ isUpload: isUpload(exchange), isRefusal: !isCompletion(code) });
  }

  /** Nothing more of the server's goes on before that is known; ABOR, QUIT and the end of the server make it go on. */
  #whenInOrder(outcome: Promise<DataOutcome>, pass: (outcome: DataOutcome) => void): void {
    let isOver = false;
    const end = (known: DataOutcome): void => {
      if (isOver) return;
      isOver = true;
      this.#endWaiting = () => undefined;
      if (!this.#reason) pass(known);
      this.#server.release('order');
      this.#flush();
    };
    this.#server.hold('order');
    this.#endWaiting = () => {
      end(well);
    };
    void outcome.then(end);
  }

  /** No success is said of a file that did not arrive. */
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
    const reply = isBegin
      ? '425 Unable to build data connection.'
      : '426 Data connection closed, transfer aborted.';
    if (isBegin) this.#disowned = exchange;
    const detail = outcome.error === undefined ? outcome.cause : `${outcome.cause}: ${outcome.error}`;
    this.#events.refused(exchange ? showSent(exchange) : '', reason, reply, detail);
    this.#client.send(`${reply}\r\n`);
    this.#settle(code);
  }

  /** The pinhole first and the rewritten reply second. */
  #announced(code: number, lines: readonly Line[]): void {
    const decision = inspectReply(code, textsOf(lines), this.#state, this.#settings.policy);
    if (decision.remark === 'foreign-address') {
      if (!this.#foreignTold) this.#events.remarked(decision.remark, textsOf(lines));
      this.#foreignTold = true;
    } else if (decision.remark) {
      this.#events.remarked(decision.remark, textsOf(lines));
    }
    if (decision.kind === 'replace') {
      const end = lines[0]?.end ?? '\r\n';
      this.#finalReply(
        code,
        decision.lines.map((text) => ({ text, end })),
        decision.lines,
      );
      return;
    }
    if (decision.kind === 'refuse') {
      const { verb, endpoint } = decision.announcement;
      const detail = `the server announced port ${endpoint.port}`;
      this.#events.refused(verb, decision.reason, noWayThere, detail);
      this.#client.send(`${noWayThere}\r\n`);
      this.#settle(code);
      return;
    }
    if (decision.kind === 'pass') this.#finalReply(code, lines, textsOf(lines));
    else this.#expectPassive(code, lines, decision);
  }

  #expectPassive(
    code: number,
    lines: readonly Line[],
    { announcement, rewrite }: ReplyDecision & { kind: 'expect' },
  ): void {
    const place = placeForClient(this.#endpoints, this.#settings, announcement.endpoint.port);
    const opened = (pinhole: Pinhole): void => {
      this.#pinholes.expect(pinhole);
      // The transfer may have been sent behind its PASV in one segment.
      const transfer = this.#state.exchanges.find(isTransfer);
      if (transfer) pinhole.serve({ verb: transfer.verb, path: this.#events.show(transfer.argument) });
      const address = addressForClient(this.#endpoints, this.#settings);
      this.#finalReply(code, lines, rewrite({ address, port: pinhole.at.port }));
    };
    this.#open(this.#server, announcement, place, opened, (error) => {
      this.#answerInstead(code, announcement.verb, whyNoPinhole(error), error);
    });
  }

  /** Passes on the lines that end a reply, and what follows from it. */
  #finalReply(code: number, lines: readonly Line[], texts: readonly string[]): void {
    const verb = this.#state.exchanges.answeredBy(code)?.verb;
    if (verb === 'AUTH') {
      this.#tls.answered(code, () => {
        this.#passReply(lines, texts);
        this.#settle(code);
      });
      return;
    }
    const answersPort = (verb === 'PORT' || verb === 'EPRT') && !isPreliminary(code);
    const reserved = answersPort ? this.#pinholes.reserved : undefined;
    if (!reserved || !isCompletion(code)) {
      if (answersPort) this.#pinholes.closeReserved('refused-by-server');
      this.#passReply(lines, texts);
      this.#settle(code);
      return;
    }
    const armed = (): void => {
      this.#pinholes.expect(reserved);
      this.#passReply(lines, texts);
      this.#settle(code);
    };
    this.#whileHeld(this.#server, reserved.arm(), armed, (error) => {
      this.#pinholes.closeReserved('rewrite-failed');
      this.#answerInstead(code, verb ?? '', 'plane-failed', error);
    });
  }

  /** The server has done its part and the plane has not: the client gets 425 in the place of the reply. */
  #answerInstead(code: number, verb: string, reason: 'no-free-port' | 'plane-failed', error: unknown): void {
    const reply = noPinhole(reason);
    this.#events.refused(verb, reason, reply, messageOf(error));
    this.#client.send(`${reply}\r\n`);
    this.#settle(code);
  }

  #passReply(lines: readonly Line[], texts: readonly string[]): void {
    const inAnswerTo = this.#state.exchanges.find(() => true)?.verb;
    lines.forEach((line, index) => {
      const text = texts[index] ?? line.text;
      this.#client.send(text + line.end);
      this.#events.passed(line.text, text, inAnswerTo);
    });
  }

  /** A whole reply has gone on, or its place was taken. */
  #settle(code: number): void {
    if (isPreliminary(code)) this.#transferBegins(code);
    const answered = this.#state.exchanges.answeredBy(code);
    const wasUnderWay = answered !== undefined && this.#state.exchanges.isUnderWay(answered);
    const exchange = this.#tls.watch(() => settleReply(this.#state, code));
    if (exchange && (wasUnderWay || isTransfer(exchange))) {
      if (wasUnderWay || isCompletion(code)) this.#pinholes.transferEnded();
      else this.#pinholes.transferRefused();
    }
    if (exchange?.verb === greeting) this.#greeted();
    if (isLoginFailure(exchange, code)) {
      this.#events.loginFailed(code);
    }
    // 331 is no more than half an answer, and whoever guesses passwords gets many.
    if (code < 300 || (code < 400 && this.#state.loggedIn)) this.#refusals.clear();
    else if (code >= 400 && exchange && !this.#state.loggedIn) this.#makePay(this.#server);
    if (this.#state.loggedIn) this.#clock.loggedIn(this.#settings.idleTimeout, () => this.#idle());
    this.#sendAnswers();
    this.#client.release('reply');
    this.#finishIfDrained();
  }

  /** Whatever the command is that the server says this of: data is about to come. */
  #transferBegins(code: number): void {
    const exchange = this.#state.exchanges.answeredBy(code);
    if (!exchange || exchange.verb === greeting) return;
    this.#pinholes.serve({ verb: exchange.verb, path: this.#events.show(exchange.argument) });
    this.#pinholes.current?.accept();
  }

  #sendAnswers(): void {
    this.#client.send(this.#state.exchanges.takeAnswers());
  }

  #serverEnded(rest: string): void {
    this.#passSteps(this.#replies.end());
    // What comes behind it must not be taken for the rest of it.
    if (rest !== '') this.#client.send(`${rest}\r\n`);
    if (this.#clientEnded) this.#finish(this.#whyClientWent('client-closed'));
    else if (isCloseExplained(this.#state))
      this.#finish(this.#state.goodbye === 'quit' ? 'quit' : 'server-closed');
    else this.#serverGone('server-closed');
  }

  /** The server went without a word: the client gets one. */
  #serverGone(reason: SessionReason, error?: string): void {
    this.#finish(reason, '421 Service not available, the server closed the control connection.', error);
  }

  // --- both ----------------------------------------------------------------------------------------------

  /** Opens a pinhole while `held` tells no line. */
  #open(
    held: ControlChannel,
    { mode, verb, endpoint }: Announcement,
    place: PinholePlace,
    opened: (pinhole: Pinhole) => void,
    failed: (error: unknown) => void,
  ): void {
    const request: PinholeRequest = {
      session: this.#id,
      mode,
      command: verb,
      preferredPort: endpoint.port,
      timeout: this.#settings.expectTimeout,
      protection: this.#tls.protection,
      isClearAgreed: this.#tls.isClearAgreed,
      owner: this.#pinholes,
      ...place,
    };
    const opening = this.#plane.open(request).catch((error: unknown) => {
      // The one that this replaces may have the last port.
      if (error instanceof NoFreePortError && this.#pinholes.makeRoom()) return this.#plane.open(request);
      throw error;
    });
    this.#whileHeld(held, opening, opened, failed, (pinhole) => {
      pinhole.close('session-closed');
    });
  }

  /** Opens the range of ports that an opaque session may use. */
  #openRange(opened: (range: OpenRange) => void, failed: (error: unknown) => void): void {
    const { client, reached, server } = this.#endpoints;
    const opening = this.#plane.openRange({
      session: this.#id,
      peer: client.address,
      address: reached.address,
      ports: this.#settings.passivePorts,
      to: server.address,
      isOpen: () => this.#tls.mayHaveLoggedIn,
      owner: this.#pinholes,
    });
    this.#whileHeld(this.#server, opening, opened, failed, (range) => {
      range.close();
    });
  }

  /**
   * What the plane does takes a moment: `held` tells no line until then. A session that ends meanwhile does not learn
   * of it any more: `late` takes it back.
   */
  #whileHeld<T>(
    held: ControlChannel,
    work: Promise<T>,
    done: (result: T) => void,
    failed: (error: unknown) => void,
    late: (result: T) => void = () => undefined,
  ): void {
    held.hold('pinhole');
    work
      .then(
        (result) => {
          if (this.#reason) late(result);
          else done(result);
        },
        (error: unknown) => {
          if (!this.#reason) failed(error);
        },
      )
      .finally(() => {
        held.release('pinhole');
        this.#flush();
      });
  }

  /** A peer that does not read what is written for it holds back whoever causes it to be written. */
  #flush(): void {
    if (!this.#server.flush()) this.#client.hold('server-drain');
    if (!this.#client.flush()) {
      this.#server.hold('client-drain');
      this.#client.hold('client-drain');
    }
  }

  /** Returns whether the session lives on all the same: an open data channel is its life, however silent it is. */
  #idle(): boolean {
    if (this.#pinholes.hasOpenChannel) return true;
    this.#finish('idle-timeout', '421 Idle timeout.');
    return false;
  }

  #finishIfDrained(): void {
    if (!this.#draining || this.#pinholes.hasOpenChannel) return;
    if (!this.#state.exchanges.find(isTransfer)) this.shutDown();
  }

  #finish(reason: SessionReason, reply?: string, error?: string): void {
    this.#error ??= error;
    if (this.#reason) return;
    this.#reason = reason;
    this.#clock.stop();
    if (this.#tls.abortOpaque()) return;
    if (reply !== undefined) {
      this.#events.said(reply);
      this.#client.send(`${reply}\r\n`);
    }
    this.#client.finish();
    this.#server.finish();
    this.#pinholes.close();
  }

  #socketClosed(): void {
    if (--this.#openSockets === 0) this.#closed(this.#whyClientWent('client-closed'));
  }

  /** @param reason where none is known yet */
  #closed(reason: SessionReason, error?: string): void {
    this.#clock.stop();
    this.#pinholes.close();
    this.#reason ??= reason;
    this.#error ??= error;
    this.#events.closed(this.#reason, this.#error);
    this.#over();
  }
}

/** Whether it is an ABOR behind Telnet's sequences, which are to be urgent (RFC 959 section 4.1.3), and often are not. */
function isSynched({ verb, telnet }: Command): boolean {
  return verb === 'ABOR' && telnet !== '';
}

/** How long a server that heard of an ABOR as of any command may take to act on it, in milliseconds. */
const abortPatience = 500;

/** How long a server may take to answer an empty line that something waits behind, in milliseconds. */
const emptyLinePatience = 1000;

const tlsOnClearPort =
  'a TLS handshake came where FTP begins in clear: the client has to be set to explicit FTPS (AUTH TLS), ' +
  'or listen-tls to a port for implicit FTPS';

function textsOf(lines: readonly Line[]): string[] {
  return lines.map(({ text }) => text);
}

function whyNoPinhole(error: unknown): 'no-free-port' | 'plane-failed' {
  return error instanceof NoFreePortError ? 'no-free-port' : 'plane-failed';
}

const noWayThere = '425 Cannot open data connection, the port of the server is not allowed.';

function noPinhole(reason: 'no-free-port' | 'plane-failed'): string {
  return reason === 'no-free-port'
    ? '425 Cannot open data connection, no free port at the relay.'
    : '425 Cannot open data connection.';
}
