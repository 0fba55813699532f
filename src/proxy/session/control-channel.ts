import { LineReader, type Line } from '../../ftp/lines.ts';
import type { Channel } from '../../net/channel.ts';
import { closeGently } from '../../net/close-gently.ts';
import { ignoreError } from '../../net/socket.ts';
import { descriptorOf } from '../../node-internals/descriptor.ts';
import { socketCalls } from '../../linux/socket-calls.ts';
import { Holds, type Hold } from './holds.ts';
import type { Share, Turn } from './turns.ts';
import { UrgentLines } from './urgent-lines.ts';

/** Who listens to a control channel. After `ended` or `failed` no line comes any more. */
export interface ControlChannelListener {
  /** Whether urgent data is distinguished from other data: a client cancels with it, and no server sends any. */
  readonly tellsUrgent?: boolean;
  /** The very first byte has arrived, and no line was delivered yet. */
  begins?(byte: number): void;
  /** @param isUrgent whether a byte of it came as TCP urgent data, as far as the system tells that */
  line(line: Line, isUrgent: boolean): void;
  /** Every line that can be delivered for now has been: time to flush. */
  turnEnded(): void;
  /** The peer sent FIN while lines are held, which will be delivered before `ended`. */
  ending?(): void;
  /** The peer sent FIN; `rest` is the received part of a line whose end never arrived. */
  ended(rest: string): void;
  failed(error: Error): void;
  /** What was written has left, after a flush that returned false. */
  drained(): void;
  /** The connection is gone both ways. */
  closed(): void;
}

/** How many bytes are read while a channel is held: continued reading shows when the peer disconnects. */
const mostWaiting = 16_384;

/** The peer sent data that should have waited for the change of the connection: anybody may have injected it. */
export class PipelinedError extends Error {
  override readonly name = 'PipelinedError';
}

/**
 * What may still be told of what the peer says:
 * - `lines`: all of it.
 * - `end`: it has said FIN; the lines that came before, and then that.
 * - `failure`: its end was told, or nobody wants to know it any more; that the connection fails is told all the same.
 * - `nothing`: it has not said FIN, and nobody wants to know any more.
 *
 * That the connection is gone is told in any case.
 */
type Told = 'lines' | 'end' | 'failure' | 'nothing';

/** One side's control channel: bytes in, lines out, in order. It owns its connection. */
export class ControlChannel {
  /** Which of its lines came as urgent data. */
  readonly urgent: UrgentLines = new UrgentLines();
  #channel: Channel;
  #listener: ControlChannelListener = nobody;
  readonly #reader = new LineReader();
  readonly #holds = new Holds();
  #told: Told = 'lines';
  /**
   * The loss of the connection has been reported: Node marks a stream closed before it reports that, and may still do
   * so.
   */
  #isGone = false;
  /** Lines are being delivered: handling one may allow further lines, which are delivered then. */
  #isTelling = false;
  #output = '';
  /** Whether what was sent last has no end of line: a piece of an overlong line. */
  #isInLine = false;
  /** How many bytes have come. */
  #received = 0;
  #detach: () => void = nothing;
  readonly #turn: Turn;
  /** What came while lines waited for their turn. */
  readonly #untold: (() => void)[] = [];

  /**
   * @param channel connected and paused; it is to be listened to at once, and `start` begins to read it
   * @param share the client's, in whose turns lines are told
   * @param read what was read of it already
   */
  constructor(channel: Channel, share: Share, read = '') {
    this.#channel = channel;
    this.#turn = share.join((isOver, isNested) => this.#tellUntil(isOver, isNested));
    if (read !== '') this.#reader.push(Buffer.from(read, 'latin1'));
  }

  /** Delivers what arrives to `listener`, the only one so far. */
  listen(listener: ControlChannelListener): void {
    this.#listener = listener;
    this.#detach = this.#attach();
  }

  /** Whether bytes have arrived that were not delivered yet. */
  get hasWaiting(): boolean {
    return this.#reader.size > 0;
  }

  /** Whether the peer has sent FIN; lines of it may still be undelivered. */
  get hasEnded(): boolean {
    return this.#told === 'end' || this.#told === 'failure';
  }

  start(): void {
    this.#channel.resume();
    if (this.#reader.size > 0) this.#tell();
  }

  hold(why: Hold): void {
    this.#holds.add(why);
  }

  release(why: Hold): void {
    if (this.#holds.remove(why)) this.#tell();
  }

  /** Takes back the line delivered last: it cannot be judged yet, and will be delivered next. */
  putBack(): void {
    this.#reader.putBack();
    this.urgent.putBack();
  }

  /** Adds to what the next flush writes. */
  send(text: string): void {
    if (text === '') return;
    this.#output += text;
    this.#isInLine = !text.endsWith('\n');
  }

  /** Ends a line of which only pieces were sent: what comes next is no part of it. */
  endLine(): void {
    if (this.#isInLine) this.send('\r\n');
  }

  /**
   * Writes the pending output, and after it this text, whose last byte is TCP urgent data. If that is impossible
   * (TLS, no C library calls, a peer that does not read), it is sent as ordinary data.
   *
   * @returns whether it went as urgent data
   */
  sendUrgent(text: string): boolean {
    this.flush();
    const { stream } = this.#channel;
    const calls = socketCalls();
    const fd = descriptorOfChannel(this.#channel);
    if (!calls || fd === undefined || this.#isLent || stream.writableLength > 0 || !stream.writable) {
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
    if (this.#isLent) return false;
    const output = this.#output;
    this.#output = '';
    const { kind, stream } = this.#channel;
    if (!stream.writable) return true;
    // As bytes: of a text TLS would make UTF-8 first.
    return kind === 'tcp' ? stream.write(output, 'latin1') : stream.write(Buffer.from(output, 'latin1'));
  }

  /** Says FIN after what was sent; the peer may still speak. */
  end(): void {
    if (this.#isLent) return;
    this.flush();
    this.#channel.stream.end();
  }

  /** Sends FIN after the pending output, and stops listening. */
  finish(): void {
    this.#silence();
    if (this.#isLent) {
      this.#channel.reset();
      return;
    }
    this.flush();
    this.#channel.resume();
    closeGently(this.#channel.stream);
  }

  reset(): void {
    this.#silence();
    this.#channel.reset();
  }

  /**
   * Writes the pending output, lends the connection to `convert`, and continues with its result; meanwhile no line is
   * delivered. If it fails, the old connection continues, if it still exists.
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
    if (this.hasWaiting) throw new PipelinedError('received data that should have waited for the reply');
    this.#detach();
    this.#holds.add('lent');
    const { stream } = this.#channel;
    stream.on('error', ignoreError);
    try {
      const channel = await convert(this.#channel);
      this.#channel = channel;
      if (!this.#isSilent) converted(channel);
    } finally {
      stream.off('error', ignoreError);
      this.#holds.remove('lent');
      this.#detach = this.#attach();
      if (this.#isSilent) this.#channel.reset();
      else this.#channel.resume();
      // What was sent meanwhile held back whoever had caused it.
      if (this.flush()) this.#listener.drained();
      this.release('tls');
    }
  }

  /** Writes the pending output and gives the connection away, paused; nothing more is delivered. */
  give(): Channel {
    this.flush();
    this.#silence();
    this.#detach();
    this.#channel.pause();
    return this.#channel;
  }

  /** Whether the connection is somebody else's for now. */
  get #isLent(): boolean {
    return this.#holds.has('lent');
  }

  get #isSilent(): boolean {
    return this.#told === 'failure' || this.#told === 'nothing';
  }

  /** Delivers no further input of the peer. */
  #silence(): void {
    this.#told = this.hasEnded ? 'failure' : 'nothing';
  }

  /** Listens to the connection; returns what takes that back. */
  #attach(): () => void {
    const channel = this.#channel;
    const { stream } = channel;
    if (this.#listener.tellsUrgent) this.urgent.watch(channel);
    const listeners = {
      data: (chunk: Buffer) => {
        if (this.#isSilent) return;
        if (this.#received === 0) this.#listener.begins?.(chunk[0] ?? 0);
        this.#reader.push(chunk);
        this.#received += chunk.length;
        this.urgent.came(this.#received);
        this.#tell();
        if (this.#reader.size > mostWaiting) channel.pause();
      },
      end: () => {
        // A control channel without close_notify before its FIN has lost nothing: lines mark their own ends.
        if (channel.whyCutShort() === 'reset') {
          this.#fail(new Error('connection reset by peer'));
          return;
        }
        this.#told = this.#isSilent ? 'failure' : 'end';
        if (this.#holds.areThere) this.#listener.ending?.();
        this.#tell();
      },
      error: (error: Error) => {
        this.#fail(error);
      },
      close: () => {
        // Unless it failed: a failure is reported at once, whatever holds the lines.
        this.#afterTurn(this.#holds.areBrief && !this.#isSilent, () => {
          this.#silence();
          if (!this.#isGone) this.#listener.closed();
          this.#isGone = true;
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
      if (this.#told === 'nothing') return;
      this.#silence();
      this.#listener.failed(error);
    });
  }

  /** Lines that wait for their turn, and the end after them, are delivered before later input. */
  #afterTurn(isHeld: boolean, tell: () => void): void {
    if (this.#turn.isWaiting || isHeld) this.#untold.push(tell);
    else tell();
  }

  #tell(): void {
    // Telling a line may release a hold, and so come here again.
    if (this.#isTelling) return;
    this.#turn.request();
    // What has come is enough until then.
    if (this.#turn.isWaiting && !this.#isLent && !this.#isSilent) this.#channel.pause();
  }

  /**
   * Returns whether there may be more to deliver.
   *
   * @param isNested whether a line of the other side's has led here: its turn ends later
   */
  #tellUntil(isOver: () => boolean, isNested: boolean): boolean {
    const hasMore = this.#tellLines(isOver, isNested);
    if (!hasMore && (this.#isSilent || !this.#holds.areBrief))
      for (const tell of this.#untold.splice(0)) tell();
    return hasMore;
  }

  #tellLines(isOver: () => boolean, isNested: boolean): boolean {
    this.#isTelling = true;
    let isLate = false;
    for (let line = this.#next(); line; line = isLate ? undefined : this.#next()) {
      this.#listener.line(line, this.urgent.tell(this.#received - this.#reader.size));
      isLate = isOver();
    }
    this.#isTelling = false;
    const isCut = isLate && !this.#isSilent && !this.#holds.areThere && this.#reader.size > 0;
    // What came in one segment leaves in one, however many turns it takes.
    if (!isNested && !isCut) this.#listener.turnEnded();
    if (isCut) return true;
    if (this.#isSilent) return false;
    if (this.#holds.areThere) {
      // It may have been paused until its turn, and reading on shows when the peer goes.
      if (!this.#isLent && this.#reader.size <= mostWaiting) this.#channel.resume();
      return false;
    }
    if (this.#told === 'end') {
      this.#silence();
      this.#listener.ended(this.#reader.rest());
    } else {
      this.#channel.resume();
    }
    return false;
  }

  #next(): Line | undefined {
    return this.#isSilent || this.#holds.areThere ? undefined : this.#reader.next();
  }
}

function descriptorOfChannel(channel: Channel): number | undefined {
  return channel.kind === 'tcp' ? descriptorOf(channel.stream) : undefined;
}

function nothing(): void {
  // Nobody listens yet.
}

const nobody: ControlChannelListener = {
  line: nothing,
  turnEnded: nothing,
  ended: nothing,
  failed: nothing,
  drained: nothing,
  closed: nothing,
};
