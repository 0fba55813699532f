import type { Level } from 'pino';

/** What repeated events have in common: their client and their reason. */
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
  /** How many clients and sessions are distinguished, for all reasons together. */
  readonly kinds: number;
}

interface Counter {
  readonly kind: Kind;
  /** When the period that it counts in is over. */
  readonly end: number;
  logged: number;
  repeated: number;
  /** Whether it continues, although there may be nothing to report yet. */
  goesOn: boolean;
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

  /** Counts one event, and returns whether it is to be logged. Reports that are due must have been taken before. */
  admit(kind: Kind, now: number): boolean {
    const isLogged = this.reserve(kind, now);
    if (!isLogged) this.count(kind, now);
    return isLogged;
  }

  /**
   * The same for what may turn out not to be of this kind: where it is not to be logged it is not counted yet. What is
   * due by now must have been taken before.
   */
  reserve(kind: Kind, now: number): boolean {
    const counter = this.#counterOf(kind, now);
    const isLogged = counter.logged < this.#limits.first;
    if (isLogged) counter.logged++;
    else counter.goesOn = true;
    return isLogged;
  }

  /** Counts one event that was not logged. What is due by now must have been taken before. */
  count(kind: Kind, now: number): void {
    this.#counterOf(kind, now).repeated++;
  }

  /** What was reserved was not of this kind: another one is logged in its place. */
  release(kind: Kind): void {
    const key = this.#counters.has(keyOf(kind)) ? keyOf(kind) : keyOf(commonOf(kind));
    const counter = this.#counters.get(key);
    if (!counter || counter.logged === 0) return;
    counter.logged--;
    if (counter.logged === 0 && counter.repeated === 0) this.#counters.delete(key);
  }

  /** Takes the reports of periods that are over. */
  due(now: number): Repetition[] {
    const told: Repetition[] = [];
    for (const [key, { kind, end, logged, repeated, goesOn }] of this.#counters) {
      if (end > now) break;
      this.#counters.delete(key);
      if (repeated > 0) told.push({ ...kind, repeated });
      else if (!goesOn) continue;
      // It may continue: then no line of its own is due until it pauses.
      this.#counters.set(key, { ...this.#newCounter(kind, now), logged });
    }
    return told;
  }

  /** When something is due next; `undefined` while everything was logged. */
  nextDue(): number | undefined {
    for (const { end, repeated } of this.#counters.values()) if (repeated > 0) return end;
    return undefined;
  }

  /** Takes everything that was not reported, due or not. */
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
    const common = commonOf(kind);
    const commonKey = keyOf(common);
    return this.#counters.get(commonKey) ?? this.#begin(commonKey, common, now);
  }

  #begin(key: string, kind: Kind, now: number): Counter {
    const counter = this.#newCounter(kind, now);
    this.#counters.set(key, counter);
    return counter;
  }

  #newCounter(kind: Kind, now: number): Counter {
    return { kind, end: now + this.#limits.period, logged: 0, repeated: 0, goesOn: false };
  }
}

/** Of all clients and sessions together. */
function commonOf({ level, words, reason }: Kind): Kind {
  return { level, words, reason };
}

function keyOf({ words, client, session, reason }: Kind): string {
  return [words, reason, client, session].join(' ');
}
