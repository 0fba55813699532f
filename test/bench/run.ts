/**
 * Measures, and prints ratios of things run side by side in one run:
 *
 *     npm run bench [-- throughput|transfers|path|ftps|pinholes|idle|strangers|admin|workers|before ...] [--pairs=N]
 *
 * `before` compares this build with another, whose folder (with cli.js in it) is in BENCH_BEFORE.
 */
import { measureAdmin } from './admin.ts';
import { measureBefore } from './before.ts';
import { measureFtps } from './ftps.ts';
import { measureIdleSessions } from './idle-sessions.ts';
import { measurePath } from './path.ts';
import { measurePinholes } from './pinholes.ts';
import { measureStrangers } from './strangers.ts';
import { measureThroughput } from './throughput.ts';
import { measureTransfers } from './transfers.ts';
import { prepare } from './ways.ts';
import { measureWorkers } from './workers.ts';

const all = {
  throughput: measureThroughput,
  transfers: measureTransfers,
  path: measurePath,
  ftps: measureFtps,
  pinholes: measurePinholes,
  idle: () => measureIdleSessions(),
  strangers: measureStrangers,
  admin: measureAdmin,
  workers: measureWorkers,
  before: measureBefore,
};

const words = process.argv.slice(2);
const pairs = Number(words.find((word) => word.startsWith('--pairs='))?.slice('--pairs='.length) ?? 5);
// Files of the measurements lie in memory where that can be: a disk is not what is measured.
process.env['TMPDIR'] ??= '/dev/shm';

const missing = await prepare();
if (missing !== undefined) throw new Error(`the bench needs what is missing here: ${missing}`);
for (const [name, measure] of Object.entries(all)) {
  const isWanted = words.every((word) => word.startsWith('--')) ? name !== 'before' : words.includes(name);
  if (isWanted) await measure(pairs);
}
