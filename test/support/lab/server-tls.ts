/**
 * TLS in the configuration of the lab's servers: what a test asks for, in each server's own words.
 */
import { symlinkSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';

import type { Identity } from './certificates.ts';
import { unpackedServer } from './provision.ts';

/** RFC 4217's AUTH TLS after the greeting, or TLS from the first byte on, as on port 990. */
export type TlsKind = 'explicit' | 'implicit';

export interface ServerTls {
  /** Its certificate and key. */
  identity: Identity;
  /** `explicit` unless told. */
  kind?: TlsKind;
  /**
   * What may not pass in the clear: `login` unless told, which leaves the data channels to the client's PROT.
   * `everything` refuses a transfer after PROT C. Implicit TLS has always secured the login.
   */
  requires?: 'nothing' | 'login' | 'everything';
  /** Whether a data channel has to resume the control channel's TLS session; false unless told. */
  requireReuse?: boolean;
  /** Whether an upload that ends without close_notify is refused; false unless told. */
  strictClose?: boolean;
  /** The newest version that it speaks; TLSv1.3 unless told. */
  maxVersion?: 'TLSv1.2';
}

type TlsServerName = 'vsftpd' | 'proftpd' | 'pure-ftpd' | 'pyftpdlib';

/** `true`, or a word why the server cannot be told to do that. */
export function serverCapability(name: TlsServerName, tls: ServerTls): true | string {
  const asked: [lacking: readonly TlsServerName[], word: string, isAsked: boolean][] = [
    [['pure-ftpd', 'pyftpdlib'], 'has no implicit TLS', tls.kind === 'implicit'],
    [['pure-ftpd', 'pyftpdlib'], 'never demands a resumed session', tls.requireReuse === true],
    [['proftpd', 'pure-ftpd', 'pyftpdlib'], 'never demands close_notify', tls.strictClose === true],
  ];
  return asked.find(([lacking, , isAsked]) => isAsked && lacking.includes(name))?.[1] ?? true;
}

/** Lines of vsftpd.conf. */
export function vsftpdTls(tls: ServerTls): string[] {
  const yes = (condition: boolean): string => (condition ? 'YES' : 'NO');
  return [
    'ssl_enable=YES',
    `rsa_cert_file=${tls.identity.cert}`,
    `rsa_private_key_file=${tls.identity.key}`,
    // Its default is a single cipher, which OpenSSL 3 has given up.
    'ssl_ciphers=HIGH',
    `implicit_ssl=${yes(tls.kind === 'implicit')}`,
    `force_local_logins_ssl=${yes(tls.requires !== 'nothing')}`,
    `force_local_data_ssl=${yes(tls.requires === 'everything')}`,
    `require_ssl_reuse=${yes(tls.requireReuse === true)}`,
    `strict_ssl_read_eof=${yes(tls.strictClose === true)}`,
    'debug_ssl=YES',
  ];
}

/** Lines of proftpd.conf, to stand first. What they need in files goes into the folder. */
export function proftpdTls(tls: ServerTls, folder: string): string[] {
  const required = { nothing: 'off', login: 'ctrl', everything: 'on' }[tls.requires ?? 'login'];
  const options = [
    ...(tls.requireReuse === true ? [] : ['NoSessionReuseRequired']),
    ...(tls.kind === 'implicit' ? ['UseImplicitSSL'] : []),
  ];
  // One folder is searched for modules, and this one is in a package of its own.
  const { program } = unpackedServer('proftpd-mod-crypto');
  symlinkSync(program, join(folder, basename(program)));
  return [
    `ModulePath ${folder}`,
    'LoadModule mod_tls.c',
    'TLSEngine on',
    `TLSLog ${join(folder, 'tls.log')}`,
    // As mod_tls has one for RSA and one for elliptic curves, and takes each where it belongs.
    `TLSECCertificateFile ${tls.identity.cert}`,
    `TLSECCertificateKeyFile ${tls.identity.key}`,
    `TLSRequired ${required}`,
    'TLSProtocol TLSv1.2 TLSv1.3',
    ...(options.length === 0 ? [] : [`TLSOptions ${options.join(' ')}`]),
  ];
}

/** Flags of pure-ftpd. */
export function pureFtpdTls(tls: ServerTls): string[] {
  const level = { nothing: 1, login: 2, everything: 3 }[tls.requires ?? 'login'];
  return ['--tls', String(level), '--certfile', tls.identity.both];
}

/** Further arguments of pyftpdlib-server.py. */
export function pyftpdlibTls(tls: ServerTls): string[] {
  return [tls.identity.cert, tls.identity.key, tls.requires ?? 'login'];
}

/** The environment that holds OpenSSL, which all four servers load, to the newest version asked for. */
export function tlsEnvironment(tls: ServerTls, folder: string): Record<string, string> {
  if (tls.maxVersion === undefined) return {};
  const file = join(folder, 'openssl.cnf');
  writeFileSync(
    file,
    `openssl_conf = all
[ all ]
ssl_conf = ssl
[ ssl ]
system_default = limits
[ limits ]
MaxProtocol = ${tls.maxVersion}
`,
  );
  return { OPENSSL_CONF: file };
}
