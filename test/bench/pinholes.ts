import { createNetwork } from '../support/lab/network.ts';
import { emittedFile } from '../support/project.ts';
import type { Opened } from './pinholes-opener.ts';
import { orLeaveOut, printRatio } from './report.ts';

const script = emittedFile('test/bench/pinholes-opener.ts');

/** The time that the kernel plane takes to open a pinhole, with 20,000 that are open already against 10. */
export async function measurePinholes(pairs: number): Promise<void> {
  const network = await createNetwork({ forwarding: true });
  try {
    await orLeaveOut('time to open a pinhole', async () => {
      const argv = [process.execPath, script, String(pairs)];
      const { stdout, stderr, code } = await network.exec('gateway', argv, { timeout: 300_000 });
      if (code !== 0) throw new Error(/Error: .*/.exec(stderr)?.[0] ?? stderr);
      const { single, batched } = JSON.parse(stdout) as Opened;
      const label = 'time to open a pinhole, 20,000 live / 10 live';
      printRatio(`${label}, one after the other`, 'µs', single, { atMost: 1.2 });
      printRatio(`${label}, 100 at once`, 'µs each', batched, { atMost: 1.2 });
    });
  } finally {
    await network.dispose();
  }
}
