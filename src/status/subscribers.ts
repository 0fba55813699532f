import type { Event, Observer } from '../events.ts';

/** Listeners of the event stream that come and go; while there are none, an event costs nothing here. */
export class Subscribers {
  readonly #observers = new Set<Observer>();
  readonly #changed: () => void;

  /** @param changed is called when somebody has come or gone */
  constructor(changed: () => void = () => undefined) {
    this.#changed = changed;
  }

  /** How many there are. */
  get size(): number {
    return this.#observers.size;
  }

  readonly observe = (event: Event): void => {
    if (this.#observers.size === 0) return;
    for (const observe of this.#observers) observe(event);
  };

  /** @returns what ends it */
  subscribe(observe: Observer): () => void {
    this.#observers.add(observe);
    this.#changed();
    return () => {
      this.#observers.delete(observe);
      this.#changed();
    };
  }
}
