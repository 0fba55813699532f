import type { Event, Observer } from '../events.ts';

export interface Counters {
  readonly observe: Observer;
  /** How often each thing happened, by `type` or `type reason`. */
  read(): Record<string, number>;
}

/** Counts what happens; lines of the dialogue are not counted. */
export function createCounters(): Counters {
  const counts = new Map<string, number>();
  return {
    observe: (event) => {
      if (event.type === 'command' || event.type === 'reply') return;
      const key = keyOf(event);
      counts.set(key, (counts.get(key) ?? 0) + 1);
    },
    read: () => Object.fromEntries([...counts].sort(([a], [b]) => (a < b ? -1 : 1))),
  };
}

function keyOf(event: Event): string {
  if ('reason' in event) return `${event.type} ${event.reason}`;
  return 'cause' in event ? `${event.type} ${event.cause}` : event.type;
}
