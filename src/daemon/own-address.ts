import { networkInterfaces } from 'node:os';
import type { Address } from '../net/address.ts';

/** Whether an address is one of this host's. */
export function isOwnAddress(address: Address): boolean {
  if (address.startsWith('127.')) return true;
  return Object.values(networkInterfaces()).some((each) => each?.some((one) => one.address === address));
}
