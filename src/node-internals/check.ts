import { closing } from './before-close.ts';
import { certificateErrors } from './certificate-error.ts';
import { descriptors } from './descriptor.ts';
import { passedConnections } from './passed-connection.ts';
import { isUsable, type Part, type Use } from './part.ts';
import { bufferedReads } from './reads-into-buffer.ts';
import { sessionIds } from './sessions-by-id.ts';
import { ticketKeys } from './ticket-keys.ts';
import { tlsErrors } from './tls-errors.ts';
import { writeCounts } from './unsent.ts';

/** The versions of Node that the tests run on: `engines` of package.json allows no others. */
export const triedVersions = [20, 22, 24] as const;

/** All of them, those that nothing takes the place of first. */
export const nodeParts: readonly Part[] = [
  descriptors,
  closing,
  tlsErrors,
  certificateErrors,
  passedConnections,
  writeCounts,
  bufferedReads,
  ticketKeys,
  sessionIds,
];

/**
 * Looks for the parts of Node that are used and that its documentation does not promise. Takes some milliseconds.
 *
 * @returns what to warn of, one line each: a version that nobody has tried, and what is done in the place of what
 * @throws where something is missing that nothing takes the place of
 */
export function checkNode(
  uses: ReadonlySet<Use>,
  version: string = process.version,
  parts: readonly Part[] = nodeParts,
): string[] {
  const tried = `Node ${triedVersions.slice(0, -1).join(', ')} and ${triedVersions.at(-1) ?? ''}`;
  const missing = parts.filter((part) => uses.has(part.use) && !isUsable(part));
  const wordsOf = ({ name, without }: Part): string =>
    `Node ${version} has no ${name} as ${tried} have it: ${without}`;
  const needed = missing.filter(({ isNeeded }) => isNeeded);
  if (needed.length > 0) throw new Error(needed.map(wordsOf).join('; '));
  const [, major] = /^v(\d+)\./.exec(version) ?? [];
  const isTried = triedVersions.some((each) => String(each) === major);
  return [
    ...(isTried ? [] : [`Node ${version}: Pinhole was tried with ${tried} alone`]),
    ...missing.map(wordsOf),
  ];
}
