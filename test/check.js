/**
 * What `npm run check` does: the checks side by side, as many as there are processors, the output of each in one piece.
 * Plain JavaScript, since nothing has been emitted when it starts.
 */
import { spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { performance } from 'node:perf_hooks';
import process from 'node:process';

/**
 * @typedef {object} Check
 * @property {string} name
 * @property {string} command
 * @property {string} [needs] the check that has to pass before it
 */

/** In the order in which they start. @type {readonly Check[]} */
const checks = [
  { name: 'types', command: 'npm run --silent emit' },
  { name: 'lint', command: 'npm run --silent lint' },
  { name: 'unit tests', command: 'npx c8 node --enable-source-maps build/test/run.js unit', needs: 'types' },
  // Not beside the tests: it would only take the processors from them.
  // All of them in CI; elsewhere those of what leans on Node's own parts, as `npm run nodes` has all as well.
  {
    name: 'other versions of Node',
    command: `node build/test/nodes.js${process.env['CI'] === 'true' ? '' : ' node-internals/ net/ tls/ linux/ plane/ log/'}`,
    needs: 'unit tests',
  },
  { name: 'package', command: 'npm run --silent published' },
  { name: 'format', command: 'npm run --silent format' },
  { name: 'layers', command: 'npm run --silent layers' },
  { name: 'dead code', command: 'npm run --silent dead' },
];

const waiting = [...checks];
/** Those that have ended. @type {Map<string, 'passed' | 'failed' | 'not run'>} */
const results = new Map();

/** Takes one check after the other, as long as one can start. What waits for a running one is left to who runs that. */
async function work() {
  for (;;) {
    const index = waiting.findIndex(({ needs }) => needs === undefined || results.has(needs));
    const [check] = index === -1 ? [] : waiting.splice(index, 1);
    if (check === undefined) return;
    if (check.needs !== undefined && results.get(check.needs) !== 'passed')
      results.set(check.name, 'not run');
    else await run(check);
  }
}

/** @param {Check} check */
async function run({ name, command }) {
  const started = performance.now();
  const child = spawn(command, { shell: true, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (/** @type {string} */ text) => (output += text));
  }
  const code = await new Promise((resolve) => child.once('close', resolve));
  const result = code === 0 ? 'passed' : 'failed';
  results.set(name, result);
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  process.stdout.write(`${output}== ${name} ${result} after ${seconds} s\n`);
}

await Promise.all(Array.from({ length: Math.max(2, availableParallelism()) }, work));

const bad = [...results].filter(([, result]) => result !== 'passed');
if (bad.length > 0) {
  process.stdout.write(`== ${bad.map(([name, result]) => `${name}: ${result}`).join(', ')}\n`);
  process.exitCode = 1;
}
