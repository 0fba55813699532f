import type { AdminClient, StreamedEvent } from './admin-client.ts';
import { remark } from './print.ts';

/**
 * Reads events until Ctrl-C or SIGTERM, until `stop` is called, or until the relay ends, which it says, and which is exit
 * code 1. What this reader has missed it says too.
 */
export async function follow(
  relay: AdminClient,
  query: Readonly<Record<string, string>>,
  read: (event: StreamedEvent, stop: () => void) => void,
): Promise<void> {
  const end = new AbortController();
  const stop = (): void => {
    end.abort();
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) process.on(signal, stop);
  try {
    await relay.events(
      new URLSearchParams(query),
      (event) => {
        // Some may be read already when it is stopped.
        if (!end.signal.aborted) read(event, stop);
        if (event.type === 'missed')
          remark(`missed ${String(event.fields['events'])} events: this reader was too slow`);
      },
      end.signal,
    );
  } finally {
    for (const signal of signals) process.off(signal, stop);
  }
  if (end.signal.aborted) return;
  remark('the relay has ended');
  process.exitCode = 1;
}
