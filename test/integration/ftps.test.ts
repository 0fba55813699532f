/**
 * FTPS through the relay: real clients and real servers, TLS on either side or on both, checksummed both ways.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import { certifiedName, makeCertificates } from '../helpers/lab/certificates.ts';
import type { Certificates } from '../helpers/lab/certificates.ts';
import { capability, clientNames, runClient } from '../helpers/lab/clients.ts';
import type { ClientName, ClientTls, Mode, Operation } from '../helpers/lab/clients.ts';
import { createNetwork } from '../helpers/lab/network.ts';
import type { Network } from '../helpers/lab/network.ts';
import { requirements, skipOrFail } from '../helpers/lab/provision.ts';
import { startRelay, withPort, type LabRelay } from '../helpers/lab/relay.ts';
import { serverNames, startServer } from '../helpers/lab/servers.ts';
import type { LabServer, ServerName } from '../helpers/lab/servers.ts';

const missing = await requirements();
const content = randomBytes(300_000);

/** What the relay does on its two sides, in the words of its settings. */
interface Way {
  readonly name: string;
  /** Whether the server speaks TLS. */
  readonly server: 'clear' | 'explicit';
  readonly flags: (certificates: Certificates) => string[];
  readonly clients: readonly (Omit<ClientTls, 'ca'> | undefined)[];
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

const ways: readonly Way[] = [
  {
    name: 'TLS of the client alone',
    server: 'clear',
    flags: terminate,
    clients: [explicit, implicit, older, clearData, undefined],
  },
  {
    name: 'TLS of both, as the client says',
    server: 'explicit',
    flags: (all) => [...terminate(all), ...trust(all), '--server-tls', 'same'],
    clients: [explicit, older, clearData],
  },
  {
    name: 'TLS of the server alone',
    server: 'explicit',
    flags: (all) => [...trust(all), '--server-tls', 'explicit', '--server-data-tls', 'protected'],
    clients: [undefined],
  },
  {
    name: 'TLS of both, data to the server always protected',
    server: 'explicit',
    flags: (all) => [
      ...[...terminate(all), ...trust(all), '--server-tls', 'explicit', '--server-tls-name', certifiedName],
      ...['--server-data-tls', 'protected', '--require-session-reuse'],
    ],
    clients: [{ ...explicit, reuse: true }, { ...older, reuse: true }, undefined],
  },
];

const modes: readonly Mode[] = ['extended-passive', 'active'];
const operations: readonly Operation[] = ['list', 'upload', 'download'];
/** Where what is said first alone differs. */
const few: readonly Operation[] = ['upload', 'download'];

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
        const requireReuse = name === 'vsftpd' || name === 'proftpd';
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

      for (const client of clientNames) {
        for (const say of way.clients) {
          for (const mode of modes) {
            const some = isVariant(say) || mode === 'active' ? few : operations;
            const can = some.filter((each) => capability(client, mode, 4, each, say) === true);
            if (can.length === 0 || !isWorthIt(client, mode, say)) continue;
            const said = say ? `${say.kind} ${say.maxVersion ?? 'TLSv1.3'}, data ${say.data}` : 'no TLS';
            test(`${client} with ${said} in ${mode} mode: ${can.join(', ')}`, async (t) => {
              if (skipOrFail(t, missing)) return;
              for (const operation of can) await performs(client, mode, operation, say);
            });
          }
        }
      }

      async function performs(
        client: ClientName,
        mode: Mode,
        operation: Operation,
        say: Omit<ClientTls, 'ca'> | undefined,
      ): Promise<void> {
        const local = join(network.folder, 'local.bin');
        rmSync(join(server.root, 'up.bin'), { force: true });
        server.put('down.bin', content);
        writeFileSync(local, operation === 'upload' ? content : '');
        const { user, password } = server;
        const { ok, output, listing } = await runClient(network, client, {
          ...{ address: relay.address, port: say?.kind === 'implicit' ? 990 : relay.port, user, password },
          ...{ mode, operation, local, remote: operation === 'upload' ? 'up.bin' : 'down.bin' },
          ...(say && { tls: { ca: certificates.ca, ...say } }),
        });
        const context = `${operation}:\n${output}\n${relay.output()}\n${server.log()}`;
        assert.ok(ok, context);
        if (operation === 'list') {
          assert.ok(
            listing?.some((line) => line.includes('down.bin')),
            context,
          );
          return;
        }
        const arrived = operation === 'upload' ? server.read('up.bin') : readFileSync(local);
        assert.ok(
          arrived.equals(content),
          `${arrived.length} of ${content.length} bytes, or others: ${context}`,
        );
      }
    });
  }
}

/** Clients without TLS have a matrix of their own: of those one is enough, and one mode for the variants of TLS. */
function isWorthIt(client: ClientName, mode: Mode, say: Omit<ClientTls, 'ca'> | undefined): boolean {
  if (!say) return client === 'ftplib';
  if (isVariant(say)) return mode === 'extended-passive' && (client === 'curl' || client === 'ftplib');
  return true;
}

function isVariant(say: Omit<ClientTls, 'ca'> | undefined): boolean {
  return say?.maxVersion !== undefined || say?.kind === 'implicit' || say?.data === 'clear';
}
