import { familyOf, parseAddress, type Address, type Family } from '../net/address.ts';
import { contains, formatCidr, parseCidr, type Cidr } from '../net/cidr.ts';
import { parseHost, splitHostPort } from '../net/endpoint.ts';
import { formatPortRange, parsePortRange, type PortRange } from '../net/port-range.ts';

/** How a value is read, and what it may be. */
export interface Readable<T> {
  /** The allowed values, as worded in errors. */
  readonly allowed: string;
  /** A list: the flag may be repeated, commas separate its items. */
  readonly many: boolean;
  /** True or false: the flag alone means true. */
  readonly isSwitch: boolean;
  readonly read: (text: string) => Read<T>;
}

/** The same, and how it is written. */
export interface Kind<T> extends Readable<T> {
  /** The value as written in the file. */
  readonly write: (value: T) => Written;
}

/** A value; or the part of the input that is not allowed, with the reason if `allowed` does not state it. */
export type Read<T> = { readonly value: T } | { readonly wrong: unknown; readonly why?: string };

export type Written = string | number | boolean | readonly string[];

/** Reads what a flag, a variable or a file has: a text, a number, or a list of those. */
export function readValue<T>(value: unknown, kind: Readable<T>): Read<T> {
  const text = textOf(value, kind);
  return 'value' in text ? kind.read(text.value) : text;
}

/** The text of a value as it would be written in a flag: a number as its digits, a list with commas. */
function textOf(value: unknown, { many, isSwitch }: Readable<unknown>): Read<string> {
  const items: readonly unknown[] = Array.isArray(value) ? value : [value];
  const odd = items.find(
    (item) => !['string', 'number', isSwitch ? 'boolean' : 'string'].includes(typeof item),
  );
  if (odd !== undefined) return { wrong: odd };
  if (!many && (items.length !== 1 || Array.isArray(value))) {
    return { wrong: value, why: 'one value, not several' };
  }
  return { value: items.join(',') };
}

// ---- What kinds are made of ----

/** @param read gives undefined for what is not allowed */
function one<T>(
  allowed: string,
  read: (text: string) => T | undefined,
  write: (value: T) => Written,
): Kind<T> {
  return {
    allowed,
    many: false,
    isSwitch: false,
    read: (text) => {
      const value = read(text);
      return value === undefined ? { wrong: text } : { value };
    },
    write,
  };
}

/** The empty text is undefined. */
export function optional<T>(kind: Kind<T>): Kind<T | undefined> {
  return {
    ...kind,
    read: (text) => (text === '' ? { value: undefined } : kind.read(text)),
    write: (value) => (value === undefined ? '' : kind.write(value)),
  };
}

/** A list; `problem` returns what is wrong with the combination of its items. */
export function list<T>(
  allowed: string,
  read: (text: string) => T | undefined,
  write: (value: T) => string,
  problem: (values: readonly T[]) => string | undefined = () => undefined,
): Kind<readonly T[]> {
  return {
    allowed,
    many: true,
    isSwitch: false,
    read: (text) => {
      const values: T[] = [];
      for (const item of text.trim() === '' ? [] : text.split(',')) {
        const value = read(item.trim());
        if (value === undefined) return { wrong: item.trim() };
        values.push(value);
      }
      const why = problem(values);
      return why === undefined ? { value: values } : { wrong: text, why };
    },
    write: (values) => values.map(write),
  };
}

/** The empty list is undefined. */
export function noneIfEmpty<T>(kind: Kind<readonly T[]>): Kind<readonly T[] | undefined> {
  return {
    ...kind,
    read: (text) => {
      const result = kind.read(text);
      return 'value' in result && result.value.length === 0 ? { value: undefined } : result;
    },
    write: (value) => kind.write(value ?? []),
  };
}

// ---- Numbers and words ----

export function whole(least: number, most: number): Kind<number> {
  const read = (text: string): number | undefined =>
    /^[0-9]{1,9}$/.test(text) && Number(text) >= least && Number(text) <= most ? Number(text) : undefined;
  return one(`a whole number from ${least} to ${most}`, read, (value) => value);
}

/** The same, or the word `auto`. */
export function wholeOrAuto(least: number, most: number): Kind<number | 'auto'> {
  const { allowed, read, ...number } = whole(least, most);
  return {
    ...number,
    allowed: `${allowed}, or auto`,
    read: (text) => (text === 'auto' ? { value: text } : read(text)),
    write: (value) => value,
  };
}

const second = 1000;
/** Milliseconds. */
export const hour: number = 3600 * second;
export const day: number = 24 * hour;
const units: ReadonlyMap<string, number> = new Map([
  ['ms', 1],
  ['s', second],
  ['m', 60 * second],
  ['h', hour],
]);

/**
 * From `least` (0, or 1 where a wait of nothing makes no sense) to `most`, both in milliseconds. `most` keeps far
 * below 2^31, at which setTimeout fires at once.
 */
export function duration(least: 0 | 1, most: number): Kind<number> {
  const bounds = `${least === 0 ? 'from 0' : 'above 0 and up'} to ${most / second} seconds`;
  const read = (text: string): number | undefined => {
    const [, digits, unit = 's'] = /^([0-9]{1,9})(ms|s|m|h)?$/.exec(text) ?? [];
    const value = Number(digits) * (units.get(unit) ?? NaN);
    return value >= least && value <= most ? value : undefined;
  };
  return one(`seconds, or a duration like 500ms, 300s, 5m or 1h, ${bounds}`, read, (value) =>
    value % second === 0 ? value / second : `${value}ms`,
  );
}

/** The same as a number of seconds alone, which may have decimals. */
export function seconds(least: 0 | 1, most: number): Kind<number> {
  const allowed = `seconds ${least === 0 ? 'from 0 to' : 'above 0, up to'} ${most / second}`;
  const read = (text: string): number | undefined => {
    const value = /^[0-9]+(?:\.[0-9]+)?(?:e-[0-9]+)?$/.test(text) ? Number(text) * second : NaN;
    return (least === 0 ? value >= 0 : value > 0) && value <= most ? value : undefined;
  };
  return one(allowed, read, (value) => value / second);
}

export function choice<T extends string>(members: readonly T[]): Kind<T> {
  return one(
    members.join(', '),
    (text) => members.find((member) => member === text),
    (value) => value,
  );
}

export const onOff: Kind<boolean> = {
  ...one<boolean>(
    'true or false',
    (text) => (text === 'true' || text === 'false' ? text === 'true' : undefined),
    (value) => value,
  ),
  isSwitch: true,
};

/** A connection mark, decimal or hexadecimal. */
export const mark: Kind<number> = one(
  'a number from 1 to 4294967295, or 0x1 to 0xffffffff',
  readMark,
  (value) => `0x${value.toString(16)}`,
);

function readMark(text: string): number | undefined {
  const value = /^(?:0x[0-9a-f]{1,8}|[0-9]{1,10})$/i.test(text) ? Number(text) : 0;
  return value >= 1 && value <= 0xffffffff ? value : undefined;
}

/** The name of a table of nftables. */
export const tableName: Kind<string> = one(
  'up to 60 letters, digits and _, beginning with a letter',
  (text) => (/^[a-z][a-z0-9_]{0,59}$/i.test(text) ? text : undefined),
  (value) => value,
);

/** @param allowed whose path it is: `the path of a PEM file` */
export function path(allowed: string): Kind<string> {
  return one(allowed, nonEmpty, (value) => value);
}

/** A user and a group. */
export interface AccountNames {
  readonly user: string;
  /** Undefined: the user's own. */
  readonly group: string | undefined;
}

export const account: Kind<AccountNames | undefined> = optional(
  one(
    'USER or USER:GROUP, by name',
    (text) => {
      const [, user, group] = /^([A-Za-z_][\w.-]{0,31})(?::([A-Za-z_][\w.-]{0,31}))?$/.exec(text) ?? [];
      return user === undefined ? undefined : { user, group };
    },
    ({ user, group }) => (group === undefined ? user : `${user}:${group}`),
  ),
);

/** The path of a socket, or `off`. */
export const adminPath: Kind<string | undefined> = optional(path('the path of a unix socket, or off'));

export const groupName: Kind<string> = one(
  'the name of a group: letters, digits, _ and -',
  (text) => (/^[A-Za-z_][\w-]{0,31}$/.test(text) ? text : undefined),
  (value) => value,
);

/** The path of a file that is written to. */
export const logFile: Kind<string | undefined> = optional(path('the path of a file'));

export const pemFile: Kind<string | undefined> = optional(path('the path of a PEM file'));
export const pemFiles: Kind<readonly string[]> = list('paths of PEM files', nonEmpty, (value) => value);

function nonEmpty(text: string): string | undefined {
  return text === '' ? undefined : text;
}

/** SHA-256, as Node writes it: `AB:CD:...` */
export const fingerprints: Kind<readonly string[]> = list(
  '64 hexadecimal digits, with or without colons between bytes',
  readFingerprint,
  (value) => value,
);

function readFingerprint(text: string): string | undefined {
  const digits = text
    .replace(/^sha-?256:/i, '')
    .replaceAll(':', '')
    .toUpperCase();
  return /^[0-9A-F]{64}$/.test(digits) ? (digits.match(/../g) ?? []).join(':') : undefined;
}

// ---- Ports ----

export const portRange: Kind<PortRange> = one(
  'one port range like 50000-50999, from 1 to 65535',
  parsePortRange,
  formatPortRange,
);

export function portRanges(allowed: string): Kind<readonly PortRange[]> {
  return list(allowed, parsePortRange, formatPortRange);
}

// ---- Addresses and hosts ----

export function networks(allowed: string): Kind<readonly Cidr[]> {
  return list(allowed, parseCidr, formatCidr);
}

/** Networks in which no host that one could name has its address. */
const hostless = ['0.0.0.0/8', '224.0.0.0/4', '255.255.255.255', '::', 'ff00::/8']
  .map(parseCidr)
  .filter((network) => network !== undefined);

/** A host name, or an address that a single host can have. */
export function mayBeHost(host: string): boolean {
  const address = parseAddress(host);
  return address === undefined || !hostless.some((network) => contains(network, address));
}

/** An FTP server inside: an address or a host name, and the port of its control channel. */
export interface ServerAddress {
  readonly host: string;
  readonly port: number;
}

export const server: Kind<ServerAddress | undefined> = optional(
  one('HOST or HOST:PORT; an IPv6 address with a port goes in brackets', readServer, ({ host, port }) =>
    host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`,
  ),
);

function readServer(text: string): ServerAddress | undefined {
  const split = splitHostPort(text);
  if (split === undefined || !mayBeHost(split.host)) return undefined;
  return { host: split.host, port: split.port ?? 21 };
}

export const hostName: Kind<string | undefined> = optional(
  one('a host name or an address', parseHost, (value) => value),
);

/** An address that may be announced to clients instead of the one that they connected to. */
export function publicHost(family: Family): Kind<string | undefined> {
  const not = family === 4 ? 'not 0.0.0.0, not multicast' : 'not ::, not multicast, no zone';
  const allowed = `the IPv${family} address of a host (${not}), or a host name`;
  return optional(
    one(
      allowed,
      (text) => readPublic(text, family),
      (value) => value,
    ),
  );
}

function readPublic(text: string, family: Family): string | undefined {
  const host = parseHost(text);
  const address = host === undefined ? undefined : parseAddress(host);
  if (host === undefined || address === undefined) return host;
  // A zone has a meaning on this machine alone.
  const usable = familyOf(address) === family && mayBeHost(address) && !address.includes('%');
  return usable ? address : undefined;
}

export const addressOfEachFamily: Kind<readonly Address[]> = list(
  'addresses of a host, at most one IPv4 and one IPv6',
  readHostAddress,
  (value) => value,
  repeatedFamily,
);

function readHostAddress(text: string): Address | undefined {
  const address = parseAddress(text);
  return address !== undefined && mayBeHost(address) ? address : undefined;
}

function repeatedFamily(addresses: readonly Address[]): string | undefined {
  const families = addresses.map(familyOf);
  const repeated = families.find((family, index) => families.indexOf(family) !== index);
  return repeated === undefined ? undefined : `two IPv${repeated} addresses`;
}
