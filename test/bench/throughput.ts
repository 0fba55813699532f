import { spawnSync } from 'node:child_process';
import { truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createNetwork, addresses, type Network } from '../helpers/lab/network.ts';
import { startRelay } from '../helpers/lab/relay.ts';
import { startServer } from '../helpers/lab/servers.ts';
import { inPairs, printRatio } from './report.ts';

const size = 1024 ** 3;
const haproxyPort = 2121;
const passive = [30_000, 30_009] as const;

/**
 * 1 GiB down and up through the relay plane and through HAProxy in TCP mode: the same client (curl, EPSV), the
 * same server (vsftpd), the same three hosts. HAProxy maps the server's passive ports one to one.
 */
export async function measureThroughput(pairs: number): Promise<void> {
  if (spawnSync('haproxy', ['-v']).error) {
    process.stdout.write('throughput: left out, haproxy is not installed\n');
    return;
  }
  const network = await createNetwork();
  try {
    const server = await startServer(network, 'vsftpd', { passivePorts: passive });
    const relay = await startRelay(network);
    await startHaproxy(network);
    server.put('big.bin', Buffer.alloc(0));
    truncateSync(join(server.root, 'big.bin'), size);
    const upload = join(network.folder, 'upload.bin');
    writeFileSync(upload, '');
    truncateSync(upload, size);

    const login = `${server.user}:${server.password}`;
    const speed = async (
      port: number,
      args: readonly string[],
      path: string,
      what: string,
    ): Promise<number> => {
      const url = `ftp://${addresses[4].public}:${port}/${path}`;
      const argv = ['curl', '-sS', '--user', login, ...args, '-w', `%{${what}}`, url];
      const { stdout, stderr, code } = await network.exec('client', argv, { timeout: 120_000 });
      if (code !== 0) throw new Error(`curl ${url}: ${stderr}`);
      return Number(stdout) / 1024 ** 2;
    };
    const down = (port: number) => () => speed(port, ['-o', '/dev/null'], 'big.bin', 'speed_download');
    const up = (port: number) => () => speed(port, ['-T', upload], 'up.bin', 'speed_upload');

    printRatio(
      '1 GiB down, relay / HAProxy',
      'MiB/s',
      await inPairs(pairs, down(relay.port), down(haproxyPort)),
    );
    printRatio('1 GiB up, relay / HAProxy', 'MiB/s', await inPairs(pairs, up(relay.port), up(haproxyPort)));
  } finally {
    await network.dispose();
  }
}

async function startHaproxy(network: Network): Promise<void> {
  const file = join(network.folder, 'haproxy.cfg');
  const { public: outside, server } = addresses[4];
  writeFileSync(
    file,
    `global
  maxconn 1000
defaults
  mode tcp
  timeout connect 5s
  timeout client 1h
  timeout server 1h
listen control
  bind ${outside}:${haproxyPort}
  server ftp ${server}:21
listen data
  bind ${outside}:${passive[0]}-${passive[1]}
  server ftp ${server}
`,
  );
  const haproxy = network.spawn('gateway', ['haproxy', '-db', '-f', file]);
  await haproxy.waitForPort(haproxyPort);
}
