import { emittedFile } from '../support/project.ts';
import type { Asked } from './admin-client.ts';
import { inPairs, median, orLeaveOut, printRatio } from './report.ts';
import { rate } from './transfers.ts';
import { adminSocketOf, createLab, type Lab } from './ways.ts';

const script = emittedFile('test/bench/admin-client.ts');
const way = 'relay-admin';
const sessions = 20;
const each = 200;
const goal = { atLeast: 0.9 };

const loads = [
  ['1,000 requests a second', ['requests', '1000']],
  ['60 idle connections and a reader of events that hangs', ['idle', '60']],
] as const;

/**
 * 1 KiB downloads a second of 20 sessions, with a load on the admin interface and without one. Who asks takes time of the same
 * processors: on a gateway that is another host's.
 */
export async function measureAdmin(pairs: number): Promise<void> {
  const lab = await createLab([way]);
  try {
    lab.server.put('small.bin', Buffer.alloc(1024, 'x'));
    const measure = async (): Promise<number> => (await rate(lab, way, sessions, each)).rate;
    // V8 compiles what runs often: a gateway has been running for a while.
    await measure();
    for (const [words, load] of loads) {
      const label = `1 KiB transfers a second, ${sessions} at once, with / without ${words}`;
      await orLeaveOut(label, async () => {
        const answered: number[] = [];
        const processor = { with: [] as number[], without: [] as number[] };
        const values = await inPairs(
          pairs,
          async () => {
            const loaded = await underLoad(lab, load, () => timed(lab, measure));
            if (load[0] === 'requests') answered.push(loaded.asked.answered / loaded.asked.seconds);
            processor.with.push(loaded.value.processor);
            return loaded.value.rate;
          },
          async () => {
            const plain = await timed(lab, measure);
            processor.without.push(plain.processor);
            return plain.rate;
          },
        );
        printRatio(label, 'a second', values, goal);
        const [loaded, plain] = [median(processor.with), median(processor.without)];
        const ms = (seconds: number): string => (seconds * 1000).toFixed(3);
        process.stdout.write(
          `  processor time of the relay for each transfer: ${ms(loaded)} against ${ms(plain)} ms\n`,
        );
        if (answered.length === 0) return;
        const requests = median(answered);
        const share = (loaded - plain) * median(values.first);
        process.stdout.write(
          `  answered ${requests.toFixed(0)} a second, for ${(share * 100).toFixed(0)} % of a processor, ${ms(share / requests)} ms each\n`,
        );
      });
    }
  } finally {
    await lab.dispose();
  }
}

async function underLoad<T>(
  lab: Lab,
  load: readonly string[],
  work: () => Promise<T>,
): Promise<{ value: T; asked: Asked }> {
  const client = lab.network.spawn('gateway', [
    process.execPath,
    script,
    adminSocketOf(lab.network),
    ...load,
  ]);
  await client.waitForOutput(/^loading$/m);
  const value = await work();
  await client.stop();
  return { value, asked: JSON.parse(/^\{.*\}$/m.exec(client.stdout())?.[0] ?? '{}') as Asked };
}

/** With the processor time that the relay took for each transfer, in seconds. */
async function timed(lab: Lab, measure: () => Promise<number>): Promise<{ rate: number; processor: number }> {
  const before = await processorTime(lab);
  const measured = await measure();
  return { rate: measured, processor: ((await processorTime(lab)) - before) / (sessions * each) };
}

async function processorTime(lab: Lab): Promise<number> {
  const argv = ['curl', '-sS', '--unix-socket', adminSocketOf(lab.network), 'http://localhost/metrics'];
  const text = await lab.network.must('gateway', argv);
  return Number(/^process_cpu_seconds_total (\S+)$/m.exec(text)?.[1]);
}
