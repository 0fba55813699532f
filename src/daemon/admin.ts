import type { Server } from 'node:http';
import type { Inside } from '../admin/inside.ts';
import { AdminServer } from '../admin/server.ts';
import { listenOnSocket, removeDeadBeside, SocketError, type OwnSocket } from '../admin/socket.ts';
import { retiredPath, type AdminPlace } from '../config/admin.ts';
import type { Config } from '../config/config.ts';
import { endpointsOf } from '../config/listening.ts';
import type { Logger } from '../log/log.ts';
import { isLoopback } from '../net/address.ts';
import type { BoundSocket } from '../net/listen.ts';
import { formatEndpoint, type Endpoint } from '../net/endpoint.ts';
import { codeOf, messageOf } from '../net/error.ts';
import { whyNoListener } from './listeners.ts';

/** The admin interface, as long as it is served. */
export interface Admin {
  /**
   * Gives up for a successor where it is served, and goes on beside it: on `admin.sock.PID` alone. Where that cannot be,
   * it is served no more.
   */
  retire(): Promise<void>;
  close(): void;
}

/**
 * Serves the admin interface on a unix socket, and where `admin-listen` says, over TCP for reading alone.
 *
 * @param place undefined: no socket
 * @param bound the socket of that place, where the service manager has bound it
 * @throws where a place that was named cannot be had
 */
export async function startAdmin(
  inside: Inside,
  { adminListen }: Pick<Config, 'adminListen'>,
  place: AdminPlace | undefined,
  bound: BoundSocket | undefined,
  logger: Logger,
): Promise<Admin> {
  const report = (error: unknown): void => {
    logger.error({ error: messageOf(error) }, 'admin request failed');
  };
  const admin = new AdminServer(inside, report);
  let socket: OwnSocket | undefined;
  const shared: Server[] = [];
  try {
    for (const endpoint of adminListen.flatMap(endpointsOf)) {
      const server = admin.create(true);
      shared.push(server);
      await listenAt(server, endpoint);
      if (!isLoopback(endpoint.address)) logger.warn(`admin-listen ${formatEndpoint(endpoint)}: ${readable}`);
    }
    if (bound) shared.push(admin.create(false).listen(bound));
    else if (place) {
      socket = await listenOnSocket(admin.create(false), place).catch((error: unknown) => {
        if (place.isNamed || !(error instanceof SocketError)) throw error;
        logger.warn(`no admin socket: ${error.message.replace(/^admin: /, '')}`);
        return undefined;
      });
    }
  } catch (error) {
    admin.close();
    throw error;
  }
  if (place) await removeDeadBeside(place.path);
  return {
    retire: async () => {
      socket?.retire();
      // The successor serves there.
      for (const server of shared) server.close();
      if (!bound || !place) return;
      const aside = { ...place, path: retiredPath(place.path, process.pid) };
      socket = await listenOnSocket(admin.create(false), aside).catch(() => undefined);
    },
    close: () => {
      admin.close();
      socket?.remove();
    },
  };
}

const readable = 'whoever can connect can read who transfers what; there is no password';

async function listenAt(server: Server, { address, port }: Endpoint): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen({ host: address, port, ipv6Only: true, exclusive: true }, resolve);
  }).catch((error: unknown) => {
    const allowed = codeOf(error) === 'EADDRINUSE' ? '; allowed: a port that is free' : '';
    const where = formatEndpoint({ address, port });
    throw new Error(`admin-listen ${where}: ${whyNoListener(error)}${allowed}`, { cause: error });
  });
}
