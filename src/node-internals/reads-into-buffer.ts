import type { Socket } from 'node:net';
import { handleOf } from './handle.ts';
import { isUsable, type Part } from './part.ts';
import { onSocket } from './trial.ts';

/** `onread` of node:net. */
interface BufferedReads {
  /** What is read into first, and asked for anew behind each read. */
  readonly buffer: Uint8Array | (() => Uint8Array);
  /** Returns whether to go on. */
  readonly callback: (length: number, read: Uint8Array) => boolean;
}

/**
 * Has a connection, paused, read into a buffer of its owner's. Node offers this (`onread`) to sockets that connect, before
 * they do, and not to those that were accepted.
 *
 * @returns the socket, paused, which never emits 'data' from now on; undefined where this Node cannot do that, and nothing
 *   has changed
 */
export function readsIntoBuffer(socket: Socket, onread: BufferedReads): Socket | undefined {
  if (!isUsable(bufferedReads)) return undefined;
  useBuffer(socket, onread);
  return socket;
}

/** What `new net.Socket({ onread })` notes of it, under symbols of its own. */
interface Noted {
  readonly kBuffer: symbol;
  readonly kBufferGen: symbol;
  readonly kBufferCb: symbol;
}

let noted: Noted | undefined;

/** @throws where this Node has no such symbols */
function symbolsOf(socket: Socket): Noted {
  const named = (name: string): symbol => {
    const found = Object.getOwnPropertySymbols(socket).find(({ description }) => description === name);
    if (!found) throw new Error(`a socket has no ${name}`);
    return found;
  };
  return {
    kBuffer: named('kBuffer'),
    kBufferGen: named('kBufferGen'),
    kBufferCb: named('kBufferCb'),
  };
}

interface Reader {
  readonly useUserBuffer: (buffer: Uint8Array) => void;
}

function useBuffer(socket: Socket, { buffer, callback }: BufferedReads): void {
  const { kBuffer, kBufferGen, kBufferCb } = (noted ??= symbolsOf(socket));
  const isMade = typeof buffer === 'function';
  const first = isMade ? buffer() : buffer;
  const fields = socket as unknown as Record<symbol, unknown>;
  fields[kBuffer] = first;
  fields[kBufferGen] = isMade ? buffer : null;
  fields[kBufferCb] = callback;
  // A socket with a buffer stops the handle's reading as well.
  socket.pause();
  handleOf<Reader>(socket)?.useUserBuffer?.(first);
}

export const bufferedReads: Part = {
  name: 'socket[kBuffer], [kBufferGen], [kBufferCb] and socket._handle.useUserBuffer',
  use: 'connections',
  without:
    'data connections are read in smaller pieces, each into memory of its own, with about half the throughput',
  isNeeded: false,
  isThere: () =>
    onSocket((socket) => {
      symbolsOf(socket);
      return typeof handleOf<Reader>(socket)?.useUserBuffer === 'function';
    }),
};
