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
  addressOfEachFamily,
  choice,
  day,
  duration,
  fingerprints,
  hostName,
  hour,
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
  type Kind,
  type Written,
} from './kinds.ts';
import { listenAddresses } from './listening.ts';

type SettingGroup = 'Where' | 'Ports' | 'Who' | 'Limits' | 'How' | 'TLS';

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
  server: setting('Where', 'the FTP server inside; none: a small one of its own, to try things out', server),
  listen: setting(
    'Where',
    'where clients connect (default: 21, or 127.0.0.1:2121 with no server named)',
    noneIfEmpty(listenAddresses),
  ),
  publicAddress: setting(
    'Where',
    'what clients are told instead of the IPv4 address that they reached',
    publicHost(4),
  ),
  publicAddress6: setting('Where', 'the same for IPv6', publicHost(6)),
  localNetworks: setting('Where', 'clients that are always told the address that they reached', anyNetworks),
  insideAddress: setting(
    'Where',
    'what the server is told in PORT and EPRT instead of the address that the relay dials it from',
    addressOfEachFamily,
  ),
  keepClientAddress: onOffSetting('Where', "whether the server sees the clients' own addresses, by nftables"),
  intercept: onOffSetting(
    'Where',
    'whether clients that a redirect rule leads here get to the server that they meant, by nftables',
  ),
  interceptNetworks: setting(
    'Where',
    'networks that intercepted sessions may go to',
    anyNetworks,
    '0.0.0.0/0,::/0',
  ),
  passivePorts: setting('Ports', 'ports that clients connect to', portRange, '50000-50999'),
  activePorts: setting('Ports', 'ports that the server connects to', portRange, '51000-51999'),
  dataSourcePort: setting(
    'Ports',
    'port from which clients are dialled in active mode; 0: any',
    whole(0, 65535),
    '20',
  ),
  fxpPeers: setting(
    'Who',
    'hosts that a client may name in PORT and EPRT though they are not itself',
    anyNetworks,
  ),
  denyPorts: setting(
    'Who',
    'ports that a client may not name in PORT and EPRT, nor the server in a 227 or 229',
    portRanges('ports and ranges of ports like 6000-6063, from 1 to 65535'),
    '2049,3306,3389,5060-5061,5432,5900,6000-6063,6379',
  ),
  serverPassivePorts: setting(
    'Who',
    'ports that the server may name in a 227 or 229, where they are known; none: from 1024 on',
    portRanges('ports and ranges of ports like 30000-30999, from 1 to 65535'),
  ),
  maxSessions: setting('Limits', 'sessions at once', whole(1, 1_000_000), '10000'),
  maxSessionsPerClient: setting('Limits', 'sessions at once from one client', whole(1, 1_000_000), '5000'),
  ipv6ClientPrefix: setting(
    'Limits',
    'length of the IPv6 prefix that counts as one client',
    whole(1, 128),
    '64',
  ),
  maxRefusals: setting(
    'Limits',
    'refused commands in a row after which a session ends, having become slow before; 0: any number',
    whole(0, 1_000_000),
    '100',
  ),
  expectTimeout: setting('Limits', 'how long a pinhole waits for its connection', duration(1, hour), '300'),
  connectTimeout: setting(
    'Limits',
    'how long a connection to the server or a client may take',
    duration(1, hour),
    '10',
  ),
  loginTimeout: setting('Limits', 'how long a client may take to log in', duration(1, day), '300'),
  idleTimeout: setting('Limits', 'how long a control channel may be silent', duration(1, 7 * day), '3600'),
  dataIdleTimeout: setting('Limits', 'how long a data channel may be silent', duration(1, 7 * day), '3600'),
  keepalive: setting(
    'Limits',
    'after how much silence a peer is asked whether it is still there, which also keeps a NAT from forgetting; 0: never',
    duration(0, hour),
    '120',
  ),
  grace: setting('Limits', 'how long transfers may go on after SIGTERM', duration(0, day), '30'),
  plane: setting(
    'How',
    'what carries the data: relay, this process itself; kernel, nftables',
    choice(planes),
    'relay',
  ),
  kernelTable: setting(
    'How',
    'the nftables table of the kernel plane, keep-client-address and intercept',
    tableName,
    'pinhole',
  ),
  kernelMark: setting(
    'How',
    'the connection mark of what they let through, for a rule of your own',
    mark,
    '0x2121',
  ),
  logLevel: setting('How', 'what is logged', choice(logLevels), 'info'),
  logFormat: setting(
    'How',
    'how it is logged; auto: pretty on a terminal, else json',
    choice(logFormats),
    'auto',
  ),
  tls: setting(
    'TLS',
    'what AUTH TLS gets: refuse, the reply 534; terminate, TLS that ends here; pass, TLS that the server ends',
    choice(tlsModes),
    'refuse',
  ),
  listenTls: setting(
    'TLS',
    'where clients connect for implicit FTPS, TLS from the first byte; usually 990',
    listenAddresses,
  ),
  tlsCert: setting(
    'TLS',
    'the certificate that clients see, with its chain; several are chosen from by SNI',
    pemFiles,
  ),
  tlsKey: setting('TLS', 'its private key; as many as certificates, in the same order', pemFiles),
  tlsStrictSni: onOffSetting(
    'TLS',
    'whether a client that asks by SNI for a name of no certificate is refused',
  ),
  tlsClientCa: setting(
    'TLS',
    'whose certificates clients have to show; none: they need not show any',
    pemFile,
  ),
  tlsMinVersion: setting('TLS', 'the oldest TLS that clients may speak', choice(tlsVersions), 'TLSv1.2'),
  tlsCcc: setting(
    'TLS',
    'what CCC gets, which takes TLS off the control channel again',
    choice(cccAnswers),
    'refuse',
  ),
  tlsData: setting(
    'TLS',
    'where TLS of data channels ends that are protected on both sides; server: it is passed on, by the kernel on the kernel plane',
    choice(dataTlsEnds),
    'relay',
  ),
  requireTls: onOffSetting('TLS', 'whether a log in needs TLS'),
  requireDataTls: onOffSetting('TLS', 'whether a transfer needs PROT P'),
  requireSessionReuse: onOffSetting(
    'TLS',
    "whether a data channel has to resume its control channel's TLS session, which no thief of its port can",
  ),
  tlsHandshakeTimeout: setting('TLS', 'how long a TLS handshake may take', duration(1, hour), '30'),
  tlsTruncated: setting(
    'TLS',
    'what a data channel in clear gets, behind all that came, where TLS on the other side ended without close_notify: reset, a failure; end, as if the file were whole',
    choice(truncatedEnds),
    'reset',
  ),
  serverTls: setting(
    'TLS',
    "TLS with the server: off; explicit, by AUTH TLS; implicit, from the first byte; same, as and when the client's",
    choice(serverTlsKinds),
    'off',
  ),
  serverTlsCa: setting(
    'TLS',
    "who may have signed the server's certificate; none: those whom the system trusts",
    pemFile,
  ),
  serverTlsFingerprint: setting(
    'TLS',
    "SHA-256 of the server's certificate, which then need not be signed by anybody",
    fingerprints,
  ),
  serverTlsName: setting(
    'TLS',
    "the name that the server's certificate has to be for; none: that of server",
    hostName,
  ),
  serverDataTls: setting(
    'TLS',
    'TLS of data channels with such a server: same, as the client asks by PROT; clear; protected',
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

/** What the configuration has for a setting, as the file says it. */
export function writeSetting(name: keyof Config, config: Config): Written {
  // Each setting writes its own member's type, which the union of all settings does not tell.
  const kind = table[name].kind as Kind<unknown>;
  return kind.write(config[name]);
}

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
