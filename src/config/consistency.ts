import { isLoopback, parseAddress } from '../net/address.ts';
import type { Config } from './config.ts';
import { wrongSetting, type ConfigError } from './error.ts';
import { formatListen, isReachable, listenInFront, listenOf, overlapOf, reaches } from './listening.ts';
import { keyOf, table, writeSetting } from './table.ts';

/** For each key where its value came from. */
type Origins = ReadonlyMap<string, string>;

/**
 * Checks that the settings fit together.
 *
 * @throws {ConfigError}
 */
export function checkConsistency(config: Config, origins: Origins): void {
  refuseLostAddress(config, origins);
  refuseOwnServer(config, origins);
  refuseHalfTls(config, origins);
  refuseSharedSessions(config, origins);
}

/**
 * Only one address can be shown to the server: the client's, or that of a NAT on the path. And the kernel delivers no
 * packet from other hosts' addresses to a loopback address.
 */
function refuseLostAddress(config: Config, origins: Origins): void {
  const { keepClientAddress, insideAddress, server } = config;
  if (!keepClientAddress) return;
  if (insideAddress.length > 0) {
    const why = `inside-address is set from ${originOf('insideAddress', origins)}; the server can be shown only one address`;
    throw refusal(config, origins, 'keepClientAddress', 'false, or no inside-address', why);
  }
  if (server && isLoopbackHost(server.host)) {
    const why = `the server is ${server.host}, a loopback address, which packets from other hosts' addresses do not reach`;
    const allowed = "false, or another address of the server's host";
    throw refusal(config, origins, 'keepClientAddress', allowed, why);
  }
}

function isLoopbackHost(host: string): boolean {
  const address = parseAddress(host);
  return address === undefined ? host.toLowerCase() === 'localhost' : isLoopback(address);
}

/** A relay that is its own server would open sessions with itself until it runs out of them. */
function refuseOwnServer(config: Config, origins: Origins): void {
  const { server } = config;
  const address = server === undefined ? undefined : parseAddress(server.host);
  if (server === undefined || address === undefined) return;
  const own = listenInFront(config).find(
    ({ address: at, port }) => port === server.port && reaches(address, at, isLoopback),
  );
  if (own === undefined) return;
  const why = `the relay itself listens there: listen is ${formatListen(own)} from ${originOf('listen', origins)}`;
  throw refusal(config, origins, 'server', table.server.kind.allowed, why);
}

/** What several processes cannot share. */
function refuseSharedSessions(config: Config, origins: Origins): void {
  if (config.workers === 1 || config.tls !== 'pass') return;
  const why = 'tls is pass, and each opaque session uses every port of the range';
  throw refusal(config, origins, 'workers', '1', why);
}

/** TLS that is not whole would be no TLS, and nobody would know. */
function refuseHalfTls(config: Config, origins: Origins): void {
  const refuse: Refuse = (name, allowed, why) => {
    throw refusal(config, origins, name, allowed, why);
  };
  refuseUselessTls(config, refuse);
  refuseMissingKeys(config, refuse);
  refuseServerTls(config, refuse);
  refusePassedTls(config, refuse);
  refuseDataTls(config, refuse);
  const overlap = overlapOf([...listenInFront(config), ...config.listenTls]);
  if (overlap !== undefined) refuse('listenTls', 'ports that listen does not use', overlap);
}

type Refuse = (name: keyof Config, allowed: string, why: string) => never;

/** Settings of a TLS that is nowhere. */
function refuseUselessTls(config: Config, refuse: Refuse): void {
  const needs = (names: readonly (keyof Config)[], isThere: boolean, what: string): void => {
    // A printed configuration contains every default: those are not the administrator's choice.
    const lost = isThere ? undefined : names.find((name) => !isInitial(name, config));
    if (lost) refuse(lost, `leave it unset, or set ${what}`, `it applies only with ${what}`);
  };
  const { tls, serverTls } = config;
  const ends = tls === 'terminate';
  needs(['tlsCert', 'tlsKey', 'listenTls', 'tlsStrictSni', 'tlsClientCa'], ends, 'tls terminate');
  needs(['tlsMinVersion', 'tlsCcc'], ends, 'tls terminate');
  needs(['requireDataTls', 'requireSessionReuse'], ends, 'tls terminate');
  needs(['requireTls'], tls !== 'refuse', 'tls terminate or pass');
  const ofServer = ['serverTlsCa', 'serverTlsFingerprint', 'serverTlsName', 'serverDataTls'] as const;
  needs(ofServer, serverTls !== 'off', 'server-tls explicit, implicit or same');
}

function refuseMissingKeys({ tls, tlsCert, tlsKey }: Config, refuse: Refuse): void {
  if (tls === 'terminate' && tlsCert.length === 0) {
    refuse('tls', 'refuse or pass, or tls-cert and tls-key', 'there is no certificate: tls-cert is empty');
  }
  if (tlsCert.length !== tlsKey.length) {
    refuse('tlsKey', 'one key for each tls-cert', `${tlsCert.length} certificates and ${tlsKey.length} keys`);
  }
}

function refuseServerTls({ tls, serverTls }: Config, refuse: Refuse): void {
  if (serverTls === 'same' && tls !== 'terminate') {
    refuse('serverTls', 'off, explicit or implicit', `tls is ${tls}, so no client's TLS ends at the relay`);
  }
  if (tls === 'pass' && serverTls !== 'off') {
    refuse('serverTls', 'off', 'tls is pass, so TLS is between client and server only');
  }
}

function refusePassedTls({ tls, intercept, keepClientAddress }: Config, refuse: Refuse): void {
  if (tls !== 'pass' || !(intercept || keepClientAddress)) return;
  const other = intercept ? 'intercept' : 'keep-client-address';
  refuse(
    'tls',
    'refuse or terminate',
    `${other} is set, and with tls pass data connections come from this host's own addresses`,
  );
}

/** TLS of data channels that is left to the client and the server. */
function refuseDataTls(config: Config, refuse: Refuse): void {
  const { tls, tlsData, tlsClientCa, requireSessionReuse, serverTls, serverDataTls } = config;
  if (tlsData !== 'server') return;
  if (serverTls === 'off' || serverDataTls !== 'same' || tls !== 'terminate') {
    const why =
      'TLS of a data connection can be passed through only where both sides use it as the client requests';
    refuse('tlsData', 'relay, or tls terminate with server-tls and server-data-tls same', why);
  }
  if (tlsClientCa !== undefined) {
    const why =
      'tls-client-ca is set, and the relay would not see the client certificates of data connections';
    refuse('tlsData', 'relay', why);
  }
  if (requireSessionReuse) {
    refuse(
      'tlsData',
      'relay',
      'require-session-reuse is set, and the server does not know the TLS sessions between client and relay',
    );
  }
}

/** Settings that only make sense with a server. */
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
 * @throws {ConfigError}
 */
export function refuseAccidentalServer(config: Config, origins: Origins): void {
  const allowed = `${table.server.kind.allowed}; or none, with every listen address on loopback`;
  const open = [...listenOf(config), ...config.listenTls].find(isReachable);
  if (open) {
    const why = `listen is ${formatListen(open)} from ${originOf('listen', origins)}: the in-memory server would be open to other hosts`;
    throw refusal(config, origins, 'server', allowed, why);
  }
  const said = ofAServer.find((name) => !isInitial(name, config));
  if (said) {
    const why = `${keyOf(said)} is set from ${originOf(said, origins)}`;
    throw refusal(config, origins, 'server', allowed, why);
  }
}

function isInitial(name: keyof Config, config: Config): boolean {
  return String(writeSetting(name, config)) === table[name].initial;
}

function refusal(
  config: Config,
  origins: Origins,
  name: keyof Config,
  allowed: string,
  why: string,
): ConfigError {
  return wrongSetting(keyOf(name), originOf(name, origins), writeSetting(name, config), allowed, why);
}

function originOf(name: keyof Config, origins: Origins): string {
  return origins.get(keyOf(name)) ?? 'default';
}
