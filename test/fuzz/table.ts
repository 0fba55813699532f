import { setTimeout as delay } from 'node:timers/promises';
import { mustRun } from '../support/lab/process.ts';

/** What of a table of nftables is read, as JSON. */
interface Listing {
  readonly nftables: readonly {
    readonly set?: Elements;
    readonly map?: Elements;
  }[];
}

interface Elements {
  readonly name: string;
  readonly elem?: readonly unknown[];
}

/** How long elements may take to go by themselves, in milliseconds; those for what has just been connected do. */
const patience = 15_000;

/** The elements that stay in a table of this network namespace. */
export async function elementsLeft(table: string): Promise<string[]> {
  const end = performance.now() + patience;
  for (;;) {
    const left = await elementsOf(table);
    if (left.length === 0 || performance.now() > end) return left;
    await delay(200);
  }
}

async function elementsOf(table: string): Promise<string[]> {
  const listing = await mustRun(['nft', '-j', 'list', 'table', 'inet', table], { timeout: 10_000 });
  const { nftables } = JSON.parse(listing) as Listing;
  return nftables
    .flatMap(({ set, map }) => [set, map])
    .flatMap((each) => (each?.elem ?? []).map((element) => `${each?.name ?? ''} ${JSON.stringify(element)}`));
}
