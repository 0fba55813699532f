import { endianness } from 'node:os';
import { loadLibc, type Libc } from './libc.ts';

/** What Node does not offer of a TCP connection, by calls of the C library. `fd` is the connection's descriptor. */
export interface SocketCalls {
  /** Bytes that were written and the peer has not acknowledged, FIN counted as one (SIOCOUTQ, tcp(7)). */
  unacknowledged(fd: number): number | undefined;
  /** What the system knows of the connection (TCP_INFO). */
  information(fd: number): TcpInformation | undefined;
  /** Bytes that have come and were not read (FIONREAD). */
  unread(fd: number): number | undefined;
  /** Another descriptor of the same connection, which outlives the first. */
  duplicate(fd: number): number | undefined;
  close(fd: number): void;
  /** Whether the connection ends by RST when its last descriptor is closed, by whomever (SO_LINGER, 0 seconds). */
  resetWhenClosed(fd: number, isOn: boolean): void;
  /** Closes the last descriptor of a connection by RST. */
  reset(fd: number): void;
  /**
   * How a silent peer is noticed (tcp(7)), in seconds: the first probe after `idle`, the others `interval` apart, and
   * the connection fails after `count` of them without an answer.
   */
  keepAlive(
    fd: number,
    probes: { readonly idle: number; readonly interval: number; readonly count: number },
  ): void;
  /** Milliseconds that what was sent may go without an acknowledgement until the connection fails. */
  userTimeout(fd: number, milliseconds: number): void;
  /** How much the system keeps of what nobody has read yet, in bytes; of a listener: for each connection that it accepts. */
  receiveBuffer(fd: number, bytes: number): void;
  /** Sends an acknowledgement that is due at once, where the system would wait for company for it, 40 ms as a rule. */
  acknowledge(fd: number): void;
  /** Has urgent data stay where it is among the other bytes (SO_OOBINLINE). Returns whether that is so now. */
  readUrgentInLine(fd: number): boolean;
  /** Has the system send SIGURG to this process when urgent data comes. */
  signalUrgent(fd: number): void;
  /** Whether the byte that will be read next is urgent (SIOCATMARK). */
  isAtUrgent(fd: number): boolean;
  /** Sends bytes, the last of which is urgent. Returns how many were taken; -1 for none. */
  sendUrgent(fd: number, bytes: Buffer): number;
}

interface TcpInformation {
  readonly isClosed: boolean;
  /** Whether the peer has sent FIN or RST; data before it may be unread. */
  readonly hasPeerEnded: boolean;
  /** How often the same bytes, or the question whether there is room for more, were sent again without an answer. */
  readonly unanswered: number;
  /** Milliseconds since the peer acknowledged anything. */
  readonly sinceAcknowledged: number;
}

// <asm-generic/socket.h>, <asm-generic/ioctls.h>, <linux/sockios.h>, <linux/tcp.h>: the same on these processors.
const architectures: ReadonlySet<string> = new Set(['x64', 'arm64', 'arm', 'ia32', 'riscv64', 'loong64']);
const SIOCOUTQ = 0x5411;
const SIOCATMARK = 0x8905;
const FIONREAD = 0x541b;
const SOL_SOCKET = 1;
const SO_RCVBUF = 8;
const SO_OOBINLINE = 10;
const SO_LINGER = 13;
const IPPROTO_TCP = 6;
const TCP_KEEPIDLE = 4;
const TCP_KEEPINTVL = 5;
const TCP_KEEPCNT = 6;
const TCP_INFO = 11;
const TCP_QUICKACK = 12;
const TCP_USER_TIMEOUT = 18;
const TCP_CLOSE = 7;
const TCP_CLOSE_WAIT = 8;
const F_SETOWN = 8;
const MSG_OOB = 0x1;
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;
/** Of `struct tcp_info`: as far as what is read of it. */
const infoLength = 60;

let loaded: SocketCalls | undefined;

/** Undefined where they were not loaded, or cannot be. */
export function socketCalls(): SocketCalls | undefined {
  return loaded;
}

/**
 * Loads them for this process, once it is started.
 *
 * @param load brings the C library, through koffi, an optional package
 * @returns whether they are there; false without koffi and on other systems than Linux
 */
export async function loadSocketCalls(load: typeof loadLibc = loadLibc): Promise<boolean> {
  loaded = undefined;
  if (process.platform !== 'linux' || !architectures.has(process.arch) || endianness() !== 'LE') return false;
  try {
    loaded = callsOf(await load('reading the state of a connection', functions));
  } catch {
    // Everything works without them, as described in docs/what-it-does.md.
  }
  return loaded !== undefined;
}

const functions = ['ioctl', 'getsockopt', 'setsockopt', 'send', 'fcntl', 'dup', 'close'] as const;

function callsOf({
  ioctl,
  getsockopt,
  setsockopt,
  send,
  fcntl,
  dup,
  close,
}: Libc<(typeof functions)[number]>): SocketCalls {
  // One after the other, and none waits: they share their buffers.
  const number = Buffer.alloc(4);
  const info = Buffer.alloc(infoLength);
  /** `struct linger`: on, for no second; off. */
  const atOnce = Buffer.from(Int32Array.of(1, 0).buffer);
  const never = Buffer.from(Int32Array.of(0, 0).buffer);
  const ask = (fd: number, what: number): number | undefined =>
    ioctl(fd, what, number) === 0 ? number.readInt32LE() : undefined;
  const set = (fd: number, level: number, option: number, value: number): boolean => {
    number.writeInt32LE(value);
    return setsockopt(fd, level, option, number, number.length) === 0;
  };
  return {
    unacknowledged: (fd) => ask(fd, SIOCOUTQ),
    information: (fd) => {
      number.writeInt32LE(infoLength);
      if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, info, number) !== 0) return undefined;
      const [state, , retransmits = 0, probes = 0] = info;
      return {
        isClosed: state === TCP_CLOSE,
        hasPeerEnded: state === TCP_CLOSE || state === TCP_CLOSE_WAIT,
        unanswered: Math.max(retransmits, probes),
        sinceAcknowledged: info.readUInt32LE(56),
      };
    },
    unread: (fd) => ask(fd, FIONREAD),
    duplicate: (fd) => {
      const copy = dup(fd);
      return copy < 0 ? undefined : copy;
    },
    close: (fd) => {
      close(fd);
    },
    resetWhenClosed: (fd, isOn) => {
      const linger = isOn ? atOnce : never;
      setsockopt(fd, SOL_SOCKET, SO_LINGER, linger, linger.length);
    },
    reset: (fd) => {
      setsockopt(fd, SOL_SOCKET, SO_LINGER, atOnce, atOnce.length);
      close(fd);
    },
    keepAlive: (fd, { idle, interval, count }) => {
      set(fd, IPPROTO_TCP, TCP_KEEPIDLE, idle);
      set(fd, IPPROTO_TCP, TCP_KEEPINTVL, interval);
      set(fd, IPPROTO_TCP, TCP_KEEPCNT, count);
    },
    userTimeout: (fd, milliseconds) => {
      set(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, milliseconds);
    },
    receiveBuffer: (fd, bytes) => {
      set(fd, SOL_SOCKET, SO_RCVBUF, bytes);
    },
    acknowledge: (fd) => {
      set(fd, IPPROTO_TCP, TCP_QUICKACK, 1);
    },
    readUrgentInLine: (fd) => set(fd, SOL_SOCKET, SO_OOBINLINE, 1),
    signalUrgent: (fd) => {
      fcntl(fd, F_SETOWN, process.pid);
    },
    isAtUrgent: (fd) => ask(fd, SIOCATMARK) === 1,
    sendUrgent: (fd, bytes) => send(fd, bytes, bytes.length, MSG_OOB | MSG_DONTWAIT | MSG_NOSIGNAL),
  };
}
