import type { Command } from '../../ftp/command.ts';
import { isPreliminary } from '../../ftp/reply.ts';
import type { CommandDecision } from '../../helper/decision.ts';
import type { SentExchange } from '../../helper/exchange-queue.ts';
import { showCommand } from '../../helper/redact.ts';
import { replies } from '../../helper/replies.ts';
import { changeSecurity, settleReply } from '../../helper/session-state.ts';
import { isServerAsked } from '../../helper/tls-policy.ts';
import type { Channel } from '../../net/channel.ts';
import { messageOf } from '../../net/error.ts';
import type { PinholeRequest } from '../../plane/plane.ts';
import { NotTlsError } from '../../tls/handshake.ts';
import { PipelinedError, type ControlChannel } from './control-channel.ts';
import type { Lifetime } from './lifetime.ts';
import { becomeOpaque } from './opaque.ts';
import type { SessionParts } from './parts.ts';
import { followWithData, followWithTls } from './server-tls.ts';
import { protectionOf, type TlsPlan } from './tls-plan.ts';

/** What was decided about a command that concerns TLS. */
type TlsDecision = CommandDecision & { readonly kind: 'answer' | 'secure' | 'clear' };

/** The TLS of one session: how its control channels come to it and are cleared of it, and what data channels have of it. */
export class SessionTls {
  readonly #plan: TlsPlan;
  readonly #parts: SessionParts;
  readonly #lifetime: Lifetime;
  /** Whether the AUTH that the server has to answer means PROT P as well. */
  #protectsData = false;

  constructor(plan: TlsPlan, parts: SessionParts, lifetime: Lifetime) {
    this.#plan = plan;
    this.#parts = parts;
    this.#lifetime = lifetime;
  }

  /** How the next data channel is protected. */
  get ofData(): Pick<PinholeRequest, 'protection' | 'isClearAgreed'> {
    const { state, settings } = this.#parts;
    const { wasSecured, isDataProtected } = state.security;
    return {
      protection: protectionOf(this.#plan, state.security, settings.policy.tls, settings.expectTimeout),
      isClearAgreed: wasSecured && !isDataProtected,
    };
  }

  /** Carries out the decision; returns whether the command is to be forwarded, because the server has to answer it. */
  obey(command: Command, decision: TlsDecision): boolean {
    switch (decision.kind) {
      case 'answer':
        // Nothing is outstanding before it.
        this.#watch(() => {
          changeSecurity(this.#parts.state, decision.effect);
        });
        this.#answer(command, decision.reply);
        return false;
      case 'secure':
        return this.#begin(command, decision);
      case 'clear':
        this.#clear(command);
        return false;
    }
  }

  /**
   * The server has answered the client's AUTH.
   *
   * @param pass passes its reply on
   */
  answered(code: number, pass: () => void): void {
    const { channels, settings } = this.#parts;
    if (code !== 234) {
      pass();
      if (!isPreliminary(code)) channels.client.release('tls');
    } else if (channels.client.hasWaiting) {
      this.#refusePipelined(undefined);
    } else if (settings.policy.tls.mode === 'pass') {
      void channels.whileHeld(channels.server, () =>
        becomeOpaque(this.#parts, this.#lifetime, pass, () => {
          this.#refusePipelined(undefined);
        }),
      );
    } else {
      this.#secureBoth(pass);
    }
  }

  /** Takes a reply of the server's into account, and returns the exchange that it ended. */
  settle(code: number, text: string): SentExchange | undefined {
    return this.#watch(() => settleReply(this.#parts.state, code, text));
  }

  /** Makes a change that may be one of PROT: a pinhole was opened for a data channel as it was to be then. */
  #watch<T>(change: () => T): T {
    const { state, pinholes } = this.#parts;
    const wasProtected = state.security.isDataProtected;
    const result = change();
    if (state.security.isDataProtected !== wasProtected) pinholes.abandonLatest();
    return result;
  }

  // --- AUTH and CCC --------------------------------------------------------------------------------------

  /** AUTH has come; until the server has answered it, where it has to, the client waits. */
  #begin(command: Command, { asksServer, protectsData }: TlsDecision & { kind: 'secure' }): boolean {
    const { channels, state, settings } = this.#parts;
    const { client, server } = channels;
    if (client.hasWaiting) {
      this.#refusePipelined(command);
      return false;
    }
    if (asksServer) {
      this.#protectsData = protectsData;
      client.hold('tls');
      return true;
    }
    const consent = (): void => {
      this.#answer(command, replies.proceedWithTls);
      this.#secureClient(protectsData);
    };
    const plan = this.#plan.server;
    if (!protectsData || !plan || !isServerAsked(state.security, settings.policy.tls)) {
      consent();
      return false;
    }
    client.hold('tls');
    void this.#convert(
      server,
      (channel) => followWithData(channel, plan),
      consent,
      (error) => {
        this.#lifetime.finish('server-tls-failed', replies.serverTlsFailed, error);
      },
    );
    return false;
  }

  /** CCC: TLS ends once the client has heard so. */
  #clear(command: Command): void {
    const { channels, state, settings, events } = this.#parts;
    const { client } = channels;
    if (client.hasWaiting) {
      this.#refusePipelined(command);
      return;
    }
    this.#answer(command, replies.controlIsClear);
    void this.#convert(
      client,
      async (channel) => (channel.kind === 'tls' ? channel.clear(settings.tlsTimeout) : channel),
      () => {
        changeSecurity(state, 'client-cleared');
        events.cleared();
      },
      (error) => {
        this.#lifetime.finish('tls-failed', undefined, error);
      },
    );
  }

  /** In the server's place. */
  #answer(command: Command, reply: string): void {
    this.#parts.events.answered(command, reply);
    this.#parts.channels.client.send(`${reply}\r\n`);
  }

  /** Clear data after AUTH may have been injected by somebody else (CVE-2011-1575), and data after CCC likewise. */
  #refusePipelined(command: Command | undefined, error?: string): void {
    const reply = replies.notPipelined;
    this.#parts.events.refused(command ? showCommand(command) : 'AUTH', 'tls-pipelined', reply);
    this.#lifetime.finish('tls-pipelined', reply, error);
  }

  /** 234 has been sent, or will be in this turn. */
  #secureClient(protectsData: boolean): void {
    const { channels, state, events } = this.#parts;
    const tls = this.#plan.client;
    if (!tls) throw new Error('no certificate');
    void this.#convert(
      channels.client,
      async (channel) => (channel.kind === 'tcp' ? tls.control(channel.stream) : channel),
      (channel) => {
        changeSecurity(state, 'client-secured');
        if (protectsData) changeSecurity(state, 'data-protected');
        events.secured('client', channel);
      },
      (error, cause) => {
        const isClear = cause instanceof NotTlsError;
        this.#lifetime.finish('tls-failed', isClear ? replies.handshakeExpected : undefined, error);
      },
    );
  }

  /** The server first: what it can't do the client is not promised. */
  #secureBoth(consent: () => void): void {
    const { channels, state, settings, events } = this.#parts;
    const plan = this.#plan.server;
    if (!plan) throw new Error('TLS with the server is not configured');
    const protectsData =
      plan.protectsData || (this.#protectsData && settings.policy.tls.serverData === 'same');
    void this.#convert(
      channels.server,
      (channel) => followWithTls(channel, { ...plan, protectsData }),
      (channel) => {
        changeSecurity(state, 'server-secured');
        events.secured('server', channel);
        consent();
        this.#secureClient(this.#protectsData);
      },
      (error) => {
        this.#lifetime.finish('server-tls-failed', replies.serverTlsFailed, error);
      },
    );
  }

  /** @param failed with the words of the error and the error itself */
  async #convert<T extends Channel>(
    which: ControlChannel,
    convert: (channel: Channel) => Promise<T>,
    converted: (channel: T) => void,
    failed: (error: string, cause: unknown) => void,
  ): Promise<void> {
    const { channels } = this.#parts;
    try {
      await which.convert(convert, converted);
    } catch (cause) {
      if (this.#lifetime.isOver) return;
      const error = messageOf(cause);
      const isPipelined = cause instanceof PipelinedError && which === channels.client;
      if (isPipelined) this.#refusePipelined(undefined, error);
      else failed(error, cause);
      return;
    }
    channels.flush();
  }
}
