/** The one with the fewest sessions; of several the first. */
export function leastBusy<Worker extends { readonly sessions: number }>(
  workers: Iterable<Worker>,
): Worker | undefined {
  let least: Worker | undefined;
  for (const worker of workers) if (!least || worker.sessions < least.sessions) least = worker;
  return least;
}
