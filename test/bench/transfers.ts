import { addresses } from '../support/lab/network.ts';
import { emittedFile } from '../support/project.ts';
import { inPairs, orLeaveOut, printRatio, type Goal } from './report.ts';
import type { Measured } from './transfers-client.ts';
import { createLab, labels, type Lab, type WayName } from './ways.ts';

const script = emittedFile('test/bench/transfers-client.ts');

/** The goals are of 20 sessions at once. */
const comparisons: readonly (readonly [first: WayName, second: WayName, goal?: Goal])[] = [
  ['kernel', 'helper', { atLeast: 0.85 }],
  ['relay', 'mod_proxy', { atLeast: 2 }],
  ['relay', 'ftp-proxy'],
  ['relay', 'direct'],
  ['mod_proxy', 'direct'],
];

/** Downloads of 1 KiB a second in passive mode: one after the other, and of 20 sessions at once. */
export async function measureTransfers(pairs: number): Promise<void> {
  const lab = await createLab(['relay', 'kernel', 'helper', 'mod_proxy', 'ftp-proxy']);
  const refused = new Map<WayName, number>();
  try {
    lab.server.put('small.bin', Buffer.alloc(1024, 'x'));
    // V8 compiles what runs often: a gateway has been running for a while.
    for (const way of ['relay', 'kernel'] as const) {
      await orLeaveOut(labels[way], async () => {
        await rate(lab, way, 20, 200);
      });
    }
    for (const [sessions, each] of [
      [1, 200],
      [20, 100],
    ] as const) {
      const measure = async (way: WayName): Promise<number> => {
        const measured = await rate(lab, way, sessions, each);
        refused.set(way, (refused.get(way) ?? 0) + measured.refused);
        return measured.rate;
      };
      for (const [first, second, goal] of comparisons) {
        const label = `1 KiB transfers a second, ${sessions} at once, ${labels[first]} / ${labels[second]}`;
        await orLeaveOut(label, async () => {
          const values = await inPairs(
            pairs,
            () => measure(first),
            () => measure(second),
          );
          printRatio(label, 'a second', values, sessions === 1 ? undefined : goal);
        });
      }
    }
    for (const [way, count] of refused) {
      if (count > 0)
        process.stdout.write(`${labels[way]}: ${count} data connections were refused, and tried again\n`);
    }
  } finally {
    await lab.dispose();
  }
}

/** How fast a way transfers: `each` downloads of small.bin in each of `sessions` sessions at once. */
export async function rate(lab: Lab, way: WayName, sessions: number, each: number): Promise<Measured> {
  const { network, server } = lab;
  const host = way === 'direct' ? server.address : addresses[4].public;
  const words = [host, lab.portOf(way), server.user, server.password, 'small.bin', sessions, each].map(
    String,
  );
  const argv = [process.execPath, script, ...words];
  const { stdout, stderr, code } = await network.exec('client', argv, { timeout: 120_000 });
  if (code !== 0) throw new Error(`${labels[way]}: ${/Error: .*/.exec(stderr)?.[0] ?? stderr}`);
  return JSON.parse(stdout) as Measured;
}
