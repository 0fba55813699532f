import type { TransferCause } from '../events.ts';
import type { Channel } from '../net/channel.ts';
import { codeOf, messageOf } from '../net/error.ts';
import { isUnresponsive, patienceOf } from '../net/keepalive.ts';
import { HelloHold } from './hello-hold.ts';
import { OneWay } from './one-way.ts';
import { readInto } from './reads.ts';

export interface DataChannelEnd {
  readonly cause: TransferCause;
  /** Bytes of the file that the server has acknowledged, and the client. */
  readonly uploaded: number;
  readonly downloaded: number;
  /** When the first byte came, of either side, in milliseconds of `performance.now`; undefined: none did. */
  readonly firstByte: number | undefined;
  /** Whether who was to get a file did not get what had come of it, with its end, by no doing of the server's. */
  readonly isLost: { readonly upload: boolean; readonly download: boolean };
  /** The system's own words where something failed. */
  readonly error: string | undefined;
}

/** The two ends of a data channel, both connected and paused. */
export interface DataChannelEnds {
  readonly client: Channel;
  readonly server: Channel;
}

/** Why a data channel failed, by the side on which it did. */
const causes = {
  client: {
    reset: 'client-reset',
    truncated: 'client-truncated',
    tls: 'client-tls-failed',
    unresponsive: 'client-unresponsive',
  },
  server: {
    reset: 'server-reset',
    truncated: 'server-truncated',
    tls: 'server-tls-failed',
    unresponsive: 'server-unresponsive',
  },
} as const;

/** How long a reader may take to acknowledge what it gets before a reset, in milliseconds, without a step forward. */
const lastWords = 30_000;

/**
 * How long a server waits for the acknowledgement of its FIN, in milliseconds, where the client does not close at once: the
 * system would delay it further (40 ms), and some servers say nothing more before it (vsftpd).
 */
const acknowledgement = 10;

/** How often it is looked at who answers, at least, in milliseconds. */
const glance = 30_000;

/** What a reader in clear gets where the writer's TLS has ended without close_notify. */
export type TruncatedEnd = 'reset' | 'end';

export interface DataChannelOptions {
  /** Milliseconds without a byte in either direction until both sides are reset. */
  readonly idleTimeout: number;
  /** Whether it may be silent for longer all the same; it may not, unless told. */
  readonly livesOn?: () => boolean;
  /** The client has agreed on its leg in the clear: TLS that it begins there all the same is refused. */
  readonly isClearAgreed?: boolean;
  /** `reset` unless told. */
  readonly truncatedEnd?: TruncatedEnd;
  /** Milliseconds of silence until a side is asked whether it is there; `patienceOf` that without an answer; 0: never. */
  readonly keepalive?: number;
  /** Is shown what each side sends. */
  readonly seen?: (chunk: Uint8Array, from: 'client' | 'server') => void;
  /** Is told when `download` has changed. */
  readonly changed?: () => void;
}

/** A data channel whose both legs are up. */
export interface DataChannel {
  /** What the server sends, on its way to the client. */
  readonly download: Pick<OneWay, 'acknowledged' | 'hasEnded' | 'isDelivered' | 'moved' | 'look'>;
  /** Bytes that have come from the client, from the server, and from both. */
  readonly uploaded: number;
  readonly downloaded: number;
  readonly moved: number;
  /** Resets both sides at once. */
  abort(cause: TransferCause): void;
}

/**
 * Copies bytes both ways until both sides have said their end, and each has acknowledged the other's. It owns both
 * connections from the call on.
 *
 * FIN goes on as FIN, and RST as RST behind what came before it: in stream mode FIN is the end of the file (RFC 959
 * section 3.4.1), so a reset must never arrive as one. Over TLS the end is close_notify; a FIN without it goes on as that
 * where the other side is TLS as well, and there decides. A reader that is slow holds back its writer: at most one read a
 * direction waits here, or a few records of TLS.
 */
export function joinDataChannel(
  ends: DataChannelEnds,
  options: DataChannelOptions,
  ended: (end: DataChannelEnd) => void,
): DataChannel {
  return new JoinedChannel(ends, options, ended);
}

class JoinedChannel implements DataChannel {
  readonly download: OneWay;
  readonly #upload: OneWay;
  readonly #client: Channel;
  readonly #server: Channel;
  readonly #options: DataChannelOptions;
  readonly #ended: (end: DataChannelEnd) => void;
  /** Connections that are not closed. */
  #open = 0;
  readonly #hold: HelloHold | undefined;
  readonly #releaseClient: () => void;
  readonly #releaseServer: () => void;
  readonly #idle: NodeJS.Timeout;
  readonly #watch: NodeJS.Timeout | undefined;
  /** Acknowledges the server's FIN. */
  #late: NodeJS.Timeout | undefined;
  #failure: { cause: TransferCause; error: string | undefined } | undefined;
  #isProbed = false;
  #isOver = false;

  constructor(ends: DataChannelEnds, options: DataChannelOptions, ended: (end: DataChannelEnd) => void) {
    this.#options = options;
    this.#ended = ended;
    const { idleTimeout, livesOn = () => false, isClearAgreed = false, keepalive = 0 } = options;
    this.#hold = isClearAgreed ? this.#newHold() : undefined;
    this.#client = ends.client;
    this.#server = ends.server;
    this.#releaseClient = readInto(this.#client, (chunk) => this.#fromClient(chunk));
    this.#releaseServer = readInto(this.#server, (chunk) => this.#fromServer(chunk));
    const moves = (): void => {
      this.#idle.refresh();
    };
    this.#upload = new OneWay(this.#client, this.#server, moves, () => {
      this.#settled(this.#upload, 'server');
    });
    this.download = new OneWay(this.#server, this.#client, moves, () => {
      this.#settled(this.download, 'client');
    });
    this.#idle = setTimeout(() => {
      if (livesOn()) this.#idle.refresh();
      else this.abort('data-idle-timeout');
    }, idleTimeout);
    // Few transfers last until then, and to have the system probe costs some calls.
    const look = (): void => {
      this.#look(keepalive);
    };
    this.#watch = keepalive > 0 ? setInterval(look, Math.min(glance, keepalive / 2)) : undefined;
    this.#follow(this.#upload, this.download, 'client');
    this.#follow(this.download, this.#upload, 'server');
    this.#client.resume();
    this.#server.resume();
  }

  get uploaded(): number {
    return this.#upload.moved;
  }

  get downloaded(): number {
    return this.download.moved;
  }

  get moved(): number {
    return this.#upload.moved + this.download.moved;
  }

  abort(cause: TransferCause, error?: string): void {
    this.#hold?.stop();
    this.#note(cause, error);
    for (const way of [this.#upload, this.download]) way.stop();
    for (const leg of [this.#client, this.#server]) leg.reset();
    this.#finish();
  }

  #newHold(): HelloHold {
    return new HelloHold({
      pass: (bytes) => this.#upload.write(bytes),
      found: () => {
        this.abort('client-tls-failed', 'received TLS on a data connection that PROT has set to clear');
      },
    });
  }

  #fromClient(chunk: Uint8Array): boolean {
    this.#idle.refresh();
    this.#options.seen?.(chunk, 'client');
    return this.#hold ? this.#hold.take(chunk) : this.#upload.write(chunk);
  }

  #fromServer(chunk: Uint8Array): boolean {
    if (this.#hold?.serverSpeaks() === false) return false;
    this.#idle.refresh();
    this.#options.seen?.(chunk, 'server');
    return this.download.write(chunk);
  }

  /** Listens to the side that `way` comes from. */
  #follow(way: OneWay, back: OneWay, side: 'client' | 'server'): void {
    const { from } = way;
    from.resetUntilEnded();
    const saidItsEnd = (): void => {
      this.#saidItsEnd(way, back, side);
    };
    from.stream.on('end', saidItsEnd);
    // One leg may have ended, or gone, while the other was still in its handshake.
    if (from.stream.readableEnded) setImmediate(saidItsEnd);
    from.stream.on('error', (error) => {
      // All that was left to say to it was goodbye.
      if (way.hasEnded && back.hasEnded && from.kind === 'tls') return;
      this.#fail(way, causes[side][kindOf(error)], messageOf(error));
    });
    this.#open++;
    let isOpen = true;
    const closed = (): void => {
      if (!isOpen) return;
      isOpen = false;
      this.#open--;
      back.look();
      this.#finish();
    };
    from.stream.on('close', closed);
    if (from.stream.closed) setImmediate(closed);
    if (from.stream.destroyed) this.#fail(way, causes[side].reset, errorOf(from));
  }

  #saidItsEnd(way: OneWay, back: OneWay, side: 'client' | 'server'): void {
    if (way.hasEnded) return;
    const why = way.from.whyCutShort();
    if (side === 'client') this.#hold?.release();
    // A reader that has got the whole file need not say close_notify to be believed: nobody waits for more.
    if (!why || (why === 'truncated' && back.hasEnded && way.moved === 0)) {
      way.end();
    } else if (why === 'truncated') {
      const error = 'FIN without close_notify';
      this.#note(causes[side].truncated, error);
      if (way.to.kind === 'tls' || this.#options.truncatedEnd === 'end') way.cut();
      else this.#fail(way, causes[side].truncated, error);
    } else {
      this.#fail(way, causes[side].reset);
    }
    // Closing says it as well, and costs no packet of its own.
    if (side === 'server' && !back.hasEnded) {
      this.#late = setTimeout(() => {
        this.#server.acknowledge();
      }, acknowledgement);
    }
    // What it has said its end behind, it has acknowledged.
    back.look();
  }

  /** The other side gets what had come, and then RST; what it says itself is nobody's any more. */
  #fail(way: OneWay, cause: TransferCause, error?: string): void {
    if (way === this.#upload) this.#hold?.release();
    this.#note(cause, error);
    (way === this.#upload ? this.download : this.#upload).stop();
    way.from.reset();
    way.failed(lastWords);
  }

  /** The first failure is the cause of what follows. */
  #note(cause: TransferCause, error?: string): void {
    this.#failure ??= { cause, error };
  }

  /** Whether a side still answers. */
  #look(keepalive: number): void {
    if (!this.#isProbed) for (const leg of [this.#client, this.#server]) leg.keepAlive(keepalive);
    this.#isProbed = true;
    const patience = patienceOf(keepalive);
    for (const [way, back, side] of [
      [this.#upload, this.download, 'server'],
      [this.download, this.#upload, 'client'],
    ] as const) {
      if (way.to.queue.unansweredFor < patience) continue;
      const words = `no acknowledgement for ${Math.round(patience / 1000)} s`;
      this.#fail(back, causes[side].unresponsive, words);
    }
  }

  #settled(way: OneWay, to: 'client' | 'server'): void {
    // Both have said their end, and this one has not acknowledged the other's.
    if (way.hasEnded && !way.isDelivered)
      this.#note(causes[to].reset, 'closed before all data was acknowledged');
    this.#options.changed?.();
    this.#finish();
  }

  #finish(): void {
    const upload = this.#upload;
    const { download } = this;
    if (this.#isOver || this.#open > 0 || !upload.isSettled || !download.isSettled) return;
    this.#isOver = true;
    clearTimeout(this.#idle);
    clearInterval(this.#watch);
    clearTimeout(this.#late);
    this.#releaseClient();
    this.#releaseServer();
    const uploaded = upload.acknowledged;
    const downloaded = download.acknowledged;
    const { cause = 'complete', error } = this.#failure ?? {};
    // What the server does of its own accord it knows, and its word is as good as without the relay.
    const isServers = cause.startsWith('server-');
    const isLost = {
      upload: !isServers && (uploaded < upload.moved || !upload.isDelivered),
      download: downloaded < download.moved || !(download.isDelivered || isServers),
    };
    for (const { queue } of [this.#client, this.#server]) queue.release();
    const firstByte = earlier(upload.firstByte, download.firstByte);
    this.#ended({ cause, error, uploaded, downloaded, firstByte, isLost });
  }
}

function earlier(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined || other === undefined ? (one ?? other) : Math.min(one, other);
}

function errorOf({ stream }: Channel): string | undefined {
  return stream.errored ? messageOf(stream.errored) : undefined;
}

function kindOf(error: Error): 'tls' | 'unresponsive' | 'reset' {
  if (String(codeOf(error)).startsWith('ERR_SSL')) return 'tls';
  return isUnresponsive(error) ? 'unresponsive' : 'reset';
}
