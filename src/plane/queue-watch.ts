import type { SendQueue } from '../net/send-queue.ts';

/** The system says nothing when a queue becomes empty: it is asked, the longer it takes the less often. Milliseconds. */
const shortest = 1;
const longest = 200;
/** Of the time that it has taken so far, how much later than it was the end may be noticed. */
const share = 1 / 16;

export interface QueueWatch {
  /** Asks now: something has happened after which it may be over. */
  look(): void;
  stop(): void;
}

interface QueueListener {
  isOver(): boolean;
  /** Something has left the queue. */
  moves(): void;
  /** Told once; not before `watchQueue` has returned. */
  over(): void;
}

/**
 * Waits for a send queue.
 *
 * @param patience milliseconds without an acknowledgement after which it is over all the same; 0: without a limit here
 */
export function watchQueue(queue: SendQueue, patience: number, listener: QueueListener): QueueWatch {
  const started = performance.now();
  let moved = started;
  let size = -1;
  let timer: NodeJS.Timeout | undefined;
  let isStopped = false;
  const stop = (): void => {
    isStopped = true;
    clearTimeout(timer);
    clearImmediate(first);
  };
  const look = (): void => {
    if (isStopped) return;
    if (listener.isOver()) {
      stop();
      listener.over();
    }
  };
  const poll = (): void => {
    look();
    if (isStopped) return;
    const now = performance.now();
    const left = queue.size;
    if (left !== size) {
      size = left;
      moved = now;
      listener.moves();
    } else if (patience > 0 && now - moved > patience) {
      stop();
      listener.over();
      return;
    }
    timer = setTimeout(poll, Math.min(longest, Math.max(shortest, (now - started) * share)));
  };
  const first = setImmediate(poll);
  return { look, stop };
}
