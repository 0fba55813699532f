/**
 * FTPS through the relay: every real client with every real server, TLS on either side or on both, checksummed both
 * ways. With UPDATE_DOCS=1 the table of it goes to docs/compatibility.md.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import { certifiedName, makeCertificates } from '../support/lab/certificates.ts';
import type { Certificates } from '../support/lab/certificates.ts';
import { describeFtps, updateCompatibility, type FtpsCell } from '../support/compatibility.ts';
import { capability, clientNames, runSession, safeUpload } from '../support/lab/clients.ts';
import type { ClientName, ClientTls, Mode, Operation } from '../support/lab/clients.ts';
import { createNetwork } from '../support/lab/network.ts';
import type { Network } from '../support/lab/network.ts';
import { requirements, skipOrFail } from '../support/lab/provision.ts';
import { startRelay, withPort, type LabRelay } from '../support/lab/relay.ts';
import { serverCapability } from '../support/lab/server-tls.ts';
import { serverNames, startServer } from '../support/lab/servers.ts';
import type { LabServer, ServerName } from '../support/lab/servers.ts';

const missing = await requirements();
const content = randomBytes(300_000);
const cells: FtpsCell[] = [];

/** What the relay does on its two sides, in the words of its settings. */
interface Way {
  readonly name: string;
  /** Whether the server speaks TLS. */
  readonly server: 'clear' | 'explicit';
  readonly flags: (certificates: Certificates) => string[];
  readonly variants: readonly Variant[];
}

/** What a client is told to do; a column of the table. */
interface Variant {
  readonly title: string;
  /** Undefined: no TLS. */
  readonly say: Omit<ClientTls, 'ca'> | undefined;
  /** All, unless told. */
  readonly clients?: readonly ClientName[];
}

const terminate = ({ server }: Certificates): string[] => [
  ...[
    '--tls',
    'terminate',
    '--tls-cert',
    server.cert,
    '--tls-key',
    server.key,
    '--listen-tls',
    '198.51.100.1:990',
  ],
];
const trust = ({ ca }: Certificates): string[] => ['--server-tls-ca', ca];
const explicit = { kind: 'explicit', data: 'protected' } as const;
const implicit = { kind: 'implicit', data: 'protected' } as const;
const older = { ...explicit, maxVersion: 'TLSv1.2' } as const;
const clearData = { kind: 'explicit', data: 'clear' } as const;

/** What has no TLS at all has a matrix of its own. */
const alsoClear: Variant = { title: 'neither', say: undefined, clients: ['ftplib'] };

const resuming = (all: Certificates): string[] => [
  ...[...terminate(all), ...trust(all), '--server-tls', 'explicit', '--server-tls-name', certifiedName],
  ...['--server-data-tls', 'protected', '--require-session-reuse'],
];

const ways: readonly Way[] = [
  {
    name: 'TLS of the client alone',
    server: 'clear',
    flags: terminate,
    variants: [
      { title: 'explicit', say: explicit },
      { title: 'implicit', say: implicit },
      { title: 'TLS 1.2', say: older },
      { title: 'PROT C', say: clearData },
      alsoClear,
    ],
  },
  {
    name: 'TLS of both',
    server: 'explicit',
    flags: (all) => [...terminate(all), ...trust(all), '--server-tls', 'same'],
    variants: [
      { title: 'explicit', say: explicit },
      { title: 'TLS 1.2', say: older },
      { title: 'PROT C', say: clearData },
    ],
  },
  {
    name: 'TLS of the server alone',
    server: 'explicit',
    flags: (all) => [...trust(all), '--server-tls', 'explicit', '--server-data-tls', 'protected'],
    variants: [{ title: 'no TLS', say: undefined }],
  },
  {
    name: 'sessions resumed on both sides',
    server: 'explicit',
    flags: resuming,
    variants: [{ title: 'TLS 1.2', say: { ...explicit, reuse: true } }, alsoClear],
  },
  {
    name: 'sessions resumed on both sides',
    server: 'explicit',
    flags: (all) => [...resuming(all), '--tls-min-version', 'TLSv1.3'],
    variants: [{ title: 'TLS 1.3', say: { ...explicit, reuse: true } }],
  },
];

const modes: readonly Mode[] = ['extended-passive', 'active'];
const operations: readonly Operation[] = ['list', 'upload', 'download'];

for (const name of serverNames) {
  describe(`with ${name}`, { concurrency: 1 }, () => {
    ofServer(name);
  });
}

function ofServer(name: ServerName): void {
  let network: Network;
  let certificates: Certificates;
  let dispose = (): Promise<void> => Promise.resolve();

  before(async () => {
    if (missing.length > 0) return;
    network = await createNetwork();
    dispose = () => network.dispose();
    certificates = await makeCertificates(network.folder);
  });
  after(() => dispose());

  for (const [index, way] of ways.entries()) {
    describe(way.name, { concurrency: 1 }, () => {
      let server: LabServer;
      let relay: LabRelay;

      before(async () => {
        if (missing.length > 0) return;
        const port = 2100 + index;
        // Where the server can demand that TLS sessions are resumed, it does.
        const requireReuse =
          serverCapability(name, { identity: certificates.server, requireReuse: true }) === true;
        const tls = { identity: certificates.server, requires: 'login', requireReuse } as const;
        server = await startServer(network, name, {
          port,
          passivePorts: [30_000 + 100 * index, 30_099 + 100 * index],
          ...(way.server === 'explicit' && { tls }),
        });
        relay = await startRelay(network, {
          server: withPort(server.address, port),
          flags: way.flags(certificates),
        });
      });
      after(async () => {
        await relay.stop();
        await server.stop();
      });

      for (const { title, say, clients = clientNames } of way.variants) {
        for (const client of clients) {
          for (const mode of modes) {
            const can = capability(client, mode, 4, 'list', say);
            cells.push({ server: name, client, mode, column: `${way.name}: ${title}`, can });
            if (can !== true) continue;
            test(`${client}, ${title}, in ${mode} mode: ${operations.join(', ')}`, async (t) => {
              if (skipOrFail(t, missing)) return;
              await performs(client, mode, say);
            });
          }
        }
      }

      async function performs(client: ClientName, mode: Mode, say: Variant['say']): Promise<void> {
        const [up, down] = ['up', 'down'].map((each) => join(network.folder, `${each}.bin`)) as [
          string,
          string,
        ];
        server.put('listed.txt', 'whatever');
        server.put('down.bin', content);
        rmSync(join(server.root, 'up.bin'), { force: true });
        rmSync(down, { force: true });
        const uploaded = client === 'curl' ? content.subarray(0, safeUpload) : content;
        writeFileSync(up, uploaded);
        const { user, password } = server;
        const at = { address: relay.address, port: say?.kind === 'implicit' ? 990 : relay.port };
        const { ok, output, listing } = await runSession(
          network,
          client,
          { ...at, user, password, mode, ...(say && { tls: { ca: certificates.ca, ...say } }) },
          [
            { operation: 'list' },
            { operation: 'upload', remote: 'up.bin', local: up },
            { operation: 'download', remote: 'down.bin', local: down },
          ],
        );
        const context = `${output}\n${relay.output()}\n${server.log()}`;
        assert.ok(ok, context);
        assert.ok(
          listing?.some((line) => line.includes('listed.txt')),
          context,
        );
        for (const [arrived, sent] of [
          [server.read('up.bin'), uploaded],
          [readFileSync(down), content],
        ] as const) {
          assert.ok(arrived.equals(sent), `${arrived.length} of ${sent.length} bytes, or others: ${context}`);
        }
      }
    });
  }
}

after(() => {
  const columns = ways.flatMap(({ name, variants }) =>
    variants.filter(({ clients }) => !clients).map(({ title }) => `${name}: ${title}`),
  );
  updateCompatibility('ftps', describeFtps(columns, cells));
});
