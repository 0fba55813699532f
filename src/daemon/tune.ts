import { setFlagsFromString } from 'node:v8';
import type { Config } from '../config/config.ts';
import { keepFreedMemory } from '../linux/allocator.ts';

// The young generation of V8's heap would grow to 48 MiB with thousands of idle sessions; kept at what it starts
// with it costs no measurable speed, and a session takes some 7 KiB in place of 13 (`npm run bench -- idle`).
const smallYoungGeneration = '--semi-space-growth-factor=1';

/** Sets of this process what is nobody else's to set. */
export function tune({ tls, serverTls }: Config): void {
  setFlagsFromString(smallYoungGeneration);
  // Not awaited: until it is done, TLS is only slower.
  if (tls === 'terminate' || serverTls !== 'off') void keepFreedMemory();
}
