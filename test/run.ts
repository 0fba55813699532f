/**
 * Runs test files with Node's own runner, as tsc emitted them, and fails when it finds fewer than there must be:
 *
 *     node --enable-source-maps build/test/run.js unit|integration [PART-OF-A-FILE-NAME ...]
 *
 * The files are found in `test`: `build` may hold some whose source is gone.
 */
import { readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, relative } from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { emittedFile, root } from './support/project.ts';

const fewest = { unit: 45, integration: 7 };

/** They take longest, the first of them most: begun last, they would be waited for alone. */
const longest = {
  unit: [
    'fuzz/fuzz',
    'refused-commands',
    'served-by-accident',
    'commands/run',
    'greeting-queue',
    'standard-output',
  ],
  integration: [
    'rulesets',
    'ftps-modes',
    'ftps.test',
    'kernel-plane',
    'matrix',
    'path-peers',
    'borrowed-addresses',
    'path.test',
    'doctor',
    'differential',
    'faults',
    'integration/package',
  ],
};

const [kind, ...filter] = process.argv.slice(2);
if (kind !== 'unit' && kind !== 'integration') {
  throw new Error(`the first argument is '${kind ?? ''}', allowed: unit, integration`);
}

const sources = readdirSync(join(root, 'test'), { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.test.ts'))
  .filter((name) => name.startsWith('integration/') === (kind === 'integration'))
  .map((name) => join('test', name))
  .sort();

if (sources.length < fewest[kind]) {
  throw new Error(`found ${sources.length} files of ${kind} tests, expected at least ${fewest[kind]}`);
}

/** Where it is begun: the lower the earlier. */
function rank(name: string): number {
  const index = longest[kind as keyof typeof longest].findIndex((part) => name.includes(part));
  return index === -1 ? Infinity : index;
}

const chosen = sources
  .filter((name) => filter.length === 0 || filter.some((part) => name.includes(part)))
  .sort((one, other) => (rank(one) === rank(other) ? 0 : rank(one) - rank(other)))
  .map(emittedFile);
// Unit tests keep a processor busy each, and what Node chooses leaves one idle. Much of what integration tests do is to
// wait, and each has namespaces of its own.
const usual = kind === 'unit' ? availableParallelism() : availableParallelism() + 1;
const concurrency = Number(process.env['TEST_CONCURRENCY'] ?? usual);
const stream = run({ files: chosen, concurrency, timeout: 15 * 60_000 });
/** Of each file that is done, in milliseconds. */
const durations = new Map<string, number>();
let passed = 0;
stream.on('test:pass', () => passed++);
stream.on('test:fail', () => (process.exitCode = 1));
stream.on('test:complete', ({ name, details }) => {
  if (chosen.includes(name)) durations.set(name, details.duration_ms);
});
stream.on('end', () => {
  if (passed === 0) process.exitCode = 1;
  const slowest = [...durations].sort(([, one], [, other]) => other - one).slice(0, 12);
  console.log('The files that took longest, in seconds:');
  for (const [name, ms] of slowest)
    console.log(`${(ms / 1000).toFixed(1).padStart(7)}  ${relative(root, name)}`);
});
stream.pipe(new spec()).pipe(process.stdout);
