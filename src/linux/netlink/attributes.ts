import { endianness } from 'node:os';

/**
 * The pieces that netlink messages of netfilter are made of: a header, and attributes, of which some hold others.
 * What frames them is in the host's order, what they hold in the network's.
 *
 *     24000000 0101 0103 00000000 00000000   length, type, flags, sequence, port
 *     00 00 0000                             family, version, resource
 *     0800 0800 00002121                     length, type, value
 */

const little = endianness() === 'LE';
const headerSize = 16;
/** With the family and what follows it. */
export const attributesAt = 20;
/** In an attribute's type: it holds others. */
const holdsOthers = 0x8000;

export interface Header {
  readonly type: number;
  readonly flags: number;
  /** Of a message: how far it goes. */
  readonly end: number;
}

/** The header at an offset, and where the next is; undefined where no whole message is there. */
export function readHeader(view: DataView, at: number): (Header & { readonly next: number }) | undefined {
  if (at + headerSize > view.byteLength) return undefined;
  const length = view.getUint32(at, little);
  if (length < headerSize || at + length > view.byteLength) return undefined;
  return {
    type: view.getUint16(at + 4, little),
    flags: view.getUint16(at + 6, little),
    end: at + length,
    next: at + padded(length),
  };
}

/** The code of an error message; 0: success. */
export function readErrno(view: DataView, at: number): number {
  return -view.getInt32(at + headerSize, little);
}

export function eachAttribute(
  view: DataView,
  start: number,
  end: number,
  tell: (kind: number, at: number, to: number) => void,
): void {
  for (let at = start; at + 4 <= end;) {
    const length = view.getUint16(at, little);
    if (length < 4 || at + length > end) return;
    // The two highest bits: it contains other attributes, and its byte order.
    tell(view.getUint16(at + 2, little) & 0x3fff, at + 4, at + length);
    at += padded(length);
  }
}

/** Messages, one after the other. */
export class MessageWriter {
  #bytes = new Uint8Array(1024);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;

  message(
    { type, flags, family, resource = 0 }: { type: number; flags: number; family: number; resource?: number },
    attributes: () => void = () => undefined,
  ): this {
    const start = this.#take(attributesAt);
    this.#view.setUint16(start + 4, type, little);
    this.#view.setUint16(start + 6, flags, little);
    this.#view.setUint8(start + headerSize, family);
    this.#view.setUint16(start + headerSize + 2, resource);
    attributes();
    this.#view.setUint32(start, this.#length - start, little);
    return this;
  }

  /** One that holds others. */
  nest(kind: number, attributes: () => void): void {
    const start = this.#take(4);
    this.#view.setUint16(start + 2, kind | holdsOthers, little);
    attributes();
    this.#view.setUint16(start, this.#length - start, little);
  }

  /** Padded after its value to a multiple of 4; the length does not include the padding. */
  attribute(kind: number, value: ArrayLike<number>): void {
    const start = this.#begin(kind, value.length);
    this.#bytes.set(value, start);
  }

  /** ASCII, and a NUL after it. */
  text(kind: number, value: string): void {
    const start = this.#begin(kind, value.length + 1);
    for (let index = 0; index < value.length; index++) this.#bytes[start + index] = value.charCodeAt(index);
  }

  /** A whole number in 64 bits. */
  long(kind: number, value: number): void {
    const start = this.#begin(kind, 8);
    this.#view.setUint32(start, Math.floor(value / 2 ** 32));
    this.#view.setUint32(start + 4, value % 2 ** 32);
  }

  bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  /** The head of an attribute. Returns where its value is, all 0. */
  #begin(kind: number, size: number): number {
    const start = this.#take(padded(4 + size));
    this.#view.setUint16(start, 4 + size, little);
    this.#view.setUint16(start + 2, kind, little);
    return start + 4;
  }

  /** Room for so many bytes, all 0. */
  #take(size: number): number {
    const start = this.#length;
    this.#length += size;
    if (this.#length > this.#bytes.length) {
      const larger = new Uint8Array(2 * this.#length);
      larger.set(this.#bytes);
      this.#bytes = larger;
      this.#view = new DataView(larger.buffer);
    }
    return start;
  }
}

/** In the network's order. */
export function shortBytes(value: number): number[] {
  return [value >>> 8, value & 0xff];
}

/** In the network's order. */
export function wordBytes(value: number): number[] {
  return [...shortBytes(value >>> 16), ...shortBytes(value & 0xffff)];
}

function padded(length: number): number {
  return (length + 3) & ~3;
}
