/** The error for a peer whose bytes are not TLS records. */
export const notTls = 'received data that is not TLS';

/** The words of anything thrown: of OpenSSL's errors the reason alone, without the place in its sources. */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const reason = reasonOf(error);
  if (reason === 'wrong version number' || noRecord.test(error.message)) return notTls;
  return reason ?? error.message;
}

/** OpenSSL says `wrong version number` of bytes that don't begin as a record does, and 3.5 this after a handshake of TLS 1.3. */
const noRecord = /:tls13_validate_record_header:bad record type:/;

/**
 * Node has the reason apart from the message, but not in each of these errors:
 *
 *     805C6C0F:error:0A00010B:SSL routines:ssl3_get_record:wrong version number:../deps/openssl/...:354:
 *     write EPROTO 805C6C0F:error:0A00010B:SSL routines:ssl3_get_record:wrong version number:../deps/openssl/...:354:
 *     error:0480006C:PEM routines::no start line
 */
const ofOpenSsl = /\berror:[0-9A-F]{8}:[^:]*:[^:]*:([^:\n]+)/;

function reasonOf(error: Error): string | undefined {
  const { reason } = error as Error & { readonly reason?: unknown };
  const isOfTls = String(codeOf(error)).startsWith('ERR_SSL_');
  return isOfTls && typeof reason === 'string' ? reason : ofOpenSsl.exec(error.message)?.[1];
}

/** The system's code of an error (`EADDRINUSE`), `undefined` where it has none. */
export function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}

/** The system's code of anything thrown, as `ECONNREFUSED`, or its words where it has none. */
export function codeOrMessageOf(error: unknown): string {
  const code = codeOf(error);
  return typeof code === 'string' ? code : messageOf(error);
}
