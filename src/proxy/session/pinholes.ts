import type { PinholeReason, TransferCause, TransferCommand } from '../../events.ts';
import type { Announcement } from '../../helper/decision.ts';
import { absolutePath, pathOf } from '../../helper/directory.ts';
import type { SentExchange } from '../../helper/exchange-queue.ts';
import type { SessionState } from '../../helper/session-state.ts';
import {
  NoFreePortError,
  type OpenRange,
  type OwnedChannel,
  type Pinhole,
  type PinholeOwner,
  type PinholeRequest,
  type RangePlane,
} from '../../plane/plane.ts';
import type { SessionEndpoints } from './endpoints.ts';
import type { SessionEvents } from './events.ts';
import { placeForClient, placeForServer } from './pinhole-place.ts';
import type { SessionSettings } from './settings.ts';

/** A command that data is transferred for, as it was sent. */
type TransferWords = Pick<SentExchange, 'verb' | 'argument'>;

/** What pinholes depend on of the session that they are opened for. */
interface PinholesOf {
  readonly id: number;
  readonly endpoints: SessionEndpoints;
  readonly settings: SessionSettings;
  readonly events: SessionEvents;
}

/** The pinholes and data channels of one session. */
export class SessionPinholes implements PinholeOwner {
  readonly #session: PinholesOf;
  readonly #plane: RangePlane;
  readonly #channelClosed: () => void;
  /** The pinhole that was opened last, pending or taken: `max_expected` is 1, as in the kernel. */
  #latest: Pinhole | undefined;
  /** Whether a transfer has used it, and is over. */
  #isSpent = false;
  /** That of a PORT which the server has not answered yet. */
  #reserved: Pinhole | undefined;
  readonly #channels = new Set<OwnedChannel>();

  constructor(session: PinholesOf, plane: RangePlane, channelClosed: () => void) {
    this.#session = session;
    this.#plane = plane;
    this.#channelClosed = channelClosed;
  }

  /**
   * Opens a pinhole for an announcement; it does not belong to the session yet.
   *
   * @throws what the plane throws
   */
  async open(
    { mode, verb, endpoint }: Announcement,
    tls: Pick<PinholeRequest, 'protection' | 'isClearAgreed'>,
  ): Promise<Pinhole> {
    const { id, endpoints, settings } = this.#session;
    const request: PinholeRequest = {
      session: id,
      mode,
      command: verb,
      preferredPort: endpoint.port,
      timeout: settings.expectTimeout,
      owner: this,
      ...tls,
      ...(mode === 'passive'
        ? placeForClient(endpoints, settings, endpoint.port)
        : placeForServer(endpoints, settings, endpoint)),
    };
    try {
      return await this.#plane.open(request);
    } catch (error) {
      // The pinhole that this one replaces may have the last free port.
      if (error instanceof NoFreePortError && this.#makeRoom()) return this.#plane.open(request);
      throw error;
    }
  }

  /**
   * Opens the range of ports that an opaque session may use.
   *
   * @param isOpen whether connections are let in by now
   * @throws what the plane throws
   */
  openRange(isOpen: () => boolean): Promise<OpenRange> {
    const { id, endpoints, settings } = this.#session;
    return this.#plane.openRange({
      session: id,
      peer: endpoints.client.address,
      address: endpoints.reached.address,
      ports: settings.passivePorts,
      to: endpoints.server.address,
      isOpen,
      owner: this,
    });
  }

  /** Whether a transfer is in progress. A data channel without a transfer does not keep a session alive. */
  get hasOpenChannel(): boolean {
    return [...this.#channels].some(({ isUnused }) => !isUnused);
  }

  channelOpened(channel: OwnedChannel): void {
    this.#channels.add(channel);
  }

  channelClosed(channel: OwnedChannel): void {
    this.#channels.delete(channel);
    this.#channelClosed();
  }

  /** The pinhole of the next transfer, or of the one in progress: pending or taken. */
  get current(): Pinhole | undefined {
    return this.#isSpent ? undefined : this.#latest;
  }

  /** The server has sent the final reply of a transfer: its later replies concern no existing data connection. */
  transferEnded(): void {
    this.current?.accept();
    this.current?.retire?.();
    this.#isSpent = true;
  }

  /** The server has refused a transfer: another may use what was opened for it. */
  transferRefused(): void {
    this.current?.refuse();
  }

  reserve(pinhole: Pinhole): void {
    // A server that has replied to something else has skipped the PORT.
    this.closeReserved('replaced');
    this.#reserved = pinhole;
  }

  get reserved(): Pinhole | undefined {
    return this.#reserved;
  }

  /** The server has refused the PORT, or nothing could be made of its consent. */
  closeReserved(reason: PinholeReason): void {
    this.#reserved?.close(reason);
    this.#reserved = undefined;
  }

  /**
   * A new pinhole replaces the latest one, and a data channel for which the server has accepted no transfer: the
   * server now waits for another one too, and a client could otherwise have any number.
   */
  expect(pinhole: Pinhole): void {
    this.#latest?.close('replaced');
    for (const channel of [...this.#channels]) {
      if (!channel.isAccepted && channel !== pinhole.channel) channel.abort('replaced');
    }
    this.#latest = pinhole;
    this.#isSpent = false;
    if (this.#reserved === pinhole) this.#reserved = undefined;
  }

  /** Withdraws the latest pinhole to free its port for another. Returns whether there was one. */
  #makeRoom(): boolean {
    const isThere = this.#latest !== undefined;
    this.#closeLatest('replaced');
    return isThere;
  }

  /** The conditions under which the latest pinhole was opened no longer hold, nor for its data channel. */
  abandonLatest(): void {
    this.#latest?.abandon?.();
    this.#closeLatest('replaced');
  }

  #shown(command: TransferWords, directory: string | undefined): TransferCommand {
    const path = pathOf(command);
    const absolute = absolutePath(path, directory);
    const shown = this.#session.events.show(absolute ?? path);
    return { verb: command.verb, path: shown, isRelative: absolute === undefined };
  }

  #closeLatest(reason: PinholeReason): void {
    this.#latest?.close(reason);
    this.#latest = undefined;
  }

  /** A command has gone to the server, or is accepted by it, that the data connection will serve. */
  serve(command: TransferWords): void {
    this.current?.serve(this.#shown(command, undefined));
  }

  /**
   * The server lets a transfer begin, of whatever command that is: data is about to come.
   *
   * @returns the command as it is told
   */
  transferBegins(
    command: TransferWords,
    { directory, isText }: Pick<SessionState, 'directory' | 'isText'>,
  ): TransferCommand {
    const named = this.#shown(command, directory);
    const shown: TransferCommand = isText ? { ...named, isText } : named;
    this.current?.serve(shown);
    this.current?.accept(shown);
    return shown;
  }

  /** Resets all data channels, where this process carries them. Returns how many live on. */
  abort(cause: TransferCause): number {
    return [...this.#channels].filter((channel) => !channel.abort(cause)).length;
  }

  /** Takes back what nobody has connected to, or connected to for nothing; transfers that are under way live on. */
  close(): void {
    this.#closeLatest('session-closed');
    this.closeReserved('session-closed');
    for (const channel of [...this.#channels]) if (channel.isUnused) channel.abort('session-closed');
  }
}
