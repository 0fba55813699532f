import type { CommandReason, Mode, ReplyReason } from '../events.ts';
import type { Endpoint } from '../net/endpoint.ts';
import type { OtherProtocol } from './other-protocols.ts';

/** A data connection that one side announced to the other. */
export interface Announcement {
  readonly mode: Mode;
  readonly verb: 'PORT' | 'EPRT' | 'PASV' | 'EPSV';
  /** Where the announcing side listens. */
  readonly endpoint: Endpoint;
}

/**
 * What is to become of a command.
 * - `pass`: it goes on as it came, or as `rewritten`.
 * - `wait`: it can't be judged before a reply that is still to come.
 * - `expect`: a pinhole is opened first; `rewrite` gives the line that announces it to the server.
 * - `refuse`: the client gets `reply` in its turn, and the server never sees the command.
 * - `close`: the same, and the session ends.
 * - `answer`: as `refuse`, but it is a consent, which has an effect.
 * - `secure`: AUTH; the control channel becomes TLS, once the server has consented where it is asked.
 * - `clear`: CCC; the control channel is TLS no more.
 */
export type CommandDecision =
  | { readonly kind: 'pass'; readonly rewritten?: string }
  | { readonly kind: 'wait' }
  | {
      readonly kind: 'expect';
      readonly announcement: Announcement;
      readonly rewrite: (announced: Endpoint) => string;
    }
  | { readonly kind: 'refuse'; readonly reason: CommandReason; readonly reply: string }
  | { readonly kind: 'close'; readonly reason: OtherProtocol; readonly reply: string }
  | { readonly kind: 'answer'; readonly effect: SecurityEffect; readonly reply: string }
  | { readonly kind: 'secure'; readonly asksServer: boolean; readonly protectsData: boolean }
  | { readonly kind: 'clear' };

/** What PBSZ and PROT change. */
export type SecurityEffect = 'size-said' | 'data-protected' | 'data-clear';

/**
 * What is to become of a reply.
 * - `pass`: it goes on as it came; `remark` names what a log should say of it.
 * - `expect`: a pinhole is opened first; `rewrite` gives the lines that announce it to the client.
 * - `refuse`: the client is not to be led there; it gets a refusal in its place.
 * - `replace`: other lines go on in its place.
 */
export type ReplyDecision =
  | { readonly kind: 'pass'; readonly remark?: ReplyReason }
  | {
      readonly kind: 'expect';
      readonly announcement: Announcement;
      readonly rewrite: (announced: Endpoint) => string[];
      readonly remark?: ReplyReason;
    }
  | {
      readonly kind: 'refuse';
      readonly announcement: Announcement;
      readonly reason: CommandReason;
      readonly remark: ReplyReason;
    }
  | { readonly kind: 'replace'; readonly lines: readonly string[]; readonly remark?: undefined };
