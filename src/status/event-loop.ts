import { monitorEventLoopDelay } from 'node:perf_hooks';

/** How late this process comes to what has happened, in milliseconds. */
export interface EventLoopDelay {
  readonly median: number;
  readonly p99: number;
  readonly worst: number;
}

export interface EventLoopWatch {
  /** Since the start. */
  read(): EventLoopDelay;
  stop(): void;
}

/** How often it is looked at, in milliseconds: what is no later than this is not seen. */
const resolution = 50;

/** Measures the delay of the event loop. */
export function watchEventLoop(): EventLoopWatch {
  const histogram = monitorEventLoopDelay({ resolution });
  histogram.enable();
  // What is measured is the time between two looks, in nanoseconds.
  const late = (nanoseconds: number): number =>
    Math.max(0, Math.round(nanoseconds / 1e5 - resolution * 10) / 10);
  return {
    read: () => ({
      median: late(histogram.percentile(50)),
      p99: late(histogram.percentile(99)),
      worst: late(histogram.max),
    }),
    stop: () => {
      histogram.disable();
    },
  };
}
