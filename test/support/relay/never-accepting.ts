import { once } from 'node:events';
import type { TestContext } from 'node:test';
import { Worker } from 'node:worker_threads';
import type { Address } from '../../../src/net/address.ts';
import type { Endpoint } from '../../../src/net/endpoint.ts';
import { within } from './within.ts';

/**
 * A listener in a thread that does nothing any more. The system accepts two connections in its place (its
 * queue is one and one more); whoever dials after those gets no answer.
 */
export async function neverAccepting(t: TestContext, at: Address): Promise<Endpoint> {
  const worker = new Worker(
    `const { parentPort, workerData } = require('node:worker_threads');
    const server = require('node:net').createServer();
    server.listen({ host: workerData, port: 0, backlog: 1 }, () => {
      parentPort.postMessage(server.address().port);
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
    });`,
    { eval: true, workerData: at },
  );
  t.after(() => worker.terminate());
  const [port] = (await within(once(worker, 'message'), 'the thread')) as [number];
  return { address: at, port };
}
