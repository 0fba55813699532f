import { rmSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { addresses } from '../support/lab/network.ts';
import type { PathSettings } from '../support/lab/path.ts';
import { emittedFile } from '../support/project.ts';
import { inPairs, orLeaveOut, printRatio, type Goal } from './report.ts';
import { createLab, labels, type Lab, type WayName } from './ways.ts';

const script = emittedFile('test/bench/path-client.ts');
const bigSize = 64 * 1024 ** 2;

const far: PathSettings = { delay: 60 };
const narrow: PathSettings = { ...far, rate: 12_500_000 };
const farWords = '60 ms away';
const narrowWords = `${farWords} at 100 Mbit/s`;

/** Once a process: a session, and in it as many times what is measured. */
const repetitions = 10;
const quick: Goal = { atMost: 1.05 };
const full: Goal = { atLeast: 0.97 };

/** Single operations. */
const small: readonly (readonly [what: string, words: string, way: WayName])[] = [
  ['login', 'login', 'relay'],
  ['passive', '1 KiB passive', 'relay'],
  ['active', '1 KiB active', 'relay'],
  ['login', 'login', 'kernel'],
  ['passive', '1 KiB passive', 'kernel'],
  ['active', '1 KiB active', 'kernel'],
];

/** The client far from the gateway: what it waits for a login and for a small file, and what a wide path carries. */
export async function measurePath(pairs: number): Promise<void> {
  const lab = await createLab(['relay', 'kernel'], ['public']);
  try {
    const { network, server } = lab;
    server.put('small.bin', Buffer.alloc(1024, 'x'));
    server.put('big.bin', Buffer.alloc(0));
    truncateSync(join(server.root, 'big.bin'), bigSize);
    // V8 compiles what runs often: a gateway has been running for a while.
    for (const way of ['relay', 'kernel'] as const) {
      await orLeaveOut(labels[way], async () => {
        await time(lab, way, 'passive', 200);
        await time(lab, way, 'active', 200);
      });
    }
    await network.setPath('public', far);
    for (const [what, words, way] of small) {
      const label = `${words} ${farWords}, ${labels[way]} / ${labels.direct}`;
      await orLeaveOut(label, async () => {
        const values = await inPairs(
          pairs,
          () => time(lab, way, what, repetitions),
          () => time(lab, 'direct', what, repetitions),
        );
        printRatio(label, 'ms', values, quick);
      });
    }
    await network.setPath('public', narrow);
    for (const what of ['down', 'up'] as const) {
      const rate = async (way: WayName): Promise<number> => {
        const ms = await time(lab, way, what, 1);
        if (what === 'up') rmSync(join(server.root, 'up.bin'));
        return (bigSize * 8) / (ms * 1000);
      };
      const label = `64 MiB ${what} ${narrowWords}, ${labels.relay} / ${labels.direct}`;
      await orLeaveOut(label, async () => {
        const values = await inPairs(
          pairs,
          () => rate('relay'),
          () => rate('direct'),
        );
        printRatio(label, 'Mbit/s', values, full);
      });
    }
  } finally {
    await lab.dispose();
  }
}

/** ms of one, as path-client.ts measures it. */
async function time(lab: Lab, way: WayName, what: string, count: number): Promise<number> {
  const { network, server } = lab;
  const host = way === 'direct' ? server.address : addresses[4].public;
  const words = [host, lab.portOf(way), server.user, server.password, what, count, bigSize].map(String);
  const argv = [process.execPath, script, ...words];
  const { stdout, stderr, code } = await network.exec('client', argv, { timeout: 120_000 });
  if (code !== 0) throw new Error(`${labels[way]}: ${/Error: .*/.exec(stderr)?.[0] ?? stderr}`);
  return Number(stdout);
}
