import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { runProcess, type Finished } from '../support/lab/process.ts';
import { emittedFile, root } from '../support/project.ts';
import type { Mode } from './dialogue.ts';
import { readKept } from './kept.ts';
import { play } from './play.ts';
import { plants } from './plants.ts';
import { checkCommand } from './pure.ts';
import { FuzzedRelay } from './relay.ts';

/** How long all modes are fuzzed in a run of the tests, in seconds, and from which seed. */
const seconds = Number(process.env['TEST_FUZZ_SECONDS'] ?? 30);
const firstSeed = 1;
/** In how many dialogues a planted fault has to be seen: most show themselves in the first. */
const plantCount = 400;
const plantSeconds = 100;

function fuzz(args: readonly string[], limit: number): Promise<Finished> {
  const program = [process.execPath, emittedFile('test/fuzz/run.ts')];
  return runProcess([...program, ...args], { timeout: (limit + 120) * 1000 });
}

test('random dialogues in every mode of TLS come out as the model has them', async () => {
  const { code, stdout, stderr } = await fuzz(
    ['--seconds', String(seconds), '--seed', String(firstSeed)],
    seconds,
  );
  assert.equal(code, 0, stdout + stderr);
  const [, dialogues, pinholes] = /, (\d+) dialogues .* (\d+) pinholes, .* 0 failures\n$/.exec(stdout) ?? [];
  assert.ok(Number(dialogues) > 0 && Number(pinholes) > 0, stdout);
});

// One process for all: a start and a warm-up for each would take most of the time.
describe('a planted fault is seen', () => {
  let finished: Finished;
  before(async () => {
    const args = ['--count', String(plantCount), '--seconds', String(plantSeconds), '--seed', '1'];
    const limit = plantSeconds * Object.keys(plants).length;
    finished = await fuzz([...args, '--tls', 'refuse', '--plant', 'all'], limit);
  });
  for (const [name, { property }] of Object.entries(plants)) {
    test(name, () => {
      const { code, stdout, stderr } = finished;
      assert.equal(code, 1, stdout + stderr);
      const [, found = ''] = new RegExp(`^== ${name}\\n((?:(?!== ).*\\n)*)`, 'm').exec(stdout) ?? [];
      assert.match(found, new RegExp(`^property ${property}, `, 'm'), stdout + stderr);
    });
  }
});

const relays = new Map<Mode, FuzzedRelay>();
after(() => Promise.all([...relays.values()].map((relay) => relay.close())));

async function relayOf(mode: Mode): Promise<FuzzedRelay> {
  const relay = relays.get(mode) ?? (await FuzzedRelay.start({ mode, plane: 'relay', lane: relays.size }));
  relays.set(mode, relay);
  return relay;
}

for (const { found, open, mode, dialogue, line } of readKept()) {
  test(`does no more: ${found}`, { todo: open === true && 'the relay does it still' }, async () => {
    if (line !== undefined) assert.equal(checkCommand(line), undefined);
    if (!mode || !dialogue) return;
    const relay = await relayOf(mode);
    for (let seed = 1; seed <= 3; seed++) {
      const { complaints, transcript } = await play(relay, dialogue, seed);
      assert.deepEqual(complaints, [], JSON.stringify(transcript.entries));
    }
  });
}

test('the model shares nothing with the relay', () => {
  const folder = join(root, 'test/fuzz');
  const files = [
    'model.ts',
    'transcript.ts',
    ...readdirSync(join(folder, 'model')).map((name) => join('model', name)),
  ];
  const allowed = new Set(files.map((name) => join(folder, name)));
  for (const name of files) {
    const text = readFileSync(join(folder, name), 'utf8');
    const imported = [...text.matchAll(/\bfrom '([^']+)'|\bimport\(|\brequire\(/g)].map(
      ([whole, path]) => path ?? whole,
    );
    for (const path of imported) {
      const target = join(dirname(join(folder, name)), path);
      assert.ok(allowed.has(target), `${name} imports ${relative(folder, target)}`);
    }
  }
});
