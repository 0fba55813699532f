import type { Config } from '../config/config.ts';
import { tlsPolicyOf } from '../config/tls-policy.ts';
import { familyOf } from '../net/address.ts';
import type { SessionsSettings, TlsServices } from '../proxy/sessions.ts';
import type { PublicAddresses } from './public-addresses.ts';

/** A configuration with listeners and with a server: the one named, or those that clients address. */
export interface ServableConfig extends Config {
  readonly listen: NonNullable<Config['listen']>;
}

/** What was set at start for good: the log's settings and the plane's own. */
const fixedAtStart = [
  'logLevel',
  'logFormat',
  'plane',
  'kernelTable',
  'kernelMark',
  'keepClientAddress',
  'intercept',
  'connectTimeout',
  'dataIdleTimeout',
  'tlsTruncated',
  'tlsHandshakeTimeout',
] as const;

/** Those of them that another configuration has otherwise. */
export function fixedSettingsThatDiffer(now: Config, wanted: Config): string[] {
  return fixedAtStart.filter((key) => wanted[key] !== now[key]);
}

/** What new sessions are made with. */
export function settingsOf(
  config: ServableConfig,
  addresses: PublicAddresses,
  tls: TlsServices,
): SessionsSettings {
  const { fxpPeers, denyPorts, serverPassivePorts, localNetworks, insideAddress } = config;
  const { intercept, interceptNetworks } = config;
  return {
    policy: {
      ...{ fxpPeers, denyPorts, serverPassivePorts, localNetworks },
      ...{ publicAddress: addresses.of, tls: tlsPolicyOf(config) },
    },
    tls,
    tlsTimeout: config.tlsHandshakeTimeout,
    upstream: config.server,
    keepClientAddress: config.keepClientAddress,
    intercepted: intercept ? interceptNetworks : undefined,
    insideAddress: (family) => insideAddress.find((address) => familyOf(address) === family),
    passivePorts: config.passivePorts,
    activePorts: config.activePorts,
    dataSourcePort: config.dataSourcePort,
    expectTimeout: config.expectTimeout,
    connectTimeout: config.connectTimeout,
    loginTimeout: config.loginTimeout,
    idleTimeout: config.idleTimeout,
    keepalive: config.keepalive,
    maxSessions: config.maxSessions,
    maxSessionsPerClient: config.maxSessionsPerClient,
    ipv6ClientPrefix: config.ipv6ClientPrefix,
    maxRefusals: config.maxRefusals,
  };
}
