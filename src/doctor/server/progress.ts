import type { Catalogue } from '../messages/message.ts';

/** What is being tried: a word of the catalogue, and what stands for the `{names}` in it. */
export interface Step {
  readonly word: Extract<keyof Catalogue['words'], `try${string}`>;
  readonly values: Readonly<Record<string, string | number>>;
}

/** Is told a step that takes long, and for how many seconds it has been tried. */
export type TellProgress = (step: Step, seconds: number) => void;

/** Which step is being tried. */
export interface Progress {
  /** Another step has begun. */
  now(word: Step['word'], values?: Step['values']): void;
  end(): void;
}

/** Seconds from which on a step takes long, and between two signs of life of one. */
const long = 1;
const between = 5;

/** Tells each step that takes long, again and again while it lasts. */
export function startProgress(tell: TellProgress | undefined): Progress {
  let timer: NodeJS.Timeout | undefined;
  let isOver = false;
  const wait = (step: Step, seconds: number, next: number): void => {
    timer = setTimeout(
      () => {
        tell?.(step, next);
        wait(step, next, next + between);
      },
      (next - seconds) * 1000,
    ).unref();
  };
  return {
    now: (word, values = {}) => {
      clearTimeout(timer);
      if (tell && !isOver) wait({ word, values }, 0, long);
    },
    end: () => {
      clearTimeout(timer);
      isOver = true;
    },
  };
}
