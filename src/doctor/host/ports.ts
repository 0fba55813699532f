import { parsePort } from '../../net/endpoint.ts';
import type { PortRange } from '../../net/port-range.ts';

/** Names of /etc/services that stand in rules of firewalls for FTP, and what often stands beside them. */
const services: ReadonlyMap<string, number> = new Map([
  ['ftp', 21],
  ['ftp-data', 20],
  ['ftps', 990],
  ['ftps-data', 989],
  ['ssh', 22],
  ['smtp', 25],
  ['domain', 53],
  ['http', 80],
  ['https', 443],
]);

/** Every port. */
export const allPorts: PortRange = { first: 1, last: 65535 };

/**
 * Reads `21`, `ftp`, `50000-50999` or `50000:50999`, as firewalls write ports; an end that is missing is the first
 * or last port (`1024:`).
 */
export function readPorts(text: string): PortRange | undefined {
  // A sign alone is what is left of a range that was not understood.
  if (text === '-') return undefined;
  const [, from, to] = /^([a-z0-9]*)[:-]([a-z0-9]*)$/i.exec(text) ?? [];
  if (from === undefined || to === undefined || services.has(text)) {
    const port = portNamed(text);
    return port === undefined ? undefined : { first: port, last: port };
  }
  const first = from === '' ? allPorts.first : portNamed(from);
  const last = to === '' ? allPorts.last : portNamed(to);
  return first === undefined || last === undefined || first > last ? undefined : { first, last };
}

/** All of them; undefined where one is none. */
export function readAllPorts(texts: readonly string[]): readonly PortRange[] | undefined {
  const ports = texts.map(readPorts).filter((range) => range !== undefined);
  return ports.length === texts.length ? ports : undefined;
}

function portNamed(text: string): number | undefined {
  return services.get(text) ?? (text === '0' ? allPorts.first : parsePort(text));
}

/** Reads `192.168.0.5`, `192.168.0.5:2121`, `[fd00::5]:2121` or a range of addresses, as translations name it. */
export function readDestination(text: string): {
  address: string | undefined;
  ports: PortRange | undefined;
} {
  const [, bracketed, plain, behind] =
    /^(?:\[([0-9a-f.:]+)\]|([0-9.]+|[0-9a-f:]+))(?:-[0-9.]+|-[0-9a-f:]+)?(?::([0-9-]+))?$/i.exec(text) ?? [];
  return { address: bracketed ?? plain, ports: behind === undefined ? undefined : readPorts(behind) };
}

/** The part of a range that lies in another. */
export function overlap(one: PortRange, other: PortRange): PortRange | undefined {
  const first = Math.max(one.first, other.first);
  const last = Math.min(one.last, other.last);
  return first > last ? undefined : { first, last };
}

/** Whether every port of the range is in one of the others. */
export function isCovered(range: PortRange, others: readonly PortRange[]): boolean {
  let next = range.first;
  for (const { first, last } of [...others].sort((a, b) => a.first - b.first)) {
    if (first > next) break;
    next = Math.max(next, last + 1);
  }
  return next > range.last;
}

/** Every port that is in none of the ranges. */
export function complement(ranges: readonly PortRange[]): PortRange[] {
  const others: PortRange[] = [];
  let next = allPorts.first;
  for (const { first, last } of [...ranges].sort((a, b) => a.first - b.first)) {
    if (first > next) others.push({ first: next, last: first - 1 });
    next = Math.max(next, last + 1);
  }
  return next > allPorts.last ? others : [...others, { first: next, last: allPorts.last }];
}
