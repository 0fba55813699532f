import { setTimeout as delay } from 'node:timers/promises';
import type { SessionReason } from '../events.ts';
import type { Address } from '../net/address.ts';
import { networkOf } from '../net/cidr.ts';
import type { Descriptors } from '../net/descriptors.ts';

export interface AdmissionLimits {
  readonly maxSessions: number;
  readonly maxSessionsPerClient: number;
  /** How many bits of an IPv6 address identify the client: a host has a /64 and all its addresses. */
  readonly ipv6ClientPrefix: number;
}

/** The two connections of a session. */
const descriptorsOfSession = 2;
/** What sessions may have of all descriptors: the rest is for the data connections of those that are there. */
const shareOfSessions = 0.7;
const shareOfRefused = 0.9;
/** What one client may have of the sessions that there can be, whatever it is allowed: others are to get in as well. */
const shareOfClient = 0.5;
/** How many refused clients are waited for until they have read why, and how many of one client. */
const mostRefused = 64;
const mostRefusedOfClient = 4;

/** How many sessions there are, and of whom. */
export class Admission {
  readonly #descriptors: Descriptors;
  readonly #countOf = new Map<string, number>();
  readonly #refusedOf = new Map<string, number>();
  #count = 0;
  /** Who waits until there is none. */
  readonly #waiting: (() => void)[] = [];
  #refused = 0;

  constructor(descriptors: Descriptors) {
    this.#descriptors = descriptors;
  }

  get count(): number {
    return this.#count;
  }

  /** Resolves when there is no session. */
  async untilEmpty(): Promise<void> {
    if (this.#count === 0) return;
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  /** The same, after so many milliseconds at most, or by `over`. */
  async untilEmptyWithin(limit: number, over: AbortSignal): Promise<void> {
    if (this.#count === 0) return;
    const waiting = new AbortController();
    const signal = AbortSignal.any([waiting.signal, over]);
    await Promise.race([this.untilEmpty(), delay(limit, undefined, { signal }).catch(() => undefined)]);
    waiting.abort();
  }

  /** @returns what takes that back, or why not */
  enter(client: string, limits: AdmissionLimits): (() => void) | SessionReason {
    if (this.#count >= limits.maxSessions) return 'too-many-sessions';
    const most = Math.min(limits.maxSessionsPerClient, sessionsOfClientWithin(this.#descriptors));
    if ((this.#countOf.get(client) ?? 0) >= most) return 'too-many-sessions-of-client';
    const give = this.#descriptors.take(descriptorsOfSession, shareOfSessions);
    if (!give) return 'too-many-descriptors';
    this.#count++;
    add(this.#countOf, client, 1);
    return () => {
      this.#count--;
      add(this.#countOf, client, -1);
      give();
      if (this.#count > 0) return;
      for (const tell of this.#waiting.splice(0)) tell();
    };
  }

  /**
   * A client is refused, and its connection stays until it has read why.
   *
   * @returns what takes that back; undefined where too many are waited for
   */
  refuse(client: string): (() => void) | undefined {
    if (this.#refused >= mostRefused || (this.#refusedOf.get(client) ?? 0) >= mostRefusedOfClient)
      return undefined;
    const give = this.#descriptors.take(1, shareOfRefused);
    if (!give) return undefined;
    this.#refused++;
    add(this.#refusedOf, client, 1);
    return () => {
      this.#refused--;
      add(this.#refusedOf, client, -1);
      give();
    };
  }
}

/** How many sessions there can be. */
export function sessionsWithin({ total }: Pick<Descriptors, 'total'>): number {
  return Math.floor((total * shareOfSessions) / descriptorsOfSession);
}

/** How many of them can be one client's. */
function sessionsOfClientWithin(descriptors: Descriptors): number {
  return Math.max(1, Math.floor(sessionsWithin(descriptors) * shareOfClient));
}

/** Which client an address belongs to. */
export function clientOf(address: Address, { ipv6ClientPrefix }: AdmissionLimits): string {
  return networkOf(address, ipv6ClientPrefix);
}

function add(counts: Map<string, number>, client: string, difference: number): void {
  const count = (counts.get(client) ?? 0) + difference;
  if (count > 0) counts.set(client, count);
  else counts.delete(client);
}
