import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import type { Network } from './network.ts';

/** What the sets and maps of Pinhole's table on the gateway hold. */
async function elementsOf(network: Network, table: string): Promise<string[]> {
  const text = await network.must('gateway', ['nft', 'list', 'table', 'inet', table]);
  return [...text.matchAll(/elements = \{([^}]*)\}/g)].map(([, each = '']) => each.trim());
}

/** Waits until the table holds nothing: what does nothing any more is taken out in no hurry. Fails after 5 s. */
export async function noElementIsLeft(network: Network, table = 'pinhole'): Promise<void> {
  const end = Date.now() + 5_000;
  let left = await elementsOf(network, table);
  while (left.length > 0 && Date.now() < end) {
    await delay(20);
    left = await elementsOf(network, table);
  }
  assert.deepEqual(left, []);
}
