/**
 * Pinhole beside the kernel's own helper (`nf_conntrack_ftp`, `nf_nat_ftp`): the same dialogues through DNAT with
 * `ct helper set "ftp"`, and through Pinhole with each of its planes. What differs is named by a decision of the
 * design, or a failure. The table of it is printed.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, test } from 'node:test';

import { compareDialogues } from '../support/dialogue/compare.ts';
import type { Dialogue } from '../support/dialogue/dialogue.ts';
import { recordDialogue } from '../support/dialogue/record.ts';
import { readCorpus, type Case } from '../support/differential/corpus.ts';
import { decisionNames } from '../support/differential/decisions.ts';
import { judge } from '../support/differential/judge.ts';
import { outcomeOf, type Outcome } from '../support/differential/outcome.ts';
import { prepareReplay, replay, type Result } from '../support/differential/replay.ts';
import { pinholesOf, type LoggedPinhole } from '../support/differential/session-log.ts';
import { describeDifferences, type Compared } from '../support/differential/table.ts';
import { missingHelper, openWay, startWay, ways, type Way } from '../support/differential/ways.ts';
import { capability, modes, type ClientName, type Mode } from '../support/lab/clients.ts';
import { addresses, createNetwork, type Family, type Network } from '../support/lab/network.ts';
import { passage } from '../support/lab/passage.ts';
import { requirements, skipOrFail } from '../support/lab/provision.ts';
import type { LabRelay } from '../support/lab/relay.ts';
import { startServer, type LabServer } from '../support/lab/servers.ts';

const families: readonly Family[] = [4, 6];
const clients: readonly ClientName[] = ['curl', 'ftplib', 'tnftp', 'lftp'];
const content = randomBytes(200_000);

const lacking = await requirements();
const missing = lacking.length > 0 ? lacking : await missingHelper();
if (missing.length > 0) {
  test("Pinhole beside the kernel's helper", (t) => {
    skipOrFail(t, missing);
  });
} else {
  describe("Pinhole beside the kernel's helper", { concurrency: 1 }, compareWays);
}

function compareWays(): void {
  const networks = new Map<Way, Network>();

  before(async () => {
    await inEachWay(async (way) => {
      const network = await createNetwork({ forwarding: true });
      networks.set(way, network);
      await openWay(network, way);
    });
  });
  after(() => Promise.all([...networks.values()].map((network) => network.dispose())));

  const networkOf = (way: Way): Network => networks.get(way) ?? assert.fail('no network');

  describe('real clients with a real server', { concurrency: 1 }, () => {
    for (const family of families)
      describe(`over IPv${family}`, { concurrency: 1 }, () => {
        playWithClients(networkOf, family);
      });
  });

  describe('scripts of both ends', { concurrency: 1 }, () => {
    playScripts(networkOf);
  });
}

async function inEachWay<T>(work: (way: Way) => Promise<T>): Promise<Record<Way, T>> {
  const entries = await Promise.all(ways.map(async (way) => [way, await work(way)] as const));
  return Object.fromEntries(entries) as Record<Way, T>;
}

// --- real clients ----------------------------------------------------------------------------------------

function playWithClients(networkOf: (way: Way) => Network, family: Family): void {
  const servers = new Map<Way, LabServer>();
  const relays: LabRelay[] = [];

  before(async () => {
    await inEachWay(async (way) => {
      const server = await startServer(networkOf(way), 'vsftpd', { family });
      servers.set(way, server);
      const relay = await startWay(networkOf(way), way, family);
      if (relay) relays.push(relay);
    });
  });
  after(() => Promise.all([...relays, ...servers.values()].map((each) => each.stop())));

  for (const client of clients) {
    for (const mode of modes) {
      if (capability(client, mode, family, 'list') !== true) continue;
      test(`${client} lists, uploads and downloads in ${mode} mode: both ends see the same`, async () => {
        const recorded = await inEachWay((way) => {
          const server = servers.get(way) ?? assert.fail('no server');
          return record(networkOf(way), server, client, mode);
        });
        for (const plane of ['kernel', 'relay'] as const) {
          for (const end of ['client', 'server'] as const) {
            const difference = compareDialogues(recorded.helper[end], recorded[plane][end]);
            assert.equal(difference, '', `the ${end}, helper (-) and ${plane} plane (+):\n${difference}`);
          }
        }
      });
    }
  }
}

/** What both ends see of a listing, an upload and a download. */
async function record(
  network: Network,
  server: LabServer,
  client: ClientName,
  mode: Mode,
): Promise<Record<'client' | 'server', Dialogue>> {
  const session = { address: addresses[server.family].public, mode };
  const run = (): Promise<void> => passage(network, client, session, server, content);
  const atServer = await recordDialogue(network, () => recordDialogue(network, run), { host: 'server' });
  return { client: atServer.result.dialogue, server: atServer.dialogue };
}

// --- scripts ---------------------------------------------------------------------------------------------

function playScripts(networkOf: (way: Way) => Network): void {
  const corpus = readCorpus();
  const results: Record<Way, Result[]> = { helper: [], kernel: [], relay: [] };
  const logged: Record<Way, Map<string, LoggedPinhole[]>> = {
    helper: new Map(),
    kernel: new Map(),
    relay: new Map(),
  };

  before(async () => {
    await inEachWay(async (way) => {
      const network = networkOf(way);
      await prepareReplay(network);
      for (const family of families) {
        const relay = await startWay(network, way, family);
        const scripts = corpus.filter((each) => each.family === family);
        const played = await replay(network, way, family, scripts);
        await relay?.stop();
        results[way].push(...played);
        if (!relay) continue;
        const sessions = pinholesOf(relay.log());
        assert.equal(sessions.length, played.length);
        played.forEach(({ name }, index) => logged[way].set(name, sessions[index] ?? []));
      }
    });
  });

  const resultOf = (way: Way, { name }: Case): Result =>
    results[way].find((result) => result.name === name) ?? assert.fail(`${name}: not played`);
  const outcome = (way: Way, wireCase: Case): Outcome => outcomeOf(wireCase, way, resultOf(way, wireCase));
  const compared = (): Compared[] =>
    corpus.map((wireCase) => ({
      wireCase,
      helper: outcome('helper', wireCase),
      pinhole: outcome('kernel', wireCase),
    }));

  test('both planes do the same', () => {
    for (const each of corpus) assert.deepEqual(outcome('kernel', each), outcome('relay', each), each.name);
  });

  test("what differs from the kernel's helper is decided, and what is decided differs", () => {
    const all = compared();
    process.stdout.write(`\n${describeDifferences(all)}\n`);
    const wrong = all.flatMap(({ wireCase, helper, pinhole }) => {
      const trouble = judge(wireCase, helper, pinhole);
      return trouble === undefined ? [] : [{ name: wireCase.name, trouble, helper, pinhole }];
    });
    assert.deepEqual(wrong, []);
    const unused = decisionNames.filter((name) => !corpus.some(({ differs }) => differs === name));
    assert.deepEqual(unused, []);
  });

  test('an expectation is for one connection of one host, in every way', () => {
    let tried = 0;
    for (const way of ways) {
      for (const { name, expected } of results[way]) {
        assert.ok(expected.length <= 1, `${name}: ${way} expects more than one`);
        for (const { stranger = 'refused', again } of expected) {
          assert.equal(stranger, 'refused', `${name}: ${way} lets a stranger through`);
          assert.equal(again, 'refused', `${name}: ${way} lets a second connection through`);
          tried++;
        }
      }
    }
    assert.ok(tried >= 300);
  });

  test('the server sees passive connections come from where the control connection does', () => {
    for (const way of ways) {
      for (const { name, expected } of results[way]) {
        for (const { peer, source, at } of expected) {
          const family = at.startsWith('[') ? 6 : 4;
          const { client, inside } = addresses[family];
          if (peer !== client || source === undefined || source === null) continue;
          const from = way === 'helper' ? client : inside;
          assert.equal(source.replace(/:\d+$/, ''), family === 6 ? `[${from}]` : from, `${name}: ${way}`);
        }
      }
    }
  });

  test('the log has the pinholes of the gateway', () => {
    for (const way of ['kernel', 'relay'] as const) {
      for (const { name, expected } of results[way]) {
        const told = logged[way].get(name) ?? [];
        const has = expected.map(({ peer, at, leads }, index) => ({
          peer,
          at,
          // Nothing tells where one leads that is gone.
          to: leads === 'refused' ? told[index]?.to : leads,
        }));
        assert.deepEqual(told, has, `${name}: ${way}`);
      }
    }
  });
}
