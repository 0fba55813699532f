import type { TransferCause } from '../events.ts';
import type { Channel } from '../net/channel.ts';
import { codeOf, messageOf } from '../net/error.ts';
import { isUnresponsive, patienceOf } from '../net/keepalive.ts';
import { HelloHold } from './hello-hold.ts';
import { OneWay } from './one-way.ts';
import { withReads } from './reads.ts';

export interface DataChannelEnd {
  readonly cause: TransferCause;
  /** Bytes of the file that the server has acknowledged, and the client. */
  readonly uploaded: number;
  readonly downloaded: number;
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
  /** Bytes that have come from either side. */
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
  const {
    idleTimeout,
    livesOn = () => false,
    isClearAgreed = false,
    truncatedEnd = 'reset',
    keepalive = 0,
    seen = () => undefined,
    changed = () => undefined,
  } = options;
  const open = new Set<Channel>();
  let failure: { cause: TransferCause; error: string | undefined } | undefined;
  let isOver = false;
  let late: NodeJS.Timeout | undefined;
  const acknowledge = (): void => {
    server.acknowledge();
  };

  const hold = isClearAgreed
    ? new HelloHold({
        pass: (bytes) => upload.write(bytes),
        found: () => {
          abort('client-tls-failed', 'received TLS on a data connection that PROT has set to clear');
        },
      })
    : undefined;
  const client: Channel = withReads(ends.client, (chunk) => {
    idle.refresh();
    seen(chunk, 'client');
    return hold ? hold.take(chunk) : upload.write(chunk);
  });
  const server: Channel = withReads(ends.server, (chunk) => {
    if (hold?.serverSpeaks() === false) return false;
    idle.refresh();
    seen(chunk, 'server');
    return download.write(chunk);
  });
  const moves = (): void => {
    idle.refresh();
  };
  const finish = (): void => {
    if (isOver || open.size > 0 || !upload.isSettled || !download.isSettled) return;
    isOver = true;
    clearTimeout(idle);
    clearInterval(watch);
    clearTimeout(late);
    const uploaded = upload.acknowledged;
    const downloaded = download.acknowledged;
    // What the server does of its own accord it knows, and its word is as good as without the relay.
    const isServers = failure?.cause.startsWith('server-') ?? false;
    const isLost = {
      upload: !isServers && (uploaded < upload.moved || !upload.isDelivered),
      download: downloaded < download.moved || !(download.isDelivered || isServers),
    };
    for (const { queue } of [client, server]) queue.release();
    ended({ cause: failure?.cause ?? 'complete', error: failure?.error, uploaded, downloaded, isLost });
  };
  const settledOf = (to: 'client' | 'server') => (): void => {
    const way = to === 'server' ? upload : download;
    // Both have said their end, and this one has not acknowledged the other's.
    if (way.hasEnded && !way.isDelivered) note(causes[to].reset, 'closed before all data was acknowledged');
    changed();
    finish();
  };
  const upload = new OneWay(client, server, moves, settledOf('server'));
  const download = new OneWay(server, client, moves, settledOf('client'));

  const note = (cause: TransferCause, error?: string): void => {
    failure ??= { cause, error };
  };
  const abort = (cause: TransferCause, error?: string): void => {
    hold?.stop();
    note(cause, error);
    for (const way of [upload, download]) way.stop();
    for (const leg of [client, server]) leg.reset();
    finish();
  };
  /** The other side gets what had come, and then RST; what it says itself is nobody's any more. */
  const fail = (way: OneWay, cause: TransferCause, error?: string): void => {
    if (way === upload) hold?.release();
    note(cause, error);
    (way === upload ? download : upload).stop();
    way.from.reset();
    way.failed(lastWords);
  };
  const idle = setTimeout(() => {
    if (livesOn()) idle.refresh();
    else abort('data-idle-timeout');
  }, idleTimeout);
  // Few transfers last until then, and to have the system probe costs some calls.
  let isProbed = false;
  const patience = patienceOf(keepalive);
  const look = (): void => {
    if (!isProbed) for (const leg of [client, server]) leg.keepAlive(keepalive);
    isProbed = true;
    for (const [way, back, side] of [
      [upload, download, 'server'],
      [download, upload, 'client'],
    ] as const) {
      if (way.to.queue.unansweredFor < patience) continue;
      const words = `no acknowledgement for ${Math.round(patience / 1000)} s`;
      fail(back, causes[side].unresponsive, words);
    }
  };
  const watch = keepalive > 0 ? setInterval(look, Math.min(glance, keepalive / 2)) : undefined;

  for (const [way, back, side] of [
    [upload, download, 'client'],
    [download, upload, 'server'],
  ] as const) {
    const { from } = way;
    from.resetUntilEnded();
    const saidItsEnd = (): void => {
      if (way.hasEnded) return;
      const why = from.whyCutShort();
      if (side === 'client') hold?.release();
      // A reader that has got the whole file need not say close_notify to be believed: nobody waits for more.
      if (!why || (why === 'truncated' && back.hasEnded && way.moved === 0)) {
        way.end();
      } else if (why === 'truncated') {
        const error = 'FIN without close_notify';
        note(causes[side].truncated, error);
        if (way.to.kind === 'tls' || truncatedEnd === 'end') way.cut();
        else fail(way, causes[side].truncated, error);
      } else {
        fail(way, causes[side].reset);
      }
      // Closing says it as well, and costs no packet of its own.
      if (side === 'server' && !back.hasEnded) late = setTimeout(acknowledge, acknowledgement);
      // What it has said its end behind, it has acknowledged.
      back.look();
    };
    from.stream.on('end', saidItsEnd);
    // One leg may have ended, or gone, while the other was still in its handshake.
    if (from.stream.readableEnded) setImmediate(saidItsEnd);
    from.stream.on('error', (error) => {
      // All that was left to say to it was goodbye.
      if (upload.hasEnded && download.hasEnded && from.kind === 'tls') return;
      fail(way, causes[side][kindOf(error)], messageOf(error));
    });
    open.add(from);
    const closed = (): void => {
      if (!open.delete(from)) return;
      back.look();
      finish();
    };
    from.stream.on('close', closed);
    if (from.stream.closed) setImmediate(closed);
    if (from.stream.destroyed) fail(way, causes[side].reset, errorOf(from));
  }
  client.resume();
  server.resume();
  return {
    download,
    get moved() {
      return upload.moved + download.moved;
    },
    abort,
  };
}

function errorOf({ stream }: Channel): string | undefined {
  return stream.errored ? messageOf(stream.errored) : undefined;
}

function kindOf(error: Error): 'tls' | 'unresponsive' | 'reset' {
  if (String(codeOf(error)).startsWith('ERR_SSL')) return 'tls';
  return isUnresponsive(error) ? 'unresponsive' : 'reset';
}
