import { measureIdleSessionsBefore } from './idle-sessions.ts';
import { inPairs, printRatio } from './report.ts';
import { largeFiles } from './throughput.ts';
import { rate } from './transfers.ts';
import { cliBefore, createLab, labels, type WayName } from './ways.ts';

/** A change makes nothing slower than by this much. */
const goal = { atLeast: 0.98 } as const;

/** This build against another: small transfers and large ones, on both planes, and the memory of idle sessions. */
export async function measureBefore(pairs: number): Promise<void> {
  const program = cliBefore();
  const lab = await createLab(['relay', 'relay-before', 'kernel', 'kernel-before']);
  try {
    lab.server.put('small.bin', Buffer.alloc(1024, 'x'));
    for (const way of ['relay', 'relay-before', 'kernel', 'kernel-before'] as const) {
      // V8 compiles what runs often: a gateway has been running for a while.
      await rate(lab, way, 20, 200);
    }
    for (const [now, before] of [
      ['relay', 'relay-before'],
      ['kernel', 'kernel-before'],
    ] as const) {
      for (const sessions of [1, 20]) {
        const measure = async (way: WayName): Promise<number> =>
          (await rate(lab, way, sessions, sessions === 1 ? 500 : 100)).rate;
        await compare(
          `1 KiB transfers a second, ${sessions} at once, ${labels[now]}`,
          pairs,
          now,
          before,
          measure,
        );
      }
    }
    const { down, up } = largeFiles(lab);
    await compare('1 GiB down, relay plane', pairs, 'relay', 'relay-before', down);
    await compare('1 GiB up, relay plane', pairs, 'relay', 'relay-before', up);
  } finally {
    await lab.dispose();
  }
  if (isWanted('idle sessions')) await measureIdleSessionsBefore(program, Math.min(pairs, 3));
}

/** BENCH_ONLY names a part of the labels that are measured; all unless told. */
function isWanted(label: string): boolean {
  return label.includes(process.env['BENCH_ONLY'] ?? '');
}

async function compare(
  label: string,
  pairs: number,
  now: WayName,
  before: WayName,
  measure: (way: WayName) => Promise<number>,
): Promise<void> {
  if (!isWanted(label)) return;
  const values = await inPairs(
    pairs,
    () => measure(now),
    () => measure(before),
  );
  const unit = label.startsWith('1 GiB') ? 'MiB/s' : 'a second';
  printRatio(`${label}, now / before`, unit, values, goal);
}
