import { once } from 'node:events';
import { createServer } from 'node:net';
import { addressOfSocket } from '../net/address.ts';
import { endpointOfServer, type Endpoint } from '../net/endpoint.ts';
import { ignoreError } from '../net/socket.ts';
import type { FileTree } from './file-tree.ts';
import { OpenHandles } from './server/open-handles.ts';
import { serve } from './server/serve.ts';
import { Session } from './server/session.ts';

export interface FtpServer extends Endpoint {
  /** Cuts all connections; resolves when nothing of the server is open any more. */
  close(): Promise<void>;
}

/**
 * Starts an FTP server that keeps its files in memory: RFC 959 with RFC 1123, 2389, 2428 and 3659, in stream mode,
 * without TLS, at any free port. Rejects when it cannot listen.
 */
export async function startFtpServer(host: string, tree: FileTree): Promise<FtpServer> {
  const handles = new OpenHandles();
  const listener = createServer({ allowHalfOpen: true, noDelay: true, keepAlive: true }, (control) => {
    handles.add(control);
    const [peer, local] = [addressOfSocket(control.remoteAddress), addressOfSocket(control.localAddress)];
    // What failed is of no use here: 'close' follows and ends the session.
    control.on('error', ignoreError);
    if (peer && local) void serve(new Session(control, [peer, local], tree, handles));
    else control.destroy();
  });
  listener.listen({ host, port: 0 });
  await once(listener, 'listening');
  handles.add(listener);
  return { ...endpointOfServer(listener), close: () => handles.closeAll() };
}
