import { join } from 'node:path';
import { addresses, createNetwork } from '../helpers/lab/network.ts';
import { startRelay } from '../helpers/lab/relay.ts';
import { startServer } from '../helpers/lab/servers.ts';
import { inPairs, printRatio } from './report.ts';

const script = join(import.meta.dirname, 'transfers-client.ts');

/** Downloads of 1 KiB a second in passive mode, through the relay plane against a direct connection. */
export async function measureTransfers(pairs: number): Promise<void> {
  const network = await createNetwork({ forwarding: true });
  try {
    const server = await startServer(network, 'vsftpd', { passivePorts: [30_000, 30_999] });
    const relay = await startRelay(network);
    server.put('small.bin', Buffer.alloc(1024, 'x'));
    const rate = async (host: string, sessions: number, each: number): Promise<number> => {
      const words = [host, 21, server.user, server.password, 'small.bin', sessions, each].map(String);
      const argv = [process.execPath, '--import', 'tsx', script, ...words];
      const { stdout, stderr, code } = await network.exec('client', argv, { timeout: 120_000 });
      if (code !== 0) throw new Error(`${script}: ${stderr}`);
      return Number(stdout);
    };
    for (const [sessions, each] of [
      [1, 400],
      [20, 100],
    ] as const) {
      const relayed = () => rate(relay.address, sessions, each);
      const direct = () => rate(addresses[4].server, sessions, each);
      const label = `1 KiB transfers a second, ${sessions} at once, relay / direct`;
      printRatio(label, 'a second', await inPairs(pairs, relayed, direct));
    }
  } finally {
    await network.dispose();
  }
}
