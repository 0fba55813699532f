import { addressOfBytes, bytesOfAddress, familyOf } from '../../net/address.ts';
import type { Endpoint } from '../../net/endpoint.ts';
import type { Flow } from './flow.ts';
import {
  attributesAt,
  eachAttribute,
  type Header,
  MessageWriter,
  readErrno,
  readHeader,
  shortBytes,
  wordBytes,
} from '../netlink/attributes.ts';
import { attribute, flag, inProtocolState, inTcp, states, type } from './protocol.ts';

/**
 * The messages of the kernel's connection tracking (linux/netfilter/nfnetlink_conntrack.h), to and fro:
 *
 *     54000000 00010006 01000000 00000000   length, type and flags, sequence, port
 *     02000000                              family, version, nothing
 *     3400 0180 1400 0180 0800 0100 c6336402 ...   attributes: length, type, value; some hold others
 *
 * Headers are in the host's order, the values of attributes in the network's.
 */
export type ConntrackMessage =
  | { readonly kind: 'flow'; readonly flow: Flow }
  /** `errno` 0: what was asked for has been done. */
  | { readonly kind: 'error'; readonly errno: number }
  /** The end of a list. */
  | { readonly kind: 'done' };

/** The groups of events, as bits: connections that begin, change, and are gone. */
export const allEvents = 0b111;

const inTuple = { addresses: 1, protocol: 2 } as const;
const inAddresses = { source4: 1, target4: 2, source6: 3, target6: 4 } as const;
const inProtocol = { number: 1, source: 2, target: 3 } as const;
const inCounters = { bytes: 2 } as const;
const tcp = 6;
const familyNumber = { 4: 2, 6: 10 } as const;

/**
 * The messages of one datagram; those not about TCP are left out.
 *
 * @param asked whether it is the answer to a request, and not an event
 */
export function* readMessages(datagram: Uint8Array, asked: boolean): Generator<ConntrackMessage> {
  const view = new DataView(datagram.buffer, datagram.byteOffset, datagram.byteLength);
  for (let at = 0, header = readHeader(view, 0); header; at = header.next, header = readHeader(view, at)) {
    const message = readMessage(view, at, header, asked);
    if (message) yield message;
  }
}

function readMessage(
  view: DataView,
  at: number,
  { type: what, flags, end }: Header,
  asked: boolean,
): ConntrackMessage | undefined {
  switch (what) {
    case type.error:
      return { kind: 'error', errno: readErrno(view, at) };
    case type.done:
      return { kind: 'done' };
    case type.new: {
      const event = (flags & flag.create) === 0 ? 'update' : 'new';
      return readFlow(view, at + attributesAt, end, asked ? 'listed' : event);
    }
    case type.destroy:
      return readFlow(view, at + attributesAt, end, 'destroy');
    default:
      return undefined;
  }
}

function readFlow(
  view: DataView,
  start: number,
  end: number,
  what: Flow['what'],
): ConntrackMessage | undefined {
  let id: number | undefined;
  let tuple: { from: Endpoint; at: Endpoint } | undefined;
  let state: string | undefined;
  let sent: number | undefined;
  let returned: number | undefined;
  eachAttribute(view, start, end, (kind, at, to) => {
    if (kind === attribute.original) tuple = readTuple(view, at, to);
    else if (kind === attribute.id) id = view.getUint32(at);
    else if (kind === attribute.protocolState) state = readState(view, at, to);
    else if (kind === attribute.sent) sent = readBytes(view, at, to);
    else if (kind === attribute.returned) returned = readBytes(view, at, to);
  });
  if (!tuple || id === undefined) return undefined;
  const bytes = sent === undefined || returned === undefined ? undefined : { sent, returned };
  return { kind: 'flow', flow: { what, id, state, ...tuple, bytes } };
}

function readTuple(view: DataView, start: number, end: number): { from: Endpoint; at: Endpoint } | undefined {
  let source: Uint8Array | undefined;
  let target: Uint8Array | undefined;
  let sourcePort = 0;
  let targetPort = 0;
  let protocol = 0;
  eachAttribute(view, start, end, (kind, at, to) => {
    if (kind === inTuple.addresses) {
      eachAttribute(view, at, to, (which, first, last) => {
        const bytes = new Uint8Array(view.buffer, view.byteOffset + first, last - first);
        if (which === inAddresses.source4 || which === inAddresses.source6) source = bytes;
        else if (which === inAddresses.target4 || which === inAddresses.target6) target = bytes;
      });
    } else if (kind === inTuple.protocol) {
      eachAttribute(view, at, to, (which, first) => {
        if (which === inProtocol.number) protocol = view.getUint8(first);
        else if (which === inProtocol.source) sourcePort = view.getUint16(first);
        else if (which === inProtocol.target) targetPort = view.getUint16(first);
      });
    }
  });
  if (!source || !target || protocol !== tcp) return undefined;
  return {
    from: { address: addressOfBytes(source), port: sourcePort },
    at: { address: addressOfBytes(target), port: targetPort },
  };
}

function readState(view: DataView, start: number, end: number): string | undefined {
  let state: string | undefined;
  eachAttribute(view, start, end, (kind, at, to) => {
    if (kind !== inProtocolState.tcp) return;
    eachAttribute(view, at, to, (which, first) => {
      if (which === inTcp.state) state = states[view.getUint8(first)];
    });
  });
  return state;
}

function readBytes(view: DataView, start: number, end: number): number | undefined {
  let bytes: number | undefined;
  eachAttribute(view, start, end, (kind, at) => {
    if (kind === inCounters.bytes) bytes = Number(view.getBigUint64(at));
  });
  return bytes;
}

/** Asks for one connection as it is now. */
export function askForOne(ends: Pick<Flow, 'from' | 'at'>): Uint8Array {
  const writer = new MessageWriter();
  const family = familyNumber[familyOf(ends.from.address)];
  return writer
    .message({ type: type.get, flags: flag.request, family }, () => {
      writeTuple(writer, ends);
    })
    .bytes();
}

/** Makes the kernel forget a connection: exactly this one, by its id. */
export function forgetOne(flow: Pick<Flow, 'id' | 'from' | 'at'>): Uint8Array {
  const writer = new MessageWriter();
  const family = familyNumber[familyOf(flow.from.address)];
  return writer
    .message({ type: type.destroy, flags: flag.request | flag.acknowledge, family }, () => {
      writeTuple(writer, flow);
      writer.attribute(attribute.id, wordBytes(flow.id));
    })
    .bytes();
}

function writeTuple(writer: MessageWriter, { from, at }: Pick<Flow, 'from' | 'at'>): void {
  const [source, target] =
    familyOf(from.address) === 4
      ? [inAddresses.source4, inAddresses.target4]
      : [inAddresses.source6, inAddresses.target6];
  writer.nest(attribute.original, () => {
    writer.nest(inTuple.addresses, () => {
      writer.attribute(source, bytesOfAddress(from.address));
      writer.attribute(target, bytesOfAddress(at.address));
    });
    writer.nest(inTuple.protocol, () => {
      writer.attribute(inProtocol.number, [tcp]);
      writer.attribute(inProtocol.source, shortBytes(from.port));
      writer.attribute(inProtocol.target, shortBytes(at.port));
    });
  });
}

/** Asks for all connections that bear the mark. */
export function askForMarked(mark: number): Uint8Array {
  const writer = new MessageWriter();
  return writer
    .message({ type: type.get, flags: flag.request | flag.list, family: 0 }, () => {
      writer.attribute(attribute.mark, wordBytes(mark));
      writer.attribute(attribute.markMask, wordBytes(0xffff_ffff));
    })
    .bytes();
}
