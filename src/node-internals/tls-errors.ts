import type { TLSSocket } from 'node:tls';
import type { Part } from './part.ts';
import { onTls } from './trial.ts';

const event = '_tlsError';

/** Tells of the errors of TLS that Node keeps for `tls.Server`. */
export function onTlsError(tls: TLSSocket, tell: (error: Error) => void): void {
  tls.on(event, tell);
}

export const tlsErrors: Part = {
  name: 'the event _tlsError of tlsSocket',
  use: 'tls',
  without: 'it is not noticed where TLS towards a client fails',
  isNeeded: true,
  isThere: () =>
    onTls((tls) => {
      const error = new Error('a trial');
      let told: Error | undefined;
      onTlsError(tls, (one) => (told = one));
      (tls as unknown as Record<typeof event, (error: Error) => unknown>)[event](error);
      return told === error;
    }),
};
