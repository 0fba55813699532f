import { join } from 'node:path';
import { addresses } from '../support/lab/network.ts';
import { debianPython } from '../support/lab/provision.ts';
import { sourceFolder } from '../support/project.ts';
import { inPairs, orLeaveOut, printRatio } from './report.ts';
import { largeFiles } from './throughput.ts';
import { createLab, labels, type Lab, type WayName } from './ways.ts';

const [first, second] = ['relay-tls', 'mod_proxy-tls'] as const;
const goal = { atLeast: 1 };

/** One cipher for both, in TLS 1.3. */
const tls = ['--ssl-reqd', '--tlsv1.3', '--tls13-ciphers', 'TLS_AES_256_GCM_SHA384'];

/** TLS of the client, none with the server: 1 GiB down and up, and sessions that log in and quit, a second. */
export async function measureFtps(pairs: number): Promise<void> {
  const lab = await createLab([first, second]);
  try {
    const { down, up } = largeFiles(lab, ['--cacert', lab.certificates.ca, ...tls]);
    const compare = (
      label: string,
      unit: string,
      measure: (way: WayName) => Promise<number>,
    ): Promise<void> =>
      orLeaveOut(label, async () => {
        const values = await inPairs(
          pairs,
          () => measure(first),
          () => measure(second),
        );
        printRatio(label, unit, values, goal);
      });
    const both = `${labels[first]} / ${labels[second]}`;
    await compare(`1 GiB down, ${both}`, 'MiB/s', down);
    await compare(`1 GiB up, ${both}`, 'MiB/s', up);
    // V8 compiles what runs often: a gateway has been running for a while.
    await orLeaveOut(labels[first], async () => {
      await sessions(lab, first);
    });
    await compare(`sessions with AUTH TLS a second, 4 at once, ${both}`, 'a second', (way) =>
      sessions(lab, way),
    );
  } finally {
    await lab.dispose();
  }
}

/** Sessions a second: connect, AUTH TLS, log in, PROT P, quit. */
export async function sessions(lab: Lab, way: WayName): Promise<number> {
  const { network, server, certificates } = lab;
  const script = join(sourceFolder(import.meta.dirname), 'ftps-sessions.py');
  const words = [addresses[4].public, lab.portOf(way), server.user, server.password, certificates.ca].map(
    String,
  );
  const argv = [debianPython, script, ...words];
  const { stdout, stderr, code } = await network.exec('client', argv, { timeout: 120_000 });
  if (code !== 0) throw new Error(`${labels[way]}: ${stderr.trim().split('\n').at(-1) ?? ''}`);
  return Number(stdout);
}
