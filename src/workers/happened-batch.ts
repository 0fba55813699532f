import type { Event, Observer } from '../events.ts';
import type { DialledServer, Happened } from './messages.ts';

/**
 * How long what has happened may wait for what happens next, in milliseconds: a message costs more than what it says. Less
 * where a client's admission depends on it.
 */
const patience = 20;
const leastPatience = 3;

/** What happens in a worker, told to the first process in batches, in its order. */
export class HappenedBatch {
  /** Whether the lines of the dialogues are told. */
  isDialogueWanted: boolean;
  readonly #tell: (happened: Happened) => void;
  #events: Event[] = [];
  #left: number[] = [];
  #dialled: DialledServer[] = [];
  #hungUp: number[] = [];
  #timer: NodeJS.Timeout | undefined;
  /** When it is told. */
  #end = 0;

  constructor(tell: (happened: Happened) => void, isDialogueWanted: boolean) {
    this.#tell = tell;
    this.isDialogueWanted = isDialogueWanted;
  }

  readonly observe: Observer = (event) => {
    if (event.type === 'command' || event.type === 'reply') {
      if (!this.isDialogueWanted) return;
      // Its texts are made when they are read.
      const { type, session, received, sent } = event;
      this.#events.push({ type, session, received, sent } as Event);
    } else this.#events.push(event);
    // What is in the kernel outlives this process: the first one has to know of it.
    if (event.type === 'pinhole-opened' && event.plane === 'kernel') this.flush();
    else this.#due();
  };

  left(session: number): void {
    this.#left.push(session);
    this.#due(leastPatience);
  }

  /** @returns what is to be called at its end */
  dialled(connection: DialledServer): () => void {
    this.#dialled.push(connection);
    this.#due(leastPatience);
    return () => {
      this.#hungUp.push(connection.id);
      this.#due();
    };
  }

  /** Tells what has not been told. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const [events, left, dialled, hungUp] = [this.#events, this.#left, this.#dialled, this.#hungUp];
    if (events.length + left.length + dialled.length + hungUp.length === 0) return;
    this.#events = [];
    this.#left = [];
    this.#dialled = [];
    this.#hungUp = [];
    this.#tell({ kind: 'happened', events, left, dialled, hungUp });
  }

  #due(within: number = patience): void {
    const due = performance.now() + within;
    if (this.#timer && this.#end <= due) return;
    clearTimeout(this.#timer);
    this.#end = due;
    this.#timer = setTimeout(() => {
      this.flush();
    }, within);
  }
}
