import type { Address } from '../net/address.ts';
import { contains } from '../net/cidr.ts';
import { formatEndpoint, type Endpoint } from '../net/endpoint.ts';
import type { Expectation } from './expectation.ts';

export type Claim =
  | { readonly kind: 'taken'; readonly expectation: Expectation }
  | { readonly kind: 'refused'; readonly reason: 'stranger' | 'expired' };

/**
 * The pending expectations, looked up as the kernel does: by the endpoint that is connected to and the address
 * that connects. Two peers may be expected at the same endpoint at once; the same peer may not.
 */
export class ExpectationTable {
  readonly #byEndpoint = new Map<string, Map<Address, Expectation>>();

  /** @throws when the peer is expected at that endpoint already: ask `has` first. */
  add(expectation: Expectation): void {
    const key = formatEndpoint(expectation.at);
    const peers = this.#byEndpoint.get(key) ?? new Map<Address, Expectation>();
    if (peers.has(expectation.peer)) throw new Error(`${expectation.peer} is expected at ${key} already`);
    peers.set(expectation.peer, expectation);
    this.#byEndpoint.set(key, peers);
  }

  has(at: Endpoint, peer: Address): boolean {
    return this.#byEndpoint.get(formatEndpoint(at))?.has(peer) ?? false;
  }

  /** Returns whether it was there. */
  remove(expectation: Expectation): boolean {
    if (!this.#holds(expectation)) return false;
    const key = formatEndpoint(expectation.at);
    const peers = this.#byEndpoint.get(key);
    peers?.delete(expectation.peer);
    if (peers?.size === 0) this.#byEndpoint.delete(key);
    return true;
  }

  /** A connection came: the first right one takes the expectation out, any other leaves it as it is. */
  claim(at: Endpoint, from: Address, now: number): Claim {
    const peers = this.#byEndpoint.get(formatEndpoint(at));
    const expectation = peers?.get(from) ?? this.#byNetwork(peers, from, now);
    if (!expectation) return { kind: 'refused', reason: 'stranger' };
    if (expectation.expires <= now) return { kind: 'refused', reason: 'expired' };
    this.remove(expectation);
    return { kind: 'taken', expectation };
  }

  /** Takes out and returns what has expired. */
  expire(now: number): Expectation[] {
    const expired: Expectation[] = [];
    for (const peers of this.#byEndpoint.values()) {
      for (const expectation of peers.values()) {
        if (expectation.expires <= now) expired.push(expectation);
      }
    }
    for (const expectation of expired) this.remove(expectation);
    return expired;
  }

  get size(): number {
    let size = 0;
    for (const peers of this.#byEndpoint.values()) size += peers.size;
    return size;
  }

  #holds({ at, peer, id }: Expectation): boolean {
    return this.#byEndpoint.get(formatEndpoint(at))?.get(peer)?.id === id;
  }

  /** Where two clients wait for a third host at one endpoint, which of them it means can't be told. */
  #byNetwork(
    peers: ReadonlyMap<Address, Expectation> | undefined,
    from: Address,
    now: number,
  ): Expectation | undefined {
    const allowed = [...(peers?.values() ?? [])].filter(
      ({ alsoFrom, expires }) => expires > now && alsoFrom.some((network) => contains(network, from)),
    );
    return allowed.length === 1 ? allowed[0] : undefined;
  }
}
