import { statSync } from 'node:fs';
import type { Config } from '../config/config.ts';
import type { Logger } from '../log/log.ts';
import { codeOf, messageOf } from '../net/error.ts';
import type { TlsServices } from '../proxy/sessions.ts';
import { TlsForClients, type ClientTlsOptions } from '../tls/for-clients.ts';
import { TlsForServer } from '../tls/for-server.ts';
import {
  loadIdentities,
  readAuthorities,
  readFromDisk,
  remarksOn,
  type Identity,
  type ReadFile,
} from '../tls/identities.ts';

/** How often the files of the certificates are looked at, in milliseconds. */
const lookEvery = 2000;

/**
 * Reads what TLS needs from files.
 *
 * @returns with what an administrator should know of them, one line each
 * @throws {IdentityError} for a file that cannot be used
 */
export function loadTls(
  config: Config,
  read: ReadFile = readFromDisk,
): { readonly services: TlsServices; readonly remarks: string[] } {
  const identities = identitiesOf(config, read);
  const { serverTls, serverTlsCa, serverTlsName, serverTlsFingerprint, tlsHandshakeTimeout } = config;
  const services = {
    forClients: identities.length > 0 ? new TlsForClients(optionsOf(config, identities, read)) : undefined,
    forServer:
      serverTls === 'off'
        ? undefined
        : new TlsForServer({
            name: serverTlsName,
            authorities: serverTlsCa && readAuthorities('server-tls-ca', serverTlsCa, read),
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
 * @param reloaded is called when they have been read again, with what was in the files
 */
export function watchCertificates(
  config: Config,
  services: TlsServices,
  logger: Logger,
  interval: number = lookEvery,
  reloaded: (files: TlsFiles) => void = () => undefined,
): () => void {
  const { forClients } = services;
  if (!forClients) return () => undefined;
  const { tlsCert, tlsKey, tlsClientCa } = config;
  const files = [...tlsCert, ...tlsKey, ...(tlsClientCa === undefined ? [] : [tlsClientCa])];
  const changed = (): void => {
    try {
      const read = new Map<string, string>();
      const identities = rereadCertificates(config, forClients, remembering(read));
      logger.info({ certificates: identities.map(({ leaf }) => leaf.validTo) }, 'certificates reloaded');
      reloaded(read);
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
export function rereadCertificates(
  config: Config,
  forClients: TlsForClients,
  read: ReadFile,
): readonly Identity[] {
  const identities = identitiesOf(config, read);
  forClients.configure(optionsOf(config, identities, read));
  return identities;
}

/** What was in the files that TLS needs, by path. */
export type TlsFiles = ReadonlyMap<string, string>;

/** TLS as new sessions have it, with what keeps its certificates up to date. */
export interface Tls {
  readonly services: TlsServices;
  /** What it was made of, for processes that may not read the files. */
  readonly files: TlsFiles;
  stop(): void;
}

/**
 * @param reloaded is called when certificates have changed
 * @throws for a certificate that cannot be used
 */
export function startTls(config: Config, logger: Logger, reloaded: (files: TlsFiles) => void): Tls {
  const files = new Map<string, string>();
  const { services, remarks } = loadTls(config, remembering(files));
  for (const remark of remarks) logger.warn(remark);
  const stop = watchCertificates(config, services, logger, lookEvery, (read) => {
    for (const [file, text] of read) files.set(file, text);
    reloaded(files);
  });
  return { services, files, stop };
}

function remembering(files: Map<string, string>): ReadFile {
  return (file) => {
    const text = readFromDisk(file);
    files.set(file, text);
    return text;
  };
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

function identitiesOf({ tls, tlsCert, tlsKey }: Config, read: ReadFile): Identity[] {
  if (tls !== 'terminate') return [];
  return loadIdentities(
    tlsCert.map((cert, index) => ({ cert, key: tlsKey[index] ?? '' })),
    read,
  );
}

function optionsOf(config: Config, identities: readonly Identity[], read: ReadFile): ClientTlsOptions {
  const { tlsClientCa, tlsMinVersion, tlsStrictSni, requireSessionReuse, tlsHandshakeTimeout } = config;
  return {
    identities,
    clientAuthorities: tlsClientCa && readAuthorities('tls-client-ca', tlsClientCa, read),
    minVersion: tlsMinVersion,
    isNameStrict: tlsStrictSni,
    requiresReuse: requireSessionReuse,
    handshakeTimeout: tlsHandshakeTimeout,
  };
}
