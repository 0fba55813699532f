import type { SessionReason, TransferCause } from '../../events.ts';
import type { Command } from '../../ftp/command.ts';
import { isPreliminary } from '../../ftp/reply.ts';
import type { CommandDecision } from '../../helper/decision.ts';
import { showCommand } from '../../helper/redact.ts';
import { changeSecurity, type SessionState } from '../../helper/session-state.ts';
import { isServerAsked } from '../../helper/tls-policy.ts';
import { TlsRecords } from '../../helper/tls-records.ts';
import type { Channel } from '../../net/channel.ts';
import { messageOf } from '../../net/error.ts';
import { joinDataChannel } from '../../plane/data-channel.ts';
import type { OpenRange, Protection } from '../../plane/plane.ts';
import { NotTlsError } from '../../tls/handshake.ts';
import { PipelinedError, type ControlChannel } from './control-channel.ts';
import { followWithData, followWithTls, noTlsWithServer } from './server-tls.ts';
import type { SessionEvents } from './events.ts';
import type { SessionPinholes } from './pinholes.ts';
import { protectionOf, type TlsPlan } from './tls-plan.ts';
import type { SessionSettings } from './settings.ts';

/** What of the session TLS changes, or asks. */
interface SessionParts {
  readonly client: ControlChannel;
  readonly server: ControlChannel;
  readonly state: SessionState;
  readonly pinholes: SessionPinholes;
  readonly settings: SessionSettings;
  readonly events: SessionEvents;
}

/** What the session does for its TLS. */
interface SessionTlsHost {
  /** Whether the session ends already: nothing follows any more. */
  isOver(): boolean;
  /**
   * Ends the session.
   *
   * @param reply for the client
   * @param error the system's own words where something failed
   */
  finish(reason: SessionReason, reply?: string, error?: string): void;
  /** Writes what was sent. */
  flush(): void;
  /** Opens the range of ports for an opaque session; the server says nothing until it is there. */
  openRange(opened: (range: OpenRange) => void, failed: (error: unknown) => void): void;
  /**
   * The session is silent from here on, however much its two sides say. Returns how long its log in may still take, in
   * milliseconds.
   */
  becameOpaque(): number;
  /** Both control channels are closed, which were opaque. */
  closed(reason: SessionReason, error: string | undefined): void;
}

/** How a session ended whose control channels were opaque; all else means that the client closed it. */
const opaqueEnds: Partial<Record<TransferCause, SessionReason>> = {
  'client-reset': 'client-reset',
  'server-reset': 'server-reset',
  'data-idle-timeout': 'idle-timeout',
};

const lateWords: Partial<Record<SessionReason, string>> = {
  'tls-failed': 'the TLS handshake behind AUTH was not over in time',
  'login-timeout': 'too few TLS records came for a log in',
};

/**
 * The TLS of one session: how its control channels come to it and are cleared of it, and what was agreed on for the
 * data channels.
 */
export class SessionTls {
  readonly #security: TlsPlan;
  readonly #parts: SessionParts;
  readonly #host: SessionTlsHost;
  /** Whether the AUTH that the server has to answer means PROT P as well. */
  #protectsData = false;
  /** The bytes of both control channels, once they are TLS between client and server alone. */
  #opaque: { abort(cause: 'shutdown'): void } | undefined;
  /** What can be seen of what the client says in it. */
  readonly #records = new TlsRecords();

  constructor(security: TlsPlan, parts: SessionParts, host: SessionTlsHost) {
    this.#security = security;
    this.#parts = parts;
    this.#host = host;
  }

  /** Of an opaque session: whether the client has said enough for that. */
  get mayHaveLoggedIn(): boolean {
    return this.#records.mayHaveLoggedIn;
  }

  /** Where TLS of the next data channel ends. */
  get protection(): Protection | undefined {
    const { state, settings } = this.#parts;
    return protectionOf(this.#security, state.security, settings.policy.tls, settings.expectTimeout);
  }

  /** Whether the client has had TLS, and wants none on its next data channel. */
  get isClearAgreed(): boolean {
    const { wasSecured, isDataProtected } = this.#parts.state.security;
    return wasSecured && !isDataProtected;
  }

  /** Resets both control channels where they are opaque, and returns whether they are. */
  abortOpaque(): boolean {
    this.#opaque?.abort('shutdown');
    return this.#opaque !== undefined;
  }

  // --- PBSZ and PROT -------------------------------------------------------------------------------------

  /** This side grants what PBSZ or PROT asks for; nothing is outstanding before it. */
  grant(command: Command, { effect, reply }: CommandDecision & { kind: 'answer' }): void {
    this.watch(() => {
      changeSecurity(this.#parts.state, effect);
    });
    this.#answer(command, reply);
  }

  /** Makes a change that may be one of PROT: a pinhole was opened for a data channel as it was to be then. */
  watch<T>(change: () => T): T {
    const { state, pinholes } = this.#parts;
    const wasProtected = state.security.isDataProtected;
    const result = change();
    if (state.security.isDataProtected !== wasProtected) pinholes.abandonPending();
    return result;
  }

  // --- AUTH and CCC --------------------------------------------------------------------------------------

  /** AUTH has come; returns whether it is to be forwarded, as the server has to answer it: until then the client waits. */
  begin(command: Command, { asksServer, protectsData }: CommandDecision & { kind: 'secure' }): boolean {
    const { client, server, state, settings } = this.#parts;
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
      this.#answer(command, '234 Proceed with the TLS handshake.');
      this.#secureClient(protectsData);
    };
    const plan = this.#security.server;
    if (!protectsData || !plan || !isServerAsked(state.security, settings.policy.tls)) {
      consent();
      return false;
    }
    client.hold('tls');
    this.#convert(
      server,
      (channel) => followWithData(channel, plan),
      consent,
      (error) => {
        this.#host.finish('server-tls-failed', noTlsWithServer, error);
      },
    );
    return false;
  }

  /**
   * The server has answered the client's AUTH.
   *
   * @param pass passes its reply on
   */
  answered(code: number, pass: () => void): void {
    const { client, settings } = this.#parts;
    if (code !== 234) {
      pass();
      if (!isPreliminary(code)) client.release('tls');
    } else if (client.hasWaiting) {
      this.#refusePipelined(undefined);
    } else if (settings.policy.tls.mode === 'pass') {
      this.#becomeOpaque(pass);
    } else {
      this.#secureBoth(pass);
    }
  }

  /** CCC: TLS ends once the client has heard so. */
  clear(command: Command): void {
    const { client, state, settings, events } = this.#parts;
    if (client.hasWaiting) {
      this.#refusePipelined(command);
      return;
    }
    this.#answer(command, '200 The control connection is clear from here on.');
    this.#convert(
      client,
      async (channel) => (channel.kind === 'tls' ? channel.clear(settings.tlsTimeout) : channel),
      () => {
        changeSecurity(state, 'client-cleared');
        events.cleared();
      },
      (error) => {
        this.#host.finish('tls-failed', undefined, error);
      },
    );
  }

  /** In the server's place. */
  #answer(command: Command, reply: string): void {
    this.#parts.events.answered(command, reply);
    this.#parts.client.send(`${reply}\r\n`);
  }

  /** What stands behind AUTH in clear somebody else may have put there (CVE-2011-1575), and behind CCC likewise. */
  #refusePipelined(command: Command | undefined, error?: string): void {
    const reply = '503 No command may come behind this one before its reply.';
    this.#parts.events.refused(command ? showCommand(command) : 'AUTH', 'tls-pipelined', reply);
    this.#host.finish('tls-pipelined', reply, error);
  }

  /** 234 has been sent, or will be in this turn. */
  #secureClient(protectsData: boolean): void {
    const { client, state, events } = this.#parts;
    const tls = this.#security.client;
    if (!tls) throw new Error('no certificate');
    this.#convert(
      client,
      async (channel) => (channel.kind === 'tcp' ? tls.control(channel.stream) : channel),
      (channel) => {
        changeSecurity(state, 'client-secured');
        if (protectsData) changeSecurity(state, 'data-protected');
        events.secured('client', channel);
      },
      (error, cause) => {
        const isClear = cause instanceof NotTlsError;
        this.#host.finish('tls-failed', isClear ? '421 A TLS handshake was expected.' : undefined, error);
      },
    );
  }

  /** The server first: what it can't do the client is not promised. */
  #secureBoth(consent: () => void): void {
    const { server, state, settings, events } = this.#parts;
    const plan = this.#security.server;
    if (!plan) throw new Error('no TLS with the server');
    const protectsData =
      plan.protectsData || (this.#protectsData && settings.policy.tls.serverData === 'same');
    this.#convert(
      server,
      (channel) => followWithTls(channel, { ...plan, protectsData }),
      (channel) => {
        changeSecurity(state, 'server-secured');
        events.secured('server', channel);
        consent();
        this.#secureClient(this.#protectsData);
      },
      (error) => {
        this.#host.finish('server-tls-failed', noTlsWithServer, error);
      },
    );
  }

  /** @param failed with the words of the error and the error itself */
  #convert<T extends Channel>(
    which: ControlChannel,
    convert: (channel: Channel) => Promise<T>,
    converted: (channel: T) => void,
    failed: (error: string, cause: unknown) => void,
  ): void {
    which.convert(convert, converted).then(
      () => {
        this.#host.flush();
      },
      (cause: unknown) => {
        if (this.#host.isOver()) return;
        const error = messageOf(cause);
        const isPipelined = cause instanceof PipelinedError && which === this.#parts.client;
        if (isPipelined) this.#refusePipelined(undefined, error);
        else failed(error, cause);
      },
    );
  }

  // --- AUTH that is passed -------------------------------------------------------------------------------

  /** From here on the dialogue is the client's and the server's alone, and so is what they announce in it. */
  #becomeOpaque(consent: () => void): void {
    const { client, server, pinholes, settings, events } = this.#parts;
    const opened = (range: OpenRange): void => {
      if (server.hasWaiting || client.hasWaiting) {
        range.close();
        this.#refusePipelined(undefined);
        return;
      }
      consent();
      events.becameOpaque(range.unavailable);
      const records = this.#records;
      let late: SessionReason | undefined;
      const limit = (reason: SessionReason, milliseconds: number, isDone: () => boolean): NodeJS.Timeout =>
        setTimeout(() => {
          if (isDone()) return;
          late = reason;
          this.#opaque?.abort('shutdown');
        }, milliseconds);
      const limits = [
        limit('tls-failed', settings.tlsTimeout, () => records.hasHandshake),
        limit('login-timeout', this.#host.becameOpaque(), () => records.mayHaveLoggedIn),
      ];
      const { idleTimeout } = settings;
      const seen = (chunk: Uint8Array): void => {
        records.push(chunk);
      };
      this.#opaque = joinDataChannel(
        { client: client.give(), server: server.give() },
        { idleTimeout, livesOn: () => pinholes.hasOpenChannel, seen },
        ({ cause, error }) => {
          for (const each of limits) clearTimeout(each);
          range.close();
          this.#host.closed(late ?? opaqueEnds[cause] ?? 'client-closed', late ? lateWords[late] : error);
        },
      );
    };
    this.#host.openRange(opened, (error) => {
      const reply = '421 Service not available, no port of the relay is free.';
      this.#host.finish('tls-failed', reply, messageOf(error));
    });
  }
}
