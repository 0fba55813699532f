import type { Socket } from 'node:net';
import { addressOfBytes, familyOf, type Address, type Family } from '../net/address.ts';
import type { Endpoint } from '../net/endpoint.ts';
import { descriptorOf } from '../node-internals/descriptor.ts';
import { loadLibc } from './libc.ts';

/** Where a connection was going before a rule of this host redirected it; undefined where that is not known. */
export type OriginalDestination = (socket: Socket, arrived: Address) => Endpoint | undefined;

// <linux/in.h>, <linux/netfilter_ipv4.h> and <linux/netfilter_ipv6/ip6_tables.h>
const level = { 4: 0, 6: 41 } as const;
const originalDst = 80;
/** sizeof(struct sockaddr_in6), the larger of the two. */
const longest = 28;

/** Reads `SO_ORIGINAL_DST` by getsockopt(2) of this process's C library. @throws where koffi is missing */
export async function loadOriginalDestination(): Promise<OriginalDestination> {
  const { getsockopt } = await loadLibc('intercept', ['getsockopt']);
  return (socket, arrived) => {
    const fd = descriptorOf(socket);
    if (fd === undefined) return undefined;
    const family = familyOf(arrived);
    const name = Buffer.alloc(longest);
    const length = Buffer.alloc(4);
    length.writeUInt32LE(longest);
    if (getsockopt(fd, level[family], originalDst, name, length) !== 0) return undefined;
    return endpointOfSockaddr(name, family);
  };
}

/**
 * The port is at the same place in both. `struct sockaddr_in`: family, port, four bytes of address; `struct
 * sockaddr_in6`: family, port, flow information, sixteen bytes of address, scope.
 */
function endpointOfSockaddr(bytes: Buffer, family: Family): Endpoint {
  const address = family === 4 ? bytes.subarray(4, 8) : bytes.subarray(8, 24);
  return { address: addressOfBytes(address), port: bytes.readUInt16BE(2) };
}
