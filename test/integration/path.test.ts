/**
 * A dialogue through the relay equals the dialogue without it on a real path as well: with delay, loss, jitter and
 * packets that overtake each other between client and gateway. Real clients with real servers, directly and over either
 * plane; files are compared byte for byte and the dialogues line by line.
 *
 * With TEST_PATH=all every client meets every condition with both servers, and what once failed is repeated 50
 * times: some half an hour.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import { compareDialogues } from '../support/dialogue/compare.ts';
import { recordDialogue } from '../support/dialogue/record.ts';
import { makeCertificates, type Certificates } from '../support/lab/certificates.ts';
import {
  capability,
  modes,
  runSession,
  safeUpload,
  type ClientName,
  type ClientTls,
  type Mode,
  type Step,
} from '../support/lab/clients.ts';
import { createNetwork, type Network } from '../support/lab/network.ts';
import type { PathSettings } from '../support/lab/path.ts';
import { debianPython, requirements, skipOrFail } from '../support/lab/provision.ts';
import { startRelay, type LabRelay } from '../support/lab/relay.ts';
import { startServer, type LabServer, type ServerName } from '../support/lab/servers.ts';
import { sourceFolder } from '../support/project.ts';

const missing = await requirements();
const isAll = process.env['TEST_PATH'] === 'all';
const repeats = isAll ? 50 : 2;

const conditions = {
  '60 ms': { delay: 60 },
  '60 ms and 1 % loss': { delay: 60, loss: 0.01 },
  '200 ms, jitter and reordering': { delay: 200, jitter: 30, reorder: 0.05 },
} as const satisfies Record<string, PathSettings>;
type Condition = keyof typeof conditions;

const clients: readonly ClientName[] = ['curl', 'lftp', 'ftplib', 'tnftp'];

/** What of all that is run each time: every client in every mode over delay alone, and the rest by one or two. */
function isChosen(server: ServerName, client: ClientName, mode: Mode, condition: Condition): boolean {
  if (isAll) return true;
  if (condition === '60 ms') return server === 'vsftpd' || client === 'ftplib';
  if (server === 'proftpd' || mode.startsWith('extended')) return false;
  return client === (condition === '60 ms and 1 % loss' ? 'curl' : 'ftplib');
}

/** The script prints what it has got: it has to be text. */
const small = randomBytes(768).toString('base64');
const medium = randomBytes(15_000).toString('base64');
const large = randomBytes(750_000).toString('base64');
const files = { 'small.txt': small, 'medium.txt': medium, 'large.txt': large } as const;

const early = 'a client that closes at the 226';

/** One network for each, so that their waiting goes on at once. */
const stands = (['vsftpd', 'proftpd'] as const).flatMap((server) =>
  (Object.keys(conditions) as Condition[]).flatMap((condition) =>
    [...clients, early].map((who) => ({ server, condition, who })),
  ),
);

describe('over a real path', { concurrency: isAll ? 4 : 8 }, () => {
  for (const { server, condition, who } of stands) {
    if (who === early) {
      // ProFTPD waits ten seconds for such a client to close first, with a relay and without.
      if (server === 'proftpd' && !(isAll && condition === '60 ms')) continue;
      describe(`${who}, ${server} over ${condition}`, { concurrency: 1 }, () => {
        closesEarly(withPath(server, condition), server === 'proftpd' ? 1 : repeats);
      });
      continue;
    }
    const client = clients.find((each) => each === who) ?? assert.fail(who);
    const chosen = modes
      .filter((mode) => capability(client, mode, 4, 'download') === true)
      .filter((mode) => isChosen(server, client, mode, condition));
    if (chosen.length === 0) continue;
    describe(`${client}, ${server} over ${condition}`, { concurrency: 1 }, () => {
      samePassages(withPath(server, condition), client, server, chosen, isAll || condition === '60 ms');
    });
  }
});

interface Stand {
  readonly network: Network;
  readonly server: LabServer;
  readonly relay: LabRelay;
  readonly kernel: LabRelay;
  /** In front of the same server, with TLS that ends at the relay. */
  readonly secured: LabRelay;
  readonly certificates: Certificates;
}

/** Made before the tests of a suite, and gone with them. */
function withPath(name: ServerName, condition: Condition): () => Stand {
  let made: Network | undefined;
  let stand: Stand | undefined;
  before(async () => {
    if (missing.length > 0) return;
    const network = await createNetwork({ forwarding: true, paths: ['public'] });
    made = network;
    const server = await startServer(network, name);
    const certificates = await makeCertificates(network.folder);
    const { cert, key } = certificates.server;
    const tls = ['--tls', 'terminate', '--tls-cert', cert, '--tls-key', key];
    stand = {
      ...{ network, server, certificates },
      relay: await startRelay(network),
      kernel: await startRelay(network, { listen: '198.51.100.1:2121', flags: ['--plane', 'kernel'] }),
      secured: await startRelay(network, { listen: '198.51.100.1:2122', flags: tls }),
    };
    for (const [file, text] of Object.entries(files)) server.put(file, text);
    await network.setPath('public', conditions[condition]);
  });
  // Whatever of it could be made.
  after(() => made?.dispose());
  return () => stand ?? assert.fail('no network');
}

function samePassages(
  stand: () => Stand,
  client: ClientName,
  name: ServerName,
  chosen: readonly Mode[],
  withTls: boolean,
): void {
  for (const mode of chosen) {
    test(`${mode} mode: list, down and up, as without the relay`, async (t) => {
      if (skipOrFail(t, missing)) return;
      const { network, server, relay, kernel } = stand();
      const passage = async ({ address, port }: LabServer | LabRelay): ReturnType<typeof recorded> =>
        recorded(network, server, client, mode, { address, port });
      const direct = await passage(server);
      for (const [plane, at] of [
        ['relay', relay],
        ['kernel', kernel],
      ] as const) {
        const difference = compareDialogues(direct, await passage(at));
        assert.equal(difference, '', `direct (-) and over the ${plane} plane (+) differ:\n${difference}`);
      }
    });

    const tls: Omit<ClientTls, 'ca'> = { kind: 'explicit', data: 'protected' };
    if (!withTls || capability(client, mode, 4, 'upload', { ...tls, server: name }) !== true) continue;
    test(`${mode} mode with TLS: list, down and up`, async (t) => {
      if (skipOrFail(t, missing)) return;
      const { network, server, secured, certificates } = stand();
      const at = { address: secured.address, port: secured.port };
      // Others close without what they have to say, without any relay, where more than this is on its way.
      const most = client === 'ftplib' ? Infinity : safeUpload;
      await performs(network, server, client, mode, at, { ...tls, ca: certificates.ca }, most);
    });
  }
}

function closesEarly(stand: () => Stand, times: number): void {
  for (const [mode, verb, file] of [
    ['passive', 'RETR', 'medium.txt'],
    ['passive', 'RETR', 'large.txt'],
    ['active', 'RETR', 'small.txt'],
    ['active', 'RETR', 'large.txt'],
    ['active', 'LIST', ''],
  ] as const) {
    test(`has all of it: ${mode} ${verb} ${file}, in clear and with TLS`, async (t) => {
      if (skipOrFail(t, missing)) return;
      const { network, server, relay, secured, certificates } = stand();
      for (let n = 0; n < times; n++) {
        for (const [at, ca] of [
          [relay, ''],
          [secured, certificates.ca],
        ] as const) {
          if (ca !== '' && verb === 'LIST') continue;
          const got = await closesAt226(network, server, at, mode, verb, file, ca);
          if (file === '') assert.match(got, /large\.txt/);
          else assert.ok(got === files[file], `${got.length} of ${files[file].length} bytes`);
        }
      }
    });
  }
}

async function closesAt226(
  network: Network,
  { user, password }: LabServer,
  { address, port }: LabRelay,
  ...words: readonly string[]
): Promise<string> {
  const script = join(sourceFolder(import.meta.dirname), '../support/lab/closes-at-226.py');
  const argv = [debianPython, script, address, String(port), user, password, ...words];
  const { stdout, stderr, code } = await network.exec('client', argv, { timeout: 60_000 });
  assert.equal(code, 0, stderr);
  return stdout;
}

async function recorded(
  network: Network,
  server: LabServer,
  client: ClientName,
  mode: Mode,
  at: { readonly address: string; readonly port: number },
): Promise<Awaited<ReturnType<typeof recordDialogue>>['dialogue']> {
  const run = (): Promise<void> => performs(network, server, client, mode, at);
  const { dialogue } = await recordDialogue(network, run, { controlPort: at.port, settle: 10_000 });
  return dialogue;
}

async function performs(
  network: Network,
  server: LabServer,
  client: ClientName,
  mode: Mode,
  at: { readonly address: string; readonly port: number },
  tls?: ClientTls,
  mostUp = Infinity,
): Promise<void> {
  const local = (name: string): string => join(network.folder, name);
  const ups = { 'up-small.txt': small, 'up-large.txt': large.slice(0, mostUp) } as const;
  for (const [name, text] of Object.entries(ups)) {
    rmSync(join(server.root, name), { force: true });
    writeFileSync(local(name), text);
  }
  const downs = ['small.txt', 'large.txt'] as const;
  for (const name of downs) rmSync(local(name), { force: true });
  const steps: Step[] = [
    { operation: 'list' },
    ...downs.map((name) => ({ operation: 'download' as const, remote: name, local: local(name) })),
    ...Object.keys(ups).map((name) => ({ operation: 'upload' as const, remote: name, local: local(name) })),
  ];
  const { user, password } = server;
  const session = { ...at, user, password, mode, timeout: 120_000, ...(tls && { tls }) };
  const { ok, output, listing } = await runSession(network, client, session, steps);
  assert.ok(ok, output);
  assert.ok(
    listing?.some((line) => line.includes('large.txt')),
    output,
  );
  for (const name of downs) assert.equal(readFileSync(local(name), 'utf8') === files[name], true, name);
  for (const [name, text] of Object.entries(ups)) {
    assert.equal(server.read(name).toString() === text, true, name);
  }
}
