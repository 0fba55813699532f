import { unwatchFile, watchFile } from 'node:fs';
import type { Config } from './config.ts';
import type { TlsPolicy } from './helper/tls-policy.ts';
import type { Logger } from './log.ts';
import { messageOf } from './net/error.ts';
import type { TlsServices } from './proxy/sessions.ts';
import { TlsForClients, type ClientTlsOptions } from './tls/for-clients.ts';
import { TlsForServer } from './tls/for-server.ts';
import { loadIdentities, readAuthorities, remarksOn, type Identity } from './tls/identities.ts';

/** How often the files of the certificates are looked at, in milliseconds. */
const lookEvery = 2000;

/** What decisions about TLS need of the configuration. */
export function tlsPolicyOf(config: Config): TlsPolicy {
  return {
    mode: config.tls,
    server: config.serverTls,
    serverData: config.serverDataTls,
    isRequired: config.requireTls,
    isRequiredForData: config.requireDataTls,
    allowsClear: config.tlsCcc === 'allow',
  };
}

/**
 * Reads what TLS needs from files.
 *
 * @returns with what an administrator should know of them, one line each
 * @throws {IdentityError} for a file that cannot be used
 */
export function loadTls(config: Config): { readonly services: TlsServices; readonly remarks: string[] } {
  const identities = identitiesOf(config);
  const { serverTls, serverTlsCa, serverTlsName, serverTlsFingerprint, tlsHandshakeTimeout } = config;
  const services = {
    forClients: identities.length > 0 ? new TlsForClients(optionsOf(config, identities)) : undefined,
    forServer:
      serverTls === 'off'
        ? undefined
        : new TlsForServer({
            name: serverTlsName,
            authorities: serverTlsCa && readAuthorities('server-tls-ca', serverTlsCa),
            fingerprints: serverTlsFingerprint,
            handshakeTimeout: tlsHandshakeTimeout,
          }),
    leavesData: config.tlsData === 'server',
  };
  return { services, remarks: remarksOn(identities, new Date()) };
}

/** Reads the certificates again when their files change; returns what ends that. */
export function watchCertificates(config: Config, services: TlsServices, logger: Logger): () => void {
  const { forClients } = services;
  const { tlsCert, tlsKey, tlsClientCa } = config;
  const all = [...tlsCert, ...tlsKey, ...(tlsClientCa === undefined ? [] : [tlsClientCa])];
  const files = forClients ? [...new Set(all)] : [];
  const changed = (): void => {
    try {
      const identities = identitiesOf(config);
      forClients?.configure(optionsOf(config, identities));
      logger.info({ certificates: identities.map(({ leaf }) => leaf.validTo) }, 'certificates read again');
    } catch (error) {
      // A certificate and its key are seldom written at once: the next look may find both.
      logger.warn({ error: messageOf(error) }, 'certificates not read again, the old ones stay');
    }
  };
  for (const file of files) watchFile(file, { interval: lookEvery, persistent: false }, changed);
  return () => {
    for (const file of files) unwatchFile(file, changed);
  };
}

function identitiesOf({ tls, tlsCert, tlsKey }: Config): Identity[] {
  if (tls !== 'terminate') return [];
  return loadIdentities(tlsCert.map((cert, index) => ({ cert, key: tlsKey[index] ?? '' })));
}

function optionsOf(config: Config, identities: readonly Identity[]): ClientTlsOptions {
  const { tlsClientCa, tlsMinVersion, tlsStrictSni, requireSessionReuse, tlsHandshakeTimeout } = config;
  return {
    identities,
    clientAuthorities: tlsClientCa && readAuthorities('tls-client-ca', tlsClientCa),
    minVersion: tlsMinVersion,
    isNameStrict: tlsStrictSni,
    requiresReuse: requireSessionReuse,
    handshakeTimeout: tlsHandshakeTimeout,
  };
}
