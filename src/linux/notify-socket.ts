import { loadLibc } from './libc.ts';

/** Of <sys/socket.h>, the same on all processors that Node runs on but MIPS. */
const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const SOCK_CLOEXEC = 0o2000000;
const MSG_NOSIGNAL = 0x4000;
const MSG_DONTWAIT = 0x40;
const SOL_SOCKET = 1;
const SO_SNDTIMEO = 21;
const SCM_RIGHTS = 1;
const SHUT_RD = 0;
/** `sun_path` of unix(7). */
const longestPath = 108;

/** The bytes of a pointer, and of `struct cmsghdr`, in which the length is one of those (cmsg(3)). */
const word = process.arch === 'arm' || process.arch === 'ia32' ? 4 : 8;
const controlHeader = word + 8;

/** The seconds that a datagram may wait for room: where net.unix.max_dgram_qlen is 10, each listener has one before READY=1. */
const patience = 1;

/** Sends datagrams to the service manager (sd_notify(3)). Node has no datagrams over unix sockets. */
export interface NotifySocket {
  /** Sends one, if need be after a moment's wait; one that cannot be sent is lost, as all are after `close`. */
  send(text: string): void;
  /** The same without waiting: for what is told again. */
  offer(text: string): void;
  /** As `send`, with a descriptor, which the service manager gets one of its own for. */
  sendWith(text: string, fd: number): void;
  /** Has a listening socket accept nobody any more, whatever processes have it besides this one. */
  endListening(fd: number): void;
  close(): void;
}

/**
 * @param path as NOTIFY_SOCKET has it: a path, or with `@` an abstract name
 * @throws where koffi is missing, or the socket is not there
 */
export async function openNotifySocket(path: string): Promise<NotifySocket> {
  const bytes = Buffer.from(path.replace(/^@/, '\0'));
  if (!/^[/@]/.test(path) || bytes.length > longestPath)
    throw new Error(`NOTIFY_SOCKET is ${path}: allowed are paths and abstract names of unix sockets`);
  const libc = await loadLibc('telling the service manager', [
    'socket',
    'connect',
    'send',
    'sendmsg',
    'setsockopt',
    'shutdown',
    'close',
  ]);
  const fd = libc.socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) throw new Error(`the service manager cannot be told: ${libc.lastError()}`);
  const address = Buffer.alloc(2 + bytes.length);
  new Uint16Array(address.buffer, address.byteOffset, 1)[0] = AF_UNIX;
  bytes.copy(address, 2);
  if (libc.connect(fd, address, address.length) !== 0) {
    const error = libc.lastError();
    libc.close(fd);
    throw new Error(`the service manager cannot be told at ${path}: ${error}`);
  }
  const limit = word === 8 ? BigInt64Array.of(BigInt(patience), 0n) : Int32Array.of(patience, 0);
  const bytesOfLimit = new Uint8Array(limit.buffer);
  const mayWait = libc.setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, bytesOfLimit, bytesOfLimit.length) === 0;
  // One that has waited in vain is enough: the others would hold up this process as long.
  let isStuck = !mayWait;
  // Its number is another connection's then.
  let isClosed = false;
  const pass = (call: (flags: number) => number): void => {
    if (isClosed) return;
    const sent = call(isStuck ? MSG_NOSIGNAL | MSG_DONTWAIT : MSG_NOSIGNAL) >= 0;
    isStuck = !(mayWait && sent);
  };
  return {
    send: (text) => {
      const message = Buffer.from(text);
      pass((flags) => libc.send(fd, message, message.length, flags));
    },
    offer: (text) => {
      if (isClosed) return;
      const message = Buffer.from(text);
      libc.send(fd, message, message.length, MSG_NOSIGNAL | MSG_DONTWAIT);
    },
    sendWith: (text, descriptor) => {
      const message = Buffer.from(text);
      const length = controlHeader + 4;
      const control = { length, level: SOL_SOCKET, type: SCM_RIGHTS, fd: descriptor };
      const vector = { base: message, length: message.length };
      const controlLength = Math.ceil(length / word) * word;
      pass((flags) => libc.sendmsg(fd, { vector, vectors: 1, control, controlLength }, flags));
    },
    endListening: (descriptor) => {
      libc.shutdown(descriptor, SHUT_RD);
    },
    close: () => {
      if (isClosed) return;
      isClosed = true;
      libc.close(fd);
    },
  };
}
