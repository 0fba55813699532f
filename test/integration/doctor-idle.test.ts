/** The doctor's lines for Pure-FTPd's limit of idle time, whose shortest is a minute: all of it waits for one. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Finding } from '../../src/doctor/finding.ts';
import { createNetwork, type Network } from '../support/lab/network.ts';
import { requirements, skipOrFail } from '../support/lab/provision.ts';
import { startServer, type LabServer, type ServerOptions } from '../support/lab/servers.ts';
import { emittedFile } from '../support/project.ts';

const missing = await requirements();
const idle = 65_000;

let network: Network;

before(async () => {
  if (missing.length === 0) network = await createNetwork({ forwarding: true });
});

after(() => (missing.length > 0 ? undefined : network.dispose()));

test('with its lines, Pure-FTPd leaves a session open that was idle for longer than its limit before', async (t) => {
  if (skipOrFail(t, missing)) return;
  // Of one finding there are lines for each server; vsftpd's limit can be a second.
  const vsftpd = await startServer(network, 'vsftpd', { extra: ['idle_session_timeout=1'] });
  const finding = (await examine(vsftpd)).find(({ id }) => id === 'idle-timeout');
  await vsftpd.stop();
  const lines = finding?.remedies.find(({ target }) => target === 'pure-ftpd')?.lines ?? [];
  const [named = '', flag = ''] = lines;
  assert.match(named, /^MaxIdleTime \d+$/);
  assert.match(flag, /^-I \d+$/);

  const short = ['-I', '1'];
  const variants: readonly (readonly [ServerOptions, string])[] = [
    [{ extra: short }, 'idle-timeout'],
    [{ extra: ['MaxIdleTime 1'], hasFile: true }, 'idle-timeout'],
    [{ extra: [...short, ...flag.split(' ')] }, 'idle-fine'],
    [{ extra: [named], hasFile: true }, 'idle-fine'],
  ];
  const found = await Promise.all(
    variants.map(async ([options], index) => {
      const first = 30_000 + 100 * index;
      const ports = { port: 2121 + index, passivePorts: [first, first + 99] } as const;
      const server = await startServer(network, 'pure-ftpd', { ...options, ...ports });
      const findings = await examine(server);
      await server.stop();
      return findings.filter(({ id }) => id.startsWith('idle-')).map(({ id }) => id);
    }),
  );
  assert.deepEqual(
    found,
    variants.map(([, id]) => [id]),
  );
});

async function examine({ address, port, user, password }: LabServer): Promise<Finding[]> {
  const script = emittedFile('test/support/doctor/examine.ts');
  const to = [address, String(port), user, password];
  const argv = [process.execPath, script, ...to, '1000', String(idle)];
  return JSON.parse(await network.must('client', argv, { timeout: 90_000 })) as Finding[];
}
