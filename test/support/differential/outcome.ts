/** What came of a case in one way, with what two ways can't have in common left out. Pure. */
import { addresses } from '../lab/network.ts';
import type { Case } from './corpus.ts';
import type { Result, Tried } from './replay.ts';
import type { Way } from './ways.ts';

export interface Outcome {
  /** `ended`: all has passed. `held up`: what one side sent never arrives. `closed`: by the gateway. */
  readonly fate: 'ended' | 'held up' | 'closed' | 'silent';
  /** Whose words are held up, or how it was closed. */
  readonly detail: string;
  readonly toServer: string;
  readonly toClient: string;
  /** `client => 10.77.0.2:51213`: who may connect, and where that leads. */
  readonly lets: readonly string[];
}

export function outcomeOf(wireCase: Case, way: Way, result: Result): Outcome {
  const { client, server, ended, expected, stuck } = result;
  const closed = client.closed !== null && client.closed !== 'self';
  const alike = (text: string): string =>
    withoutChosenPorts(expected, withClientsAddress(wireCase, way, text));
  return {
    fate: !ended ? 'silent' : stuck.length > 0 ? 'held up' : closed ? 'closed' : 'ended',
    detail: stuck.length > 0 ? stuck.join(', ') : closed ? `client ${client.closed}` : '',
    toServer: alike(server.received.replace(/NOOP last\r\n$/, '')),
    toClient: alike(client.received.replace(/200 last\r\n$/, '')),
    lets: expected.map((tried) => describe(wireCase, tried)).sort(),
  };
}

function describe({ family }: Case, { peer, leads, source, stranger, again, at }: Tried): string {
  const who = Object.entries(addresses[family]).find(([, address]) => address === peer)?.[0] ?? peer;
  if (leads === undefined) return `${who} -> ${at}, past the gateway`;
  const others = [
    ...(stranger !== undefined && stranger !== 'refused' ? [`a stranger => ${stranger}`] : []),
    ...(again !== undefined && again !== 'refused' ? [`again => ${again}`] : []),
  ];
  // Of a passive one it is the client's own with the helper, and the gateway's with Pinhole.
  const from = who === 'server' && typeof source === 'string' ? ` from ${source}` : '';
  return [`${who} => ${leads}${from}`, ...others].join(', ');
}

/**
 * Pinhole announces the gateway's inside to the server, where the helper leaves the client's address; the helper
 * writes IPv6 addresses in full, which some servers can't read.
 */
function withClientsAddress({ family }: Case, way: Way, text: string): string {
  const { client, inside } = addresses[family];
  if (way === 'helper') return family === 6 ? text.replaceAll(inFull(client), client) : text;
  return text.replaceAll(inside.replaceAll('.', ','), client.replaceAll('.', ',')).replaceAll(inside, client);
}

/** A port that the gateway picked at random, because it could not have the one that was announced. */
function withoutChosenPorts(expected: readonly Tried[], text: string): string {
  return expected
    .filter(({ at, leads }) => leads !== undefined && leads.includes(':') && portOf(at) !== portOf(leads))
    .map(({ at }) => portOf(at))
    .reduce(
      (before, port) =>
        before.replaceAll(`,${port >> 8},${port & 255}`, ',<a port>').replaceAll(`|${port}|`, '|<a port>|'),
      text,
    );
}

function portOf(endpoint: string): number {
  return Number(/:(\d+)$/.exec(endpoint)?.[1]);
}

function inFull(address: string): string {
  const [left = [], right = []] = address.split('::').map((half) => half.split(':'));
  const zeros = new Array<string>(8 - left.length - right.length).fill('0');
  return [...left, ...zeros, ...right].map((group) => group.padStart(4, '0')).join(':');
}
