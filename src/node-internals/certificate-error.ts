import type { TLSSocket } from 'node:tls';
import { handleOf } from './handle.ts';
import type { Part } from './part.ts';
import { onTls } from './trial.ts';

interface Verifying {
  verifyError(): Error | null | undefined;
}

/** What OpenSSL has against the peer's certificate. Node asks this for its own servers, and shows it to nobody. */
export function certificateError(tls: TLSSocket): Error | null | undefined {
  const handle = handleOf<Verifying>(tls);
  if (!handle?.verifyError) throw new Error("the peer's certificate cannot be judged");
  return handle.verifyError();
}

export const certificateErrors: Part = {
  name: 'tlsSocket._handle.verifyError',
  use: 'client-certificates',
  without: 'the certificates of clients (tls-client-ca) cannot be judged',
  isNeeded: true,
  isThere: () => onTls((tls) => typeof handleOf<Verifying>(tls)?.verifyError === 'function'),
};
