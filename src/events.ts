import type { Address } from './net/address.ts';
import type { TlsFacts } from './net/channel.ts';
import type { Endpoint } from './net/endpoint.ts';
import type { PortRange } from './net/port-range.ts';

// Why something was refused or ended: these five closed lists are what log lines, metric labels and the docs share.

/** Why the relay answered a command itself, so that it never reached the server. */
export const commandReasons = [
  'line-too-long',
  'nul-byte',
  'bare-cr',
  'http',
  'not-ftp',
  'not-logged-in',
  'syntax',
  'not-the-peer',
  'port-below-1024',
  'denied-port',
  'protocol-not-served',
  'epsv-all',
  'tls-refused',
  'tls-required',
  'data-tls-required',
  'tls-out-of-order',
  'tls-not-understood',
  'tls-pipelined',
  'ccc-refused',
  'no-free-port',
  'plane-failed',
  'data-connection-failed',
  'not-delivered',
] as const;
export type CommandReason = (typeof commandReasons)[number];

/** Why a reply that announces a data connection was sent on unchanged, or was remarkable. */
export const replyReasons = [
  'unusable-announcement',
  'unread-announcement',
  'foreign-address',
  'forbidden-port',
] as const;
export type ReplyReason = (typeof replyReasons)[number];

/** Why a pinhole went away unused, or a connection to it was refused. */
export const pinholeReasons = [
  'stranger',
  'expired',
  'replaced',
  'session-closed',
  'refused-by-server',
  'rewrite-failed',
  'too-many-channels',
  'shutdown',
] as const;
export type PinholeReason = (typeof pinholeReasons)[number];

/** How a session ended, or why it was not begun. */
export const sessionReasons = [
  'quit',
  'client-closed',
  'client-reset',
  'client-unresponsive',
  'server-closed',
  'server-reset',
  'server-unresponsive',
  'server-unreachable',
  'tls-on-clear-port',
  'tls-failed',
  'tls-pipelined',
  'server-tls-failed',
  'login-timeout',
  'idle-timeout',
  'http',
  'not-ftp',
  'too-many-refusals',
  'too-many-sessions',
  'too-many-sessions-of-client',
  'too-many-new-sessions',
  'too-many-descriptors',
  'loop',
  'destination-not-allowed',
  'closed-by-administrator',
  'worker-died',
  'shutdown',
] as const;
export type SessionReason = (typeof sessionReasons)[number];

/** How a data channel ended. `complete`: both sides sent their end, FIN or TLS's close_notify. */
export const transferCauses = [
  'complete',
  'client-reset',
  'server-reset',
  'client-unresponsive',
  'server-unresponsive',
  'client-truncated',
  'server-truncated',
  'client-tls-failed',
  'server-tls-failed',
  'client-unreachable',
  'server-unreachable',
  'reset',
  'aborted',
  'data-idle-timeout',
  'session-closed',
  'replaced',
  'closed-by-administrator',
  'worker-died',
  'shutdown',
] as const;
export type TransferCause = (typeof transferCauses)[number];

/** On which legs of a data channel TLS ends here; `none`: data is passed on as it is, TLS or not. */
export type TransferProtection = 'none' | 'client' | 'server' | 'both';

/** Who opens the data connection: the client (PASV, EPSV) or the server (PORT, EPRT). */
export type Mode = 'passive' | 'active';

/** What carries a data channel: this process, or the kernel. */
export type Carrier = 'relay' | 'kernel';

/** The command that a data channel serves, ready to be shown. */
export interface TransferCommand {
  /** RETR, STOR, LIST ... */
  readonly verb: string;
  /** As the server sees it, once the transfer has begun and where the dialogue tells the directory; else as it was sent. */
  readonly path: string;
  /** It depends on a working directory that is not known. */
  readonly isRelative: boolean;
  /** Whether the client has asked for TYPE A, text with its ends of lines changed; undefined: not that anybody has seen. */
  readonly isText?: true;
}

/** The facts of a pinhole in each of its events. */
export interface PinholeFacts {
  readonly session: number;
  readonly expectation: number;
  readonly plane: Carrier;
  readonly mode: Mode;
  /** Who may connect. */
  readonly peer: Address;
  /** Where the peer connects to. */
  readonly at: Endpoint;
  /** Where the connection leads. */
  readonly to: Endpoint;
}

/** Whose data connection it is: the client waits where an active one leads. */
export function clientOf({ mode, peer, to }: Pick<PinholeFacts, 'mode' | 'peer' | 'to'>): Address {
  return mode === 'passive' ? peer : to.address;
}

/** Every event, reported once. Log, counters and the demo's ladder listen. */
export type Event =
  | {
      readonly type: 'session-opened';
      readonly session: number;
      readonly client: Endpoint;
      readonly reached: Endpoint;
      readonly server: Endpoint;
    }
  | {
      readonly type: 'session-closed';
      readonly session: number;
      readonly client: Endpoint;
      readonly reason: SessionReason;
      readonly seconds: number;
      readonly error?: string | undefined;
    }
  | {
      readonly type: 'session-refused';
      readonly client: Endpoint;
      readonly reason: SessionReason;
      readonly error?: string | undefined;
    }
  | ({
      /** A control channel is TLS from here on. */
      readonly type: 'session-secured';
      readonly session: number;
      readonly side: 'client' | 'server';
    } & TlsFacts)
  /** USER: whom the lines after it are about, whether or not the log in succeeds. */
  | { readonly type: 'session-user'; readonly session: number; readonly user: string }
  /** A login, each of them; after a passed AUTH the first, as far as it can be recognised. */
  | { readonly type: 'session-logged-in'; readonly session: number; readonly client: Endpoint }
  /** CCC: the client's control channel is no longer TLS. */
  | { readonly type: 'session-cleared'; readonly session: number }
  /** AUTH was passed on: what follows is between client and server alone. */
  | {
      readonly type: 'session-opaque';
      readonly session: number;
      /** Ports of the range that somebody else has. */
      readonly unavailable: readonly PortRange[];
    }
  | {
      readonly type: 'login-failed';
      readonly session: number;
      readonly client: Endpoint;
      /** The server's code. */
      readonly code: number;
    }
  | {
      readonly type: 'command';
      readonly session: number;
      readonly received: string;
      readonly sent: string | undefined;
    }
  | {
      readonly type: 'command-refused';
      readonly session: number;
      readonly client: Endpoint;
      readonly command: string;
      readonly reason: CommandReason;
      readonly reply: string;
      readonly detail?: string | undefined;
    }
  | {
      readonly type: 'reply';
      readonly session: number;
      readonly received: string | undefined;
      readonly sent: string;
    }
  | {
      readonly type: 'reply-remarked';
      readonly session: number;
      readonly reason: ReplyReason;
      readonly reply: string;
    }
  | { readonly type: 'public-address-resolved'; readonly host: string; readonly address: Address }
  | { readonly type: 'public-address-failed'; readonly host: string; readonly error: string }
  /** Somebody had deleted the kernel plane's table; it is there again, with the pinholes that were pending. */
  | { readonly type: 'table-restored'; readonly table: string; readonly pinholes: number }
  | ({
      readonly type: 'pinhole-opened';
      readonly command: string;
      /** What it took to open it. */
      readonly seconds: number;
      /** Milliseconds until it expires. */
      readonly timeout: number;
    } & PinholeFacts)
  | ({ readonly type: 'pinhole-taken'; readonly from: Endpoint } & PinholeFacts)
  | ({ readonly type: 'pinhole-closed'; readonly reason: PinholeReason } & PinholeFacts)
  | {
      readonly type: 'pinhole-refused';
      readonly at: Endpoint;
      readonly from: Endpoint;
      readonly reason: PinholeReason;
    }
  /** The server lets a transfer begin, on the data connection that was announced last. */
  | {
      readonly type: 'transfer-begun';
      readonly session: number;
      readonly command: TransferCommand;
      /** Bytes that it will have, as far as the dialogue tells. */
      readonly size: number | undefined;
    }
  /** No transfer had begun on it. */
  | ({
      readonly type: 'data-channel-closed';
      /** The command that went to the server for it, where one did and was not refused. */
      readonly command?: TransferCommand | undefined;
      readonly seconds: number;
      readonly cause: TransferCause;
      readonly error?: string | undefined;
    } & PinholeFacts)
  | ({
      readonly type: 'transfer-ended';
      readonly command?: TransferCommand | undefined;
      readonly protection?: TransferProtection;
      /** Bytes of the file that the server has acknowledged, and the client. */
      readonly uploaded: number;
      readonly downloaded: number;
      readonly seconds: number;
      /** Seconds until the first byte of either side; undefined: there was none, or the kernel carried it. */
      readonly firstByte?: number | undefined;
      readonly cause: TransferCause;
      readonly error?: string | undefined;
    } & PinholeFacts);

export type Observer = (event: Event) => void;

/** One observer that forwards to several. */
export function tellAll(observers: readonly Observer[]): Observer {
  return (event) => {
    for (const observe of observers) observe(event);
  };
}
