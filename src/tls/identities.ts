import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { messageOf } from '../net/error.ts';

/** A certificate with its chain, and the key that belongs to it, as PEM. */
export interface Identity {
  /** Where it came from, to name it. */
  readonly file: string;
  readonly cert: string;
  readonly key: string;
  readonly leaf: X509Certificate;
}

export class IdentityError extends Error {
  override readonly name = 'IdentityError';
}

/** One file of certificates and one of its key. */
export interface IdentityFiles {
  readonly cert: string;
  readonly key: string;
}

/** Gives the text of a file. @throws where it cannot */
export type ReadFile = (file: string) => string;

export const readFromDisk: ReadFile = (file) => readFileSync(file, 'utf8');

/**
 * Reads certificates with their keys.
 *
 * @throws {IdentityError} that names the file and what is wrong with it
 */
export function loadIdentities(files: readonly IdentityFiles[], read: ReadFile = readFromDisk): Identity[] {
  return files.map((each) => loadIdentity(each, read));
}

function loadIdentity({ cert: certFile, key: keyFile }: IdentityFiles, read: ReadFile): Identity {
  const cert = readText('tls-cert', certFile, read);
  const key = readText('tls-key', keyFile, read);
  const leaf = readAs('tls-cert', certFile, 'a certificate in PEM', () => new X509Certificate(cert));
  const privateKey: KeyObject = readAs('tls-key', keyFile, 'a private key in PEM, without a passphrase', () =>
    createPrivateKey(key),
  );
  if (!leaf.checkPrivateKey(privateKey)) {
    throw new IdentityError(
      `tls-key: ${keyFile} is not the key of the certificate in ${certFile}, whose first certificate is for ${subjectOf(leaf)}`,
    );
  }
  return { file: certFile, cert, key, leaf };
}

/** On one line: `CN=ftp.example.com, O=Example`, or where the subject is empty, its names: `DNS:ftp.example.com`. */
export function subjectOf(certificate: X509Certificate): string {
  // Node's types do not know that either may be missing (RFC 5280 section 4.1.2.6: the subject may be empty).
  const { subject, subjectAltName } = certificate as Partial<X509Certificate>;
  return (subject ?? subjectAltName ?? 'nobody by name').replaceAll('\n', ', ');
}

/** What an administrator should know of certificates that can be used all the same; one line each. */
export function remarksOn(identities: readonly Identity[], now: Date): string[] {
  return identities.flatMap(({ file, leaf }) => {
    if (now > new Date(leaf.validTo)) return [`the certificate in ${file} has expired: ${leaf.validTo}`];
    if (now < new Date(leaf.validFrom))
      return [`the certificate in ${file} is not valid before ${leaf.validFrom}`];
    return [];
  });
}

/** The one for a host name that a client asks for by SNI (RFC 6066 section 3); undefined where none is. */
export function identityFor(identities: readonly Identity[], name: string): Identity | undefined {
  return identities.find(({ leaf }) => leaf.checkHost(name) !== undefined);
}

/** Reads PEM certificates that others are verified against. */
export function readAuthorities(setting: string, file: string, read: ReadFile = readFromDisk): string {
  const text = readText(setting, file, read);
  readAs(setting, file, 'certificates in PEM', () => new X509Certificate(text));
  return text;
}

function readText(setting: string, file: string, read: ReadFile): string {
  try {
    return read(file);
  } catch (error) {
    throw new IdentityError(`${setting}: ${file} cannot be read: ${messageOf(error)}`, { cause: error });
  }
}

function readAs<T>(setting: string, file: string, allowed: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new IdentityError(`${setting}: ${file} is not ${allowed} (${messageOf(error)})`, { cause: error });
  }
}
