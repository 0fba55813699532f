/**
 * A dialogue through the relay equals the dialogue without it, but for addresses and ports. Every real client and real
 * server do all that they can in every mode, in one session, directly and through the relay on either plane; files are
 * compared byte for byte and the dialogues line by line. With UPDATE_DOCS=1 the table that it prints
 * goes to docs/compatibility.md.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import { compareDialogues } from '../support/dialogue/compare.ts';
import { recordDialogue } from '../support/dialogue/record.ts';
import {
  capability,
  clientNames,
  modes,
  operations,
  runSession,
  type ClientName,
  type Mode,
  type Operation,
} from '../support/lab/clients.ts';
import { createNetwork, type Family, type Network } from '../support/lab/network.ts';
import { requirements, skipOrFail } from '../support/lab/provision.ts';
import { startRelay, type LabRelay } from '../support/lab/relay.ts';
import { serverNames, startServer, type LabServer, type ServerName } from '../support/lab/servers.ts';
import { describeCompatibility, updateCompatibility, type Cell } from '../support/compatibility.ts';

const missing = await requirements();
const families: readonly Family[] = [4, 6];
const content = randomBytes(150_000);
const half = content.subarray(0, 70_000);
const cells: Cell[] = [];

describe('every client with every server, directly and over either plane', { concurrency: 3 }, () => {
  // Inside, tests share a network: one at a time.
  for (const family of families) {
    for (const name of serverNames) {
      describe(`${name} over IPv${family}`, { concurrency: 1 }, () => {
        ofServer(name, family);
      });
    }
  }
  after(() => {
    if (cells.length === 0) return;
    updateCompatibility('clear', describeCompatibility(cells));
  });
});

interface Stand {
  readonly server: LabServer;
  readonly relay: LabRelay;
  /** On the kernel plane. */
  readonly kernel: LabRelay;
}

/** The administrator's own: on the kernel plane every byte of a data channel passes it. */
const firewall = `table inet filter {
  chain forward {
    type filter hook forward priority filter;
    ct state established accept
    ct mark 0x2121 accept
  }
}
`;

/** What the gateway forwards: all, nothing, or what bears Pinhole's mark. */
async function forward(network: Network, what: 'all' | 'nothing' | 'marked'): Promise<void> {
  const policy = what === 'marked' ? 'drop' : 'accept';
  await network.must('gateway', [
    ...['nft', 'add', 'chain', 'inet', 'filter', 'forward'],
    `{ type filter hook forward priority filter; policy ${policy}; }`,
  ]);
  await network.setForwarding(what !== 'nothing');
}

function ofServer(name: ServerName, family: Family): void {
  let network: Network | undefined;
  let stand: Stand | undefined;

  before(async () => {
    if (missing.length > 0) return;
    network = await createNetwork();
    await network.must('gateway', ['nft', '-f', '-'], { input: firewall });
    const server = await startServer(network, name, { family });
    const relay = await startRelay(network, { family });
    const listen = family === 4 ? `${relay.address}:2121` : `[${relay.address}]:2121`;
    stand = {
      server,
      relay,
      kernel: await startRelay(network, { family, listen, flags: ['--plane', 'kernel'] }),
    };
  });
  after(() => network?.dispose());

  for (const client of clientNames) {
    for (const mode of modes) {
      const can = operations.filter((operation) => capability(client, mode, family, operation) === true);
      const cell = { server: name, client, family, mode, lacks: lacksOf(client, mode, family), can };
      if (can.length === 0) {
        cells.push(cell);
        continue;
      }
      test(`${client} in ${mode} mode: ${can.join(', ')}`, async (t) => {
        if (skipOrFail(t, missing)) return;
        assert.ok(network && stand);
        cells.push({ ...cell, ...(await samePassage(network, stand, client, mode, can)) });
      });
    }
  }
}

function lacksOf(client: ClientName, mode: Mode, family: Family): Partial<Record<Operation, string>> {
  return Object.fromEntries(
    operations
      .map((operation) => [operation, capability(client, mode, family, operation)] as const)
      .filter(([, can]) => can !== true),
  );
}

/** Does everything directly and then over each plane, and compares what passed. */
async function samePassage(
  network: Network,
  { server, relay, kernel }: Stand,
  client: ClientName,
  mode: Mode,
  can: readonly Operation[],
): Promise<{ clientVersion: string; serverVersion: string }> {
  const passage = ({ address, port }: LabServer | LabRelay): ReturnType<typeof recordDialogue<string>> =>
    recordDialogue(network, () => performs(network, server, client, mode, can, { address, port }), {
      controlPort: port,
    });
  await forward(network, 'all');
  const direct = await passage(server);
  // The relay is the only way now: an address that it did not rewrite leads nowhere.
  await forward(network, 'nothing');
  const relayed = await passage(relay);
  await forward(network, 'marked');
  const forwarded = await passage(kernel);
  for (const [plane, { dialogue }] of Object.entries({ relay: relayed, kernel: forwarded })) {
    const difference = compareDialogues(direct.dialogue, dialogue);
    assert.equal(difference, '', `direct (-) and over the ${plane} plane (+) differ:\n${difference}`);
  }
  return { clientVersion: relayed.result, serverVersion: server.version };
}

/** Does each in one session, where the client can, and returns the client's version. */
async function performs(
  network: Network,
  server: LabServer,
  client: ClientName,
  mode: Mode,
  can: readonly Operation[],
  at: { readonly address: string; readonly port: number },
): Promise<string> {
  server.put('listed.txt', 'whatever');
  server.put('down.bin', content);
  rmSync(join(server.root, 'upload.bin'), { force: true });
  server.put('resume-upload.bin', half);
  const local = (operation: Operation): string => join(network.folder, `${operation}.bin`);
  for (const operation of can) {
    if (isUpload(operation)) writeFileSync(local(operation), content);
    else if (operation === 'resume-download') writeFileSync(local(operation), half);
    else rmSync(local(operation), { force: true });
  }

  const { user, password } = server;
  const steps = can.map((operation) => ({
    operation,
    remote: isUpload(operation) ? `${operation}.bin` : 'down.bin',
    local: local(operation),
  }));
  const { ok, output, listing, version } = await runSession(
    network,
    client,
    { ...at, user, password, mode },
    steps,
  );
  assert.ok(ok, output);
  for (const { operation, remote } of steps) {
    if (operation === 'list') {
      assert.ok(
        listing?.some((line) => line.includes('listed.txt')),
        output,
      );
      continue;
    }
    const arrived = isUpload(operation) ? server.read(remote) : readFileSync(local(operation));
    assert.ok(
      arrived.equals(content),
      `${operation}: ${arrived.length} of ${content.length} bytes, or others`,
    );
  }
  return version;
}

function isUpload(operation: Operation): boolean {
  return operation === 'upload' || operation === 'resume-upload';
}
