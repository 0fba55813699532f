import { createHistogram } from 'node:perf_hooks';
import { Histogram, type HistogramCounts } from './histogram.ts';

/** How late this process comes to what has happened, in milliseconds. */
export interface EventLoopDelay {
  readonly median: number;
  readonly p99: number;
  readonly worst: number;
}

export interface EventLoopWatch {
  /** Since the start. */
  read(): EventLoopDelay;
  /** The same as counts, in seconds: what a rate of the last minutes can be made of. */
  delays(): HistogramCounts;
  stop(): void;
}

/** How often it is looked at, in milliseconds: what is no later than this is not seen. */
const resolution = 50;

/** Upper bounds in seconds. */
const bounds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

/** Measures the delay of the event loop, by how late a timer is. */
export function watchEventLoop(): EventLoopWatch {
  // The first has percentiles and no counts, the second counts and no percentiles.
  const histogram = createHistogram();
  const delays = new Histogram(bounds);
  let due = performance.now() + resolution;
  const timer = setInterval(() => {
    const now = performance.now();
    const late = Math.max(0, now - due);
    // In microseconds; it takes no 0.
    histogram.record(Math.max(1, Math.round(late * 1000)));
    delays.add(late / 1000);
    due = now + resolution;
  }, resolution).unref();
  const milliseconds = (microseconds: number): number => Math.round(microseconds / 100) / 10;
  return {
    read: () => ({
      median: milliseconds(histogram.percentile(50)),
      p99: milliseconds(histogram.percentile(99)),
      worst: milliseconds(histogram.max),
    }),
    delays: () => delays.read(),
    stop: () => {
      clearInterval(timer);
    },
  };
}
