import type { Carrier, Event, Observer } from '../events.ts';
import { directionOf } from '../ftp/transfer.ts';
import { Histogram, type HistogramCounts } from './histogram.ts';

export interface Counters {
  readonly observe: Observer;
  /**
   * How often each thing happened: by its type, and the words that distinguish it, in their order (`transfer-ended
   * complete download relay`).
   */
  read(): Record<string, number>;
  /** Bytes of the transfers that are over. */
  bytes(): Readonly<Record<Carrier, TransferBytes>>;
  /** Seconds that it took to open a pinhole. */
  opening(): Readonly<Record<Carrier, HistogramCounts>>;
  /** Seconds from the connection to the first byte, where this process carries it. */
  firstByte(): HistogramCounts;
}

interface TransferBytes {
  readonly upload: number;
  readonly download: number;
}

/** Upper bounds in seconds: opening takes fractions of a millisecond, a first byte what a path takes. */
const openingBounds = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1];
const firstByteBounds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** Counts what happens; lines of the dialogue are not counted. */
export function createCounters(): Counters {
  const counts = new Map<string, number>();
  const bytes = { relay: { upload: 0, download: 0 }, kernel: { upload: 0, download: 0 } };
  const opening = { relay: new Histogram(openingBounds), kernel: new Histogram(openingBounds) };
  const firstByte = new Histogram(firstByteBounds);
  return {
    observe: (event) => {
      if (event.type === 'command' || event.type === 'reply') return;
      const key = keyOf(event);
      counts.set(key, (counts.get(key) ?? 0) + 1);
      if (event.type === 'pinhole-opened') opening[event.plane].add(event.seconds);
      if (event.type !== 'transfer-ended') return;
      bytes[event.plane].upload += event.uploaded;
      bytes[event.plane].download += event.downloaded;
      if (event.firstByte !== undefined) firstByte.add(event.firstByte);
    },
    read: () => Object.fromEntries([...counts].sort(([a], [b]) => (a < b ? -1 : 1))),
    bytes: () => bytes,
    opening: () => ({ relay: opening.relay.read(), kernel: opening.kernel.read() }),
    firstByte: () => firstByte.read(),
  };
}

function keyOf(event: Event): string {
  switch (event.type) {
    case 'pinhole-opened':
    case 'pinhole-taken':
      return `${event.type} ${event.mode} ${event.plane}`;
    case 'pinhole-closed':
      return `${event.type} ${event.reason} ${event.plane}`;
    case 'transfer-ended':
      return `${event.type} ${event.cause} ${directionOf(event)} ${event.plane}`;
    default:
      if ('reason' in event) return `${event.type} ${event.reason}`;
      return 'cause' in event ? `${event.type} ${event.cause}` : event.type;
  }
}
