import { loadLibc } from './libc.ts';

/** Of malloc.h. */
const M_TRIM_THRESHOLD = -1;
const M_TOP_PAD = -2;
const M_MMAP_THRESHOLD = -3;

const MiB = 1024 * 1024;

/**
 * Has the C library keep memory that it is given back, up to 64 MiB. Each record that Node's TLS writes is a buffer of its
 * own for a moment. glibc gives such to the system at once, which clears it page for page and gives it back: a transfer
 * took twice the processor time.
 *
 * @returns whether that is so now; false without koffi, or with a C library that has no such setting
 */
export async function keepFreedMemory(): Promise<boolean> {
  try {
    const { mallopt } = await loadLibc('keeping freed memory', ['mallopt']);
    const settings = [
      [M_TRIM_THRESHOLD, 64 * MiB],
      [M_TOP_PAD, MiB],
      [M_MMAP_THRESHOLD, MiB],
    ] as const;
    return settings.every(([option, value]) => mallopt(option, value) === 1);
  } catch {
    return false;
  }
}
