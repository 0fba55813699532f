import { parse, stringify, TomlError } from 'smol-toml';
import { serverDataTlsKinds, serverTlsKinds, tlsModes, type TlsPolicy } from '../helper/tls-policy.ts';
import { familyOf, parseAddress } from '../net/address.ts';
import type { Address, Family } from '../net/address.ts';
import { contains, formatCidr, parseCidr } from '../net/cidr.ts';
import type { Cidr } from '../net/cidr.ts';
import { parseHost, parsePort, splitHostPort } from '../net/endpoint.ts';
import { formatPortRange, parsePortRange } from '../net/port-range.ts';
import type { PortRange } from '../net/port-range.ts';

/** An FTP server inside: an address or a host name, and the port of its control channel. */
interface ServerAddress {
  readonly host: string;
  readonly port: number;
}

/**
 * Where clients connect. `address` undefined: every address of both families; 0.0.0.0 or ::: every one of that family.
 * `port` 0: any free port.
 */
export interface ListenAddress {
  readonly address: Address | undefined;
  readonly port: number;
}

const dataTlsEnds = ['relay', 'server'] as const;
const tlsVersions = ['TLSv1.2', 'TLSv1.3'] as const;
const cccAnswers = ['refuse', 'allow'] as const;
const truncatedEnds = ['reset', 'end'] as const;
const planes = ['relay', 'kernel'] as const;
const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
const logFormats = ['auto', 'json', 'pretty'] as const;

/** What the relay does, frozen in all its depth. Durations are in milliseconds. */
export interface Config {
  /** Undefined: no server named, the caller stands one up for the demonstration. */
  readonly server: ServerAddress | undefined;
  /** Undefined: the caller chooses. */
  readonly listen: readonly ListenAddress[] | undefined;
  readonly publicAddress: string | undefined;
  readonly publicAddress6: string | undefined;
  readonly localNetworks: readonly Cidr[];
  /** At most one of each family. */
  readonly insideAddress: readonly Address[];
  readonly keepClientAddress: boolean;
  readonly intercept: boolean;
  /** Where intercepted sessions may go. */
  readonly interceptNetworks: readonly Cidr[];
  readonly passivePorts: PortRange;
  readonly activePorts: PortRange;
  /** 0: any free port. */
  readonly dataSourcePort: number;
  readonly fxpPeers: readonly Cidr[];
  readonly denyPorts: readonly PortRange[];
  /** Empty: any that `denyPorts` does not name. */
  readonly serverPassivePorts: readonly PortRange[];
  readonly maxSessions: number;
  readonly maxSessionsPerClient: number;
  /** How many bits of an IPv6 address say which client it is. */
  readonly ipv6ClientPrefix: number;
  /** 0: any number. */
  readonly maxRefusals: number;
  readonly expectTimeout: number;
  readonly connectTimeout: number;
  readonly loginTimeout: number;
  readonly idleTimeout: number;
  readonly dataIdleTimeout: number;
  /** 0: the system's own, which is as good as none. */
  readonly keepalive: number;
  readonly grace: number;
  readonly plane: (typeof planes)[number];
  /** The name of the kernel plane's nftables table, of family inet. */
  readonly kernelTable: string;
  /** The mark of the connections that the kernel plane lets through, from 1 to 2^32 - 1. */
  readonly kernelMark: number;
  readonly tls: TlsPolicy['mode'];
  /** Where control channels are TLS from their first byte. */
  readonly listenTls: readonly ListenAddress[];
  /** Paths of PEM files. */
  readonly tlsCert: readonly string[];
  /** One for each of `tlsCert`. */
  readonly tlsKey: readonly string[];
  readonly tlsStrictSni: boolean;
  readonly tlsClientCa: string | undefined;
  readonly tlsMinVersion: (typeof tlsVersions)[number];
  readonly tlsCcc: (typeof cccAnswers)[number];
  readonly tlsData: (typeof dataTlsEnds)[number];
  readonly requireTls: boolean;
  readonly requireDataTls: boolean;
  readonly requireSessionReuse: boolean;
  readonly tlsHandshakeTimeout: number;
  readonly tlsTruncated: (typeof truncatedEnds)[number];
  readonly serverTls: TlsPolicy['server'];
  readonly serverTlsCa: string | undefined;
  /** `AB:CD:...`, 32 bytes each. */
  readonly serverTlsFingerprint: readonly string[];
  readonly serverTlsName: string | undefined;
  readonly serverDataTls: TlsPolicy['serverData'];
  readonly logLevel: (typeof logLevels)[number];
  readonly logFormat: (typeof logFormats)[number];
}

type SettingGroup = 'Where' | 'Ports' | 'Who' | 'Limits' | 'How' | 'TLS';

/** A setting as --help and the documentation tell of it. */
export interface SettingDescription {
  /** `passive-ports`: the flag without its dashes, and the key in the file. */
  readonly key: string;
  /** `PINHOLE_PASSIVE_PORTS` */
  readonly variable: string;
  readonly group: SettingGroup;
  readonly description: string;
  /** What a value may be, as an error says it. */
  readonly allowed: string;
  /** The default as one would write it; '' where the default is none. */
  readonly defaultText: string;
  /** A list: the flag may be repeated, commas separate its items. */
  readonly many: boolean;
  /** True or false: the flag alone means true. */
  readonly isSwitch: boolean;
}

/** A setting that cannot be used. The message is one line that names the key, its origin and what is allowed. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

export interface ConfigSources {
  /** Flags by kebab-case key, `config` (the file) among them; an undefined one was not given. */
  readonly flags: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Reads the file as text, or throws. */
  readonly readFile: (path: string) => string;
}

export interface LoadedConfig {
  readonly config: Config;
  /** For each key: `default`, `flag --listen`, `environment PINHOLE_LISTEN` or `pinhole.toml: listen`. */
  readonly origins: ReadonlyMap<string, string>;
}

type Read<T> = { readonly value: T } | { readonly wrong: string; readonly why?: string };
type Written = string | number | boolean | readonly string[];

interface Setting<T> {
  readonly group: SettingGroup;
  readonly description: string;
  readonly allowed: string;
  /** The default, read as any other text is. */
  readonly initial: string;
  readonly many: boolean;
  readonly isSwitch?: boolean;
  readonly read: (text: string) => Read<T>;
  /** The value as the file says it. */
  readonly write: (value: T) => Written;
}

type Said = Pick<Setting<unknown>, 'group' | 'description' | 'allowed' | 'initial'>;

/** Networks in which no host that one could name has its address. */
const hostless = ['0.0.0.0/8', '224.0.0.0/4', '255.255.255.255', '::', 'ff00::/8']
  .map(parseCidr)
  .filter((network) => network !== undefined);

const second = 1000;
const hour = 3600 * second;
const day = 24 * hour;
const units: ReadonlyMap<string, number> = new Map([
  ['ms', 1],
  ['s', second],
  ['m', 60 * second],
  ['h', hour],
]);

const networks = 'networks like 10.0.0.0/8 or 2001:db8::/32, or single addresses';
const oneRange = 'one range of ports like 50000-50999, from 1 to 65535';

/** The one table from which flags, variables and the file are read, and in whose order they are printed. */
const table: { readonly [K in keyof Config]: Setting<Config[K]> } = {
  server: optional(
    {
      group: 'Where',
      description: 'the FTP server inside; none: a small one of its own, to try things out',
      allowed: 'HOST or HOST:PORT, an IPv6 address with a port in brackets',
      initial: '',
    },
    readServer,
    ({ host, port }) => (host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`),
  ),
  listen: noneIfEmpty(
    list(
      {
        group: 'Where',
        description: 'where clients connect (default: 21, or 127.0.0.1:2121 with no server named)',
        allowed: 'PORT (on all addresses), ADDRESS:PORT or [IPV6]:PORT, each once; port 0 is any free one',
        initial: '',
      },
      readListen,
      writeListen,
      overlapOfListen,
    ),
  ),
  publicAddress: optional(
    {
      group: 'Where',
      description: 'what clients are told instead of the IPv4 address that they reached',
      allowed: 'the IPv4 address of a host (not 0.0.0.0, not multicast), or a host name',
      initial: '',
    },
    (text) => readPublic(text, 4),
    (value) => value,
  ),
  publicAddress6: optional(
    {
      group: 'Where',
      description: 'the same for IPv6',
      allowed: 'the IPv6 address of a host (not ::, not multicast, no zone), or a host name',
      initial: '',
    },
    (text) => readPublic(text, 6),
    (value) => value,
  ),
  localNetworks: list(
    {
      group: 'Where',
      description: 'clients that are always told the address that they reached',
      allowed: networks,
      initial: '',
    },
    parseCidr,
    formatCidr,
  ),
  insideAddress: list(
    {
      group: 'Where',
      description:
        'what the server is told in PORT and EPRT instead of the address that the relay dials it from',
      allowed: 'addresses of a host, at most one IPv4 and one IPv6',
      initial: '',
    },
    readHostAddress,
    (value) => value,
    repeatedFamily,
  ),
  keepClientAddress: onOff('Where', "whether the server sees the clients' own addresses, by nftables"),
  intercept: onOff(
    'Where',
    'whether clients that a redirect rule leads here get to the server that they meant, by nftables',
  ),
  interceptNetworks: list(
    {
      group: 'Where',
      description: 'networks that intercepted sessions may go to',
      allowed: networks,
      initial: '0.0.0.0/0,::/0',
    },
    parseCidr,
    formatCidr,
  ),
  passivePorts: one(
    {
      group: 'Ports',
      description: 'ports that clients connect to',
      allowed: oneRange,
      initial: '50000-50999',
    },
    parsePortRange,
    formatPortRange,
  ),
  activePorts: one(
    {
      group: 'Ports',
      description: 'ports that the server connects to',
      allowed: oneRange,
      initial: '51000-51999',
    },
    parsePortRange,
    formatPortRange,
  ),
  dataSourcePort: whole(
    'Ports',
    'port from which clients are dialled in active mode; 0: any',
    '20',
    0,
    65535,
  ),
  fxpPeers: list(
    {
      group: 'Who',
      description: 'hosts that a client may name in PORT and EPRT though they are not itself',
      allowed: networks,
      initial: '',
    },
    parseCidr,
    formatCidr,
  ),
  denyPorts: list(
    {
      group: 'Who',
      description: 'ports that a client may not name in PORT and EPRT, nor the server in a 227 or 229',
      allowed: 'ports and ranges of ports like 6000-6063, from 1 to 65535',
      initial: '2049,3306,3389,5060-5061,5432,5900,6000-6063,6379',
    },
    parsePortRange,
    formatPortRange,
  ),
  serverPassivePorts: list(
    {
      group: 'Who',
      description: 'ports that the server may name in a 227 or 229, where they are known; none: from 1024 on',
      allowed: 'ports and ranges of ports like 30000-30999, from 1 to 65535',
      initial: '',
    },
    parsePortRange,
    formatPortRange,
  ),
  maxSessions: whole('Limits', 'sessions at once', '10000', 1, 1_000_000),
  maxSessionsPerClient: whole('Limits', 'sessions at once from one client', '5000', 1, 1_000_000),
  ipv6ClientPrefix: whole('Limits', 'length of the IPv6 prefix that counts as one client', '64', 1, 128),
  maxRefusals: whole(
    'Limits',
    'refused commands in a row after which a session ends, having become slow before; 0: any number',
    '100',
    0,
    1_000_000,
  ),
  expectTimeout: duration('Limits', 'how long a pinhole waits for its connection', '300', 1, hour),
  connectTimeout: duration(
    'Limits',
    'how long a connection to the server or a client may take',
    '10',
    1,
    hour,
  ),
  loginTimeout: duration('Limits', 'how long a client may take to log in', '300', 1, day),
  idleTimeout: duration('Limits', 'how long a control channel may be silent', '3600', 1, 7 * day),
  dataIdleTimeout: duration('Limits', 'how long a data channel may be silent', '3600', 1, 7 * day),
  keepalive: duration(
    'Limits',
    'after how much silence a peer is asked whether it is still there, which also keeps a NAT from forgetting; 0: never',
    '120',
    0,
    hour,
  ),
  grace: duration('Limits', 'how long transfers may go on after SIGTERM', '30', 0, day),
  plane: choice(
    'How',
    'what carries the data: relay, this process itself; kernel, nftables',
    'relay',
    planes,
  ),
  kernelTable: one(
    {
      group: 'How',
      description: 'the nftables table of the kernel plane, keep-client-address and intercept',
      allowed: 'a name of letters, digits and _, at most 60, a letter first',
      initial: 'pinhole',
    },
    (text) => (/^[a-z][a-z0-9_]{0,59}$/i.test(text) ? text : undefined),
    (value) => value,
  ),
  kernelMark: one(
    {
      group: 'How',
      description: 'the connection mark of what they let through, for a rule of your own',
      allowed: 'a number from 1 to 4294967295, or 0x1 to 0xffffffff',
      initial: '0x2121',
    },
    readMark,
    (value) => `0x${value.toString(16)}`,
  ),
  logLevel: choice('How', 'what is logged', 'info', logLevels),
  logFormat: choice('How', 'how it is logged; auto: pretty on a terminal, else json', 'auto', logFormats),
  tls: choice(
    'TLS',
    'what AUTH TLS gets: refuse, the reply 534; terminate, TLS that ends here; pass, TLS that the server ends',
    'refuse',
    tlsModes,
  ),
  listenTls: list(
    {
      group: 'TLS',
      description: 'where clients connect for implicit FTPS, TLS from the first byte; usually 990',
      allowed: 'PORT (on all addresses), ADDRESS:PORT or [IPV6]:PORT, each once; port 0 is any free one',
      initial: '',
    },
    readListen,
    writeListen,
    overlapOfListen,
  ),
  tlsCert: files('the certificate that clients see, with its chain; several are chosen from by SNI'),
  tlsKey: files('its private key; as many as certificates, in the same order'),
  tlsStrictSni: onOff('TLS', 'whether a client that asks by SNI for a name of no certificate is refused'),
  tlsClientCa: file('whose certificates clients have to show; none: they need not show any'),
  tlsMinVersion: choice('TLS', 'the oldest TLS that clients may speak', 'TLSv1.2', tlsVersions),
  tlsCcc: choice('TLS', 'what CCC gets, which takes TLS off the control channel again', 'refuse', cccAnswers),
  tlsData: choice(
    'TLS',
    'where TLS of data channels ends that are protected on both sides; server: it is passed on, by the kernel on the kernel plane',
    'relay',
    dataTlsEnds,
  ),
  requireTls: onOff('TLS', 'whether a log in needs TLS'),
  requireDataTls: onOff('TLS', 'whether a transfer needs PROT P'),
  requireSessionReuse: onOff(
    'TLS',
    "whether a data channel has to resume its control channel's TLS session, which no thief of its port can",
  ),
  tlsHandshakeTimeout: duration('TLS', 'how long a TLS handshake may take', '30', 1, hour),
  tlsTruncated: choice(
    'TLS',
    'what a data channel in clear gets, behind all that came, where TLS on the other side ended without close_notify: reset, a failure; end, as if the file were whole',
    'reset',
    truncatedEnds,
  ),
  serverTls: choice(
    'TLS',
    "TLS with the server: off; explicit, by AUTH TLS; implicit, from the first byte; same, as and when the client's",
    'off',
    serverTlsKinds,
  ),
  serverTlsCa: file("who may have signed the server's certificate; none: those whom the system trusts"),
  serverTlsFingerprint: list(
    {
      group: 'TLS',
      description: "SHA-256 of the server's certificate, which then need not be signed by anybody",
      allowed: '64 hexadecimal digits, with or without colons between bytes',
      initial: '',
    },
    readFingerprint,
    (value) => value,
  ),
  serverTlsName: optional(
    {
      group: 'TLS',
      description: "the name that the server's certificate has to be for; none: that of server",
      allowed: 'a host name or an address',
      initial: '',
    },
    parseHost,
    (value) => value,
  ),
  serverDataTls: choice(
    'TLS',
    'TLS of data channels with such a server: same, as the client asks by PROT; clear; protected',
    'same',
    serverDataTlsKinds,
  ),
};

const names = Object.keys(table) as (keyof Config)[];

/** Every setting, in the order of --help. */
export const settings: readonly SettingDescription[] = names.map((name) => {
  const { group, description, allowed, initial, many, isSwitch = false } = table[name];
  const key = keyOf(name);
  return Object.freeze({
    key,
    variable: variableOf(key),
    group,
    description,
    allowed,
    defaultText: initial,
    many,
    isSwitch,
  });
});

const keys: readonly string[] = settings.map(({ key }) => key);

/**
 * Reads the configuration: flags win over environment, environment over file, file over default. An empty text
 * means "none" where none is possible, so that a flag can take back what the file says.
 *
 * @throws {ConfigError} for a value that is not allowed, a name that is not known, a file that cannot be read
 */
export function loadConfig({ flags, env, readFile }: ConfigSources): LoadedConfig {
  const layers = [flagsLayer(flags), environmentLayer(env)];
  const file = layers.map((layer) => layer.get('config')).find((given) => given !== undefined);
  const path = file === undefined ? '' : textOf('config', file);
  if (file !== undefined && path !== '') layers.push(fileLayer(path, file.origin, readFile));

  const origins = new Map<string, string>();
  const values = names.map((name) => {
    const key = keyOf(name);
    const given = layers.map((layer) => layer.get(key)).find((layer) => layer !== undefined);
    const { value, origin } = given ?? { value: table[name].initial, origin: 'default' };
    origins.set(key, origin);
    return [name, readSetting(name, { value, origin })] as const;
  });
  // `table` has a setting for each member of Config, and each reads its member's type.
  const config = deepFreeze(Object.fromEntries(values)) as unknown as Config;
  refuseLostAddress(config, origins);
  refuseOwnServer(config, origins);
  refuseHalfTls(config, origins);
  return { config, origins };
}

/**
 * The configuration as a file that says the same, each line with a comment that says where its value came from:
 *
 *     passive-ports = "50000-50999"  # default
 */
export function formatConfig(config: Config, origins: ReadonlyMap<string, string>): string {
  const lines = names.flatMap((name, index) => {
    const key = keyOf(name);
    const { group } = table[name];
    const previous = names[index - 1];
    const heading = previous !== undefined && table[previous].group === group ? [] : ['', `# ${group}`];
    const line = stringify({ [key]: writeSetting(name, config) }).trimEnd();
    return [...heading, `${line}  # ${oneLine(origins.get(key) ?? 'default')}`];
  });
  return `${lines.join('\n').trimStart()}\n`;
}

// ---- Sources: what was given, before it is read ----

interface Given {
  readonly value: unknown;
  readonly origin: string;
}

type Layer = Map<string, Given>;

function flagsLayer(flags: ConfigSources['flags']): Layer {
  const layer: Layer = new Map();
  for (const [key, value] of Object.entries(flags)) {
    if (value === undefined) continue;
    if (!isKnown(key)) throw unknown(`flag --${key}`, `--${nearest(key, [...keys, 'config'])}`);
    layer.set(key, { value, origin: `flag --${key}` });
  }
  return layer;
}

/** What Kubernetes sets in every container where a service is named `pinhole`; none of it is for us. */
const fromKubernetes = /^PINHOLE_(?:SERVICE_|PORT$|PORT_)/;

function environmentLayer(env: ConfigSources['env']): Layer {
  const layer: Layer = new Map();
  for (const [variable, value] of Object.entries(env)) {
    if (!variable.startsWith('PINHOLE_') || fromKubernetes.test(variable) || value === undefined) continue;
    const key = [...keys, 'config'].find((known) => variableOf(known) === variable);
    if (key === undefined) {
      const known = [...keys, 'config'].map(variableOf);
      throw unknown(`environment variable ${variable}`, nearest(variable, known));
    }
    layer.set(key, { value, origin: `environment ${variable}` });
  }
  return layer;
}

function fileLayer(path: string, origin: string, readFile: ConfigSources['readFile']): Layer {
  const layer: Layer = new Map();
  for (const [key, value] of Object.entries(parseFile(path, origin, readFile))) {
    if (!keys.includes(key)) throw unknown(`key ${quote(key)} in ${path}`, nearest(key, keys));
    layer.set(key, { value, origin: `${path}: ${key}` });
  }
  return layer;
}

function parseFile(path: string, origin: string, readFile: ConfigSources['readFile']): object {
  try {
    return parse(readFile(path));
  } catch (cause) {
    const reason = cause instanceof Error ? (cause.message.split('\n')[0] ?? '') : String(cause);
    const problem =
      cause instanceof TomlError
        ? `line ${cause.line}, column ${cause.column}: ${reason}`
        : `cannot be read: ${reason}`;
    throw new ConfigError(
      oneLine(`config: ${quote(path)} from ${origin}: ${problem}; allowed: a TOML file`),
      { cause },
    );
  }
}

function isKnown(key: string): boolean {
  return key === 'config' || keys.includes(key);
}

// ---- Values ----

function readSetting(name: keyof Config, given: Given): unknown {
  const key = keyOf(name);
  const setting = table[name];
  const result = setting.read(textOf(key, given, setting));
  if ('value' in result) return result.value;
  throw wrong(key, given.origin, result.wrong, setting.allowed, result.why);
}

function writeSetting(name: keyof Config, config: Config): Written {
  // Each setting writes its own member's type, which the union of all settings does not tell.
  const setting = table[name] as Setting<unknown>;
  return setting.write(config[name]);
}

/** The text of a value as a flag would say it: a number as its digits, a list with commas. */
function textOf(
  key: string,
  { value, origin }: Given,
  { many, allowed, isSwitch = false }: { many: boolean; allowed: string; isSwitch?: boolean } = {
    many: false,
    allowed: 'the path of a TOML file',
  },
): string {
  const items: readonly unknown[] = Array.isArray(value) ? value : [value];
  const odd = items.find(
    (item) => !['string', 'number', isSwitch ? 'boolean' : 'string'].includes(typeof item),
  );
  if (odd !== undefined) throw wrong(key, origin, odd, allowed);
  if (!many && (items.length !== 1 || Array.isArray(value))) {
    throw wrong(key, origin, value, allowed, 'one value, not several');
  }
  return items.join(',');
}

function one<T>(said: Said, read: (text: string) => T | undefined, write: (value: T) => Written): Setting<T> {
  return {
    ...said,
    many: false,
    read: (text) => {
      const value = read(text);
      return value === undefined ? { wrong: text } : { value };
    },
    write,
  };
}

function optional<T>(
  said: Said,
  read: (text: string) => T | undefined,
  write: (value: T) => Written,
): Setting<T | undefined> {
  const setting = one(said, read, write);
  return {
    ...setting,
    read: (text) => (text === '' ? { value: undefined } : setting.read(text)),
    write: (value) => (value === undefined ? '' : write(value)),
  };
}

/** A list; `problem` says what is wrong with its items together. */
function list<T>(
  said: Said,
  read: (text: string) => T | undefined,
  write: (value: T) => string,
  problem: (values: readonly T[]) => string | undefined = () => undefined,
): Setting<readonly T[]> {
  return {
    ...said,
    many: true,
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

function noneIfEmpty<T>(setting: Setting<readonly T[]>): Setting<readonly T[] | undefined> {
  return {
    ...setting,
    read: (text) => {
      const result = setting.read(text);
      return 'value' in result && result.value.length === 0 ? { value: undefined } : result;
    },
    write: (value) => setting.write(value ?? []),
  };
}

function whole(
  group: SettingGroup,
  description: string,
  initial: string,
  least: number,
  most: number,
): Setting<number> {
  const allowed = `a whole number from ${least} to ${most}`;
  const read = (text: string): number | undefined =>
    /^[0-9]{1,9}$/.test(text) && Number(text) >= least && Number(text) <= most ? Number(text) : undefined;
  return one({ group, description, allowed, initial }, read, (value) => value);
}

/**
 * From `least` (0, or 1 where a wait of nothing makes no sense) to `most`, both in milliseconds. `most` keeps far
 * below 2^31, at which setTimeout fires at once.
 */
function duration(
  group: SettingGroup,
  description: string,
  initial: string,
  least: 0 | 1,
  most: number,
): Setting<number> {
  const bounds = `${least === 0 ? 'from 0' : 'above 0 and up'} to ${most / second} seconds`;
  const allowed = `seconds, or a text like 500ms, 300s, 5m or 1h, ${bounds}`;
  const read = (text: string): number | undefined => {
    const [, digits, unit = 's'] = /^([0-9]{1,9})(ms|s|m|h)?$/.exec(text) ?? [];
    const value = Number(digits) * (units.get(unit) ?? NaN);
    return value >= least && value <= most ? value : undefined;
  };
  return one({ group, description, allowed, initial }, read, (value) =>
    value % second === 0 ? value / second : `${value}ms`,
  );
}

function choice<T extends string>(
  group: SettingGroup,
  description: string,
  initial: T,
  members: readonly T[],
): Setting<T> {
  const allowed =
    members.length === 1 ? `${members.join()}, the only one in this version` : members.join(', ');
  return one(
    { group, description, allowed, initial },
    (text) => members.find((member) => member === text),
    (value) => value,
  );
}

function file(description: string): Setting<string | undefined> {
  const said = { group: 'TLS', description, allowed: 'the path of a PEM file', initial: '' } as const;
  return optional(
    said,
    (text) => text,
    (value) => value,
  );
}

function files(description: string): Setting<readonly string[]> {
  const said = { group: 'TLS', description, allowed: 'paths of PEM files', initial: '' } as const;
  return list(
    said,
    (text) => (text === '' ? undefined : text),
    (value) => value,
  );
}

function onOff(group: SettingGroup, description: string): Setting<boolean> {
  const setting = one(
    { group, description, allowed: 'true or false', initial: 'false' },
    (text) => (text === 'true' || text === 'false' ? text : undefined),
    (value) => value,
  );
  return {
    ...setting,
    isSwitch: true,
    read: (text) => {
      const result = setting.read(text);
      return 'value' in result ? { value: result.value === 'true' } : result;
    },
    write: (value) => value,
  };
}

function readServer(text: string): ServerAddress | undefined {
  const split = splitHostPort(text);
  if (split === undefined || !mayBeHost(split.host)) return undefined;
  return { host: split.host, port: split.port ?? 21 };
}

function readListen(text: string): ListenAddress | undefined {
  const [, where, digits = ''] = /^(?:(.+):)?([0-9]{1,5})$/.exec(text) ?? [];
  const port = Number(digits) === 0 && digits !== '' ? 0 : parsePort(digits);
  if (port === undefined) return undefined;
  if (where === undefined) return { address: undefined, port };
  // Without brackets '2001:db8::1:21' could be an address alone.
  const [, inner] = /^\[(.*:.*)\]$/.exec(where) ?? [];
  if (inner === undefined && where.includes(':')) return undefined;
  const address = parseAddress(inner ?? where);
  if (address === undefined) return undefined;
  return mayBeHost(address) || isWildcard(address) ? { address, port } : undefined;
}

function writeListen({ address, port }: ListenAddress): string {
  if (address === undefined) return `${port}`;
  return familyOf(address) === 6 ? `[${address}]:${port}` : `${address}:${port}`;
}

/** Two listeners that cannot both be had: the second would fail with EADDRINUSE. */
function overlapOfListen(listeners: readonly ListenAddress[]): string | undefined {
  for (const [index, later] of listeners.entries()) {
    const earlier = listeners
      .slice(0, index)
      .find((other) => other.port === later.port && (covers(other, later) || covers(later, other)));
    if (earlier === undefined || later.port === 0) continue;
    const [first, then] = [writeListen(earlier), writeListen(later)];
    return first === then ? `${first} stands there twice` : `${first} and ${then} overlap`;
  }
  return undefined;
}

function covers(one: ListenAddress, other: ListenAddress): boolean {
  if (one.address === undefined || one.address === other.address) return true;
  return other.address !== undefined && one.address === (familyOf(other.address) === 4 ? '0.0.0.0' : '::');
}

function readPublic(text: string, family: Family): string | undefined {
  const host = parseHost(text);
  const address = host === undefined ? undefined : parseAddress(host);
  if (host === undefined || address === undefined) return host;
  // A zone has a meaning on this machine alone.
  const usable = familyOf(address) === family && mayBeHost(address) && !address.includes('%');
  return usable ? address : undefined;
}

function readHostAddress(text: string): Address | undefined {
  const address = parseAddress(text);
  return address !== undefined && mayBeHost(address) ? address : undefined;
}

/** As Node writes it: `AB:CD:...` */
function readFingerprint(text: string): string | undefined {
  const digits = text
    .replace(/^sha-?256:/i, '')
    .replaceAll(':', '')
    .toUpperCase();
  return /^[0-9A-F]{64}$/.test(digits) ? (digits.match(/../g) ?? []).join(':') : undefined;
}

function readMark(text: string): number | undefined {
  const mark = /^(?:0x[0-9a-f]{1,8}|[0-9]{1,10})$/i.test(text) ? Number(text) : 0;
  return mark >= 1 && mark <= 0xffffffff ? mark : undefined;
}

function repeatedFamily(addresses: readonly Address[]): string | undefined {
  const families = addresses.map(familyOf);
  const repeated = families.find((family, index) => families.indexOf(family) !== index);
  return repeated === undefined ? undefined : `two IPv${repeated} addresses`;
}

/** A host name, or an address that a single host can have. */
function mayBeHost(host: string): boolean {
  const address = parseAddress(host);
  return address === undefined || !hostless.some((network) => contains(network, address));
}

function isWildcard(address: Address | undefined): boolean {
  return address === undefined || address === '0.0.0.0' || address === '::';
}

/** What the relay listens on where a server is named and no listener is. */
export const defaultListen: readonly ListenAddress[] = [{ address: undefined, port: 21 }];

/** A relay that is its own server would open sessions with itself until it runs out of them. */
function refuseOwnServer(
  { server, listen = defaultListen }: Config,
  origins: ReadonlyMap<string, string>,
): void {
  const address = server === undefined ? undefined : parseAddress(server.host);
  if (server === undefined || address === undefined) return;
  const own = listen.find(({ address: at, port }) => port === server.port && reaches(address, at));
  if (own === undefined) return;
  const why = `the relay itself is there: listen is ${writeListen(own)} from ${origins.get('listen') ?? 'default'}`;
  throw wrong(
    'server',
    origins.get('server') ?? 'default',
    table.server.write(server),
    table.server.allowed,
    why,
  );
}

/** Settings that say something of a server. */
const ofAServer = [
  'insideAddress',
  'keepClientAddress',
  'serverPassivePorts',
  'serverTls',
] as const satisfies readonly (keyof Config)[];

/**
 * Without a server the small one in memory is served, which takes files from everybody. A line that was lost must not
 * publish it: only where nothing speaks of a server, and nobody else can connect, was that meant.
 *
 * @param listen where it would be served
 * @throws {ConfigError}
 */
export function refuseAccidentalServer(
  config: Config,
  listen: readonly ListenAddress[],
  origins: ReadonlyMap<string, string>,
): void {
  const refuse = (why: string): never => {
    const allowed = `${table.server.allowed}; or none, with all of listen at loopback addresses`;
    throw wrong('server', origins.get('server') ?? 'default', '', allowed, why);
  };
  const open = [...listen, ...config.listenTls].find(
    ({ address }) => address === undefined || !isLoopback(address),
  );
  if (open) {
    const origin = origins.get('listen') ?? 'default';
    refuse(
      `none is named, and listen is ${writeListen(open)} from ${origin}: a server in memory would be there for all`,
    );
  }
  const said = ofAServer.find((name) => String(writeSetting(name, config)) !== table[name].initial);
  if (said) refuse(`none is named, and ${keyOf(said)} is set from ${origins.get(keyOf(said)) ?? 'default'}`);
}

/** TLS that is not whole would be no TLS, and nobody would know. */
function refuseHalfTls(config: Config, origins: ReadonlyMap<string, string>): void {
  const { tls, tlsCert, tlsKey, serverTls, serverDataTls, listen = defaultListen, listenTls } = config;
  const originOf = (name: keyof Config): string => origins.get(keyOf(name)) ?? 'default';
  const refuse = (name: keyof Config, allowed: string, why: string): never => {
    throw wrong(keyOf(name), originOf(name), writeSetting(name, config), allowed, why);
  };
  // What a printed configuration says of every setting is nobody's wish.
  const isGiven = (name: keyof Config): boolean =>
    String(writeSetting(name, config)) !== (table[name] as Setting<unknown>).initial;
  const needs = (names: readonly (keyof Config)[], isThere: boolean, what: string): void => {
    const lost = isThere ? undefined : names.find(isGiven);
    if (lost) refuse(lost, `to leave it out, or ${what}`, `it is for ${what} alone`);
  };
  const ends = tls === 'terminate';
  needs(['tlsCert', 'tlsKey', 'listenTls', 'tlsStrictSni', 'tlsClientCa'], ends, 'tls terminate');
  needs(['tlsMinVersion', 'tlsCcc'], ends, 'tls terminate');
  needs(['requireDataTls', 'requireSessionReuse'], ends, 'tls terminate');
  needs(['requireTls'], tls !== 'refuse', 'tls terminate or pass');
  const ofServer = ['serverTlsCa', 'serverTlsFingerprint', 'serverTlsName', 'serverDataTls'] as const;
  needs(ofServer, serverTls !== 'off', 'server-tls explicit, implicit or same');
  if (ends && tlsCert.length === 0) {
    refuse('tls', 'refuse or pass, or tls-cert and tls-key', 'there is no certificate: tls-cert is empty');
  }
  if (tlsCert.length !== tlsKey.length) {
    refuse('tlsKey', 'as many as tls-cert', `${tlsCert.length} certificates and ${tlsKey.length} keys`);
  }
  if (serverTls === 'same' && !ends) {
    refuse('serverTls', 'off, explicit or implicit', `tls is ${tls}, and no TLS of a client ends here`);
  }
  if (tls === 'pass' && serverTls !== 'off') {
    refuse('serverTls', 'off', 'tls is pass: TLS is between client and server alone');
  }
  if (tls === 'pass' && (config.intercept || config.keepClientAddress)) {
    const other = config.intercept ? 'intercept' : 'keep-client-address';
    refuse('tls', 'refuse or terminate', `${other} is set, and passed data channels come from this host`);
  }
  if (config.tlsData === 'server' && (serverTls === 'off' || serverDataTls !== 'same' || !ends)) {
    const why = 'TLS of a data channel passes only where both sides have it as the client asks';
    refuse('tlsData', 'relay, or tls terminate with server-tls and server-data-tls same', why);
  }
  if (config.tlsData === 'server' && config.tlsClientCa !== undefined) {
    const why = 'tls-client-ca is set, and nobody here would see the certificates of data channels';
    refuse('tlsData', 'relay', why);
  }
  if (config.tlsData === 'server' && config.requireSessionReuse) {
    refuse('tlsData', 'relay', 'require-session-reuse is set, and the server knows no session of this side');
  }
  const overlap = overlapOfListen([...listen, ...listenTls]);
  if (overlap !== undefined) refuse('listenTls', 'other ports than listen', overlap);
}

/** Why data goes through this process on the kernel plane too; undefined where the kernel carries all of it. */
export function reasonOfRelay({
  tls,
  tlsData,
  serverTls,
  serverDataTls,
}: Pick<Config, 'tls' | 'tlsData' | 'serverTls' | 'serverDataTls'>): 'passed' | 'ends here' | undefined {
  if (tls === 'pass') return 'passed';
  // Then TLS of a data channel begins and ends at its two ends alone.
  if (tlsData === 'server') return undefined;
  const endsHere = tls === 'terminate' || (serverTls !== 'off' && serverDataTls === 'protected');
  return endsHere ? 'ends here' : undefined;
}

/**
 * The server is told one address: the client's, or that of a NAT on the way. And the kernel delivers no packet from
 * other hosts' addresses to a loopback address.
 */
function refuseLostAddress(
  { keepClientAddress, insideAddress, server }: Config,
  origins: ReadonlyMap<string, string>,
): void {
  if (!keepClientAddress) return;
  const refuse = (allowed: string, why: string): never => {
    throw wrong('keep-client-address', origins.get('keep-client-address') ?? 'default', true, allowed, why);
  };
  if (insideAddress.length > 0) {
    const origin = origins.get('inside-address') ?? 'default';
    refuse(
      'false, or no inside-address',
      `inside-address is set from ${origin}, and the server sees one address`,
    );
  }
  if (server && isLoopback(server.host)) {
    const why = `the server is ${server.host}, and no other host's address reaches that`;
    refuse('false, or a server that is named by another address of its host', why);
  }
}

function isLoopback(host: string): boolean {
  return host === '::1' || host.startsWith('127.') || host.toLowerCase() === 'localhost';
}

function reaches(address: Address, listening: Address | undefined): boolean {
  return listening === address || (isWildcard(listening) && isLoopback(address));
}

// ---- Names and messages ----

function keyOf(name: keyof Config): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

function variableOf(key: string): string {
  return `PINHOLE_${key.toUpperCase().replaceAll('-', '_')}`;
}

function wrong(key: string, origin: string, value: unknown, allowed: string, why?: string): ConfigError {
  const reason = why === undefined ? '' : ` (${why})`;
  return new ConfigError(
    oneLine(`${key}: ${quote(value)} (from ${origin}) is not allowed${reason}; allowed: ${allowed}`),
  );
}

function unknown(what: string, known: string): ConfigError {
  return new ConfigError(oneLine(`unknown ${what}; the nearest known one is ${known}`));
}

function quote(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length <= 100 ? text : `${text.slice(0, 97)}...`;
}

/** Neither a terminal nor a comment of TOML 1.0 takes control characters; a file's name may have them. */
function oneLine(text: string): string {
  return text.replace(/[\x00-\x1f\x7f-\x9f\u2028\u2029]/g, '\ufffd');
}

function nearest(name: string, known: readonly string[]): string {
  const distances = known.map((other) => distance(name.toLowerCase(), other.toLowerCase()));
  return known[distances.indexOf(Math.min(...distances))] ?? '';
}

/** How many letters have to be added, removed or replaced to make one word the other (Levenshtein). */
function distance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (const [i, letter] of Array.from(from.slice(0, 100)).entries()) {
    const next = [i + 1];
    for (let j = 1; j <= to.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (letter === to[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[to.length] ?? 0;
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.values(value).forEach(deepFreeze);
    Object.freeze(value);
  }
  return value;
}
