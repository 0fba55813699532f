import { monitorEventLoopDelay } from 'node:perf_hooks';
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

/** Measures the delay of the event loop. */
export function watchEventLoop(): EventLoopWatch {
  const histogram = monitorEventLoopDelay({ resolution });
  histogram.enable();
  // That one gives no counts: they are made by a timer of the same interval.
  const delays = new Histogram(bounds);
  let due = performance.now() + resolution;
  const timer = setInterval(() => {
    const now = performance.now();
    delays.add(Math.max(0, now - due) / 1000);
    due = now + resolution;
  }, resolution).unref();
  // What is measured is the time between two looks, in nanoseconds.
  const late = (nanoseconds: number): number =>
    Math.max(0, Math.round(nanoseconds / 1e5 - resolution * 10) / 10);
  return {
    read: () => ({
      median: late(histogram.percentile(50)),
      p99: late(histogram.percentile(99)),
      worst: late(histogram.max),
    }),
    delays: () => delays.read(),
    stop: () => {
      clearInterval(timer);
      histogram.disable();
    },
  };
}
