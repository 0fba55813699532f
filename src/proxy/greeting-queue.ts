interface Client {
  /** How many of its sessions wait for the server's greeting. */
  greeting: number;
  /** Lets one in whose turn has come, in the order in which they came. */
  readonly waiting: Set<() => void>;
}

/** The place of one session in the queue. */
export interface GreetingPlace {
  /** Whether its turn came in time, and before it left. */
  readonly turn: Promise<boolean>;
  /** Whether that was still to come. */
  readonly waits: boolean;
  /** The session has been greeted, has ended, or does not wait any longer: the next one has its turn. Once is enough. */
  readonly leave: () => void;
}

/**
 * Lets sessions of one client go to the server as long as few of them wait for its greeting; the others wait for those.
 * Two relays that name each other as their server would otherwise make sessions of one connection until none is left: of
 * all of them the next one is a part, and none is ever greeted.
 */
export class GreetingQueue {
  readonly #clients = new Map<string, Client>();

  /**
   * @param most how many may wait for a greeting at once
   * @param limit milliseconds to wait for a turn
   */
  enter(name: string, most: number, limit: number): GreetingPlace {
    const known = this.#clients.get(name);
    const client = known ?? { greeting: 0, waiting: new Set() };
    if (!known) this.#clients.set(name, client);
    let isIn = false;
    const leave = (): void => {
      if (isIn) this.#leave(name, client);
      isIn = false;
    };
    if (client.greeting < most && client.waiting.size === 0) {
      client.greeting++;
      isIn = true;
      return { turn: Promise.resolve(true), waits: false, leave };
    }
    let giveUp = (): void => undefined;
    const turn = new Promise<boolean>((resolve) => {
      const enter = (): void => {
        clearTimeout(timer);
        isIn = true;
        resolve(true);
      };
      giveUp = () => {
        clearTimeout(timer);
        if (client.waiting.delete(enter)) resolve(false);
      };
      const timer = setTimeout(giveUp, limit);
      client.waiting.add(enter);
    });
    return {
      turn,
      waits: true,
      leave: () => {
        giveUp();
        leave();
      },
    };
  }

  #leave(name: string, client: Client): void {
    const [next] = client.waiting;
    if (next) {
      client.waiting.delete(next);
      next();
      return;
    }
    client.greeting--;
    if (client.greeting === 0) this.#clients.delete(name);
  }
}
