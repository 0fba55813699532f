import { getSystemErrorName } from 'node:util';

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

/** What is called of the C library. */
interface Library {
  readonly socket: (domain: number, type: number, protocol: number) => number;
  readonly bind: (fd: number, address: Uint8Array, length: number) => number;
  readonly setNumber: (
    fd: number,
    level: number,
    option: number,
    value: Uint8Array,
    length: number,
  ) => number;
  readonly setFilter: (fd: number, level: number, option: number, program: object, length: number) => number;
  readonly send: (fd: number, message: Uint8Array, length: number, flags: number) => number;
  readonly receive: (fd: number, buffer: Uint8Array, length: number, flags: number) => number;
  readonly close: (fd: number) => number;
  readonly lastError: () => string;
}

const AF_NETLINK = 16;
const SOCK_RAW = 3;
const SOCK_CLOEXEC = 0o2_000_000;
const NETLINK_NETFILTER = 12;
const SOL_SOCKET = 1;
const SO_ATTACH_FILTER = 26;
const SO_RCVBUFFORCE = 33;
const MSG_DONTWAIT = 0x40;
/** `struct sock_fprog` with the pointer of a 64-bit machine behind padding. */
const fprogSize = 16;
/** The most that the kernel puts into one datagram of a list. */
const datagramSize = 32_768;

/** @throws where there is no such socket to be had */
export async function openNetlink({ groups, bufferSize, filter = [] }: NetlinkOptions): Promise<Netlink> {
  const library = await load();
  const fd = library.socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);
  const must = (result: number): void => {
    if (result < 0) throw new Error(`netlink: ${library.lastError()}`);
  };
  must(fd);
  try {
    if (bufferSize !== undefined) {
      must(library.setNumber(fd, SOL_SOCKET, SO_RCVBUFFORCE, wordOf(bufferSize), 4));
    }
    if (filter.length > 0) {
      const program = { length: filter.length, steps: bytesOf(filter) };
      must(library.setFilter(fd, SOL_SOCKET, SO_ATTACH_FILTER, program, fprogSize));
    }
    // struct sockaddr_nl: family, padding, port (0: the kernel chooses), groups
    const address = Uint8Array.from([...shortOf(AF_NETLINK), 0, 0, ...wordOf(0), ...wordOf(groups)]);
    must(library.bind(fd, address, address.length));
  } catch (error) {
    library.close(fd);
    throw error;
  }
  const buffer = new Uint8Array(datagramSize);
  return {
    send: (message) => {
      must(library.send(fd, message, message.length, MSG_DONTWAIT));
    },
    receive: () => {
      const length = library.receive(fd, buffer, buffer.length, MSG_DONTWAIT);
      if (length >= 0) return buffer.subarray(0, length);
      const code = library.lastError();
      if (code === 'EAGAIN') return undefined;
      throw new Error(`netlink: ${code}`);
    },
    close: () => {
      library.close(fd);
    },
  };
}

async function load(): Promise<Library> {
  const koffi = await import('koffi');
  // The program itself: it has the C library in it, whatever that is called on this system.
  const handle = koffi.load(null);
  const program = koffi.struct({ length: 'uint16_t', steps: 'void *' });
  const sized = ['int', 'void *', 'size_t', 'int'];
  return {
    socket: handle.func('socket', 'int', ['int', 'int', 'int']),
    bind: handle.func('bind', 'int', ['int', 'void *', 'uint32_t']),
    setNumber: handle.func('setsockopt', 'int', ['int', 'int', 'int', 'void *', 'uint32_t']),
    setFilter: handle.func('setsockopt', 'int', ['int', 'int', 'int', koffi.pointer(program), 'uint32_t']),
    send: handle.func('send', 'intptr_t', sized),
    receive: handle.func('recv', 'intptr_t', sized),
    close: handle.func('close', 'int', ['int']),
    lastError: () => getSystemErrorName(-koffi.errno()),
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
