import type { CommandReason, Observer, ReplyReason, SessionReason, TransferCommand } from '../../events.ts';
import { parseCommand, type Command } from '../../ftp/command.ts';
import { Secrets, showBytes, showCommand, showReply } from '../../helper/redact.ts';
import type { TlsChannel } from '../../net/channel.ts';
import type { PortRange } from '../../net/port-range.ts';
import type { SessionEndpoints } from './endpoints.ts';

/** How much of a remarkable reply is logged. */
const longestRemark = 500;

/** Tells what happens in one session, with no secret in it. */
export class SessionEvents {
  readonly #session: number;
  readonly #endpoints: SessionEndpoints;
  readonly #observe: Observer;
  readonly #onLogin: () => void;
  #secrets: Secrets = new Secrets();
  readonly #started: number = performance.now();
  #hasLoggedIn = false;

  /** @param onLogin is called at the first login */
  constructor(
    session: number,
    endpoints: SessionEndpoints,
    observe: Observer,
    onLogin: () => void = () => undefined,
  ) {
    this.#onLogin = onLogin;
    this.#session = session;
    this.#endpoints = endpoints;
    this.#observe = observe;
  }

  /** A text of either side as it may be shown. */
  show(text: string): string {
    return showBytes(text, this.#secrets);
  }

  opened(): void {
    const { client, reached, server } = this.#endpoints;
    this.#observe({ type: 'session-opened', session: this.#session, client, reached, server });
  }

  /** A command has gone to the server, as it came or as another text. */
  forwarded(command: Command, text: string): void {
    const secrets = this.#secrets.with(command);
    this.#secrets = secrets;
    const received = once(() => showCommand(command, secrets));
    const sent = text === command.plain ? received : once(() => showCommand(parseCommand(text), secrets));
    this.#observe(new Dialogue('command', this.#session, received, sent));
  }

  /** A command was granted, and the server has not seen it. */
  answered(command: Command, reply: string): void {
    const session = this.#session;
    this.#observe({
      type: 'command',
      session,
      received: showCommand(command, this.#secrets),
      sent: undefined,
    });
    this.said(reply);
  }

  /** @param command ready to be shown */
  refused(command: string, reason: CommandReason, reply: string, detail?: string): void {
    const session = this.#session;
    const { client } = this.#endpoints;
    this.#observe({ type: 'command-refused', session, client, command, reason, reply, detail });
  }

  /** A line of the server's has gone to the client, as it came or as another text. */
  passed(line: string, text: string, inAnswerTo: string | undefined): void {
    const secrets = this.#secrets;
    const received = once(() => showReply(line, inAnswerTo, secrets));
    const sent = text === line ? received : once(() => showReply(text, inAnswerTo, secrets));
    this.#observe(new Dialogue('reply', this.#session, received, sent));
  }

  /** The client got a reply of the relay's own. */
  said(reply: string): void {
    this.#observe({ type: 'reply', session: this.#session, received: undefined, sent: reply });
  }

  /** @param lines of the reply, as they came */
  remarked(reason: ReplyReason, lines: readonly string[]): void {
    const reply = lines
      .map((line) => this.show(line))
      .join(' ')
      .slice(0, longestRemark);
    this.#observe({ type: 'reply-remarked', session: this.#session, reason, reply });
  }

  /** @param name as it was sent */
  named(name: string): void {
    this.#observe({ type: 'session-user', session: this.#session, user: this.show(name) });
  }

  loggedIn(): void {
    if (!this.#hasLoggedIn) this.#onLogin();
    this.#hasLoggedIn = true;
    const { client } = this.#endpoints;
    this.#observe({ type: 'session-logged-in', session: this.#session, client });
  }

  transferBegan(command: TransferCommand, size: number | undefined): void {
    this.#observe({ type: 'transfer-begun', session: this.#session, command, size });
  }

  loginFailed(code: number): void {
    const { client } = this.#endpoints;
    this.#observe({ type: 'login-failed', session: this.#session, client, code });
  }

  secured(side: 'client' | 'server', { facts }: TlsChannel): void {
    this.#observe({ type: 'session-secured', session: this.#session, side, ...facts });
  }

  cleared(): void {
    this.#observe({ type: 'session-cleared', session: this.#session });
  }

  /** @param unavailable ports of the range that somebody else has */
  becameOpaque(unavailable: readonly PortRange[]): void {
    this.#observe({ type: 'session-opaque', session: this.#session, unavailable });
  }

  /** @param error the system's own words where something failed */
  closed(reason: SessionReason, error: string | undefined): void {
    const session = this.#session;
    const { client } = this.#endpoints;
    const seconds = (performance.now() - this.#started) / 1000;
    this.#observe({ type: 'session-closed', session, client, reason, seconds, error });
  }
}

/**
 * A forwarded line. Its texts are made when they are read, and most often nobody reads them: a line is all that most
 * sessions are made of, and getters of an object literal would cost V8 a hidden class for each.
 */
class Dialogue<T extends 'command' | 'reply'> {
  readonly type: T;
  readonly session: number;
  readonly #received: () => string;
  readonly #sent: () => string;

  constructor(type: T, session: number, received: () => string, sent: () => string) {
    this.type = type;
    this.session = session;
    this.#received = received;
    this.#sent = sent;
  }

  get received(): string {
    return this.#received();
  }

  get sent(): string {
    return this.#sent();
  }
}

function once(make: () => string): () => string {
  let made: string | undefined;
  return () => (made ??= make());
}
