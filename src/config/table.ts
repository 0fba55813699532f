import { dataTlsEnds, serverDataTlsKinds, serverTlsKinds, tlsModes } from '../helper/tls-policy.ts';
import {
  cccAnswers,
  logFormats,
  logLevels,
  planes,
  tlsVersions,
  truncatedEnds,
  type Config,
} from './config.ts';
import {
  account,
  addressOfEachFamily,
  adminPath,
  choice,
  day,
  duration,
  fingerprints,
  groupName,
  hostName,
  hour,
  logFile,
  mark,
  networks,
  noneIfEmpty,
  onOff,
  pemFile,
  pemFiles,
  portRange,
  portRanges,
  publicHost,
  server,
  tableName,
  whole,
  wholeOrAuto,
  type Kind,
  type Written,
} from './kinds.ts';
import { listenAddresses } from './listening.ts';

type SettingGroup = 'Addresses' | 'Ports' | 'Access' | 'Limits' | 'Operation' | 'TLS';

interface Setting<T> {
  readonly group: SettingGroup;
  readonly description: string;
  readonly kind: Kind<T>;
  /** The default, read as any other text is. */
  readonly initial: string;
}

function setting<T>(
  group: SettingGroup,
  description: string,
  kind: Kind<T>,
  initial: string = '',
): Setting<T> {
  return { group, description, kind, initial };
}

const anyNetworks = networks('networks like 10.0.0.0/8 or 2001:db8::/32, or single addresses');

/** The one table from which flags, variables and the file are read, and in whose order they are printed. */
export const table: { readonly [K in keyof Config]: Setting<Config[K]> } = {
  server: setting(
    'Addresses',
    'the internal FTP server; if unset, a small in-memory server for trying things out',
    server,
  ),
  listen: setting(
    'Addresses',
    'where clients connect (default: 21, or 127.0.0.1:2121 when no server is named)',
    noneIfEmpty(listenAddresses),
  ),
  publicAddress: setting(
    'Addresses',
    'address announced to clients in place of the IPv4 address they connected to',
    publicHost(4),
  ),
  publicAddress6: setting('Addresses', 'the same for IPv6', publicHost(6)),
  localNetworks: setting(
    'Addresses',
    'clients that are always told the address they connected to',
    anyNetworks,
  ),
  insideAddress: setting(
    'Addresses',
    "address announced to the server in PORT and EPRT in place of the relay's own",
    addressOfEachFamily,
  ),
  keepClientAddress: onOffSetting('Addresses', "show the server the clients' own addresses; needs nftables"),
  intercept: onOffSetting(
    'Addresses',
    'relay redirected clients to the server they were connecting to; needs nftables',
  ),
  interceptNetworks: setting(
    'Addresses',
    'networks of the servers that intercepted sessions may reach',
    anyNetworks,
    '0.0.0.0/0,::/0',
  ),
  passivePorts: setting('Ports', 'ports that clients connect to in passive mode', portRange, '50000-50999'),
  activePorts: setting('Ports', 'ports that the server connects to in active mode', portRange, '51000-51999'),
  dataSourcePort: setting(
    'Ports',
    'source port for connections to clients in active mode; 0: any',
    whole(0, 65535),
    '20',
  ),
  fxpPeers: setting('Access', 'other hosts that a client may name in PORT and EPRT', anyNetworks),
  denyPorts: setting(
    'Access',
    'ports refused in PORT and EPRT, and in 227 and 229 replies',
    portRanges('ports and port ranges like 6000-6063, from 1 to 65535'),
    '2049,3306,3389,5060-5061,5432,5900,6000-6063,6379',
  ),
  serverPassivePorts: setting(
    'Access',
    "the server's own passive ports, the only ones accepted in 227 and 229 replies; if unset: 1024 and up, without deny-ports",
    portRanges('ports and port ranges like 30000-30999, from 1 to 65535'),
  ),
  maxSessions: setting('Limits', 'maximum number of concurrent sessions', whole(1, 1_000_000), '10000'),
  maxSessionsPerClient: setting(
    'Limits',
    'maximum number of concurrent sessions of one client',
    whole(1, 1_000_000),
    '5000',
  ),
  ipv6ClientPrefix: setting('Limits', 'IPv6 prefix length that counts as one client', whole(1, 128), '64'),
  maxRefusals: setting(
    'Limits',
    'consecutive refused commands that end a session, which is slowed down first; 0: no limit',
    whole(0, 1_000_000),
    '100',
  ),
  expectTimeout: setting('Limits', 'how long a pinhole waits for its connection', duration(1, hour), '300'),
  connectTimeout: setting(
    'Limits',
    'how long to wait for a connection to the server or to a client',
    duration(1, hour),
    '10',
  ),
  loginTimeout: setting('Limits', 'how long a client may take to log in', duration(1, day), '300'),
  idleTimeout: setting('Limits', 'how long a control connection may be idle', duration(1, 7 * day), '3600'),
  dataIdleTimeout: setting('Limits', 'how long a data connection may be idle', duration(1, 7 * day), '3600'),
  keepalive: setting(
    'Limits',
    'idle time before TCP keepalive probes, which also keep NAT entries alive; 0: none',
    duration(0, hour),
    '120',
  ),
  drainTimeout: setting(
    'Limits',
    'how long sessions may go on after SIGTERM as if nothing had happened, while a successor serves new clients',
    duration(0, 7 * day),
    '0',
  ),
  grace: setting(
    'Limits',
    'how long transfers may continue after SIGTERM, and after drain-timeout',
    duration(0, day),
    '30',
  ),
  plane: setting(
    'Operation',
    'what carries the data: relay, this process; kernel, nftables',
    choice(planes),
    'relay',
  ),
  workers: setting(
    'Operation',
    'processes that share the sessions; auto: as many as there are processors',
    wholeOrAuto(1, 64),
    '1',
  ),
  kernelTable: setting(
    'Operation',
    'nftables table used by the kernel plane, keep-client-address and intercept',
    tableName,
    'pinhole',
  ),
  kernelMark: setting(
    'Operation',
    'connection mark on what that table lets through, for your own rules',
    mark,
    '0x2121',
  ),
  user: setting(
    'Operation',
    'user to become after the start, with the capabilities that the plane needs and no others; as root only',
    account,
  ),
  admin: setting(
    'Operation',
    'unix socket for list, top, status and the other commands that ask a running relay (default: /run/pinhole/admin.sock for root, else in XDG_RUNTIME_DIR)',
    adminPath,
  ),
  adminGroup: setting('Operation', 'group whose members may use that socket', groupName, 'pinhole'),
  adminListen: setting(
    'Operation',
    'where the state, the page and the metrics can be read over HTTP, and nothing changed; usually 127.0.0.1:2180',
    listenAddresses,
  ),
  logLevel: setting('Operation', 'lowest level that is logged', choice(logLevels), 'info'),
  logFormat: setting(
    'Operation',
    'log format; auto: pretty on a terminal, otherwise json',
    choice(logFormats),
    'auto',
  ),
  transferLog: setting(
    'Operation',
    "file to append a line to for each file that is transferred, in xferlog's form",
    logFile,
  ),
  tls: setting(
    'TLS',
    'how AUTH TLS is answered: refuse, with reply 534; terminate, TLS that ends at the relay; pass, TLS that ends at the server',
    choice(tlsModes),
    'refuse',
  ),
  listenTls: setting(
    'TLS',
    'where clients connect for implicit FTPS (TLS from the first byte); usually 990',
    listenAddresses,
  ),
  tlsCert: setting(
    'TLS',
    'certificate presented to clients, with its chain; if there are several, SNI selects one',
    pemFiles,
  ),
  tlsKey: setting(
    'TLS',
    'private key of the certificate; one for each certificate, in the same order',
    pemFiles,
  ),
  tlsStrictSni: onOffSetting('TLS', 'refuse clients whose SNI name matches no certificate'),
  tlsClientCa: setting(
    'TLS',
    'CA that client certificates must be signed by; if unset, clients need none',
    pemFile,
  ),
  tlsMinVersion: setting('TLS', 'oldest TLS version accepted from clients', choice(tlsVersions), 'TLSv1.2'),
  tlsCcc: setting(
    'TLS',
    'how CCC is answered, which takes TLS off the control connection',
    choice(cccAnswers),
    'refuse',
  ),
  tlsData: setting(
    'TLS',
    'where TLS of a data connection ends when both sides protect it; server: it is passed through (by the kernel on the kernel plane)',
    choice(dataTlsEnds),
    'relay',
  ),
  requireTls: onOffSetting('TLS', 'require TLS before login'),
  requireDataTls: onOffSetting('TLS', 'require PROT P for transfers'),
  requireSessionReuse: onOffSetting(
    'TLS',
    "require data connections to resume their control connection's TLS session, so that nobody else can use their ports",
  ),
  tlsHandshakeTimeout: setting('TLS', 'how long a TLS handshake may take', duration(1, hour), '30'),
  tlsTruncated: setting(
    'TLS',
    'how a clear data connection ends when TLS on the other side ended without close_notify: reset, as a failure; end, as a complete file',
    choice(truncatedEnds),
    'reset',
  ),
  serverTls: setting(
    'TLS',
    'TLS with the server: off; explicit, with AUTH TLS; implicit, from the first byte; same, whatever the client uses',
    choice(serverTlsKinds),
    'off',
  ),
  serverTlsCa: setting(
    'TLS',
    "CA that the server's certificate must be signed by; if unset, the CAs that the system trusts",
    pemFile,
  ),
  serverTlsFingerprint: setting(
    'TLS',
    "SHA-256 of the server's certificate, which is then accepted whoever signed it",
    fingerprints,
  ),
  serverTlsName: setting(
    'TLS',
    "name that the server's certificate must be for; if unset, the host of --server",
    hostName,
  ),
  serverDataTls: setting(
    'TLS',
    'TLS of data connections with the server: same, as the client requests with PROT; clear; protected',
    choice(serverDataTlsKinds),
    'same',
  ),
};

function onOffSetting(group: SettingGroup, description: string): Setting<boolean> {
  return setting(group, description, onOff, 'false');
}

export const names: readonly (keyof Config)[] = Object.keys(table) as (keyof Config)[];

/** `passivePorts` -> `passive-ports` */
export function keyOf(name: keyof Config): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** `passive-ports` -> `PINHOLE_PASSIVE_PORTS` */
export function variableOf(key: string): string {
  return `PINHOLE_${key.toUpperCase().replaceAll('-', '_')}`;
}

/** The value of a setting, as written in the file. */
export function writeSetting(name: keyof Config, config: Config): Written {
  // Each setting writes the type of its own member, which the union of all settings does not express.
  const kind = table[name].kind as Kind<unknown>;
  return kind.write(config[name]);
}

/** A setting as described by --help and the documentation. */
export interface SettingDescription {
  /** `passive-ports`: the flag without its dashes, and the key in the file. */
  readonly key: string;
  /** `PINHOLE_PASSIVE_PORTS` */
  readonly variable: string;
  readonly group: SettingGroup;
  readonly description: string;
  /** The allowed values, as worded in errors. */
  readonly allowed: string;
  /** The default as one would write it; '' where the default is none. */
  readonly defaultText: string;
  /** A list: the flag may be repeated, commas separate its items. */
  readonly many: boolean;
  /** True or false: the flag alone means true. */
  readonly isSwitch: boolean;
}

/** Every setting, in the order of --help. */
export const settings: readonly SettingDescription[] = names.map((name) => {
  const { group, description, initial, kind } = table[name];
  const { allowed, many, isSwitch } = kind;
  const key = keyOf(name);
  return Object.freeze({
    ...{ key, variable: variableOf(key), group, description },
    ...{ allowed, defaultText: initial, many, isSwitch },
  });
});
