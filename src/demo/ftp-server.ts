import { once } from 'node:events';
import { createServer } from 'node:net';
import { FileTree, toByteString } from './file-tree.ts';
import { defaultUsers } from './server/commands.ts';
import type { PortRange } from './server/data-port.ts';
import { OpenHandles } from './server/open-handles.ts';
import { serve } from './server/serve.ts';
import { Session, type Limits } from './server/session.ts';

const defaultLimits: Limits = { dataConnection: 30_000, dataIdle: 300_000, idle: 300_000 };

export interface FtpServerOptions {
  readonly host: string;
  /** Without it, or with 0, any free port. */
  readonly port?: number;
  /** For PASV and EPSV; without it, any free port. */
  readonly dataPorts?: PortRange;
  /** Name -> password, `true` for any; by default `anonymous` and `ftp` with any, and `demo` with `demo`. */
  readonly users?: Readonly<Record<string, string | true>>;
  /** Path -> content; directories come of themselves, and a path that ends in `/` is an empty one. */
  readonly files?: Readonly<Record<string, string | Buffer>>;
  /** Of all contents together, uploads under way included; by default 256 MiB. */
  readonly maxBytes?: number;
  /** PORT and EPRT are dialled from port 20 where that can be had, and from any port where it cannot. */
  readonly connectFromPort20?: boolean;
  readonly limits?: Partial<Limits>;
}

export interface FtpServer {
  readonly address: string;
  readonly port: number;
  /** Cuts all connections; resolves when nothing of the server is open any more. */
  close(): Promise<void>;
}

/**
 * Starts an FTP server that keeps its files in memory: RFC 959 with RFC 1123, 2389, 2428 and 3659, in stream
 * mode, without TLS. Rejects when it cannot listen or when `files` do not make a tree.
 */
export async function startFtpServer(options: FtpServerOptions): Promise<FtpServer> {
  const tree = new FileTree(options.maxBytes ?? 256 * 1024 * 1024);
  for (const [path, content] of Object.entries(options.files ?? {})) {
    tree.plant(toByteString(path), Buffer.from(content));
  }
  const users = Object.entries(options.users ?? defaultUsers).map(
    ([name, password]) => [toByteString(name), password === true || toByteString(password)] as const,
  );
  const handles = new OpenHandles();
  const settings = {
    tree,
    users: new Map(users),
    dataPorts: options.dataPorts,
    activePort: options.connectFromPort20 === true ? 20 : undefined,
    limits: { ...defaultLimits, ...options.limits },
    handles,
  };

  const listener = createServer({ allowHalfOpen: true, noDelay: true, keepAlive: true }, (control) => {
    handles.add(control);
    // What failed is of no use here: 'close' follows and ends the session.
    control.on('error', () => undefined);
    void serve(new Session(control, settings));
  });
  listener.listen({ host: options.host, port: options.port ?? 0 });
  await once(listener, 'listening');
  handles.add(listener);
  const bound = listener.address();
  if (bound === null || typeof bound === 'string') throw new Error('not listening on TCP');
  return { address: bound.address, port: bound.port, close: () => handles.closeAll() };
}
