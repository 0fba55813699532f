/**
 * Reads the TCP segments of a capture file, as `tcpdump -w` writes it on an Ethernet-like interface. Pure.
 *
 * File: 24 bytes of header (magic, version, zone, accuracy, snap length, link type), then for each packet 16 bytes
 * (seconds, fraction, captured length, original length) and the packet. Source: draft-ietf-opsawg-pcap.
 */
import { SocketAddress } from 'node:net';

export interface Endpoint {
  /** IPv4 dotted, IPv6 compressed as in RFC 5952. */
  address: string;
  port: number;
}

export interface Segment {
  /** The packet's place in the capture: the order in which the machine saw them. */
  at: number;
  from: Endpoint;
  to: Endpoint;
  /** The raw 32-bit sequence number of the first payload byte, or of SYN or FIN where they come first. */
  sequence: number;
  syn: boolean;
  ack: boolean;
  fin: boolean;
  rst: boolean;
  payload: Buffer;
}

const linkTypeEthernet = 1;

/** Magic as the little-endian reader sees it: same order or swapped, microseconds or nanoseconds. */
const magics: Readonly<Record<number, 'LE' | 'BE'>> = {
  0xa1b2c3d4: 'LE',
  0xa1b23c4d: 'LE',
  0xd4c3b2a1: 'BE',
  0x4d3cb2a1: 'BE',
};

/**
 * The file's TCP segments in order; everything else in it is passed over, and so is a packet that is not wholly
 * written yet. Throws on another file format or link type, on a packet cut by the snap length and on IP fragments.
 */
export function readSegments(file: Buffer): Segment[] {
  if (file.length < 24) return [];
  const order = magics[file.readUInt32LE(0)];
  if (order === undefined) throw new Error(`not a pcap file: magic ${file.subarray(0, 4).toString('hex')}`);
  const u32 = (offset: number): number =>
    order === 'LE' ? file.readUInt32LE(offset) : file.readUInt32BE(offset);
  const linkType = u32(20) & 0xffff;
  if (linkType !== linkTypeEthernet) throw new Error(`link type ${linkType}, only Ethernet (1) is read`);

  const segments: Segment[] = [];
  for (let offset = 24, at = 0; offset + 16 <= file.length; at++) {
    const captured = u32(offset + 8);
    const end = offset + 16 + captured;
    if (end > file.length) break;
    if (captured < u32(offset + 12)) throw new Error(`packet ${at} is cut to ${captured} bytes`);
    const segment = readEthernet(file.subarray(offset + 16, end), at);
    if (segment !== undefined) segments.push(segment);
    offset = end;
  }
  return segments;
}

function readEthernet(frame: Buffer, at: number): Segment | undefined {
  if (frame.length < 14) return undefined;
  const packet = frame.subarray(14);
  switch (frame.readUInt16BE(12)) {
    case 0x0800:
      return readIpv4(packet, at);
    case 0x86dd:
      return readIpv6(packet, at);
    default:
      return undefined;
  }
}

const protocolTcp = 6;

/** RFC 791, section 3.1. The total length, not the frame's, tells where padding begins. */
function readIpv4(packet: Buffer, at: number): Segment | undefined {
  if (packet.length < 20 || packet.readUInt8(9) !== protocolTcp) return undefined;
  // More Fragments, or a fragment offset.
  if ((packet.readUInt16BE(6) & 0x3fff) !== 0) throw new Error(`packet ${at} is an IP fragment`);
  const headerLength = (packet.readUInt8(0) & 0x0f) * 4;
  // 0 is what segmentation offload leaves for a packet past 64 KiB.
  const length = packet.readUInt16BE(2) || packet.length;
  const address = (offset: number): string => [...packet.subarray(offset, offset + 4)].join('.');
  return readTcp(packet.subarray(headerLength, length), at, address(12), address(16));
}

/** RFC 8200, section 3. Extension headers do not come with TCP here. */
function readIpv6(packet: Buffer, at: number): Segment | undefined {
  if (packet.length < 40 || packet.readUInt8(6) !== protocolTcp) return undefined;
  const length = packet.readUInt16BE(4) || packet.length - 40;
  return readTcp(
    packet.subarray(40, 40 + length),
    at,
    ipv6(packet.subarray(8, 24)),
    ipv6(packet.subarray(24, 40)),
  );
}

function ipv6(bytes: Buffer): string {
  const long = bytes.toString('hex').replace(/(.{4})(?!$)/g, '$1:');
  return new SocketAddress({ family: 'ipv6', address: long }).address;
}

/** RFC 9293, section 3.1. */
function readTcp(segment: Buffer, at: number, source: string, destination: string): Segment {
  const flags = segment.readUInt8(13);
  return {
    at,
    from: { address: source, port: segment.readUInt16BE(0) },
    to: { address: destination, port: segment.readUInt16BE(2) },
    sequence: segment.readUInt32BE(4),
    fin: (flags & 0x01) !== 0,
    syn: (flags & 0x02) !== 0,
    rst: (flags & 0x04) !== 0,
    ack: (flags & 0x10) !== 0,
    payload: segment.subarray((segment.readUInt8(12) >> 4) * 4),
  };
}
