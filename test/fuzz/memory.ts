/** Whether memory stays bounded: from dialogue to dialogue, and where a peer does not read. */
import { readFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { hosts } from '../support/relay/hosts.ts';
import type { FuzzedRelay } from './relay.ts';
import { Control, dial, Notes, turn } from './stage.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

const mebibyte = 1024 * 1024;

/** How much more may be in use at the end than at the beginning, in bytes: what is compiled, pooled and cached grows too. */
const allowance = 24 * mebibyte;
/** What of the beginning says nothing, and how many measurements say something. */
const fewest = 9;

/** What is in use after a collection, measured now and then. */
export class Heap {
  readonly #sizes: number[] = [];

  measure(): void {
    collect();
    const { heapUsed, external } = process.memoryUsage();
    this.#sizes.push(heapUsed + external);
  }

  /** The first third is compared with the last; undefined where all is well. */
  whatIsWrong(): string | undefined {
    const third = Math.floor(this.#sizes.length / 3);
    if (this.#sizes.length < fewest) return undefined;
    const first = median(this.#sizes.slice(0, third));
    const last = median(this.#sizes.slice(-third));
    if (last - first <= allowance) return undefined;
    return `${inMebibytes(first)} MiB were in use in the first third of the time, and ${inMebibytes(last)} in the last`;
  }
}

function median(sizes: readonly number[]): number {
  return [...sizes].sort((one, other) => one - other)[Math.floor(sizes.length / 2)] ?? 0;
}

const inMebibytes = (bytes: number): string => (bytes / mebibyte).toFixed(1);

/** What the relay may keep of a side: what it reads while it holds a channel, a read, what streams of Node keep, and a line. */
const mostKept = 2 * mebibyte;

/** In turns of the event loop, for what takes a few of them. */
const mostTurns = 20_000;

/**
 * One side floods the other, which does not read. Returns what is wrong with what the relay takes: it must not be more than
 * the buffers of the two connections in the system, and a little.
 */
export async function flood(relay: FuzzedRelay, from: 'client' | 'server'): Promise<string | undefined> {
  const notes = new Notes();
  const near = await dial(hosts.relay, relay.port, hosts.client);
  if (!near) return 'the relay takes no client';
  const { waiting } = relay.server;
  for (let n = 0; waiting.length === 0 && n < mostTurns; n++) await turn();
  const far = waiting.shift();
  if (!far) return 'the relay does not connect to the server';
  const client = new Control('client', near, notes);
  const server = new Control('server', far, notes);
  try {
    await server.say('230 Let in.\r\n');
    await notes.until(() => client.heard !== '');
    const [writer, reader] = from === 'client' ? [near, server] : [far, client];
    reader.deaf();
    const line = from === 'client' ? `NOOP ${'x'.repeat(8000)}\r\n` : `200 ${'x'.repeat(8000)}\r\n`;
    const bound = systemsBuffers() + mostKept;
    const segment = Buffer.from(line.repeat(64));
    let left = Math.ceil((1.5 * bound) / segment.length);
    const write = (): void => {
      while (left-- > 0) if (!writer.write(segment)) return;
    };
    writer.on('drain', write);
    write();
    const taken = (): number => writer.bytesWritten - writer.writableLength;
    for (let still = 0, last = -1; still < 200; still++) {
      await turn();
      if (taken() !== last) still = 0;
      last = taken();
    }
    if (taken() <= bound) return undefined;
    return `the relay took ${inMebibytes(taken())} MiB of a ${from} whose peer does not read, the system keeps ${inMebibytes(systemsBuffers())}`;
  } finally {
    near.resetAndDestroy();
    far.resetAndDestroy();
  }
}

/** Of the two connections, in bytes. */
function systemsBuffers(): number {
  const largest = (kind: string): number =>
    Number(readFileSync(`/proc/sys/net/ipv4/tcp_${kind}`, 'utf8').trim().split(/\s+/)[2]);
  return 2 * (largest('rmem') + largest('wmem'));
}
