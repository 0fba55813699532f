import type { Finding } from '../finding.ts';
import { seconds } from './visit.ts';

/** Why an examination stopped early. */
interface Ending {
  /** Milliseconds. */
  readonly limit?: number;
  readonly signal?: AbortSignal;
}

/** Waits for the work, or for its limit: then a finding reports that it is incomplete. Rethrows errors of the work. */
export async function withinEnding(
  { limit, signal }: Ending,
  work: Promise<void>,
): Promise<Finding | undefined> {
  let timer: NodeJS.Timeout | undefined;
  let interrupt: (() => void) | undefined;
  const ended = new Promise<Finding>((resolve) => {
    interrupt = () => {
      resolve({ id: 'examination-interrupted', level: 'unseen', values: {}, remedies: [] });
    };
    if (signal?.aborted === true) interrupt();
    signal?.addEventListener('abort', interrupt);
    if (limit !== undefined)
      timer = setTimeout(() => {
        resolve(tooLong(limit));
      }, limit);
  });
  try {
    return await Promise.race([work.then(() => undefined), ended]);
  } finally {
    clearTimeout(timer);
    if (interrupt) signal?.removeEventListener('abort', interrupt);
  }
}

function tooLong(limit: number): Finding {
  return { id: 'examination-too-long', level: 'fault', values: { seconds: seconds(limit) }, remedies: [] };
}
