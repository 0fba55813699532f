import type { Level } from 'pino';

/** What is the same about events that say the same again and again: whose they are, and why. */
export interface Kind {
  readonly level: Level;
  readonly words: string;
  /** The client, or its network. */
  readonly client?: string | undefined;
  readonly session?: number | undefined;
  readonly reason?: string | undefined;
}

/** So often has it happened without a line of its own. Without `client` and `session`: to many. */
export interface Repetition extends Kind {
  readonly repeated: number;
}

export interface RepeatsLimits {
  /** How many are logged one by one. */
  readonly first: number;
  /** Milliseconds. */
  readonly period: number;
  /** How many clients and sessions are told apart, for all reasons together. */
  readonly kinds: number;
}

interface Counter {
  readonly kind: Kind;
  /** When the period that it counts in is over. */
  readonly end: number;
  logged: number;
  repeated: number;
}

/**
 * Decides what of many equal events is logged: the first few of a kind one by one, the others as one number at the end
 * of each period, until a period without any. Kinds beyond `kinds` are counted together.
 */
export class Repeats {
  readonly #limits: RepeatsLimits;
  /** In the order of their ends. */
  readonly #counters = new Map<string, Counter>();

  constructor(limits: RepeatsLimits = { first: 10, period: 10_000, kinds: 4096 }) {
    this.#limits = limits;
  }

  /** Counts one event, and says whether it is to be logged. What is due by now must have been taken before. */
  admit(kind: Kind, now: number): boolean {
    const counter = this.#counterOf(kind, now);
    if (counter.logged < this.#limits.first) {
      counter.logged++;
      return true;
    }
    counter.repeated++;
    return false;
  }

  /** Takes what is to be told of periods that are over. */
  due(now: number): Repetition[] {
    const told: Repetition[] = [];
    for (const [key, { kind, end, logged, repeated }] of this.#counters) {
      if (end > now) break;
      this.#counters.delete(key);
      if (repeated === 0) continue;
      told.push({ ...kind, repeated });
      // It may go on: then no line of its own is due until it pauses.
      this.#counters.set(key, { kind, end: now + this.#limits.period, logged, repeated: 0 });
    }
    return told;
  }

  /** When something is due next; `undefined` while everything was logged. */
  nextDue(): number | undefined {
    for (const { end, repeated } of this.#counters.values()) if (repeated > 0) return end;
    return undefined;
  }

  /** Takes everything that was not told, due or not. */
  takeAll(): Repetition[] {
    const counters = [...this.#counters.values()];
    this.#counters.clear();
    return counters
      .filter(({ repeated }) => repeated > 0)
      .map(({ kind, repeated }) => ({ ...kind, repeated }));
  }

  #counterOf(kind: Kind, now: number): Counter {
    const key = keyOf(kind);
    const known = this.#counters.get(key);
    if (known) return known;
    if (this.#counters.size < this.#limits.kinds) return this.#begin(key, kind, now);
    const { level, words, reason } = kind;
    const common: Kind = { level, words, reason };
    const commonKey = keyOf(common);
    return this.#counters.get(commonKey) ?? this.#begin(commonKey, common, now);
  }

  #begin(key: string, kind: Kind, now: number): Counter {
    const counter = { kind, end: now + this.#limits.period, logged: 0, repeated: 0 };
    this.#counters.set(key, counter);
    return counter;
  }
}

function keyOf({ words, client, session, reason }: Kind): string {
  return [words, reason, client, session].join(' ');
}
