import {
  defaultListen,
  refuseAccidentalServer,
  type Config,
  type ListenAddress,
  type LoadedConfig,
} from '../config.ts';
import type { ServableConfig } from '../daemon.ts';
import { plantFiles } from '../demo/file-tree.ts';
import { startFtpServer, type FtpServer } from '../demo/ftp-server.ts';
import { parseAddress } from '../net/address.ts';

const insideHost = '127.0.0.2';

const welcome = `Welcome. This file lies in the memory of an FTP server at ${insideHost},
and came to you through the relay in front of it.
`;

/** The small internal FTP server that stands in where no server is named; its files are in memory. */
export function startEmbeddedServer(): Promise<FtpServer> {
  const files = { '/welcome.txt': welcome, '/pub/zeros.bin': Buffer.alloc(1024 * 1024), '/incoming/': '' };
  return startFtpServer(insideHost, plantFiles(files));
}

/** Where the relay listens, if it was not said: on port 21 for real servers, else on loopback. */
export function listenOf({ server, intercept, listen }: Config): readonly ListenAddress[] {
  return (
    listen ?? (server || intercept ? defaultListen : [{ address: parseAddress('127.0.0.1'), port: 2121 }])
  );
}

/**
 * Whether the server in memory is wanted.
 *
 * @throws {ConfigError} where none is named, and it may be an accident
 */
export function wantsEmbeddedServer({ config, origins }: LoadedConfig): boolean {
  if (servable(config)) return false;
  refuseAccidentalServer(config, listenOf(config), origins);
  return true;
}

/** The configuration in front of the server in memory. */
export function inFrontOf(config: Config, server: { address: string; port: number }): ServableConfig {
  return { ...config, server: { host: server.address, port: server.port }, listen: listenOf(config) };
}

/** The configuration with its listeners settled; `undefined` where it leads to no server. */
export function servable(config: Config): ServableConfig | undefined {
  const { server, intercept } = config;
  return server || intercept ? { ...config, listen: listenOf(config) } : undefined;
}
