import { lookup } from 'node:dns';
import type { LookupFunction } from 'node:net';

/** Milliseconds that an answer is used as it is. */
const freshFor = 5000;

type Options = Parameters<LookupFunction>[1];
type Answered = Parameters<LookupFunction>[2];
type Addresses = Parameters<Answered>[1];

interface Name {
  isAsked: boolean;
  readonly waiting: Answered[];
  /** The last good answer. */
  answer: { readonly addresses: Addresses; readonly family: number | undefined } | undefined;
  /** Until when it is used as it is. */
  until: number;
  /** Whether the last lookup failed: as long as that is so nobody waits for one where there is an answer. */
  hasFailed: boolean;
}

/**
 * Looks names up as the system does, but each name once at a time for all who ask: a lookup occupies one of the four
 * threads of this process for as long as name servers take. An answer is kept for some seconds, and for as long as later
 * lookups fail. Nothing is shared across different options.
 */
export class SharedLookup {
  readonly #ask: LookupFunction;
  readonly #now: () => number;
  readonly #names = new Map<string, Name>();

  /** @param now milliseconds */
  constructor(ask: LookupFunction = askSystem, now: () => number = () => performance.now()) {
    this.#ask = ask;
    this.#now = now;
  }

  /** What `connect` of node:net takes in the place of `lookup` of node:dns. */
  readonly lookup: LookupFunction = (host, options, answered) => {
    const name = this.#nameOf(host, options);
    const { answer, until, hasFailed } = name;
    const isFresh = answer !== undefined && this.#now() < until;
    if (answer && (isFresh || hasFailed)) process.nextTick(tell, answered, answer);
    else name.waiting.push(answered);
    if (!isFresh && !name.isAsked) this.#askFor(name, host, options);
  };

  /** The first address of a name in a family. */
  resolve(host: string, family: 4 | 6): Promise<string> {
    return new Promise((resolve, reject) => {
      this.lookup(host, { family }, (error, address) => {
        if (error) reject(error);
        else resolve(typeof address === 'string' ? address : '');
      });
    });
  }

  #nameOf(host: string, options: Options): Name {
    const key = JSON.stringify([host, Object.entries(options).sort()]);
    const known = this.#names.get(key);
    if (known) return known;
    const name: Name = { isAsked: false, waiting: [], answer: undefined, until: 0, hasFailed: false };
    this.#names.set(key, name);
    return name;
  }

  #askFor(name: Name, host: string, options: Options): void {
    name.isAsked = true;
    this.#ask(host, options, (error, addresses, family) => {
      name.isAsked = false;
      name.hasFailed = error !== null;
      if (!error) name.answer = { addresses, family };
      name.until = this.#now() + freshFor;
      for (const answered of name.waiting.splice(0)) {
        if (name.answer) process.nextTick(tell, answered, name.answer);
        else process.nextTick(answered, error, '');
      }
    });
  }
}

/** The one of this process. */
export const sharedLookup: SharedLookup = new SharedLookup();

function askSystem(...[host, options, answered]: Parameters<LookupFunction>): void {
  lookup(host, options, answered);
}

/** Each gets a list of its own. */
function tell(answered: Answered, { addresses, family }: NonNullable<Name['answer']>): void {
  answered(null, typeof addresses === 'string' ? addresses : [...addresses], family);
}
