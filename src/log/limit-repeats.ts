import { Repeats, type Kind, type Repetition } from './repeats.ts';

/**
 * Carries out what `Repeats` decides, by this process's clock: the function that it returns says of one event whether it
 * is to be logged. What it was not is told at the end of its period, or with the process. While nothing waits to be told
 * there is no timer, and no listener.
 */
export function limitRepeats(
  tell: (repetition: Repetition) => void,
  repeats: Repeats = new Repeats(),
): (kind: Kind) => boolean {
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

  return (kind) => {
    // A busy loop is late with its timers.
    tellDue();
    const isLogged = repeats.admit(kind, performance.now());
    if (!isLogged && !timer) {
      // Before the log's own, which writes for the last time.
      process.prependOnceListener('exit', tellAll);
      wait();
    }
    return isLogged;
  };
}
