import { Repeats, type Kind, type Repetition } from './repeats.ts';

/** `Repeats` by this process's clock. */
export interface RepeatsLimit {
  /** Whether an event is to be logged. */
  admit(kind: Kind): boolean;
  /** The same for what may turn out not to be of this kind: then `release` follows, and else `count` where it was not logged. */
  reserve(kind: Kind): boolean;
  release(kind: Kind): void;
  count(kind: Kind): void;
}

/**
 * Carries out the decisions of `Repeats`. Repetitions that were not logged are reported at the end of their period,
 * or with the process. While nothing is pending there is no timer, and no listener.
 */
export function limitRepeats(
  tell: (repetition: Repetition) => void,
  repeats: Repeats = new Repeats(),
): RepeatsLimit {
  let timer: NodeJS.Timeout | undefined;

  const tellDue = (): void => {
    for (const repetition of repeats.due(performance.now())) tell(repetition);
  };
  const tellAll = (): void => {
    for (const repetition of repeats.takeAll()) tell(repetition);
  };
  const wait = (): void => {
    const due = repeats.nextDue();
    if (due === undefined) {
      timer = undefined;
      process.off('exit', tellAll);
      return;
    }
    timer = setTimeout(() => {
      tellDue();
      wait();
    }, due - performance.now()).unref();
  };

  /** To be called after a repetition was counted: it is reported at the end of its period. */
  const counted = (): void => {
    if (timer) return;
    // Before the log's own, which writes for the last time.
    process.prependOnceListener('exit', tellAll);
    wait();
  };

  // A busy loop is late with its timers.
  return {
    admit: (kind) => {
      tellDue();
      const isLogged = repeats.admit(kind, performance.now());
      if (!isLogged) counted();
      return isLogged;
    },
    reserve: (kind) => {
      tellDue();
      return repeats.reserve(kind, performance.now());
    },
    release: (kind) => {
      repeats.release(kind);
    },
    count: (kind) => {
      tellDue();
      repeats.count(kind, performance.now());
      counted();
    },
  };
}
