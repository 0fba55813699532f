import type { Duplex } from 'node:stream';
import type { Channel } from '../net/channel.ts';
import type { SendQueue } from '../net/send-queue.ts';
import { watchQueue, type QueueWatch } from './queue-watch.ts';

/** How much of what TLS has decrypted may wait for its reader, in bytes. */
const mostDecrypted = 262_144;

/** Of wire bytes between two marks of what they hold, and how many marks are kept: more than a send buffer takes. */
const betweenMarks = 16_384;
const mostMarks = 1024;

/**
 * One direction of a data channel: bytes of a writer go to a reader, and then how the writer ended. While the system has
 * not taken all that was written, nothing is read from the writer.
 */
export class OneWay {
  readonly from: Channel;
  readonly to: Channel;
  readonly #stream: Duplex;
  readonly #queue: SendQueue;
  readonly #settled: () => void;
  readonly #moves: () => void;
  readonly #written: () => void;
  /** Whether what is read is a piece of its own, which comes in small ones, or in a buffer that is used again. */
  readonly #isOwn: boolean;
  /** Of TLS: how much of the file was handed to the system together with how much on the wire. */
  readonly #marks: { file: number; wire: number }[] = [];
  #moved = 0;
  #firstByte: number | undefined;
  #full = false;
  #corked = false;
  #isStopped = false;
  #flushed: (() => void) | undefined;
  #watch: QueueWatch | undefined;
  /** How the writer's end was passed on. */
  #passes: 'end' | 'reset' | undefined;
  #isDelivered = false;

  /**
   * @param moves is told whenever something of a queue that is waited for has been acknowledged
   * @param settled is told when `isDelivered` or `isSettled` have changed
   */
  constructor(from: Channel, to: Channel, moves: () => void, settled: () => void) {
    this.from = from;
    this.to = to;
    this.#stream = to.stream;
    this.#queue = to.queue;
    this.#moves = moves;
    this.#settled = settled;
    this.#isOwn = from.kind === 'tls';
    // Not 'drain': what is below the high-water mark would be waited for in vain.
    this.#written = () => {
      if (to.kind === 'tls') this.#mark();
      if (this.#stream.writableLength > 0) return;
      const flushed = this.#flushed;
      this.#flushed = undefined;
      flushed?.();
      if (!this.#full) return;
      this.#full = false;
      from.resume();
    };
  }

  /** Bytes of the file that the writer's connection has brought. */
  get moved(): number {
    return this.#moved;
  }

  /** When the first of them came, in milliseconds of `performance.now`. */
  get firstByte(): number | undefined {
    return this.#firstByte;
  }

  /** Bytes of the file that the reader's system has acknowledged. */
  get acknowledged(): number {
    if (this.#isDelivered) return this.#moved;
    const { kind } = this.to;
    const queue = this.#queue;
    const waiting = Math.max(0, queue.size - (queue.hasFin ? 1 : 0));
    if (waiting === 0 && this.#stream.writableLength === 0) return this.#moved;
    if (kind === 'tcp') return this.#moved - waiting;
    const arrived = queue.written - waiting;
    return this.#marks.findLast(({ wire }) => wire <= arrived)?.file ?? 0;
  }

  /** Whether the writer has said its end, and that has been passed on or is about to be. */
  get hasEnded(): boolean {
    return this.#passes !== undefined;
  }

  /** Whether the reader has acknowledged all of it, and its end. */
  get isDelivered(): boolean {
    return this.#isDelivered;
  }

  /** Whether nothing is waited for any more. */
  get isSettled(): boolean {
    return this.#watch === undefined;
  }

  /** Returns whether more may be read. */
  write(chunk: Uint8Array): boolean {
    if (this.#isStopped) return true;
    this.#firstByte ??= performance.now();
    this.#moved += chunk.length;
    if (this.#isOwn) this.#gather();
    this.#stream.write(chunk, this.#written);
    this.#full = this.#stream.writableLength > (this.#isOwn ? mostDecrypted : 0);
    return !this.#full;
  }

  /** Passes the end of a whole file on: FIN, over TLS behind close_notify. */
  end(): void {
    this.#pass('end', () => {
      this.#stream.end();
    });
  }

  /** Passes an end on that says nothing of the file: FIN, over TLS without close_notify. */
  cut(): void {
    this.#pass('end', () => {
      this.#whenFlushed(() => {
        this.to.cut();
      });
    });
  }

  /** The writer failed: the reader gets what had come, and then RST. */
  failed(patience: number): void {
    if (this.#passes === 'reset') return;
    this.#passes = 'reset';
    this.#isStopped = true;
    this.#stopWatch();
    const queue = this.#queue;
    const isEmpty = (): boolean => this.#stream.writableLength === 0 && queue.size === 0;
    if (this.to.stream.destroyed || isEmpty()) {
      this.to.reset();
      return;
    }
    this.#watch = watchQueue(queue, patience, {
      isOver: () => isEmpty() || queue.isGone || this.to.stream.destroyed,
      moves: this.#moves,
      over: () => {
        this.#stopWatch();
        this.to.reset();
        this.#settled();
      },
    });
  }

  /** Nothing more is written, and nothing waited for: what has been acknowledged by now has been. */
  stop(): void {
    this.#isStopped = true;
    this.look();
    this.#stopWatch();
  }

  /** Something has happened after which the queue may be empty. */
  look(): void {
    this.#watch?.look();
  }

  #pass(how: 'end', say: () => void): void {
    if (this.#passes) return;
    this.#passes = how;
    const queue = this.#queue;
    queue.want();
    say();
    let isDelivered = false;
    // Watched before it is looked at: what is over at once tells nobody of it while the caller is still at it.
    this.#watch = watchQueue(queue, 0, {
      isOver: () => {
        isDelivered = queue.isDelivered;
        return isDelivered || queue.isGone;
      },
      moves: this.#moves,
      over: () => {
        // Who is gone with all of it does not miss the end.
        this.#isDelivered = (isDelivered && this.to.kind === 'tcp') || this.acknowledged === this.#moved;
        if (this.#isDelivered) queue.release();
        this.#stopWatch();
        this.#settled();
      },
    });
  }

  #whenFlushed(act: () => void): void {
    if (this.#stream.writableLength === 0) act();
    else this.#flushed = act;
  }

  #stopWatch(): void {
    this.#watch?.stop();
    this.#watch = undefined;
  }

  #mark(): void {
    const mark = { file: this.#moved - this.#stream.writableLength, wire: this.#queue.written };
    const before = this.#marks.at(-2);
    if (before && mark.wire - before.wire < betweenMarks) this.#marks.pop();
    this.#marks.push(mark);
    if (this.#marks.length > mostMarks) this.#marks.splice(0, mostMarks / 2);
  }

  /** The records of one read come in one turn: they leave in one write. */
  #gather(): void {
    if (this.#corked) return;
    this.#corked = true;
    this.#stream.cork();
    process.nextTick(() => {
      this.#corked = false;
      this.#stream.uncork();
    });
  }
}
