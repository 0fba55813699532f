import { parsePort } from './endpoint.ts';

/** Ports from `first` to `last`, both included. */
export interface PortRange {
  readonly first: number;
  readonly last: number;
}

/**
 * Of an address that is another host's, no port can be taken by others on this one; its services are left alone. It is
 * known as itself: a setting with the same ports is another range.
 */
export const anyPort: PortRange = { first: 1024, last: 65_535 };

/** Reads `50000-50999`, or `50000` for a range of one port. */
export function parsePortRange(text: string): PortRange | undefined {
  const [firstText = '', lastText = firstText, ...rest] = text.split('-');
  const first = parsePort(firstText);
  const last = parsePort(lastText);
  if (first === undefined || last === undefined || first > last || rest.length > 0) return undefined;
  return Object.freeze({ first, last });
}

export function portIn(ranges: readonly PortRange[], port: number): boolean {
  return ranges.some(({ first, last }) => port >= first && port <= last);
}

/** `50000-50999`, `50000`. */
export function formatPortRange({ first, last }: PortRange): string {
  return first === last ? `${first}` : `${first}-${last}`;
}

/** `50000:50999`, `50000`: as iptables and pf write it. */
export function formatColonRange({ first, last }: PortRange): string {
  return first === last ? `${first}` : `${first}:${last}`;
}

/** How many ports the range has. */
export function sizeOf({ first, last }: PortRange): number {
  return last - first + 1;
}

/** The same ports, in ranges that neither overlap nor touch. */
export function mergedPorts(ranges: readonly PortRange[]): PortRange[] {
  const merged: PortRange[] = [];
  for (const range of [...ranges].sort((a, b) => a.first - b.first)) {
    const before = merged.at(-1);
    if (before && range.first <= before.last + 1) {
      merged[merged.length - 1] = { first: before.first, last: Math.max(before.last, range.last) };
    } else merged.push(range);
  }
  return merged;
}
