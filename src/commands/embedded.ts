import type { Config } from '../config/config.ts';
import { refuseAccidentalServer } from '../config/consistency.ts';
import { listenOf } from '../config/listening.ts';
import type { LoadedConfig } from '../config/load.ts';
import type { ServableConfig } from '../daemon/settings.ts';
import { plantFiles } from '../demo/file-tree.ts';
import { startFtpServer, type FtpServer } from '../demo/ftp-server.ts';

const insideHost = '127.0.0.2';

const welcome = `Welcome. This file is held in memory by an FTP server at ${insideHost},
and you downloaded it through the relay in front of that server.
`;

/** The small internal FTP server that stands in where no server is named; its files are in memory. */
export function startEmbeddedServer(): Promise<FtpServer> {
  const files = { '/welcome.txt': welcome, '/pub/zeros.bin': Buffer.alloc(1024 * 1024), '/incoming/': '' };
  return startFtpServer(insideHost, plantFiles(files));
}

/**
 * Whether the server in memory is wanted.
 *
 * @throws {ConfigError} where none is named, and it may be an accident
 */
export function wantsEmbeddedServer({ config, origins }: LoadedConfig): boolean {
  if (servable(config)) return false;
  refuseAccidentalServer(config, origins);
  return true;
}

/** The configuration in front of the server in memory. */
export function inFrontOf(config: Config, server: { address: string; port: number }): ServableConfig {
  return { ...config, server: { host: server.address, port: server.port }, listen: listenOf(config) };
}

/** The configuration with its listeners resolved; `undefined` without a server to lead to. */
export function servable(config: Config): ServableConfig | undefined {
  const { server, intercept } = config;
  return server || intercept ? { ...config, listen: listenOf(config) } : undefined;
}
