import type { DataAnswer } from '../../admin/answers.ts';
import { percentOf } from './units.ts';

/** Bytes of both directions; null where nobody counts them. */
export function carried({ uploaded, downloaded }: DataAnswer): number | null {
  return uploaded === null || downloaded === null ? null : uploaded + downloaded;
}

/** How much of a transfer is done: `37 %`, or `-` where nobody knows. */
export function doneOf(bytes: number | null, size: number | null): string {
  return bytes === null || size === null ? '-' : percentOf(bytes, size);
}
