/** How long a client is silent behind a ClientHello until it is taken for one, in milliseconds. */
const patience = 2000;

interface HelloHoldListener {
  /** It is no TLS, or not TLS alone: the bytes go on. Returns whether more may be read. */
  pass(bytes: Uint8Array): boolean;
  /** It is TLS; the bytes are gone. */
  found(): void;
}

/**
 * Holds back what a client says first on a data channel that was agreed on in the clear, as long as that may be TLS all
 * the same: a ClientHello, and then silence, as its answer does not come. A file that begins with those bytes goes on
 * behind them, or ends, and loses none, unless it pauses right there.
 */
export class HelloHold {
  readonly #listener: HelloHoldListener;
  /** Undefined once it is decided. */
  #held: Uint8Array | undefined = new Uint8Array(0);
  #serverSpeaks = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(listener: HelloHoldListener) {
    this.#listener = listener;
  }

  /** Returns whether more may be read. The chunk is not kept. */
  take(chunk: Uint8Array): boolean {
    if (!this.#held) return this.#listener.pass(chunk);
    this.#held = Buffer.concat([this.#held, chunk]);
    const likeness = likenessOf(this.#held);
    if (likeness === 'none') return this.release();
    // Who downloads sends nothing.
    if (likeness === 'whole' && this.#serverSpeaks) {
      this.#found();
      return false;
    }
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#decide();
    }, patience);
    return true;
  }

  /** The server has something to say. Returns false where it is TLS that it would be said to. */
  serverSpeaks(): boolean {
    this.#serverSpeaks = true;
    if (!this.#held || likenessOf(this.#held) !== 'whole') return true;
    this.#found();
    return false;
  }

  /** Lets go what is held: the client has said its end. Returns whether more may be read. */
  release(): boolean {
    const held = this.#held;
    this.stop();
    return held === undefined || held.length === 0 || this.#listener.pass(held);
  }

  /** Decides nothing any more. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#held = undefined;
  }

  #decide(): void {
    if (this.#held && likenessOf(this.#held) === 'whole') this.#found();
    else this.release();
  }

  #found(): void {
    this.stop();
    this.#listener.found();
  }
}

/**
 * Whether bytes are one record of TLS with a ClientHello in it (RFC 8446 sections 4 and 5.1), the beginning of one, or
 * something else:
 *
 *     16 03 0x LL LL 01 00 HH HH ...     LLLL is how much follows it, and HHHH four less
 */
export function likenessOf(bytes: Uint8Array): 'whole' | 'begun' | 'none' {
  const [type = 0x16, major = 3, minor = 0, high = 0, low = 0, message = 1, first = 0] = bytes;
  if (type !== 0x16 || major !== 3 || minor > 4 || message !== 1 || first !== 0) return 'none';
  if (bytes.length < 9) return 'begun';
  const length = high * 256 + low;
  const inMessage = (bytes[7] ?? 0) * 256 + (bytes[8] ?? 0);
  if (inMessage !== length - 4 || bytes.length > length + 5) return 'none';
  return bytes.length === length + 5 ? 'whole' : 'begun';
}
