import { getSystemErrorName } from 'node:util';

/**
 * The functions of the C library used here, as in their manual pages: a failure returns -1, and `lastError` is the
 * reason. A pointer is bytes; numbers in it are in host byte order.
 */
interface Functions {
  socket(domain: number, type: number, protocol: number): number;
  bind(fd: number, address: Uint8Array, length: number): number;
  connect(fd: number, address: Uint8Array, length: number): number;
  getsockopt(fd: number, level: number, option: number, value: Uint8Array, length: Uint8Array): number;
  setsockopt(fd: number, level: number, option: number, value: Uint8Array, length: number): number;
  /** setsockopt(2) with a `struct sock_fprog`. */
  attachFilter(fd: number, level: number, option: number, program: FilterProgram, length: number): number;
  send(fd: number, bytes: Uint8Array, length: number, flags: number): number;
  /** sendmsg(2) with one descriptor in its control message. */
  sendmsg(fd: number, message: DescriptorMessage, flags: number): number;
  recv(fd: number, buffer: Uint8Array, length: number, flags: number): number;
  ioctl(fd: number, request: number, value: Uint8Array): number;
  fcntl(fd: number, command: number, value: number): number;
  dup(fd: number): number;
  shutdown(fd: number, how: number): number;
  close(fd: number): number;
  mallopt(option: number, value: number): number;
  prctl(option: number, a: number, b: number, c: number, d: number): number;
  capset(header: Uint8Array, data: Uint8Array): number;
}

/** `struct msghdr` (unix(7), SCM_RIGHTS). */
interface DescriptorMessage {
  readonly vector: { readonly base: Uint8Array; readonly length: number };
  readonly vectors: number;
  /** `struct cmsghdr` with its data. */
  readonly control: {
    readonly length: number;
    readonly level: number;
    readonly type: number;
    readonly fd: number;
  };
  readonly controlLength: number;
}

interface FilterProgram {
  /** The number of steps. */
  readonly len: number;
  readonly filter: Uint8Array;
}

type Declaration = readonly [symbol: string, result: string, parameters: readonly string[]];

const declarations: Readonly<Record<keyof Functions, Declaration>> = {
  socket: ['socket', 'int', ['int', 'int', 'int']],
  bind: ['bind', 'int', ['int', 'void *', 'uint32_t']],
  connect: ['connect', 'int', ['int', 'void *', 'uint32_t']],
  getsockopt: ['getsockopt', 'int', ['int', 'int', 'int', 'void *', 'void *']],
  setsockopt: ['setsockopt', 'int', ['int', 'int', 'int', 'void *', 'uint32_t']],
  attachFilter: ['setsockopt', 'int', ['int', 'int', 'int', 'sock_fprog *', 'uint32_t']],
  send: ['send', 'intptr_t', ['int', 'void *', 'size_t', 'int']],
  sendmsg: ['sendmsg', 'intptr_t', ['int', 'descriptor_message *', 'int']],
  recv: ['recv', 'intptr_t', ['int', 'void *', 'size_t', 'int']],
  ioctl: ['ioctl', 'int', ['int', 'ulong', 'void *']],
  fcntl: ['fcntl', 'int', ['int', 'int', 'long']],
  dup: ['dup', 'int', ['int']],
  shutdown: ['shutdown', 'int', ['int', 'int']],
  close: ['close', 'int', ['int']],
  mallopt: ['mallopt', 'int', ['int', 'int']],
  prctl: ['prctl', 'int', ['int', 'ulong', 'ulong', 'ulong', 'ulong']],
  capset: ['capset', 'int', ['void *', 'void *']],
};

/** The functions that were asked for, and the name of the last one's error: `EPERM`. */
export type Libc<Name extends keyof Functions> = Pick<Functions, Name> & {
  readonly lastError: () => string;
};

/**
 * The C library of this process, for as much as is called of it. koffi is loaded by the first who asks.
 *
 * @param what needs it, for the message
 * @throws where koffi or one of the functions is missing
 */
export async function loadLibc<Name extends keyof Functions>(
  what: string,
  names: readonly Name[],
): Promise<Libc<Name>> {
  const koffi = await loadKoffi(what);
  const functions = Object.fromEntries(names.map((name) => [name, bind(koffi, name, what)]));
  const lastError = (): string => getSystemErrorName(-koffi.errno());
  return { ...(functions as Pick<Functions, Name>), lastError };
}

/**
 * What calls libraries of C: the one place where it is loaded.
 *
 * @param what needs it, for the message
 * @throws where it is missing, as an optional package may
 */
export async function loadKoffi(what: string): Promise<Koffi> {
  return import('koffi').catch((cause: unknown) => {
    throw new Error(`${what} needs koffi, an optional package: npm install koffi`, { cause });
  });
}

type Koffi = typeof import('koffi');

let library: ReturnType<Koffi['load']> | undefined;
const bound = new Map<keyof Functions, unknown>();

function bind(koffi: Koffi, name: keyof Functions, what: string): unknown {
  const known = bound.get(name);
  if (known !== undefined) return known;
  const [symbol, result, parameters] = declarations[name];
  try {
    library ??= openProgram(koffi);
    const call = library.func(symbol, result, [...parameters]);
    bound.set(name, call);
    return call;
  } catch (cause) {
    const words = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`${what} needs ${symbol} of the C library: ${words}`, { cause });
  }
}

/** The program itself: it has the C library in it, whatever that is called on this system. */
function openProgram(koffi: Koffi): ReturnType<Koffi['load']> {
  const program = koffi.load(null);
  koffi.struct('sock_fprog', { len: 'uint16_t', filter: 'void *' });
  koffi.struct('iovec', { base: 'void *', length: 'size_t' });
  koffi.struct('descriptor_control', { length: 'size_t', level: 'int', type: 'int', fd: 'int' });
  koffi.struct('descriptor_message', {
    ...{ name: 'void *', nameLength: 'uint32_t' },
    ...{ vector: 'iovec *', vectors: 'size_t' },
    ...{ control: 'descriptor_control *', controlLength: 'size_t' },
    flags: 'int',
  });
  return program;
}
