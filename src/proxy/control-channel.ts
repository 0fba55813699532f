import { LineReader, type Line } from '../ftp/lines.ts';
import type { Channel } from '../net/channel.ts';
import { descriptorOf, ignoreError } from '../net/socket.ts';
import { socketCalls } from '../linux/socket-calls.ts';
import { urgentSignals, watchUrgent } from '../net/urgent.ts';
import { closeGently } from './close-gently.ts';
import type { Share, Turn } from './turns.ts';

/** Who listens to a control channel. After `ended` or `failed` no line comes any more. */
export interface ControlChannelListener {
  /** Whether urgent data is to be told from other: a client cancels by it, and no server speaks so. */
  readonly tellsUrgent?: boolean;
  /** The first byte of all has come, and no line was told yet. */
  begins?(byte: number): void;
  /** @param isUrgent whether a byte of it came as TCP urgent data, as far as the system tells that */
  line(line: Line, isUrgent: boolean): void;
  /** Every line that can be told for now has been: time to flush. */
  turnEnded(): void;
  /** The peer said FIN while lines are held, which will be told before `ended`. */
  ending?(): void;
  /** The peer said FIN; `rest` is what had come of a line whose end never came. */
  ended(rest: string): void;
  failed(error: Error): void;
  /** What was written has left, after a flush that returned false. */
  drained(): void;
  /** The connection is gone both ways. */
  closed(): void;
}

/**
 * Why no line is told for now: a pinhole is being opened, the server has to answer first, what the last line says is not
 * true for the client yet, more will be known in the next turn of the event loop, the client or the server does not
 * read what is written for it, refusals have to be paid for, or the connection is being given to TLS or taken from it.
 */
export type Hold =
  'pinhole' | 'reply' | 'order' | 'turn' | 'client-drain' | 'server-drain' | 'penalty' | 'tls';

const briefHolds: ReadonlySet<Hold> = new Set(['pinhole', 'order', 'turn']);

/** How much of what comes while a channel is held is read, in bytes: reading on shows when the peer goes. */
const mostWaiting = 16_384;

/** The peer sent more than it may before the connection changes: whose bytes those are nobody can say. */
export class PipelinedError extends Error {
  override readonly name = 'PipelinedError';
}

/** One side's control channel: bytes in, lines out, in order. It owns its connection. */
export class ControlChannel {
  #channel: Channel;
  readonly #listener: ControlChannelListener;
  readonly #reader = new LineReader();
  readonly #holds = new Set<Hold>();
  /** The peer has said FIN. */
  #ended = false;
  /** It has been said that the connection is gone: Node calls a stream closed before it says so, and may yet. */
  #closed = false;
  /** Nothing more is told. */
  #silent = false;
  #telling = false;
  /** The connection is somebody else's for now. */
  #lent = false;
  #output = '';
  /** Bytes that have come. */
  #received = 0;
  /** Which of them was urgent, by its place among all, until the line that holds it has been told; and of the last line. */
  #urgentAt: number | undefined;
  #toldUrgentAt: number | undefined;
  #seesUrgent = false;
  /** `urgentSignals` when the line before the last began to be told, and when the last one did. */
  #signals = urgentSignals();
  #lastSignals: number = this.#signals;
  #detach: () => void;
  readonly #turn: Turn;
  /** What came while lines waited for their turn. */
  readonly #untold: (() => void)[] = [];

  /**
   * @param channel connected and paused; `start` begins to read it
   * @param share the client's, in whose turns lines are told
   * @param read what was read of it already
   */
  constructor(channel: Channel, listener: ControlChannelListener, share: Share, read = '') {
    this.#channel = channel;
    this.#listener = listener;
    this.#turn = share.join((isOver, isNested) => this.#tellUntil(isOver, isNested));
    if (read !== '') this.#reader.push(Buffer.from(read, 'latin1'));
    this.#detach = this.#attach();
  }

  /** Whether bytes have come that nobody was told of yet. */
  get hasWaiting(): boolean {
    return this.#reader.size > 0;
  }

  /** Whether the peer has said FIN; lines of it may still be told. */
  get hasEnded(): boolean {
    return this.#ended;
  }

  start(): void {
    this.#channel.resume();
    if (this.#reader.size > 0) this.#tell();
  }

  hold(why: Hold): void {
    this.#holds.add(why);
  }

  release(why: Hold): void {
    if (this.#holds.delete(why) && this.#holds.size === 0) this.#tell();
  }

  /** Takes back the line that was told last: it can't be judged yet, and will be the next that is told. */
  putBack(): void {
    this.#reader.putBack();
    this.#urgentAt ??= this.#toldUrgentAt;
    this.#lastSignals = this.#signals;
  }

  /** Whether the system tells of urgent data at all. */
  get seesUrgent(): boolean {
    return this.#seesUrgent;
  }

  /** Whether urgent data has come, here or elsewhere, since the line before the last was told. */
  get wasSignalled(): boolean {
    return urgentSignals() > this.#signals;
  }

  /** Adds to what the next flush writes. */
  send(text: string): void {
    this.#output += text;
  }

  /**
   * Writes what was sent, and behind it this, whose last byte is TCP urgent data. Where that can't be, over TLS, without
   * the C library's calls, or as the peer does not read, it goes as any other.
   *
   * @returns whether it went as urgent data
   */
  sendUrgent(text: string): boolean {
    this.flush();
    const { stream } = this.#channel;
    const calls = socketCalls();
    const fd = descriptorOfChannel(this.#channel);
    if (!calls || fd === undefined || this.#lent || stream.writableLength > 0 || !stream.writable) {
      this.send(text);
      return false;
    }
    const sent = Math.max(0, calls.sendUrgent(fd, Buffer.from(text, 'latin1')));
    this.send(text.slice(sent));
    return sent === text.length;
  }

  /**
   * Writes what was sent since the last flush in one piece; false where the peer does not keep up, or has to wait for
   * TLS first.
   */
  flush(): boolean {
    if (this.#output === '') return true;
    if (this.#lent) return false;
    const output = this.#output;
    this.#output = '';
    if (!this.#channel.stream.writable) return true;
    // As bytes: of a text TLS would make UTF-8 first.
    return this.#channel.stream.write(Buffer.from(output, 'latin1'));
  }

  /** Says FIN after what was sent; the peer may still speak. */
  end(): void {
    if (this.#lent) return;
    this.flush();
    this.#channel.stream.end();
  }

  /** Says FIN after what was sent, and listens no more. */
  finish(): void {
    this.#silent = true;
    if (this.#lent) {
      this.#channel.reset();
      return;
    }
    this.flush();
    this.#channel.resume();
    closeGently(this.#channel.stream);
  }

  reset(): void {
    this.#silent = true;
    this.#channel.reset();
  }

  /**
   * Writes what was sent, lends the connection to `convert`, and goes on with what comes of it; meanwhile no line is
   * told. Where it fails the old connection goes on, if it is still there.
   *
   * @param converted is called before the first line of the new one is told
   * @throws {PipelinedError} where bytes wait that came before it: nobody is told of them, or of anything else
   */
  async convert<T extends Channel>(
    convert: (channel: Channel) => Promise<T>,
    converted: (channel: T) => void,
  ): Promise<void> {
    this.flush();
    this.hold('tls');
    if (this.hasWaiting) throw new PipelinedError('bytes came that should have waited');
    this.#detach();
    this.#lent = true;
    const { stream } = this.#channel;
    stream.on('error', ignoreError);
    try {
      const channel = await convert(this.#channel);
      this.#channel = channel;
      if (!this.#silent) converted(channel);
    } finally {
      stream.off('error', ignoreError);
      this.#lent = false;
      this.#detach = this.#attach();
      if (this.#silent) this.#channel.reset();
      else this.#channel.resume();
      // What was sent meanwhile held back whoever had caused it.
      if (this.flush()) this.#listener.drained();
      this.release('tls');
    }
  }

  /** Writes what was sent and gives the connection away, paused; nobody is told of it any more. */
  give(): Channel {
    this.flush();
    this.#silent = true;
    this.#detach();
    this.#channel.pause();
    return this.#channel;
  }

  /** Listens to the connection; returns what takes that back. */
  #attach(): () => void {
    const channel = this.#channel;
    const { stream } = channel;
    const urgent =
      this.#listener.tellsUrgent && channel.kind === 'tcp' ? watchUrgent(channel.stream) : undefined;
    this.#seesUrgent = urgent !== undefined;
    const listeners = {
      data: (chunk: Buffer) => {
        if (this.#silent) return;
        if (this.#received === 0) this.#listener.begins?.(chunk[0] ?? 0);
        this.#reader.push(chunk);
        this.#received += chunk.length;
        if (urgent?.isNext()) this.#urgentAt = this.#received;
        this.#tell();
        if (this.#reader.size > mostWaiting) channel.pause();
      },
      end: () => {
        // A control channel without close_notify before its FIN has lost nothing: a line says where it ends.
        if (channel.whyCutShort() === 'reset') {
          this.#fail(new Error('connection reset by peer'));
          return;
        }
        this.#ended = true;
        if (this.#holds.size > 0) this.#listener.ending?.();
        this.#tell();
      },
      error: (error: Error) => {
        this.#fail(error);
      },
      close: () => {
        // Where it did not fail: of a failure whatever holds lines is told at once.
        this.#afterTurn(this.#isHeldBriefly && !this.#silent, () => {
          this.#silent = true;
          if (!this.#closed) this.#listener.closed();
          this.#closed = true;
        });
      },
      drain: () => {
        this.#listener.drained();
      },
    };
    for (const [event, listener] of Object.entries(listeners)) stream.on(event, listener);
    if (stream.closed) setImmediate(listeners.close);
    return () => {
      for (const [event, listener] of Object.entries(listeners)) stream.off(event, listener);
    };
  }

  #fail(error: Error): void {
    this.#channel.stream.destroy();
    this.#afterTurn(false, () => {
      if (this.#silent && !this.#ended) return;
      this.#silent = true;
      this.#listener.failed(error);
    });
  }

  /** Lines that wait for their turn, and the end behind them, are told before what came after them. */
  #afterTurn(isHeld: boolean, tell: () => void): void {
    if (this.#turn.isWaiting || isHeld) this.#untold.push(tell);
    else tell();
  }

  /** Whether lines are held by nothing but what ends by itself, whatever the two sides do. */
  get #isHeldBriefly(): boolean {
    return this.#holds.size > 0 && [...this.#holds].every((why) => briefHolds.has(why));
  }

  #tell(): void {
    // Telling a line may release a hold, and so come here again.
    if (this.#telling) return;
    this.#turn.request();
    // What has come is enough until then.
    if (this.#turn.isWaiting && !this.#lent && !this.#silent) this.#channel.pause();
  }

  /**
   * Returns whether there may be more to tell.
   *
   * @param isNested whether a line of the other side's has led here: its turn ends later
   */
  #tellUntil(isOver: () => boolean, isNested: boolean): boolean {
    const hasMore = this.#tellLines(isOver, isNested);
    if (!hasMore && (this.#silent || !this.#isHeldBriefly)) for (const tell of this.#untold.splice(0)) tell();
    return hasMore;
  }

  #tellLines(isOver: () => boolean, isNested: boolean): boolean {
    this.#telling = true;
    let isLate = false;
    for (let line = this.#next(); line; line = isLate ? undefined : this.#next()) {
      this.#listener.line(line, this.#isUrgent());
      isLate = isOver();
    }
    this.#telling = false;
    const isCut = isLate && !this.#silent && this.#holds.size === 0 && this.#reader.size > 0;
    // What came in one segment leaves in one, however many turns it takes.
    if (!isNested && !isCut) this.#listener.turnEnded();
    if (isCut) return true;
    if (this.#silent) return false;
    if (this.#holds.size > 0) {
      // It may have been paused until its turn, and reading on shows when the peer goes.
      if (!this.#lent && this.#reader.size <= mostWaiting) this.#channel.resume();
      return false;
    }
    if (this.#ended) {
      this.#silent = true;
      this.#listener.ended(this.#reader.rest());
    } else {
      this.#channel.resume();
    }
    return false;
  }

  /** Whether the line that is about to be told holds the urgent byte. */
  #isUrgent(): boolean {
    const isIn = this.#urgentAt !== undefined && this.#urgentAt < this.#received - this.#reader.size;
    this.#toldUrgentAt = isIn ? this.#urgentAt : undefined;
    if (isIn) this.#urgentAt = undefined;
    this.#signals = this.#lastSignals;
    this.#lastSignals = urgentSignals();
    return isIn;
  }

  #next(): Line | undefined {
    return this.#silent || this.#holds.size > 0 ? undefined : this.#reader.next();
  }
}

function descriptorOfChannel(channel: Channel): number | undefined {
  return channel.kind === 'tcp' ? descriptorOf(channel.stream) : undefined;
}
