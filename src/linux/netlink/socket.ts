import { loadLibc } from '../libc.ts';

/** A netlink socket (netlink(7)) of the netfilter family. Nothing of it waits. */
export interface Netlink {
  /** @throws where the kernel does not take it */
  send(message: Uint8Array): void;
  /**
   * The next datagram, there until the next call; undefined where there is none.
   *
   * @throws once after the kernel had more to say than fits
   */
  receive(): Uint8Array | undefined;
  close(): void;
}

interface NetlinkOptions {
  /** A bit for each group of events to follow; 0 for none. */
  readonly groups: number;
  /** For a burst of events, in bytes; undefined: as the system has it. What the kernel cannot put there is lost. */
  readonly bufferSize?: number;
  /** A program of the classic packet filter that each datagram has to pass. */
  readonly filter?: readonly FilterStep[];
}

/** One `struct sock_filter`, see linux/filter.h. */
export type FilterStep = readonly [code: number, ifTrue: number, ifFalse: number, value: number];

const functions = ['socket', 'bind', 'setsockopt', 'attachFilter', 'send', 'recv', 'close'] as const;

const AF_NETLINK = 16;
const SOCK_RAW = 3;
const SOCK_CLOEXEC = 0o2_000_000;
const NETLINK_NETFILTER = 12;
const SOL_SOCKET = 1;
const SO_ATTACH_FILTER = 26;
const SO_RCVBUFFORCE = 33;
const MSG_DONTWAIT = 0x40;
/** `struct sock_fprog` with the pointer of a 64-bit machine after padding. */
const fprogSize = 16;
/** The most that the kernel puts into one datagram of a list. */
const datagramSize = 32_768;

/** @throws where there is no such socket to be had */
export async function openNetlink({ groups, bufferSize, filter = [] }: NetlinkOptions): Promise<Netlink> {
  const libc = await loadLibc('netlink', functions);
  const fd = libc.socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);
  const must = (result: number): void => {
    if (result < 0) throw new Error(`netlink: ${libc.lastError()}`);
  };
  must(fd);
  try {
    if (bufferSize !== undefined) {
      must(libc.setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, wordOf(bufferSize), 4));
    }
    if (filter.length > 0) {
      const program = { len: filter.length, filter: bytesOf(filter) };
      must(libc.attachFilter(fd, SOL_SOCKET, SO_ATTACH_FILTER, program, fprogSize));
    }
    // struct sockaddr_nl: family, padding, port (0: the kernel chooses), groups
    const address = Uint8Array.from([...shortOf(AF_NETLINK), 0, 0, ...wordOf(0), ...wordOf(groups)]);
    must(libc.bind(fd, address, address.length));
  } catch (error) {
    libc.close(fd);
    throw error;
  }
  const buffer = new Uint8Array(datagramSize);
  return {
    send: (message) => {
      must(libc.send(fd, message, message.length, MSG_DONTWAIT));
    },
    receive: () => {
      const length = libc.recv(fd, buffer, buffer.length, MSG_DONTWAIT);
      if (length >= 0) return buffer.subarray(0, length);
      const code = libc.lastError();
      if (code === 'EAGAIN') return undefined;
      throw new Error(`netlink: ${code}`);
    },
    close: () => {
      libc.close(fd);
    },
  };
}

function shortOf(value: number): Uint8Array {
  return new Uint8Array(Uint16Array.of(value).buffer);
}

function wordOf(value: number): Uint8Array {
  return new Uint8Array(Uint32Array.of(value).buffer);
}

function bytesOf(filter: readonly FilterStep[]): Uint8Array {
  return Uint8Array.from(
    filter.flatMap(([code, ifTrue, ifFalse, value]) => [...shortOf(code), ifTrue, ifFalse, ...wordOf(value)]),
  );
}
