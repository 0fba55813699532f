import type { Config } from '../config/config.ts';
import { keyOf, names, writeSetting } from '../config/table.ts';
import { tlsPolicyOf } from '../config/tls-policy.ts';
import { familyOf } from '../net/address.ts';
import type { SessionsSettings, TlsServices } from '../proxy/sessions.ts';
import type { PublicAddresses } from './public-addresses.ts';

/** A configuration with listeners and with a server: the one named, or those that clients address. */
export interface ServableConfig extends Config {
  readonly listen: NonNullable<Config['listen']>;
}

/** What was set at start for good: what the process, the planes and the log are made with. */
const fixedAtStart = [
  'user',
  'admin',
  'adminGroup',
  'adminListen',
  'logFormat',
  'transferLog',
  'plane',
  'workers',
  'kernelTable',
  'kernelMark',
  'keepClientAddress',
  'intercept',
  'ipv6ClientPrefix',
] as const;

/** Those of them that another configuration has otherwise. */
export function fixedSettingsThatDiffer(now: Config, wanted: Config): string[] {
  const written = (name: keyof Config, config: Config): string => String(writeSetting(name, config));
  const fixed: ReadonlySet<string> = new Set(fixedAtStart);
  return names.filter((name) => fixed.has(name) && written(name, wanted) !== written(name, now)).map(keyOf);
}

/**
 * What new sessions are made with. A setting that they use as it was configured has the same name there, and is not
 * named here.
 */
export function settingsOf(
  config: ServableConfig,
  addresses: PublicAddresses,
  tls: TlsServices,
): SessionsSettings {
  const { server: upstream, tlsHandshakeTimeout: tlsTimeout } = config;
  const { intercept, interceptNetworks, insideAddress } = config;
  return {
    ...config,
    policy: { ...config, publicAddress: addresses.of, tls: tlsPolicyOf(config) },
    tls,
    tlsTimeout,
    upstream,
    intercepted: intercept ? interceptNetworks : undefined,
    insideAddress: (family) => insideAddress.find((address) => familyOf(address) === family),
  };
}

/** The server that sessions lead to; undefined if each client addresses its own. */
export function serverName({ server }: Config): string | undefined {
  if (!server) return undefined;
  return server.host.includes(':') ? `[${server.host}]:${server.port}` : `${server.host}:${server.port}`;
}
