import type { SessionReason } from '../../events.ts';
import { isTransfer } from '../../ftp/transfer.ts';
import { replies } from '../../helper/replies.ts';
import { isCloseExplained } from '../../helper/session-state.ts';
import { messageOf } from '../../net/error.ts';
import { isUnresponsive } from '../../net/keepalive.ts';
import type { SessionParts } from './parts.ts';

/** How a session ends: once, for its first reason, which is reported when both control connections are closed. */
export class Lifetime {
  readonly #parts: SessionParts;
  readonly #over: () => void;
  #openConnections = 2;
  #clientHasEnded = false;
  #isDraining = false;
  /** Both control connections, where the session has become opaque. */
  #opaque: { abort(cause: 'shutdown'): void } | undefined;
  #reason: SessionReason | undefined;
  #error: string | undefined;

  /** @param over is told when both control connections are closed */
  constructor(parts: SessionParts, over: () => void) {
    this.#parts = parts;
    this.#over = over;
  }

  /** Whether the session ends already: nothing follows any more. */
  get isOver(): boolean {
    return this.#reason !== undefined;
  }

  /** Ends the session as soon as no transfer is under way. */
  drain(): void {
    this.#isDraining = true;
    this.finishIfDrained();
  }

  finishIfDrained(): void {
    const { pinholes, state } = this.#parts;
    if (!this.#isDraining || pinholes.hasOpenChannel) return;
    if (!state.exchanges.find(isTransfer)) this.shutDown();
  }

  /** Ends the session now. */
  shutDown(): void {
    this.finish('shutdown', replies.shutdown);
  }

  /**
   * Ends the session and its transfers at an administrator's request.
   *
   * @returns how many data connections live on, as the kernel carries them
   */
  closeByAdministrator(): number {
    this.finish('closed-by-administrator', replies.closedByAdministrator);
    return this.#parts.pinholes.abort('closed-by-administrator');
  }

  endLoop(): void {
    this.finish('loop', replies.loop);
  }

  loginIsLate(): void {
    this.finish('login-timeout', replies.loginTimeout);
  }

  /** Returns whether the session lives on all the same: an open data channel is its life, however silent it is. */
  wasSilent(): boolean {
    if (this.#parts.pinholes.hasOpenChannel) return true;
    this.finish('idle-timeout', replies.idleTimeout);
    return false;
  }

  /**
   * Ends the session.
   *
   * @param reply for the client
   * @param error the system's own words where something failed
   */
  finish(reason: SessionReason, reply?: string, error?: string): void {
    this.#error ??= error;
    if (this.#reason) return;
    this.#reason = reason;
    const { clock, events, channels, pinholes } = this.#parts;
    clock.stop();
    if (this.#opaque) {
      this.#opaque.abort('shutdown');
      return;
    }
    if (reply !== undefined) {
      events.said(reply);
      channels.client.endLine();
      channels.client.send(`${reply}\r\n`);
    }
    channels.client.finish();
    channels.server.finish();
    pinholes.close();
  }

  // --- what becomes of the two control connections -------------------------------------------------------

  clientEnded(): void {
    // A command without its end is none, and might be a PORT that nobody inspected: it goes no further.
    this.#clientHasEnded = true;
    this.#parts.channels.server.end();
  }

  clientFailed(error: Error): void {
    if (this.#reason) return;
    this.#reason = this.#whyClientWent(isUnresponsive(error) ? 'client-unresponsive' : 'client-reset');
    if (this.#reason !== 'quit') this.#error = messageOf(error);
    this.#parts.channels.server.reset();
  }

  serverEnded(): void {
    const { channels, state } = this.#parts;
    // An earlier FIN of a peer may not have been reported yet.
    const isClientDone = channels.client.hasEnded && !channels.client.hasWaiting;
    if (this.#clientHasEnded || isClientDone) this.finish(this.#whyClientWent('client-closed'));
    else if (isCloseExplained(state)) this.finish(state.goodbye === 'quit' ? 'quit' : 'server-closed');
    else this.#serverGone('server-closed');
  }

  serverFailed(error: Error): void {
    this.#serverGone(isUnresponsive(error) ? 'server-unresponsive' : 'server-reset', messageOf(error));
  }

  connectionClosed(): void {
    if (--this.#openConnections === 0) this.#closed(this.#whyClientWent('client-closed'));
  }

  /** Its control connections are joined from here on, and nothing said on them ends the session. */
  becomeOpaque(joined: { abort(cause: 'shutdown'): void }): void {
    this.#opaque = joined;
  }

  /** Both control connections are closed, which were opaque. */
  opaqueClosed(reason: SessionReason, error: string | undefined): void {
    this.#closed(reason, error);
  }

  /** After the goodbye the client may close first. */
  #whyClientWent(otherwise: SessionReason): SessionReason {
    return this.#parts.state.goodbye === 'quit' ? 'quit' : otherwise;
  }

  /** The server went without a word: the client gets one. */
  #serverGone(reason: SessionReason, error?: string): void {
    this.finish(reason, replies.serverClosed, error);
  }

  /** @param reason where none is known yet */
  #closed(reason: SessionReason, error?: string): void {
    const { clock, events, pinholes } = this.#parts;
    clock.stop();
    pinholes.close();
    this.#reason ??= reason;
    this.#error ??= error;
    events.closed(this.#reason, this.#error);
    this.#over();
  }
}
