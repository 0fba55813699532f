import { statSync } from 'node:fs';
import type { Config } from '../config/config.ts';
import type { Logger } from '../log/log.ts';
import { codeOf, messageOf } from '../net/error.ts';
import type { TlsServices } from '../proxy/sessions.ts';
import { TlsForClients, type ClientTlsOptions } from '../tls/for-clients.ts';
import { TlsForServer } from '../tls/for-server.ts';
import { loadIdentities, readAuthorities, remarksOn, type Identity } from '../tls/identities.ts';

/** How often the files of the certificates are looked at, in milliseconds. */
const lookEvery = 2000;

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
  };
  return { services, remarks: remarksOn(identities, new Date()) };
}

/**
 * Reads the certificates again when their files change; returns what ends that.
 *
 * @param interval milliseconds between looks at the files
 * @param reloaded is called when they have been read again
 */
export function watchCertificates(
  config: Config,
  services: TlsServices,
  logger: Logger,
  interval: number = lookEvery,
  reloaded: () => void = () => undefined,
): () => void {
  const { forClients } = services;
  if (!forClients) return () => undefined;
  const { tlsCert, tlsKey, tlsClientCa } = config;
  const files = [...tlsCert, ...tlsKey, ...(tlsClientCa === undefined ? [] : [tlsClientCa])];
  const changed = (): void => {
    try {
      const identities = rereadCertificates(config, forClients);
      logger.info({ certificates: identities.map(({ leaf }) => leaf.validTo) }, 'certificates reloaded');
      reloaded();
    } catch (error) {
      // A certificate and its key are seldom written at once: the next look may find both.
      logger.warn({ error: messageOf(error) }, 'certificates not reloaded, the old ones stay in use');
    }
  };
  // Not `watchFile`: it would look for the first time later, and take what has changed by then for what was read.
  let known = stateOf(files);
  const timer = setInterval(() => {
    const state = stateOf(files);
    if (state === known) return;
    known = state;
    changed();
  }, interval).unref();
  return () => {
    clearInterval(timer);
  };
}

/** Reads the certificates that clients are shown again. @throws for one that cannot be used; the old ones stay then */
export function rereadCertificates(config: Config, forClients: TlsForClients): readonly Identity[] {
  const identities = identitiesOf(config);
  forClients.configure(optionsOf(config, identities));
  return identities;
}

/** TLS as new sessions have it, with what keeps its certificates up to date. */
export interface Tls {
  readonly services: TlsServices;
  stop(): void;
}

/**
 * @param reloaded is called when certificates have changed
 * @throws for a certificate that cannot be used
 */
export function startTls(config: Config, logger: Logger, reloaded?: () => void): Tls {
  const { services, remarks } = loadTls(config);
  for (const remark of remarks) logger.warn(remark);
  return { services, stop: watchCertificates(config, services, logger, lookEvery, reloaded) };
}

/** What is another text after any of these files has changed. */
function stateOf(files: readonly string[]): string {
  const states = files.map((file) => {
    try {
      const { dev, ino, size, mtimeMs, ctimeMs } = statSync(file);
      return [dev, ino, size, mtimeMs, ctimeMs];
    } catch (error) {
      return codeOf(error);
    }
  });
  return JSON.stringify(states);
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
