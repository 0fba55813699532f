import type { Event, Observer } from '../events.ts';

/** Listeners of the event stream that come and go; while there are none, an event costs nothing here. */
export class Subscribers {
  readonly #observers = new Set<Observer>();

  readonly observe = (event: Event): void => {
    if (this.#observers.size === 0) return;
    for (const observe of this.#observers) observe(event);
  };

  /** @returns what ends it */
  subscribe(observe: Observer): () => void {
    this.#observers.add(observe);
    return () => this.#observers.delete(observe);
  }
}
