import { readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { bytesOfAddress } from './address.ts';
import { endpointOfSocket, type Endpoint } from './endpoint.ts';
import { socketCalls } from '../linux/socket-calls.ts';
import { beforeClose } from '../node-internals/before-close.ts';
import { descriptorOf } from '../node-internals/descriptor.ts';
import { unsentBytes } from '../node-internals/unsent.ts';

/**
 * What was written to a TCP connection and its peer has not acknowledged: by SIOCOUTQ where the C library can be called
 * (koffi), else by /proc/net/tcp, else it is what Node still holds. Who wants it can ask when the connection was closed
 * here as well: the system goes on sending then.
 */
export class SendQueue {
  readonly #socket: Socket;
  readonly #ends: Ends | undefined;
  /** The connection after Node has closed its own descriptor of it, while something is in the queue. */
  #rest: { readonly copy: number } | 'in-proc' | undefined;
  #isClosed = false;
  #isReset = false;
  #isWanted = false;
  #isReleased = false;
  /** Without the C library's calls: how much had been written when it was looked at last, and since when. */
  #seenWritten = -1;
  #seenAt = 0;
  /** What was in the queue when nobody could ask any more. */
  #left = 0;

  /** @param socket connected; it may have several, as it goes from hand to hand */
  constructor(socket: Socket) {
    this.#socket = socket;
    // Node forgets them with the connection.
    if (!socketCalls()) this.#ends = endsOf(socket);
    beforeClose(socket, () => {
      this.#closes();
    });
  }

  /** From now on it can be asked when the connection was closed here as well, until `release`. */
  want(): void {
    this.#isWanted = true;
  }

  /** Bytes, as they go over the wire; FIN counts as one. */
  get size(): number {
    if (!this.#isClosed) return unsentBytes(this.#socket) + this.#inSystem(descriptorOf(this.#socket));
    if (this.#rest === undefined) return this.#left;
    return this.#inSystem(this.#rest === 'in-proc' ? undefined : this.#rest.copy);
  }

  /** Bytes that have been written to the connection since it was made, as they go over the wire. */
  get written(): number {
    return this.#socket.bytesWritten;
  }

  /** Whether FIN has been handed to the system. */
  get hasFin(): boolean {
    return this.#socket.writableFinished;
  }

  /**
   * Whether the peer has acknowledged every byte, and FIN has left behind them. FIN's own acknowledgement says nothing
   * more: systems delay it (40 ms), unless their program closes.
   */
  get isDelivered(): boolean {
    return this.hasFin && this.size <= 1;
  }

  /** Whether nothing of the queue will be acknowledged any more: the connection failed, or is closed at both ends. */
  get isGone(): boolean {
    if (this.#rest === 'in-proc') return false;
    if (this.#isClosed && this.#rest === undefined) return true;
    // Of a connection that is neither read nor written Node does not hear.
    const fd = this.#rest === undefined ? descriptorOf(this.#socket) : this.#rest.copy;
    return fd !== undefined && (socketCalls()?.information(fd)?.isClosed ?? false);
  }

  /**
   * Milliseconds for which the peer has left what was sent without an answer; 0 where it answers, or the system does not
   * say. A peer that is there answers also where it has no room for more.
   */
  get unansweredFor(): number {
    const fd = typeof this.#rest === 'object' ? this.#rest.copy : descriptorOf(this.#socket);
    const known = fd === undefined ? undefined : socketCalls()?.information(fd);
    return known && known.unanswered > 1 ? known.sinceAcknowledged : 0;
  }

  /** Nobody asks any more: what is left is as good as acknowledged, and is sent all the same. */
  release(): void {
    this.#letGo((fd) => socketCalls()?.close(fd));
  }

  /** The connection is about to be reset: nothing more of the queue is sent. */
  abandon(): void {
    this.#isReset = true;
    if (this.#rest !== undefined) this.#letGo((fd) => socketCalls()?.reset(fd));
  }

  #letGo(close: (fd: number) => void): void {
    this.#isWanted = false;
    this.#isReleased = true;
    if (this.#rest === undefined) return;
    this.#left = this.size;
    if (typeof this.#rest === 'object') close(this.#rest.copy);
    this.#rest = undefined;
  }

  #closes(): void {
    if (this.#isClosed) return;
    if (this.#isReleased) {
      this.#isClosed = true;
      return;
    }
    const fd = descriptorOf(this.#socket);
    this.#left = unsentBytes(this.#socket) + this.#inSystem(fd);
    this.#isClosed = true;
    // Only after FIN does the system send what is left.
    if (!this.#isWanted || this.isDelivered || this.#isReset || !this.hasFin) return;
    const calls = socketCalls();
    if (!calls) this.#rest = this.#ends && 'in-proc';
    else {
      const copy = fd === undefined ? undefined : calls.duplicate(fd);
      this.#rest = copy === undefined ? undefined : { copy };
    }
  }

  /** When it was first seen that all was written that has been by now. */
  #lastWrite(): number {
    const written = this.#socket.bytesWritten + (this.hasFin ? 1 : 0);
    if (written !== this.#seenWritten) this.#seenAt = performance.now();
    this.#seenWritten = written;
    return this.#seenAt;
  }

  #inSystem(fd: number | undefined): number {
    const calls = socketCalls();
    if (calls) return fd === undefined ? 0 : (calls.unacknowledged(fd) ?? 0);
    return this.#ends ? queueInProc(this.#ends, this.#lastWrite()) : 0;
  }
}

interface Ends {
  readonly local: Endpoint;
  readonly remote: Endpoint;
}

function endsOf({ localAddress, localPort, remoteAddress, remotePort }: Socket): Ends | undefined {
  const local = endpointOfSocket(localAddress, localPort);
  const remote = endpointOfSocket(remoteAddress, remotePort);
  return local && remote && { local, remote };
}

/** The last content of /proc/net/tcp: reading it takes time for each connection of the host. */
let snapshot: { readonly at: number; readonly until: number; readonly queues: ReadonlyMap<string, number> } =
  {
    ...{ at: 0, until: 0, queues: new Map() },
  };

/** Of a reading's time, for how long its outcome serves: no more than a twentieth of the time goes into reading. */
const share = 20;

/**
 * The queue of a connection as proc(5) has it; 0 where it has none, or there is no /proc:
 *
 *     sl  local_address rem_address   st tx_queue:rx_queue ...
 *      0: 0100007F:0015 0200007F:C350 04 00000001:00000000 ...
 *
 * @param since by the clock of `performance.now`: what was read before is not known any more, and so is not empty
 */
function queueInProc({ local, remote }: Ends, since: number): number {
  if (performance.now() >= snapshot.until) snapshot = readProc();
  if (snapshot.at < since) return unknown;
  return snapshot.queues.get(`${inProc(local)} ${inProc(remote)}`) ?? 0;
}

/** More than FIN. */
const unknown = 2;

function readProc(): typeof snapshot {
  const at = performance.now();
  const queues = new Map<string, number>();
  for (const file of ['/proc/net/tcp', '/proc/net/tcp6']) {
    try {
      for (const [, ends = '', queue = ''] of readFileSync(file, 'latin1').matchAll(line)) {
        if (queue !== '00000000') queues.set(ends, parseInt(queue, 16));
      }
    } catch {
      // Another system, or one without IPv6.
    }
  }
  return { at, until: at + share * (performance.now() - at), queues };
}

const line = /^ *\d+: ([0-9A-F]+:[0-9A-F]{4} [0-9A-F]+:[0-9A-F]{4}) [0-9A-F]{2} ([0-9A-F]{8})/gm;

/** Words of 32 bits in the order of the processor: little-endian. */
function inProc({ address, port }: Endpoint): string {
  const bytes = Buffer.from(bytesOfAddress(address)).swap32();
  return `${bytes.toString('hex')}:${port.toString(16).padStart(4, '0')}`.toUpperCase();
}
