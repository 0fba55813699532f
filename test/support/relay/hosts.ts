import assert from 'node:assert/strict';
import { parseAddress, type Address } from '../../../src/net/address.ts';
import { formatHostPort } from '../../../src/ftp/host-port.ts';
import type { Endpoint } from '../../../src/net/endpoint.ts';

/**
 * Test files run side by side, and some want exact ports: each process has its own loopback network (15 bits of
 * its id) and its own ports below those that the system hands out.
 */
const network = `127.${16 + ((process.pid >> 8) & 0x7f)}.${process.pid & 0xff}`;
const firstPort = 10_000 + (process.pid % 100) * 200;

export function address(text: string): Address {
  return parseAddress(text) ?? assert.fail(`${text} is not an address`);
}

const host = (number: number): Address => address(`${network}.${number}`);

export const hosts: Readonly<Record<'relay' | 'server' | 'client' | 'stranger' | 'other', Address>> = {
  relay: host(1),
  server: host(2),
  client: host(3),
  /** Hosts that have no part in a session. */
  stranger: host(4),
  other: host(5),
};

/** Where the relay listens for data connections: `count` ports of each kind. */
export const passivePorts = (count = 100): string => `${firstPort}-${firstPort + count - 1}`;
export const activePorts = (count = 100): string => `${firstPort + 100}-${firstPort + 99 + count}`;
export const firstPassivePort: number = firstPort;
export const firstActivePort: number = firstPort + 100;

/** `127,0,0,2,200,13` */
export function hostPort(where: Endpoint): string {
  return formatHostPort(where);
}
