/**
 * Runs test files with Node's own runner, and fails when it finds fewer than there must be: on Node 20
 * `node --test DIR` finds no TypeScript file and exits 0.
 *
 *     node --import tsx test/run.ts unit|integration [PART-OF-A-FILE-NAME ...]
 */
import { readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';

const fewest = { unit: 45, integration: 7 };

const [kind, ...filter] = process.argv.slice(2);
if (kind !== 'unit' && kind !== 'integration') {
  throw new Error(`the first argument is '${kind ?? ''}', allowed: unit, integration`);
}

const files = readdirSync('test', { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.test.ts'))
  .filter((name) => name.startsWith('integration/') === (kind === 'integration'))
  .map((name) => join('test', name))
  .sort();

if (files.length < fewest[kind]) {
  throw new Error(`found ${files.length} files of ${kind} tests, expected at least ${fewest[kind]}`);
}

/** They take minutes: begun last, they would be waited for alone. */
const longest = ['matrix', 'rulesets'];
const isLong = (name: string): boolean => longest.some((part) => name.includes(part));

const chosen = files
  .filter((name) => filter.length === 0 || filter.some((part) => name.includes(part)))
  .sort((one, other) => Number(isLong(other)) - Number(isLong(one)));
// Unit tests keep a processor busy each, and what Node chooses leaves one idle. Much of what integration tests do is to
// wait, and each has namespaces of its own.
const concurrency = kind === 'unit' ? availableParallelism() : 2;
const stream = run({ files: chosen, concurrency, timeout: 15 * 60_000 });
let passed = 0;
stream.on('test:pass', () => passed++);
stream.on('test:fail', () => (process.exitCode = 1));
stream.on('end', () => {
  if (passed === 0) process.exitCode = 1;
});
stream.pipe(new spec()).pipe(process.stdout);
