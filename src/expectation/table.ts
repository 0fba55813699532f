import type { Carrier } from '../events.ts';
import type { Address } from '../net/address.ts';
import { contains } from '../net/cidr.ts';
import { formatEndpoint, type Endpoint } from '../net/endpoint.ts';
import type { Expectation } from './expectation.ts';
import { ExpectationRegister, type Wanted } from './register.ts';

/** What a plane keeps for an expectation: its pinhole. */
interface Expecting {
  readonly expectation: Expectation;
}

export type Claim<Pinhole> =
  | { readonly kind: 'taken'; readonly pinhole: Pinhole }
  | { readonly kind: 'refused'; readonly reason: 'stranger' | 'expired' };

export interface ExpectationTableOptions<Pinhole> {
  readonly plane: Carrier;
  /** Shared with the table of the other plane where both are in use. */
  readonly register?: ExpectationRegister | undefined;
  /** The time of a pinhole is over, and it is out of the table. */
  readonly expired: (pinhole: Pinhole) => void;
  /** Learns of who has come by now, where the plane is not told at once; before a pinhole expires or counts as in the way. */
  readonly look?: () => void;
  /** Whether a server that comes from its data port to this endpoint would not get through. */
  readonly isBlocked?: (at: Endpoint, peer: Address) => boolean;
  /** Milliseconds, of a clock that never goes back; `performance.now` unless told. */
  readonly now?: () => number;
}

/** How often what has expired is looked for, in milliseconds. */
const glance = 1000;

/**
 * What a plane expects, and the one place that knows what has become of it. A pinhole is pending as long as it is in the
 * table: from `add` until the right peer takes it (`claim`), its time is over (`expired`), or its plane takes it back
 * (`close`).
 *
 * The kernel's own way to look one up: by the endpoint that is connected to and the address that connects. Two peers may
 * be expected at the same endpoint at once; the same peer may not.
 */
export class ExpectationTable<Pinhole extends Expecting> {
  readonly #options: ExpectationTableOptions<Pinhole>;
  readonly #register: ExpectationRegister;
  readonly #now: () => number;
  /** Few are at one port: to look through them is quicker than to look one up by a text of its endpoint. */
  readonly #byPort = new Map<number, Pinhole[]>();
  /** Runs while something is pending, and until it finds that nothing is. */
  #glances: NodeJS.Timeout | undefined;

  constructor(options: ExpectationTableOptions<Pinhole>) {
    const { register = new ExpectationRegister(), isBlocked, now = () => performance.now() } = options;
    this.#options = options;
    this.#register = register;
    this.#now = now;
    register.join(this, isBlocked);
  }

  /**
   * Where a peer can be expected, in the order of `portCandidates`: on no plane is it expected there, and a server in active
   * mode gets through.
   */
  *freeEndpoints(wanted: Wanted, random: (below: number) => number): Generator<Endpoint> {
    const { address, peer, mode } = wanted;
    let hasLooked = false;
    for (const port of this.#register.candidates(wanted, random, this.#now())) {
      const at = { address, port };
      if (this.#register.has(at, peer)) {
        // Once is enough: what has been taken by then is free.
        if (!hasLooked) this.#options.look?.();
        hasLooked = true;
        if (this.#register.has(at, peer)) continue;
      }
      if (mode === 'active' && this.#register.isBlocked(at, peer)) continue;
      yield at;
    }
  }

  /** The record of what is asked for, which is pending once a pinhole with it is in the table. */
  record(
    {
      session,
      mode,
      peer,
      alsoFrom,
      to,
      timeout,
    }: Omit<Expectation, 'id' | 'plane' | 'at' | 'expires'> & {
      /** Milliseconds. */
      readonly timeout: number;
    },
    at: Endpoint,
  ): Expectation {
    const { plane } = this.#options;
    const id = this.#register.nextId();
    return { id, session, plane, mode, peer, alsoFrom, at, to, expires: this.#now() + timeout };
  }

  /**
   * From here on the peer is expected, and nobody else gets the tuple. A pinhole that was taken may be put back.
   *
   * @throws when the peer is expected at that endpoint already: ask `isFree` first
   */
  add(pinhole: Pinhole): void {
    const { at, peer } = pinhole.expectation;
    if (this.has(at, peer)) throw new Error(`${peer} is expected at ${formatEndpoint(at)} already`);
    const there = this.#byPort.get(at.port);
    if (there) there.push(pinhole);
    else this.#byPort.set(at.port, [pinhole]);
    this.#glances ??= setInterval(() => {
      this.#glance();
    }, glance).unref();
  }

  #glance(): void {
    this.#options.look?.();
    this.expire(this.#now());
    if (this.#byPort.size > 0) return;
    clearInterval(this.#glances);
    this.#glances = undefined;
  }

  /** Whether the peer is expected at this endpoint by this plane. */
  has(at: Endpoint, peer: Address): boolean {
    return this.#find(at, peer) !== undefined;
  }

  /** Whether the peer is expected at this endpoint by no plane. */
  isFree(at: Endpoint, peer: Address): boolean {
    return !this.#register.has(at, peer);
  }

  isPending(pinhole: Pinhole): boolean {
    return this.#byPort.get(pinhole.expectation.at.port)?.includes(pinhole) ?? false;
  }

  /** A connection came: the first right one takes the pinhole out, any other leaves it as it is. */
  claim(at: Endpoint, from: Address, now: number = this.#now()): Claim<Pinhole> {
    const pinhole = this.#find(at, from) ?? this.#byNetwork(at, from, now);
    if (!pinhole) return { kind: 'refused', reason: 'stranger' };
    if (pinhole.expectation.expires <= now) return { kind: 'refused', reason: 'expired' };
    this.close(pinhole);
    this.#register.used(pinhole.expectation, this.#now());
    return { kind: 'taken', pinhole };
  }

  /** The plane takes it back. Returns whether it was pending. */
  close(pinhole: Pinhole): boolean {
    const { port } = pinhole.expectation.at;
    const there = this.#byPort.get(port) ?? [];
    const index = there.indexOf(pinhole);
    if (index === -1) return false;
    there.splice(index, 1);
    if (there.length === 0) this.#byPort.delete(port);
    return true;
  }

  /** Takes out what has expired, and tells of it. */
  expire(now: number): void {
    for (const pinhole of this.pending) {
      if (pinhole.expectation.expires <= now && this.close(pinhole)) this.#options.expired(pinhole);
    }
  }

  get pending(): Pinhole[] {
    return [...this.#byPort.values()].flat();
  }

  get ports(): number[] {
    return this.pending.map(({ expectation }) => expectation.at.port);
  }

  get size(): number {
    let size = 0;
    for (const there of this.#byPort.values()) size += there.length;
    return size;
  }

  #find(at: Endpoint, peer: Address): Pinhole | undefined {
    return this.#byPort
      .get(at.port)
      ?.find(({ expectation }) => expectation.peer === peer && expectation.at.address === at.address);
  }

  /** Where two clients wait for a third host at one endpoint, which of them it means can't be told. */
  #byNetwork(at: Endpoint, from: Address, now: number): Pinhole | undefined {
    const allowed = (this.#byPort.get(at.port) ?? []).filter(
      ({
        expectation: {
          at: { address },
          alsoFrom,
          expires,
        },
      }) => address === at.address && expires > now && alsoFrom.some((network) => contains(network, from)),
    );
    return allowed.length === 1 ? allowed[0] : undefined;
  }
}
