/**
 * Scripted dialogues through one way, see replay.py: what each side got, what the gateway expects then, and what that
 * is worth.
 */
import { join } from 'node:path';

import { addresses, type Family, type Network } from '../lab/network.ts';
import { mustRun } from '../lab/process.ts';
import { debianPython } from '../lab/provision.ts';
import { sourceFolder } from '../project.ts';
import { onHost, type Way } from './ways.ts';

/** What both ends say. All text is binary: one character a byte. */
export interface Script {
  readonly name: string;
  readonly family: Family;
  /** `false`: begins behind the greeting instead of behind the log in. */
  readonly login?: boolean;
  /** Turns, each of segments; a turn waits for the replies to the lines of the one before. */
  readonly client: readonly (readonly string[])[];
  /** The server's answer to a verb, as segments; `200 Done` where there is none. */
  readonly replies?: Readonly<Record<string, readonly string[]>>;
  /** The answers to so many commands leave in one segment. */
  readonly joined?: number;
  /** The expectation is tried out when the session is over. */
  readonly late?: boolean;
}

export interface Tried {
  readonly peer: string;
  readonly at: string;
  /** Where a connection came out: an endpoint, or `refused`, `nowhere`. */
  readonly leads?: string;
  /** Where it seemed to come from. */
  readonly source?: string | null;
  readonly stranger?: string;
  /** A second connection of the same peer. */
  readonly again?: string;
}

interface EndResult {
  readonly received: string;
  readonly closed: 'FIN' | 'RST' | 'self' | null;
}

export interface Result {
  readonly name: string;
  /** Whether the dialogue came to some end within the limit. */
  readonly ended: boolean;
  /** Whose words are dropped on the way, however often TCP repeats them. */
  readonly stuck: readonly ('client' | 'server')[];
  readonly client: EndResult;
  readonly server: EndResult;
  readonly expected: readonly Tried[];
}

const catchAll = 4000;
const longest = 300_000;

/** Lets one process see wherever a data connection comes out, and be acknowledged at once. Once a lab. */
export async function prepareReplay(network: Network): Promise<void> {
  // A connection that was reset must not be taken for a later one between the same ports.
  const forget = 'echo 0 > /proc/sys/net/netfilter/nf_conntrack_tcp_timeout_close';
  // What is dropped is sent again soon; what is not is acknowledged without delay.
  const hasten = `for v in -4 -6; do
    ip $v route show | grep -v ^fe80 | while read -r route; do ip $v route change $route rto_min 20ms quickack 1; done
  done`;
  await onHost(network, 'client', ['nft', '-f', '-'], catchRules('meta l4proto tcp'));
  await onHost(network, 'server', ['nft', '-f', '-'], catchRules('tcp dport != 21'));
  for (const host of ['client', 'server', 'gateway'] as const) {
    await onHost(network, host, ['sh', '-ec', `${forget}\n${hasten}`]);
  }
}

function catchRules(what: string): string {
  return `table inet catch {
  chain every {
    type nat hook prerouting priority dstnat;
    iifname eth0 ${what} redirect to :${catchAll}
  }
}
`;
}

/** Plays them one after the other. What the way needs must be running. */
export async function replay(
  network: Network,
  way: Way,
  family: Family,
  scripts: readonly Script[],
): Promise<Result[]> {
  const { client, server, public: reached, inside } = addresses[family];
  const hosts = ['client', 'server', 'stranger'] as const;
  const setting = {
    way,
    family,
    client,
    server,
    public: reached,
    inside,
    // Whoever is told of another address is told to connect past the gateway.
    reachable: [client, reached, inside],
    namespaces: Object.fromEntries(hosts.map((host) => [host, network.namespace(host)])),
    catchAll,
  };
  const input = scripts.map((script) => `${JSON.stringify(script)}\n`).join('');
  const argv = [
    debianPython,
    '-B',
    join(sourceFolder(import.meta.dirname), 'replay.py'),
    JSON.stringify(setting),
  ];
  const inGateway = ['ip', 'netns', 'exec', network.namespace('gateway'), ...argv];
  const text = await mustRun(inGateway, { input, timeout: longest });
  return text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Result);
}
