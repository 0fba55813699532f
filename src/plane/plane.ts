import type { Socket } from 'node:net';
import type { Mode, PinholeReason, TransferCause, TransferCommand } from '../events.ts';
import type { Address } from '../net/address.ts';
import type { Channel } from '../net/channel.ts';
import type { Cidr } from '../net/cidr.ts';
import type { Dialling } from '../net/dial.ts';
import type { Endpoint } from '../net/endpoint.ts';
import type { PortRange } from '../net/port-range.ts';

/** What a session asks a plane for: let `peer` connect once, and lead it to `to`. */
export interface PinholeRequest {
  readonly session: number;
  readonly mode: Mode;
  /** The command that announced the data connection: PORT, EPRT, PASV, EPSV. */
  readonly command: string;
  readonly peer: Address;
  /** Networks that may connect besides the peer. */
  readonly alsoFrom: readonly Cidr[];
  /** The address that the peer will connect to, never a wildcard: one of this host's, or a borrowed one. */
  readonly address: Address;
  /** This host's own addresses towards the peer and towards `to`. What is not one of these is borrowed. */
  readonly own: { readonly near: Address; readonly far: Address };
  readonly ports: PortRange;
  /** The port number to take if it lies in the range and is free. */
  readonly preferredPort: number;
  readonly to: Endpoint;
  /**
   * Where the connection to `to` should come from, as far as that can be had; a borrowed address certainly. Port 0:
   * any, if it can be the one that the peer connected from.
   */
  readonly from: Endpoint;
  /** Milliseconds. */
  readonly timeout: number;
  readonly owner: PinholeOwner;
  /** How the two legs are protected; undefined: this process need not see the bytes. */
  readonly protection?: Protection | undefined;
  /**
   * The client has agreed to have its data channel in the clear, where its control channel is TLS: TLS that it begins
   * there all the same is a mistake. The kernel does not see it.
   */
  readonly isClearAgreed?: boolean;
}

/** What ends TLS on the legs of a data channel. A leg without it is passed on as it comes. */
export interface Protection {
  readonly client: Protect | undefined;
  readonly server: Protect | undefined;
}

/**
 * Makes a connection, paused, secret.
 *
 * @throws where the handshake fails, or does not begin in time
 */
export type Protect = (socket: Socket, transfer: Transfer) => Promise<Channel>;

/** The transfer that a data channel is for. */
export interface Transfer {
  /** The command that it serves, as soon as that has come. */
  readonly command: TransferCommand | undefined;
}

/** The session that a pinhole belongs to, told when its data channel begins and ends. */
export interface PinholeOwner {
  channelOpened(channel: OwnedChannel): void;
  channelClosed(channel: OwnedChannel): void;
}

/** A data channel as its session sees it. */
export interface OwnedChannel {
  /** Whether no transfer has begun on it: the server has accepted no command for it, and not a byte has moved. */
  readonly isUnused: boolean;
  /** Whether the server has accepted a command for it. */
  readonly isAccepted: boolean;
  /** Resets it, where this process carries it. Returns whether it does. */
  abort(cause: TransferCause): boolean;
}

/** What became of a data connection that a reply of the server's speaks of. */
export type DataOutcome =
  | { readonly kind: 'well' }
  | { readonly kind: 'failed'; readonly cause: TransferCause; readonly error: string | undefined };

/** Nothing stands against the reply. */
export const well: DataOutcome = { kind: 'well' };

export interface Pinhole {
  /** Where the peer is to connect. */
  readonly at: Endpoint;
  /**
   * The server has accepted the announcement: a connection that came, or comes, goes on to where it leads. A
   * passive pinhole is armed from the start, and in the kernel an active one is too.
   */
  arm(): Promise<void>;
  /** A command has gone to the server that the data connection will serve, unless it serves one already. */
  serve(command: TransferCommand): void;
  /**
   * The server has accepted that command.
   *
   * @param command the same, with more known of its path
   */
  accept(command?: TransferCommand): void;
  /** The server has refused it: the data connection serves none. */
  refuse(): void;
  /**
   * To be asked before a reply goes on that says that the data connection stands: in active mode the server's leg of it
   * does, and this process may still be connecting to the client.
   */
  connected(): DataOutcome | Promise<DataOutcome>;
  /**
   * To be asked before the final reply to a transfer goes on: whether who was to get the file has got it.
   *
   * @param transfer `isRefusal`: the reply says itself that it failed
   */
  delivered(transfer: {
    readonly isUpload: boolean;
    readonly isRefusal: boolean;
  }): DataOutcome | Promise<DataOutcome>;
  /** The server is gone: a client is waited for only as long as it goes on reading. */
  hurry(): void;
  /** The transfer that it was for is over: where nobody has connected by now, nobody need do so any more. */
  retire?(): void;
  /** Takes the pinhole back if no data channel has come of it; one that is open lives on. */
  close(reason: PinholeReason): void;
  /** The data channel that has come of it, where this process carries it. */
  readonly channel?: OwnedChannel | undefined;
  /** Resets a data channel that has come of it and serves no command yet. */
  abandon?(): void;
  /** Resets the data channel that has come of it. Returns whether this process can. */
  abort(cause: TransferCause): boolean;
}

/** How far a data connection is. */
export interface DataProgress {
  readonly expectation: number;
  /** Bytes that have come from the client, and from the server; undefined: the kernel does not count them. */
  readonly uploaded: number | undefined;
  readonly downloaded: number | undefined;
}

/** What carries data: this process (`relay`) or the kernel. */
export interface Plane {
  /**
   * Opens a pinhole: when the promise resolves the peer can connect.
   *
   * @throws {NoFreePortError} when no port of the range is left for this peer
   */
  open(request: PinholeRequest): Promise<Pinhole>;
  /** How many data channels are open. */
  readonly channels: number;
  /** How far each of them is. */
  progress(): DataProgress[];
  /** Takes every pinhole back, and lets open data channels go on for `grace` milliseconds at most. */
  close(grace: number): Promise<void>;
}

/** A plane for sessions that may become opaque. */
export interface RangePlane extends Plane {
  /**
   * Lets a client through to each port of a range, as often as it likes, until that is taken back: where the control
   * channel is opaque, nobody knows what it announces.
   *
   * @throws {NoFreePortError} where no port of it can be had
   */
  openRange(request: RangeRequest): Promise<OpenRange>;
}

/** What a session asks for once its control channel is opaque: each port leads to the same port of `to`. */
export interface RangeRequest {
  readonly session: number;
  readonly peer: Address;
  /** The address that the peer will connect to, one of this host's. */
  readonly address: Address;
  readonly ports: PortRange;
  /** The server. */
  readonly to: Address;
  /** Whether anybody is let through by now. */
  readonly isOpen: () => boolean;
  readonly owner: PinholeOwner;
}

export interface OpenRange {
  /** Ports of it that somebody else has: what the server announces there comes to nothing. */
  readonly unavailable: readonly PortRange[];
  /** Lets nobody through any more; data channels live on. */
  close(): void;
}

/** Connects under addresses of other hosts: what only the packet filter can do. */
export interface Borrower {
  /**
   * Connects to a host, which sees the connection come from `as`: from its port too where that is free.
   *
   * @param timeout milliseconds
   * @param own the address of this host to connect from in truth, where that is known
   */
  dial(
    to: { readonly host: string; readonly port: number },
    as: Endpoint,
    timeout: number,
    own?: Address,
  ): Dialling;
}

export class NoFreePortError extends Error {
  override readonly name = 'NoFreePortError';
}
