import { readFileSync } from 'node:fs';
import type { StatusAnswer } from '../../src/admin/status-answer.ts';
import { addresses } from '../support/lab/network.ts';
import { emittedFile } from '../support/project.ts';
import { sessions } from './ftps.ts';
import { inPairs, median, orLeaveOut, printRatio, type Goal } from './report.ts';
import { largeFiles } from './throughput.ts';
import { rate } from './transfers.ts';
import { adminSocketOf, createLab, labels, lightPort, type Lab, type WayName } from './ways.ts';

const [first, second] = ['two-workers', 'one-worker'] as const;
const [lightFirst, lightSecond] = ['two-workers-light', 'one-worker-light'] as const;
const tls = ['--ssl-reqd', '--tlsv1.3', '--tls13-ciphers', 'TLS_AES_256_GCM_SHA384'];
const lightSessions = 400;
/** What `ftps-sessions.py` makes. */
const heavySessions = 120;
const [clients, each] = [20, 100];

/**
 * Two workers against one process: sessions with AUTH TLS, FTPS throughput and 1 KiB transfers, each with the processor time of
 * all processes of the relay. Clients and server take time of the same processors: beside what they do usually, sessions
 * are measured with clients and a server that do little.
 */
export async function measureWorkers(pairs: number): Promise<void> {
  const lab = await createLab([first, second, lightFirst, lightSecond]);
  try {
    lab.server.put('small.bin', Buffer.alloc(1024, 'x'));
    const server = lab.network.spawn('server', [
      ...[
        process.execPath,
        emittedFile('test/bench/light-server.ts'),
        addresses[4].server,
        String(lightPort),
      ],
    ]);
    await server.waitForPort(lightPort);
    const { down, up } = largeFiles(lab, ['--cacert', lab.certificates.ca, ...tls]);
    const compare = (
      what: string,
      unit: string,
      ways: readonly [WayName, WayName],
      work: { readonly name: string; readonly count: number },
      measure: (way: WayName) => Promise<number>,
      goal?: Goal,
    ): Promise<void> => {
      const label = `${what}, ${labels[ways[0]]} / ${labels[ways[1]]}`;
      return orLeaveOut(label, async () => {
        for (const way of ways) await measure(way);
        const times: [number[], number[]] = [[], []];
        const timed = async (which: 0 | 1): Promise<number> => {
          const before = await processorTime(lab, ways[which]);
          const value = await measure(ways[which]);
          times[which].push((await processorTime(lab, ways[which])) - before);
          return value;
        };
        const values = await inPairs(
          pairs,
          () => timed(0),
          () => timed(1),
        );
        printRatio(label, unit, values, goal);
        const [one, other] = times.map((list) => ((median(list) / work.count) * 1000).toFixed(2));
        process.stdout.write(
          `  processor time of the relay for each ${work.name}: ${one ?? ''} against ${other ?? ''} ms\n`,
        );
      });
    };
    const light = { name: 'session', count: lightSessions };
    const measureLight = (way: WayName): Promise<number> => lightRate(lab, way);
    const goal = { atLeast: 1.5 };
    const usual = [first, second] as const;
    const a = 'a second';
    await compare('sessions with AUTH TLS a second', a, [lightFirst, lightSecond], light, measureLight, goal);
    await compare(
      'sessions with AUTH TLS a second, 4 at once',
      a,
      usual,
      { name: 'session', count: heavySessions },
      (way) => sessions(lab, way),
    );
    await compare('1 GiB down over FTPS', 'MiB/s', usual, { name: 'MiB', count: 1024 }, down);
    await compare('1 GiB up over FTPS', 'MiB/s', usual, { name: 'MiB', count: 1024 }, up);
    await compare(
      '1 KiB transfers a second, 20 at once',
      a,
      usual,
      { name: 'transfer', count: clients * each },
      async (way) => (await rate(lab, way, clients, each)).rate,
    );
  } finally {
    await lab.dispose();
  }
}

async function lightRate(lab: Lab, way: WayName): Promise<number> {
  const words = [addresses[4].public, lab.portOf(way), lightSessions, 16].map(String);
  const argv = [process.execPath, emittedFile('test/bench/light-sessions.ts'), ...words];
  const { stdout, stderr, code } = await lab.network.exec('client', argv, { timeout: 120_000 });
  if (code !== 0) throw new Error(`${labels[way]}: ${stderr}`);
  return Number(stdout);
}

/** Seconds that all processes of a way have used. */
async function processorTime(lab: Lab, way: WayName): Promise<number> {
  const socket = adminSocketOf(lab.network, way);
  const text = await lab.network.must('gateway', [
    'curl',
    '-sS',
    '--unix-socket',
    socket,
    'http://localhost/v1/status',
  ]);
  const { pid, workers } = JSON.parse(text) as StatusAnswer;
  return [pid, ...workers.map((worker) => worker.pid)].reduce((sum, each) => sum + secondsOf(each), 0);
}

/** User and system time by proc(5), in ticks of 10 ms. */
function secondsOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ').at(-1)?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / 100;
}
