import { defaultListen, type Config } from '../config.ts';
import type { ServableConfig } from '../daemon.ts';
import { startFtpServer, type FtpServer } from '../demo/ftp-server.ts';
import { parseAddress } from '../net/address.ts';

const insideHost = '127.0.0.2';

const welcome = `Welcome. This file lies in the memory of an FTP server at ${insideHost},
and came to you through the relay in front of it.
`;

/** The small internal FTP server that stands in where no server is named; its files are in memory. */
export function startEmbeddedServer(): Promise<FtpServer> {
  return startFtpServer({
    host: insideHost,
    files: { '/welcome.txt': welcome, '/pub/zeros.bin': Buffer.alloc(1024 * 1024), '/incoming/': '' },
  });
}

/** The configuration with what was not said settled: the server is this one, the relay is on loopback. */
export function inFrontOf(config: Config, server: { address: string; port: number }): ServableConfig {
  return {
    ...config,
    server: { host: server.address, port: server.port },
    listen: config.listen ?? [{ address: parseAddress('127.0.0.1'), port: 2121 }],
  };
}

/** The same for a configuration that names its server, `undefined` for one that does not. */
export function servable(config: Config): ServableConfig | undefined {
  const { server, listen } = config;
  return server && { ...config, server, listen: listen ?? defaultListen };
}
