import { rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { addresses } from '../support/lab/network.ts';
import { inPairs, orLeaveOut, printRatio, type Goal } from './report.ts';
import { createLab, labels, type Lab, type WayName } from './ways.ts';

const size = 1024 ** 3;

const comparisons: readonly (readonly [first: WayName, second: WayName, goal?: Goal])[] = [
  ['kept', 'helper', { atLeast: 0.97 }],
  ['kernel', 'helper', { atLeast: 0.97 }],
  ['relay', 'haproxy', { atLeast: 1 }],
  ['relay', 'mod_proxy'],
  ['relay', 'ftp-proxy'],
];

/** 1 GiB down and up each way: the same client (curl), the same server (vsftpd), the same three hosts. */
export async function measureThroughput(pairs: number): Promise<void> {
  const lab = await createLab(['relay', 'kernel', 'kept', 'helper', 'haproxy', 'mod_proxy', 'ftp-proxy']);
  try {
    const { down, up } = largeFiles(lab);
    for (const [direction, measure] of [
      ['down', down],
      ['up', up],
    ] as const) {
      for (const [first, second, goal] of comparisons) {
        const label = `1 GiB ${direction}, ${labels[first]} / ${labels[second]}`;
        await orLeaveOut(label, async () => {
          const values = await inPairs(
            pairs,
            () => measure(first),
            () => measure(second),
          );
          printRatio(label, 'MiB/s', values, goal);
        });
      }
    }
  } finally {
    await lab.dispose();
  }
}

/**
 * Downloads and uploads of 1 GiB by a way, in MiB a second; what is sent has no content.
 *
 * @param flags of curl
 */
export function largeFiles(
  lab: Lab,
  flags: readonly string[] = [],
): Record<'down' | 'up', (way: WayName) => Promise<number>> {
  const { network, server } = lab;
  server.put('big.bin', Buffer.alloc(0));
  truncateSync(join(server.root, 'big.bin'), size);
  const upload = join(network.folder, 'upload.bin');
  writeFileSync(upload, '');
  truncateSync(upload, size);
  return {
    down: (way) => speed(lab, way, [...flags, '-o', '/dev/null'], 'big.bin', 'speed_download'),
    up: async (way) => {
      const value = await speed(lab, way, [...flags, '-T', upload], 'up.bin', 'speed_upload');
      rmSync(join(server.root, 'up.bin'));
      return value;
    },
  };
}

/** MiB a second, by curl. */
async function speed(
  lab: Lab,
  way: WayName,
  args: readonly string[],
  path: string,
  what: string,
): Promise<number> {
  const { network, server } = lab;
  const url = `ftp://${addresses[4].public}:${lab.portOf(way)}/${path}`;
  const argv = [
    'curl',
    '-sS',
    '--user',
    `${server.user}:${server.password}`,
    ...args,
    '-w',
    `%{${what}}`,
    url,
  ];
  const { stdout, stderr, code } = await network.exec('client', argv, { timeout: 120_000 });
  if (code !== 0) throw new Error(`${labels[way]}: ${stderr}`);
  return Number(stdout) / 1024 ** 2;
}
