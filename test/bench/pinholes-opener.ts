/**
 * Runs in the gateway's namespace: two kernel planes, each with its table, one with few live pinholes and one with
 * many; prints the microseconds that it takes to open one more, `many` first.
 *
 *     node pinholes-opener.js PAIRS
 */
import { setImmediate as turn } from 'node:timers/promises';
import { addressOfBytes } from '../../src/net/address.ts';
import { openHostTable, startKernelPlane } from '../../src/plane/kernel-host.ts';
import type { Pinhole, Plane } from '../../src/plane/plane.ts';
import { inPairs, median, type Pairs } from './report.ts';

export interface Opened {
  readonly single: Pairs;
  readonly batched: Pairs;
}

const pairs = Number(process.argv[2] ?? 5);
const [few, many] = [10, 20_000];
const [singles, batches, batchSize] = [1000, 20, 100];
const reached = addressOfBytes(Uint8Array.of(198, 51, 100, 1));
const server = addressOfBytes(Uint8Array.of(10, 77, 0, 2));
const inside = addressOfBytes(Uint8Array.of(10, 77, 0, 1));
const owner = { channelOpened: () => undefined, channelClosed: () => undefined };

let count = 0;

/** Each for another client, and for another port of the server. */
function open(plane: Plane): Promise<Pinhole> {
  const n = ++count;
  return plane.open({
    session: n,
    mode: 'passive',
    command: 'EPSV',
    peer: addressOfBytes(Uint8Array.of(172, 16 + ((n >>> 16) & 0xf), (n >>> 8) & 0xff, n & 0xff)),
    alsoFrom: [],
    address: reached,
    own: { near: reached, far: inside },
    ports: { first: 50_000, last: 54_999 },
    preferredPort: 50_000 + (n % 5000),
    to: { address: server, port: 30_000 + (n % 1000) },
    from: { address: inside, port: 0 },
    timeout: 3_600_000,
    owner,
  });
}

async function close(pinholes: readonly Pinhole[]): Promise<void> {
  for (const pinhole of pinholes) pinhole.close('session-closed');
  // The end of this turn takes them out of the kernel.
  await turn();
  await turn();
}

async function start(name: string, mark: number, live: number): Promise<Plane> {
  const observe = (): void => undefined;
  const { table } = await openHostTable({ table: name, mark, what: 'the bench', forwards: true }, observe);
  const plane = await startKernelPlane({ table, observe });
  for (let n = 0; n < live; n += batchSize) {
    await Promise.all(Array.from({ length: Math.min(batchSize, live - n) }, () => open(plane)));
  }
  return plane;
}

/** The median: what else the process does now and then is not what is asked. */
async function measureSingles(plane: Plane): Promise<number> {
  const pinholes: Pinhole[] = [];
  const times: number[] = [];
  for (let n = 0; n < singles; n++) {
    const started = performance.now();
    pinholes.push(await open(plane));
    times.push(performance.now() - started);
  }
  await close(pinholes);
  return median(times) * 1000;
}

async function measureBatches(plane: Plane): Promise<number> {
  const times: number[] = [];
  for (let n = 0; n < batches; n++) {
    const started = performance.now();
    const pinholes = await Promise.all(Array.from({ length: batchSize }, () => open(plane)));
    times.push(performance.now() - started);
    await close(pinholes);
  }
  return (median(times) * 1000) / batchSize;
}

const calm = await start('few', 0x2122, few);
const crowded = await start('many', 0x2123, many);
// Compiled, and with warm caches.
for (const plane of [calm, crowded]) await measureSingles(plane);
const compare = (measure: (plane: Plane) => Promise<number>): Promise<Pairs> =>
  inPairs(
    pairs,
    () => measure(crowded),
    () => measure(calm),
  );
const opened: Opened = { single: await compare(measureSingles), batched: await compare(measureBatches) };
process.stdout.write(JSON.stringify(opened));
await Promise.all([calm.close(0), crowded.close(0)]);
process.exit();
