/**
 * Lets sessions of one client go to the server as long as few of them wait for its greeting; the others wait for those.
 * Two relays that name each other as their server would otherwise make sessions of one connection until none is left: of
 * all of them the next one is a part, and none is ever greeted.
 */
export class GreetingQueue {
  readonly #clients = new Map<string, { greeting: number; readonly waiting: Set<() => void> }>();

  /**
   * @param most how many may wait for a greeting at once
   * @param limit milliseconds
   * @returns `turn`: whether it came in time; then `leave` has to follow, once the session is greeted or has ended
   */
  enter(
    client: string,
    most: number,
    limit: number,
  ): { readonly turn: Promise<boolean>; readonly giveUp: () => void } {
    const known = this.#clients.get(client);
    const entry = known ?? { greeting: 0, waiting: new Set() };
    if (!known) this.#clients.set(client, entry);
    if (entry.greeting < most && entry.waiting.size === 0) {
      entry.greeting++;
      return { turn: Promise.resolve(true), giveUp: () => undefined };
    }
    let giveUp = (): void => undefined;
    const turn = new Promise<boolean>((resolve) => {
      const enter = (): void => {
        clearTimeout(timer);
        resolve(true);
      };
      giveUp = () => {
        clearTimeout(timer);
        if (entry.waiting.delete(enter)) resolve(false);
      };
      const timer = setTimeout(giveUp, limit);
      entry.waiting.add(enter);
    });
    return { turn, giveUp };
  }

  leave(client: string): void {
    const entry = this.#clients.get(client);
    if (!entry) return;
    const [next] = entry.waiting;
    if (next) {
      entry.waiting.delete(next);
      next();
      return;
    }
    entry.greeting--;
    if (entry.greeting === 0) this.#clients.delete(client);
  }
}
