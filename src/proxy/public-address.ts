import { lookup, Resolver } from 'node:dns/promises';
import type { Observer } from '../events.ts';
import { messageOf } from '../net/error.ts';
import { parseAddress, type Address, type Family } from '../net/address.ts';

/** Seconds: the earliest and the latest time to resolve a name again, whatever its TTL. */
const shortest = 10;
const longest = 3600;
/** Seconds until the next try where a name gave no address, or the answer came without a TTL. */
const retry = 60;

/**
 * The address announced to clients, of one family: an address, or a name that is resolved again according to its TTL.
 * It keeps the last address while the name cannot be resolved.
 */
export class PublicAddress {
  readonly #name: string;
  readonly #family: Family;
  readonly #observe: Observer;
  readonly #resolver = new Resolver({ timeout: 2000, tries: 2 });
  #current: Address | undefined;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  /** @param name an address of the family, or a host name */
  constructor(name: string, family: Family, observe: Observer) {
    this.#name = name;
    this.#family = family;
    this.#observe = observe;
    this.#current = parseAddress(name);
  }

  get current(): Address | undefined {
    return this.#current;
  }

  /** Resolves the name for the first time; an address needs none. */
  async start(): Promise<void> {
    if (this.#current === undefined) await this.#resolve();
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    this.#resolver.cancel();
  }

  async #resolve(): Promise<void> {
    let seconds = retry;
    try {
      const answers = await this.#ask();
      const kept = answers.find(({ address }) => address === this.#current) ?? answers[0];
      seconds = Math.min(Math.max(kept?.ttl ?? retry, shortest), longest);
      const address = kept && parseAddress(kept.address);
      if (address && address !== this.#current) {
        this.#current = address;
        this.#observe({ type: 'public-address-resolved', host: this.#name, address });
      }
    } catch (error) {
      this.#observe({ type: 'public-address-failed', host: this.#name, error: messageOf(error) });
    }
    if (this.#stopped) return;
    this.#timer = setTimeout(() => void this.#resolve(), seconds * 1000).unref();
  }

  /** DNS has the TTL but not /etc/hosts; the system's resolver has /etc/hosts but not the TTL. */
  async #ask(): Promise<{ address: string; ttl: number }[]> {
    try {
      const options = { ttl: true } as const;
      return await (this.#family === 4
        ? this.#resolver.resolve4(this.#name, options)
        : this.#resolver.resolve6(this.#name, options));
    } catch {
      const { address } = await lookup(this.#name, { family: this.#family });
      return [{ address, ttl: retry }];
    }
  }
}
