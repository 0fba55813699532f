import { rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { addresses } from '../support/lab/network.ts';
import { debianPython } from '../support/lab/provision.ts';
import { sourceFolder } from '../support/project.ts';
import { inPairs, orLeaveOut, printRatio } from './report.ts';
import { createLab, labels, type Lab, type WayName } from './ways.ts';

const size = 1024 ** 3;
const [first, second] = ['relay-tls', 'mod_proxy-tls'] as const;
const goal = { atLeast: 1 };

/** One cipher for both, in TLS 1.3. */
const tls = ['--ssl-reqd', '--tlsv1.3', '--tls13-ciphers', 'TLS_AES_256_GCM_SHA384'];

/** TLS of the client, none with the server: 1 GiB down and up, and sessions that log in and quit, a second. */
export async function measureFtps(pairs: number): Promise<void> {
  const lab = await createLab([first, second]);
  try {
    const { network, server } = lab;
    server.put('big.bin', Buffer.alloc(0));
    truncateSync(join(server.root, 'big.bin'), size);
    const upload = join(network.folder, 'upload.bin');
    writeFileSync(upload, '');
    truncateSync(upload, size);
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
    await compare(`1 GiB down, ${both}`, 'MiB/s', (way) =>
      speed(lab, way, ['-o', '/dev/null'], 'big.bin', 'speed_download'),
    );
    await compare(`1 GiB up, ${both}`, 'MiB/s', async (way) => {
      const value = await speed(lab, way, ['-T', upload], 'up.bin', 'speed_upload');
      rmSync(join(server.root, 'up.bin'));
      return value;
    });
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

/** MiB a second. */
async function speed(
  lab: Lab,
  way: WayName,
  args: readonly string[],
  path: string,
  what: string,
): Promise<number> {
  const { network, server, certificates } = lab;
  const url = `ftp://${addresses[4].public}:${lab.portOf(way)}/${path}`;
  const login = ['--user', `${server.user}:${server.password}`, '--cacert', certificates.ca];
  const argv = ['curl', '-sS', ...login, ...tls, ...args, '-w', `%{${what}}`, url];
  const { stdout, stderr, code } = await network.exec('client', argv, { timeout: 120_000 });
  if (code !== 0) throw new Error(`${labels[way]}: ${stderr}`);
  return Number(stdout) / 1024 ** 2;
}

/** Sessions a second: connect, AUTH TLS, log in, PROT P, quit. */
async function sessions(lab: Lab, way: WayName): Promise<number> {
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
