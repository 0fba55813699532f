import { isUpload } from '../../ftp/transfer.ts';
import { tlsEndsHere } from '../../helper/carrying.ts';
import type { Security, TlsPolicy } from '../../helper/tls-policy.ts';
import type { Protection, Transfer } from '../../plane/plane.ts';
import type { ClientTlsSession } from '../../tls/for-clients.ts';
import type { ServerTlsPlan } from './server-tls.ts';

/** The TLS that one session's channels may have; what is agreed on of it is `Security`. */
export interface TlsPlan {
  /** Set when the relay terminates the client's TLS. */
  readonly client: ClientTlsSession | undefined;
  /** Set when the channels to the server may be TLS. */
  readonly server: ServerTlsPlan | undefined;
}

/**
 * Where TLS of the next data channel ends; undefined where the bytes can be passed on as they come.
 *
 * @param patience milliseconds until a handshake on a data channel begins, or is answered
 */
export function protectionOf(
  { client, server }: TlsPlan,
  agreed: Security,
  policy: TlsPolicy,
  patience: number,
): Protection | undefined {
  const ends = tlsEndsHere(agreed, policy);
  const ofClient = ends.client ? client : undefined;
  const ofServer = ends.server ? server?.tls : undefined;
  if (!ofClient && !ofServer) return undefined;
  return {
    client: ofClient && ((socket, transfer) => ofClient.data(socket, patience, () => sends(transfer))),
    server: ofServer && ((socket) => ofServer.data(socket, patience)),
  };
}

function sends({ command }: Transfer): boolean {
  return command !== undefined && isUpload(command);
}
